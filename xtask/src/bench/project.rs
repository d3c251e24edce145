//! The project that is run: one file of accounts, twelve columns, all of them mapped, or one of events.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::{Context, Result};

/// The rate is one that nobody reaches: the limiter is not what is measured.
const PROJECT: &str = "\
project: bench
sources:
  files: { type: files, path: data }
destinations:
  sink: { type: vitally, base_url: URL, rest_token: bench, analytics_token: bench, rate: 100000000/min, analytics_rate: 100000000/min, concurrency: 50 }
";

const MODEL: &str = "\
source: files
primary_key: id
file: accounts.csv
";

const SYNC: &str = "\
id: accounts
model: accounts
to: sink
object: account
match: { externalId: id }
fields:
  name: name
  traits:
    plan: plan
    seats: seats
    mrr: mrr
    country: country
    industry: industry
    owner_email: owner_email
    active: active
    trial: trial
    signed_up: signed_up
    last_seen: last_seen
";

const EVENTS_MODEL: &str = "\
source: files
primary_key: id
file: events.csv
";

const EVENTS_SYNC: &str = "\
id: events
model: events
to: sink
object: event
first_run: send
fields:
  event: name
  timestamp: { column: happened_at, as: timestamp }
  accountId: account_id
  properties:
    page: page
    seconds: seconds
";

/// What is sent, and through which API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Accounts through the REST API.
    Accounts,
    /// Accounts through the Analytics API.
    AnalyticsAccounts,
    /// Events.
    Events,
}

impl Kind {
    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accounts | Self::AnalyticsAccounts => "accounts",
            Self::Events => "events",
        }
    }
}

const PARQUET_MODEL: &str = "\
source: files
primary_key: id
file: accounts.parquet
";

const PARQUET_SYNC: &str = "\
id: accounts
model: accounts
to: sink
object: account
match: { externalId: id }
fields:
  name: name
  traits:
    seats: seats
    mrr: mrr
    trial: trial
    created: created
    seen: seen
    extra: extra
    score: score
    note: note
    region: region
    big: big
";

