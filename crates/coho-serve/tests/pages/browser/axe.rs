//! axe-core finds nothing on any page in any state. It is fetched by `cargo xtask test`, and is not part of this repository.

use std::io::Write as _;
use std::path::Path;

use coho_testkit::{Browser, Theme};

use super::live::gated;
use super::{PAGES, Reader, failing};
use crate::stage::{Failure, Served, Stage};

/// Where `cargo xtask test` puts it.
const SCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/axe/node_modules/axe-core/axe.min.js");

/// Every rule of WCAG 2.2 AA that it knows, and its own good practice.
const LOOK: &str = "
    const done = arguments[arguments.length - 1];
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const options = { runOnly: { type: 'tag', values }, rules: { 'target-size': { enabled: true } } };
    axe.run(document, options).then(({ violations, passes }) => done({
        passes: passes.length,
        found: violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(' ')}`),
    }), (error) => done({ passes: 0, found: [String(error)] }));";

pub(super) fn axe(test: &str) -> Result<Option<String>, Failure> {
    let script = std::fs::read_to_string(Path::new(SCRIPT)).ok();
    if script.is_none() {
        let words =
            format!("skipped: axe-core is not there, and `cargo xtask test --browser` fetches it ({test})\n");
        std::io::stderr().write_all(words.as_bytes())?;
    }
    Ok(script)
}

/// What axe finds on the page that is shown.
pub(super) async fn look_at(
    browser: &Browser,
    axe: &str,
    page: &str,
    found: &mut Vec<String>,
) -> Result<(), Failure> {
    for theme in Theme::ALL {
        browser.like(theme).await?;
        browser.script(axe).await?;
        let seen = browser.script_until_done(LOOK).await?;
        assert!(seen["passes"].as_u64() > Some(5), "axe looked at nothing on {page}: {seen}");
        let here = seen["found"].as_array().cloned().unwrap_or_default();
        found.extend(
            here.iter().map(|one| format!("{page}, {}: {}", theme.name(), one.as_str().unwrap_or_default())),
        );
    }
    Ok(())
}

/// Somebody with axe in the hand.
async fn entered(served: &Served, test: &str) -> Result<Option<(Reader, String)>, Failure> {
    let Some(axe) = axe(test)? else { return Ok(None) };
    Ok(Reader::enter(served, test).await?.map(|reader| (reader, axe)))
}

#[tokio::test]
async fn axe_finds_nothing_where_rows_failed() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let Some((reader, axe)) = entered(&served, "axe_finds_nothing_where_rows_failed").await? else {
        return Ok(());
    };
    let mut found = Vec::new();
    for path in PAGES {
        reader.open(path).await?;
        look_at(&reader.browser, &axe, path, &mut found).await?;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    served.end().await
}

#[tokio::test]
async fn axe_finds_nothing_where_nothing_has_run() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let test = "axe_finds_nothing_where_nothing_has_run";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    let mut found = Vec::new();
    for path in ["/", "/runs", "/rows", "/project", "/plan", "/playground"] {
        reader.open(path).await?;
        look_at(&reader.browser, &axe, path, &mut found).await?;
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    served.end().await
}

#[tokio::test]
async fn axe_finds_nothing_at_the_door() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let test = "axe_finds_nothing_at_the_door";
    let Some(axe) = axe(test)? else { return Ok(()) };
    let Some(browser) = Browser::start_or_skip(test).await? else { return Ok(()) };
    let mut found = Vec::new();
    browser.open(&format!("http://{}/", served.address)).await?;
    look_at(&browser, &axe, "door", &mut found).await?;
    browser.type_keys("wrong\u{E007}").await?;
    browser.wait("document.querySelector('.alert')").await?;
    look_at(&browser, &axe, "door, wrong token", &mut found).await?;
    assert!(found.is_empty(), "{}", found.join("\n"));
    served.end().await
}

#[tokio::test]
async fn axe_finds_nothing_while_a_run_goes_on() -> Result<(), Failure> {
    let (stage, gate) = gated().await?;
    let served = stage.serve().await?;
    let test = "axe_finds_nothing_while_a_run_goes_on";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    let look = async {
        let mut found = Vec::new();
        gate.let_through(2);
        reader.browser.wait("document.querySelector('main .state.going')").await?;
        for path in ["/", "/runs", "/runs/run-000", "/runs/run-000/rows", "/runs/run-000/calls", "/rows"] {
            reader.open(path).await?;
            look_at(&reader.browser, &axe, path, &mut found).await?;
        }
        Ok::<_, Failure>(found)
    };
    let looked = async {
        let found = look.await;
        gate.let_through(1_000);
        found
    };
    let (ran, found) = tokio::join!(stage.run(), looked);
    ran?;
    let found = found?;
    assert!(found.is_empty(), "{}", found.join("\n"));
    served.end().await
}
