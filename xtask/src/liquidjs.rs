//! LiquidJS on Node, installed into a folder of its own under `target`: what templates are measured and compared with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{child, say};

/// The package and its version.
pub(crate) const PACKAGE: &str = "liquidjs@10.30.1";

/// Installs it, unless it is there, with a script that uses it; gives the folder. `target` is cargo's folder.
pub(crate) fn install(target: &Path, name: &str, script: &str) -> Result<PathBuf> {
    for program in ["node", "npm"] {
        child::on_path(program).with_context(|| format!("there is no `{program}` on PATH"))?;
    }
    let folder = target.join(PACKAGE.replace('@', "-"));
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    if !folder.join("node_modules/liquidjs").is_dir() {
        say::talk(&format!("installing {PACKAGE} into {}", folder.display()));
        // npm would go up and install beside the nearest package.json if the folder had none.
        fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
        let mut install = child::program("npm");
        install.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--silent", PACKAGE]);
        child::run(&mut install)?;
    }
    // Node looks for packages from the script's folder on.
    fs::write(folder.join(name), script)?;
    Ok(folder)
}
