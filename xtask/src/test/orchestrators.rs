//! `cargo xtask test --orchestrators`: the clients of Airflow and Dagster for Hightouch, and Prefect, as they are on PyPI, against
//! `coho serve`.
//!
//! They are some 800 MB, so they are installed only when they are asked for, each into an environment of its own below `target/`.

use anyhow::Result;

use crate::python::install;
use crate::workspace::root;
use crate::{child, say};

/// An orchestrator, and the package that is installed for it; versions that are known to install together.
const CLIENTS: [(&str, &str); 3] = [
    ("airflow", "airflow-provider-hightouch==5.0.0"),
    ("dagster", "dagster-hightouch==0.29.27"),
    ("prefect", "prefect==3.9.1"),
];

/// Installs what is missing, and runs the tests.
pub(crate) fn run() -> Result<()> {
    let folder = root().join("target/orchestrators");
    for (name, package) in CLIENTS {
        install(&folder.join(name), package)?;
    }
    let mut cargo = child::cargo();
    cargo.args(["test", "--workspace", "--test", "orchestrators"]).env("COHO_ORCHESTRATORS", folder);
    say::talk(&format!("$ {}", child::shown(&cargo)));
    child::run(&mut cargo)
}
