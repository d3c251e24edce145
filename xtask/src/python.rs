//! Python packages that only tools of the project use, each in an environment of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{child, say};

/// A Python environment with packages, separated by spaces; the file that says so is written last.
pub(crate) fn install(environment: &Path, package: &str) -> Result<()> {
    if is_there(environment, package) {
        return Ok(());
    }
    let Some(python) = child::on_path("python3") else {
        bail!("there is no python3: install it, with its module venv");
    };
    say::talk(&format!("installing {package}"));
    child::run(child::program(python).args(["-m", "venv"]).arg(environment))?;
    child::run(
        child::program(environment.join("bin/pip")).args(["install", "--quiet"]).args(package.split(' ')),
    )?;
    let mark = mark(environment);
    std::fs::write(&mark, package).with_context(|| format!("writing {}", mark.display()))
}

/// Whether an environment has this package.
pub(crate) fn is_there(environment: &Path, package: &str) -> bool {
    std::fs::read_to_string(mark(environment)).is_ok_and(|installed| installed == package)
}

fn mark(environment: &Path) -> PathBuf {
    environment.join("installed")
}
