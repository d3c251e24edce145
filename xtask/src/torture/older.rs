//! Ledgers: those of older schemas, with which some lives begin, and what one takes to be under way after a kill.
//!
//! The older ones are the frozen copies of the ledger's tests, made to be of this life's Vitally, and long enough for their
//! upgrade to be interrupted.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use super::random::Random;
use super::vitally::Vitally;
use crate::{child, workspace};

/// Where the frozen copies are.
const SCHEMAS: &str = "crates/coho-ledger/fixtures/schema";

/// Rows of another workspace, of which nothing is to be lost either: an upgrade copies them all.
const MORE: &str = "
INSERT INTO workspaces (id, name) VALUES (90, 'elsewhere');
INSERT INTO scopes (id, workspace, sync, object) VALUES (90, 90, 'accounts', 'account');
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 30000)
INSERT INTO memory (scope, key, target, standing, sent, n, origin, pending, encoding, serial, updated_at)
SELECT 90, 'k-' || n, 't-' || n, 'delivered', '{\"name\":\"Account ' || n || '\"}', 1, 'created', 'none', 1, 1, 1790000000000000
FROM numbers;
";

/// The frozen copies are of another project, whose ledger a run would refuse.
const OWNERLESS: &str = "DELETE FROM project;\n";

/// The account that the ledger knows to be delivered, and whose row is gone.
const DELIVERED: &str = "acme";

/// The account that it only compares with, so that it stays.
pub(crate) const STAYS: &str = "hoop";

/// Older schemas, the program that makes ledgers of them, and one that counts.
#[derive(Clone)]
pub(crate) struct Older {
    schemas: Vec<(String, String)>,
    maker: PathBuf,
    counter: PathBuf,
}

impl Older {
    /// Builds the programs and reads the schemas.
    pub(crate) fn load(target: &Path) -> Result<Self> {
        let mut build = child::cargo();
        build.args(["build", "--package", "coho-ledger", "--example", "older", "--example", "under_way"]);
        child::run(&mut build)?;
        let folder = workspace::root().join(SCHEMAS);
        let mut schemas = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "sql") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                schemas.push((name, fs::read_to_string(&path)?));
            }
        }
        schemas.sort();
        if schemas.is_empty() {
            bail!("expected schemas in {}", folder.display());
        }
        let examples = target.join("debug/examples");
        Ok(Self { schemas, maker: examples.join("older"), counter: examples.join("under_way") })
    }

    /// How many operations the ledger of a project takes to be under way. A copy is asked, so that the next run finds what the
    /// killed one left.
    pub(crate) fn under_way(&self, folder: &Path) -> Result<u64> {
        let ledger = folder.join(".coho/ledger.db");
        if !ledger.exists() {
            return Ok(0);
        }
        let copy = folder.join("copy-of-the-ledger");
        fs::create_dir_all(&copy)?;
        for name in ["ledger.db", "ledger.db-wal"] {
            let from = ledger.with_file_name(name);
            if from.exists() {
                fs::copy(&from, copy.join(name)).with_context(|| format!("copying {}", from.display()))?;
            }
        }
        let count = child::output(child::program(&self.counter).arg(copy.join("ledger.db")))?;
        fs::remove_dir_all(&copy)?;
        count.trim().parse().with_context(|| format!("expected a number, found `{count}`"))
    }

    /// Puts a ledger of some older schema into a project that knows Vitally by this address, and what it remembers into Vitally.
    /// Gives the schema's name.
    pub(crate) fn put(
        &self,
        folder: &Path,
        vitally: &Vitally,
        random: &mut Random,
        url: &str,
    ) -> Result<&str> {
        let (name, schema) = random.pick(&self.schemas).context("there are no schemas")?;
        let acme = vitally.seed_account(DELIVERED)?;
        vitally.seed_account(STAYS)?;
        let schema = schema.replace("'production'", &format!("'{url}'"));
        let schema = schema.replace("'v-1'", &format!("'{acme}'"));
        let path = folder.join(".coho/ledger.db");
        fs::create_dir_all(folder.join(".coho"))?;
        let mut command = child::program(&self.maker);
        let mut maker =
            command.arg(&path).stdin(Stdio::piped()).spawn().context("starting the maker of ledgers")?;
        let mut input = maker.stdin.take().context("the maker of ledgers reads nothing")?;
        let ownerless = if schema.contains("INSERT INTO project ") { OWNERLESS } else { "" };
        input.write_all(format!("BEGIN;\n{schema}\n{MORE}{ownerless}COMMIT;").as_bytes())?;
        drop(input);
        if !maker.wait()?.success() {
            bail!("no ledger of the schema {name} can be made");
        }
        Ok(name)
    }
}
