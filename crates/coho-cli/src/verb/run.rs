//! `coho run` and `coho retry`: sends what changed.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use coho_core::key::Key;
use coho_core::plan::{SyncStatus, SyncSummary};
use coho_core::sync::{Sync, SyncId};
use coho_engine::context::{Engine, EngineError};
use coho_engine::lost::OnLost;
use coho_engine::plan::{Filter, Waiting};
use coho_engine::run::{Options, Report};
use coho_ledger::amend::{CauseFilter, Retried};
use coho_project::excerpt;

use crate::args::{Global, Rows};
use crate::exit::Exit;
use crate::pipes::Pipes;
use crate::progress::Progress;
use crate::project::Loaded;
use crate::traced::Traced;
use crate::verb::plan::{options, style};
use crate::verb::{plan_file, rows};
use crate::{engine, print, project, signal, started};

/// Plans, sends and reports.
pub(crate) async fn run(global: &Global, rows: &Rows, plan: Option<&Path>) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&rows.syncs)?;
    project::has_syncs(&loaded)?;
    let mut options = options(rows, crate::key::typed(rows.key.as_deref(), &loaded.project, &syncs)?);
    options.approved = plan.map(|path| plan_file::read(&engine, path)).transpose()?;
    send(global, &loaded, &engine, &rows.syncs, options).await
}

/// Sends what is asked for, and reports.
async fn send(
    global: &Global,
    loaded: &Loaded,
    engine: &Engine<'_>,
    names: &[String],
    mut options: Options,
) -> anyhow::Result<Exit> {
    let syncs = engine.select(names)?;
    let lost = if options.on_lost == OnLost::Refuse { engine.lost(&syncs)? } else { Vec::new() };
    if !lost.is_empty() && io::stdin().is_terminal() {
        if !sends_again(&lost, engine)? {
            print::talk("nothing was sent");
            return Ok(Exit::Report(coho_report::exit::HALTED));
        }
        options.on_lost = OnLost::BeginAnew;
    }
    options.started = started::by_command(&loaded.files, &loaded.root);
    let (stop, _listening) = signal::stop_after_calls();
    let pipes = Pipes::open(&|name| std::env::var(name).ok());
    let listener = Traced::new(Progress::new(global), global);
    let report = engine.run_awaited(&syncs, &options, &listener, &stop).await;
    drop(listener);
    if let Some(pipes) = pipes {
        pipes.end(&report);
    }
    told(global, loaded, &report?, options.filter.key.as_ref())
}

/// Asks on a terminal whether everything is to be sent again. Elsewhere nobody can be asked: the engine refuses.
fn sends_again(lost: &[SyncId], engine: &Engine<'_>) -> anyhow::Result<bool> {
    let syncs: Vec<_> = lost.iter().map(SyncId::as_str).collect();
    print::ask(&format!(
        "{} sent before, but the ledger `{}` has no record of it. `coho adopt SYNC` compares the rows with Vitally without sending; for events, `coho baseline SYNC` treats the rows as sent. Send everything again?",
        syncs.join(", "),
        engine.ledger_path().display()
    ))
}

/// Prints what a run did.
pub(crate) fn told(
    global: &Global,
    loaded: &Loaded,
    report: &Report,
    key: Option<&Key>,
) -> anyhow::Result<Exit> {
    if global.json {
        print::json(&coho_report::json::run(&report.syncs))?;
    } else {
        let without_problems: Vec<_> = report.syncs.iter().map(told_apart).collect();
        print::out(&coho_report::text::run(&without_problems, &style()))?;
    }
    crate::verb::plan::miss(key, report.syncs.iter().map(|sync| sync.counts.read));
    let problems: Vec<_> =
        report.syncs.iter().flat_map(|summary| summary.status.problems()).cloned().collect();
    if !problems.is_empty() && !global.json {
        for problem in &problems {
            print::talk(&excerpt(problem, &loaded.files));
        }
    }
    Ok(Exit::Report(coho_report::exit::code(&report.syncs)))
}

/// The summary without the problems of the project: they follow on stderr, with their lines.
fn told_apart(summary: &SyncSummary) -> SyncSummary {
    let mut summary = summary.clone();
    if let SyncStatus::Failed(problems) = &mut summary.status {
        problems.clear();
    }
    summary
}

/// Makes what waits due, and sends that alone.
pub(crate) async fn retry(
    global: &Global,
    sync: &str,
    key: Option<String>,
    cause: Option<&str>,
) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let typed = crate::key::typed(key.as_deref(), &loaded.project, &syncs)?;
    let retried = match (typed, cause) {
        (Some(key), _) => Retried::Key(key),
        (None, Some(text)) => Retried::Cause(meant(text)?),
        (None, None) => Retried::All,
    };
    match make_due(&engine, &syncs, &retried)? {
        0 => {
            print::talk("no rows are waiting: nothing was sent");
            if global.json {
                print::json(&coho_report::json::run(&[]))?;
            }
            return Ok(Exit::Done);
        }
        1 => print::talk("retrying 1 row"),
        due => print::talk(&format!("retrying {}", print::counted(due, "row"))),
    }
    let rows = Rows { syncs: vec![sync.to_owned()], key, ..Rows::default() };
    let options = Options { filter: waiting(&retried), ..options(&rows, None) };
    send(global, &loaded, &engine, &rows.syncs, options).await
}

/// A code, or the number that pages give a cause.
fn meant(text: &str) -> anyhow::Result<CauseFilter> {
    Ok(match text.parse() {
        Ok(number) => CauseFilter::Number(number),
        Err(_) => CauseFilter::Code(rows::cause(text)?),
    })
}

/// Makes what waits due now. Gives how many rows.
pub(crate) fn make_due(engine: &Engine<'_>, syncs: &[&Sync], retried: &Retried) -> Result<u64, EngineError> {
    syncs.iter().map(|sync| engine.make_due(sync, retried)).sum()
}

/// What is tried again, and nothing else.
pub(crate) fn waiting(retried: &Retried) -> Filter {
    let (key, waiting) = match retried {
        Retried::All => (None, Waiting::Only),
        Retried::Key(key) => (Some(key.clone()), Waiting::Only),
        Retried::Cause(cause) => (None, Waiting::Because(*cause)),
    };
    Filter { key, waiting, ..Filter::default() }
}
