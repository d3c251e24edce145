//! What people read: `fixtures/{plan,run,listing}/*.json` in, the printed text out (`*.snap` beside it).
//!
//! The fixtures' shapes are in `reports/wire.rs`. A plan or run that breaks law 1 is no fixture.

#[path = "reports/wire.rs"]
mod wire;

use std::error::Error;
use std::path::Path;

use coho_report::style::Style;
use coho_report::{exit, text};
use serde::Deserialize;

type Failure = Box<dyn Error>;

/// Some syncs' plans, and the rate that they may use.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plans {
    rate: Option<u32>,
    syncs: Vec<wire::Plan>,
}

fn plan(path: &Path) -> datatest_stable::Result<()> {
    let plans: Plans = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let rate = plans.rate.unwrap_or_default();
    let plans = plans.syncs.into_iter().map(|plan| plan.read(rate)).collect::<Result<Vec<_>, Failure>>()?;
    snapshot(path, &text::plan(&plans, &Style::default()))
}

fn run(path: &Path) -> datatest_stable::Result<()> {
    let runs: Vec<wire::Run> = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let runs = runs.into_iter().map(wire::Run::read).collect::<Result<Vec<_>, Failure>>()?;
    let text = text::run(&runs, &Style::default());
    snapshot(path, &format!("{text}\nexit code {}\n", exit::code(&runs)))
}

fn listing(path: &Path) -> datatest_stable::Result<()> {
    let listing: wire::Listing = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let (runs, rows) = listing.read()?;
    let style = Style::default();
    let text = if rows.is_empty() { text::runs(&runs, &style) } else { text::rows(&rows, &style) };
    snapshot(path, &text)
}

fn snapshot(path: &Path, text: &str) -> datatest_stable::Result<()> {
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let folder = path.parent().and_then(Path::file_name).ok_or("a fixture without a folder")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
    Ok(())
}

datatest_stable::harness! {
    { test = plan, root = "fixtures/plan", pattern = r"\.json$" },
    { test = run, root = "fixtures/run", pattern = r"\.json$" },
    { test = listing, root = "fixtures/listing", pattern = r"\.json$" },
}
