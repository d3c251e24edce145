//! What tests of pages need: a browser, its driver, and axe-core.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::{apt_get, is_debian};
use crate::child;
use crate::workspace::root;

/// The version of axe-core that tests use: another one may find other things.
const AXE: &str = "4.14.1";

/// Where it is put, under the root; the tests read it there.
const AXE_FOLDER: &str = "target/axe";

/// How somebody gets it.
pub(super) const AXE_REMEDY: &str =
    "install npm; then `cargo xtask test --browser` fetches it into target/axe";

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/// Whether both programs are there.
pub(super) fn is_there() -> bool {
    ["chromium", "chromedriver"].into_iter().all(|name| child::on_path(name).is_some())
}

pub(super) fn install() -> Result<()> {
    if !is_debian() {
        bail!("only Debian-like systems are known here; install chromium and chromedriver by hand");
    }
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], &PACKAGES[..]].concat())
}

/// Whether this version is there.
pub(super) fn axe_is_there() -> bool {
    let package = root().join(AXE_FOLDER).join("node_modules/axe-core/package.json");
    let package =
        fs::read(package).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    package.is_some_and(|package| package["version"] == AXE)
}

/// It is fetched and not kept in the repository: its licence is another one (MPL-2.0). npm checks what it fetches.
pub(super) fn install_axe() -> Result<()> {
    let Some(npm) = child::on_path("npm") else { bail!("there is no npm") };
    let folder: PathBuf = root().join(AXE_FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let mut npm = child::program(npm);
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    child::run(npm.arg("--prefix").arg(folder).arg(format!("axe-core@{AXE}")))
}
