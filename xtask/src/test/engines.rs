//! `cargo xtask test --engines`: rows that are compared where they are, in each engine that can run here; real ones, Spark among them, and an
//! emulator each of Snowflake and of BigQuery, with their real drivers.
//!
//! They are 1.8 GB together, so they are installed only when they are asked for, below `target/`. The tests start and end them.

use anyhow::{Result, bail};

use super::counts::Counts;
use super::{prepare, run_tests};
use crate::install::{Need, Permission};
use crate::python::install;
use crate::say;
use crate::workspace::root;

/// What the tests need besides.
const NEEDS: [Need; 5] = [Need::Nextest, Need::Postgres, Need::MariaDb, Need::Adbc, Need::DuckDb];

/// The folder of each, and its packages; versions that are known to install together. Spark needs Java 17 or newer besides.
const ENGINES: [(&str, &str); 3] = [
    ("bigquery", "bqemulator==1.4.0 numpy pandas trustme==1.2.1 adbc-driver-bigquery==1.11.0"),
    ("snowflake", "fakesnow[server]==0.12.1 snowflake-connector-python<4 adbc-driver-snowflake==1.11.0"),
    ("spark", "pyspark==4.3.0 adbc-driver-spark==0.3.0"),
];

/// Installs what is missing, runs the tests, and says how many were skipped and why.
pub(crate) fn run(permission: Permission) -> Result<()> {
    let missing = prepare(&NEEDS, permission)?;
    let folder = root().join("target/engines");
    for (name, packages) in ENGINES {
        if let Err(error) = install(&folder.join(name), packages) {
            say::talk(&format!("{error:#}"));
        }
    }
    let variable = format!("env.COHO_ENGINES={:?}", folder.display().to_string());
    let mut tests = Counts::default();
    let words = ["--config", variable.as_str(), "-E", "binary(in_source) | test(tells_them_apart)"];
    let passed = run_tests(&missing, &words, None, &mut tests)?;
    say::line(&format!("tests: {tests}"));
    for (why, number) in tests.skips() {
        say::line(&format!("skipped: {number}, because {why}"));
    }
    if passed { Ok(()) } else { bail!("tests failed") }
}