const TABLE_PROJECT: &str = "\
project: bench
sources:
  warehouse: { type: postgres, url: \"URL\", compare: HOW }
destinations:
  sink: { type: vitally, base_url: \"SINK\", rest_token: bench, rate: 100000000/min, concurrency: 50 }
";

/// Where nobody answers.
const NOBODY: &str = "http://127.0.0.1:9";

const TABLE_MODEL: &str = "\
source: warehouse
primary_key: id
table: accounts
";

/// How rows of a table are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparing {
    /// All of them are read.
    Full,
    /// The database does a part of it.
    InSource,
    /// The same, with a table of Coho's own.
    Cached,
}

/// A project in a temporary folder, which is removed when this is dropped.
pub(crate) struct Project {
    folder: PathBuf,
    kind: Kind,
}

impl Project {
    /// Writes the project's files; the accounts come later.
    pub(crate) fn create(url: &str) -> Result<Self> {
        Self::of(Kind::Accounts, url)
    }

    /// The same of a kind; its rows come later.
    pub(crate) fn of(kind: Kind, url: &str) -> Result<Self> {
        let project = Self { folder: env::temp_dir().join(format!("coho-bench-{}", process::id())), kind };
        let (model, sync) = match kind {
            Kind::Accounts => (MODEL, SYNC.to_owned()),
            Kind::AnalyticsAccounts => {
                (MODEL, SYNC.replace("object: account\n", "object: account\napi: analytics\n"))
            }
            Kind::Events => (EVENTS_MODEL, EVENTS_SYNC.to_owned()),
        };
        let name = kind.name();
        project.send_to(url)?;
        project.write(&format!("models/{name}.yaml"), model)?;
        project.write(&format!("syncs/{name}.yaml"), &sync)?;
        project.write(&format!("data/{name}.csv"), "")?;
        Ok(project)
    }

    /// One whose accounts are a Parquet file, `accounts.parquet`, which comes later too.
    pub(crate) fn of_parquet(url: &str) -> Result<Self> {
        let project = Self::create(url)?;
        project.write("models/accounts.yaml", PARQUET_MODEL)?;
        project.write("syncs/accounts.yaml", PARQUET_SYNC)?;
        Ok(project)
    }

    /// One whose accounts are a table in PostgreSQL.
    pub(crate) fn of_table(database: &str) -> Result<Self> {
        Self::create(NOBODY)?.with_table(database)
    }

    /// Another one beside that.
    pub(crate) fn of_table_again(database: &str) -> Result<Self> {
        let folder = env::temp_dir().join(format!("coho-bench-{}-again", process::id()));
        let project = Self { folder, kind: Kind::Accounts };
        project.write("syncs/accounts.yaml", SYNC)?;
        project.with_table(database)
    }

    fn with_table(self, database: &str) -> Result<Self> {
        let project = self;
        project.compare(database, NOBODY, Comparing::Full)?;
        project.write("models/accounts.yaml", TABLE_MODEL)?;
        Ok(project)
    }

    /// Compares the rows of a table like this, and sends to a server at this address.
    pub(crate) fn compare(&self, database: &str, vitally: &str, comparing: Comparing) -> Result<()> {
        let how = match comparing {
            Comparing::Full => "full",
            Comparing::InSource => "in-source",
            Comparing::Cached => "in-source, cache: { schema: coho }",
        };
        let text = TABLE_PROJECT.replace("URL", database).replace("SINK", vitally).replace("HOW", how);
        self.write("coho.yaml", &text)
    }

    /// So many requests may be under way at once.
    pub(crate) fn concurrency(&self, at_once: &str) -> Result<()> {
        let file = self.folder.join("coho.yaml");
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        self.write("coho.yaml", &text.replace("concurrency: 50", &format!("concurrency: {at_once}")))
    }

    /// Sends to a server at this address.
    pub(crate) fn send_to(&self, url: &str) -> Result<()> {
        self.write("coho.yaml", &PROJECT.replace("URL", url))
    }

    /// Maps the accounts as at first.
    pub(crate) fn map(&self) -> Result<()> {
        self.write("syncs/accounts.yaml", SYNC)
    }

    /// Takes the addresses of accounts' owners for numbers, so that each row is invalid, and messages differ.
    pub(crate) fn cast_addresses(&self) -> Result<()> {
        let cast = "owner_email: { column: owner_email, as: number }";
        self.write("syncs/accounts.yaml", &SYNC.replace("owner_email: owner_email", cast))
    }

    /// Gives the sync other guards, such as `max_changed: 0`.
    pub(crate) fn guard(&self, guards: &str) -> Result<()> {
        self.write("syncs/accounts.yaml", &format!("{SYNC}guards: {{ {guards} }}\n"))
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

    /// The folder of the source.
    pub(crate) fn source_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The file of accounts.
    pub(crate) fn accounts(&self) -> PathBuf {
        self.folder.join("data/accounts.csv")
    }

    /// The file of rows.
    pub(crate) fn rows(&self) -> PathBuf {
        self.folder.join(format!("data/{}.csv", self.kind.name()))
    }

    /// The file of a plan that was agreed to.
    pub(crate) fn plan_file(&self) -> PathBuf {
        self.folder.join("plan.ndjson")
    }

    /// Where the programs write what they say.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Removes the ledger, and what says that there was one: the next run is a first run.
    pub(crate) fn forget(&self) -> Result<()> {
        let (ledger, mark) = (self.folder.join(".coho"), self.folder.join(".coho-ledger"));
        if ledger.exists() {
            fs::remove_dir_all(&ledger).with_context(|| format!("removing {}", ledger.display()))?;
        }
        if mark.exists() {
            fs::remove_file(&mark).with_context(|| format!("removing {}", mark.display()))?;
        }
        Ok(())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}
