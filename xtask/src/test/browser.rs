//! `cargo xtask test --browser`: the debugger's pages in a real browser, with axe-core.
//!
//! The same tests are part of `cargo xtask test` where a browser is. Here one must be: nothing is skipped.

use anyhow::{Result, bail};

use super::prepare;
use crate::install::{Need, Permission};
use crate::{child, say};

/// Runs the tests of pages in a browser, and nothing else.
pub(super) fn run(permission: Permission) -> Result<()> {
    let missing = prepare(&Need::BROWSER, permission)?;
    if let Some(need) = missing.first() {
        bail!("{} is missing: {}", need.name(), need.remedy());
    }
    let mut cargo = child::cargo();
    cargo.args(["test", "--workspace", "--test", "pages", "browser::"]);
    say::talk(&format!("$ {}", child::shown(&cargo)));
    child::run(&mut cargo)
}

/// Gives all tests what those of pages need, where a browser is already; they skip themselves where not.
pub(super) fn look(permission: Permission) -> Result<()> {
    let wanted: &[Need] = if Need::Chromium.is_met() || permission == Permission::Asked {
        &Need::BROWSER
    } else {
        say::talk("missing: Chromium (`cargo xtask install`): tests of pages in a browser are skipped");
        &[]
    };
    prepare(wanted, permission).map(drop)
}
