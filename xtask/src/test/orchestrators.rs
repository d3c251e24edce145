//! `cargo xtask test --orchestrators`: the clients of Airflow and Dagster for Hightouch, and Prefect, as they are on PyPI, against
//! `coho serve`.
//!
//! They are some 500 MB, so they are installed only when they are asked for, each into an environment of its own below `target/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

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

/// A Python environment with one package; the file that says so is written last.
fn install(environment: &Path, package: &str) -> Result<()> {
    let mark: PathBuf = environment.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == package) {
        return Ok(());
    }
    let Some(python) = child::on_path("python3") else {
        bail!("there is no python3: install it, with its module venv");
    };
    say::talk(&format!("installing {package}"));
    child::run(child::program(python).args(["-m", "venv"]).arg(environment))?;
    child::run(child::program(environment.join("bin/pip")).args(["install", "--quiet", package]))?;
    std::fs::write(&mark, package).with_context(|| format!("writing {}", mark.display()))
}
