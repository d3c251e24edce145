//! `coho run` and `coho retry`: sends what changed.

use coho_core::key::Key;
use coho_core::plan::{Status, SyncSummary};

use crate::args::{Global, Rows};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::verb::plan::{options, style};
use crate::{engine, print, project};

/// Plans, sends and reports.
pub(crate) async fn run(global: &Global, rows: &Rows) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&rows.syncs)?;
    let stop = engine::stop_at_ctrl_c();
    let options = options(rows);
    let report = engine.run(&syncs, &options, &Progress::new(global), &stop).await?;
    if global.json {
        print::json(&coho_report::json::run(&report.syncs))?;
    } else {
        let without_problems: Vec<_> = report.syncs.iter().map(told_apart).collect();
        print::out(&coho_report::text::run(&without_problems, &style()))?;
    }
    crate::verb::plan::miss(options.filter.key.as_ref(), report.syncs.iter().map(|sync| sync.counts.read));
    let failed = report.syncs.iter().filter_map(|summary| match &summary.status {
        Status::Failed(problems) => Some(problems),
        Status::Completed
        | Status::CompletedWithErrors
        | Status::Held
        | Status::Halted { .. }
        | Status::Interrupted => None,
    });
    let problems: Vec<_> = failed.flatten().cloned().collect();
    if !problems.is_empty() {
        let text = Global { json: false, ..global.clone() };
        drop(project::report(&problems, &loaded.files, &text));
    }
    Ok(Exit::Report(coho_report::exit::code(&report.syncs)))
}

/// The summary without the problems of the project: they follow on stderr, with their lines.
fn told_apart(summary: &SyncSummary) -> SyncSummary {
    let mut summary = summary.clone();
    if let Status::Failed(problems) = &mut summary.status {
        problems.clear();
    }
    summary
}

/// Makes what waits due, and runs.
pub(crate) async fn retry(global: &Global, sync: &str, key: Option<String>) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let mut due = 0;
    for sync in &syncs {
        due += engine.make_due(sync, key.as_deref().map(Key::new).as_ref())?;
    }
    match due {
        0 => print::talk("no row waits"),
        1 => print::talk("1 row that waited is tried again"),
        _ => print::talk(&format!("{due} rows that waited are tried again")),
    }
    run(global, &Rows { syncs: vec![sync.to_owned()], limit: None, key, resend: false }).await
}
