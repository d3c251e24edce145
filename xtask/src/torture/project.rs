//! The files of a life's project, in a temporary folder.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::{Context, Result};

use super::rows::Rows;

const COHO: &str = "\
project: torture
sources:
  files: { type: files, path: data }
destinations:
  sandbox: { type: vitally, base_url: URL, rest_token: sandbox, analytics_token: sandbox, rate: 100000/min, concurrency: MANY }
";

/// Accidents are what guards are for; here removals are meant.
const GUARDS: &str =
    "removed: delete\nguards: { max_removed: { share: 100%, floor: 1000 }, empty_source: allow }\n";

/// What a person sets who does not want many records to go.
const NARROW_GUARDS: &str = "removed: delete\nguards: { max_removed: 2 }\n";

/// What guards hold of accounts that are to be removed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// More than a few.
    Narrow,
    /// Nothing.
    Wide,
}

/// How a project is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Calls under way at once.
    concurrency: u32,
}

impl Options {
    /// As many calls at once as a project may have.
    pub(crate) fn many() -> Self {
        Self { concurrency: 8 }
    }

    /// One call after the other, so that the same rows are struck each time.
    pub(crate) fn one_by_one() -> Self {
        Self { concurrency: 1 }
    }
}

/// Each model with its sync.
const SYNCS: [(&str, &str, &str); 4] = [
    (
        "accounts",
        "primary_key: id\ntypes: { seats: integer }\n",
        "object: account\nmatch: { externalId: id }\nfields: { name: name, traits: { seats: seats } }\n",
    ),
    (
        "users",
        "primary_key: id\n",
        "object: user\nmatch: { externalId: id }\n\
         fields: { name: name, email: email, accountIds: { column: account, lookup: account.externalId } }\n\
         associations: exact\n",
    ),
    (
        "contacts",
        "primary_key: id\n",
        "object: user\nmatch: { email: email, externalId: id }\n\
         fields: { name: name, accountIds: { column: account, lookup: account.externalId } }\nassociations: exact\n",
    ),
    (
        "events",
        "primary_key: number\ntypes: { at: timestamp }\n",
        "object: event\nfirst_run: send\n\
         fields: { event: { static: Ordered }, timestamp: at, accountId: account, properties: { number: number } }\n",
    ),
];

/// A project in a temporary folder.
pub(crate) struct Project {
    folder: PathBuf,
}

impl Project {
    /// Writes the project's files; the rows come later.
    pub(crate) fn create(url: &str, life: &str, options: Options) -> Result<Self> {
        let project = Self { folder: env::temp_dir().join(format!("coho-torture-{}-{life}", process::id())) };
        let coho = COHO.replace("URL", url).replace("MANY", &options.concurrency.to_string());
        project.write("coho.yaml", &coho)?;
        for (name, model, sync) in SYNCS {
            project.write(
                &format!("models/{name}.yaml"),
                &format!("source: files\nfile: {name}.csv\n{model}"),
            )?;
            let removal = if name == "events" { "" } else { GUARDS };
            let text = format!("id: {name}\nmodel: {name}\nto: sandbox\n{sync}{removal}");
            project.write(&format!("syncs/{name}.yaml"), &text)?;
        }
        Ok(project)
    }

    /// From now on removals are held, or not.
    pub(crate) fn guard(&self, guard: Guard) -> Result<()> {
        let (from, to) = match guard {
            Guard::Narrow => (GUARDS, NARROW_GUARDS),
            Guard::Wide => (NARROW_GUARDS, GUARDS),
        };
        self.edit("syncs/accounts.yaml", |text| text.replace(from, to))
    }

    /// Vitally is at another address.
    pub(crate) fn move_to(&self, from: &str, to: &str) -> Result<()> {
        self.edit("coho.yaml", |text| text.replace(from, to))
    }

    /// The ledger is there.
    pub(crate) fn keep_ledger_at(&self, address: &str) -> Result<()> {
        self.edit("coho.yaml", |text| format!("{text}ledger: {address}\n"))
    }

    fn edit(&self, path: &str, change: impl Fn(&str) -> String) -> Result<()> {
        let text = fs::read_to_string(self.folder.join(path)).with_context(|| format!("reading {path}"))?;
        self.write(path, &change(&text))
    }

    /// Writes the rows.
    pub(crate) fn write_rows(&self, rows: &Rows) -> Result<()> {
        rows.files().iter().try_for_each(|(name, text)| self.write(&format!("data/{name}.csv"), text))
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let file = self.folder.join(path);
        let folder = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes it: only a life that ended well leaves nothing to look at.
    pub(crate) fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.folder).with_context(|| format!("removing {}", self.folder.display()))
    }
}
