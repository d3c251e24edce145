//! `coho run` and `coho retry`: sends what changed.

use coho_core::key::Key;
use coho_core::plan::Status;

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
    let report = engine.run(&syncs, &options(rows), &Progress::new(global), &stop).await?;
    if global.json {
        print::json(&coho_report::json::run(&report.syncs))?;
    } else {
        print::out(&coho_report::text::run(&report.syncs, &style()))?;
    }
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

/// Makes what waits due, and runs.
pub(crate) async fn retry(global: &Global, sync: &str, key: Option<String>) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let mut due = 0;
    for sync in &syncs {
        due += engine.make_due(sync, key.as_deref().map(Key::new).as_ref())?;
    }
    print::talk(&format!("{due} waiting rows are tried again"));
    run(global, &Rows { syncs: vec![sync.to_owned()], limit: None, key, resend: false }).await
}
