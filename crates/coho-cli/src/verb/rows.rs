//! `coho rows`: rows by what became of them.

use chrono::Utc;
use coho_core::code::{self, Code};
use coho_core::key::Key;
use coho_core::row_state::Verb;
use coho_core::started::StartedBy;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::history::{RowFilter, RowRecord};
use coho_ledger::run::{RunId, RunRecord};
use coho_ledger::scope::SyncScope;
use coho_ledger::settle::OpType;
use coho_ledger::{Forgotten, Ledger};
use coho_report::line::RowLine;

use crate::args::{Global, RowsFormat};
use crate::exit::{Exit, Known};
use crate::verb::plan::{style, tell_of_runs};
use crate::{engine, print, project, since};

/// The most calls of a key that are shown for one run.
const MOST_CALLS: usize = 100;

/// The most times that a key was forgotten that are told.
const MOST_FORGOTTEN: usize = 20;

/// The most runs that are looked through.
const MOST_RUNS: usize = 1_000;

/// Which rows were asked for.
pub(crate) struct Asked {
    pub(crate) sync: String,
    pub(crate) status: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) still_failing: bool,
    pub(crate) limit: u32,
    pub(crate) format: RowsFormat,
}

/// Lists rows.
pub(crate) fn rows(global: &Global, asked: &Asked) -> anyhow::Result<Exit> {
    let (lines, calls) = look(global, asked)?;
    match (asked.format, global.json) {
        (RowsFormat::Json, _) | (RowsFormat::Table, true) => print::json(&shaped(asked, &lines, &calls))?,
        (RowsFormat::Csv, _) => print::csv(&coho_report::text::csv(&lines))?,
        (RowsFormat::Table, false) => {
            let text = coho_report::text::rows(&lines, &style());
            let calls = coho_report::text::calls(&calls, &style());
            print::out(&if calls.is_empty() { text } else { format!("{text}\ncalls\n{calls}") })?;
        }
    }
    Ok(Exit::Done)
}

/// The same as a document.
#[cfg(feature = "mcp")]
pub(crate) fn document(global: &Global, asked: &Asked) -> anyhow::Result<serde_json::Value> {
    let (lines, calls) = look(global, asked)?;
    Ok(shaped(asked, &lines, &calls))
}

fn shaped(asked: &Asked, lines: &[RowLine], calls: &[Call]) -> serde_json::Value {
    let mut document = coho_report::json::rows(lines);
    if asked.key.is_some() {
        document["calls"] = calls.iter().map(coho_report::json::call).collect();
    }
    document
}

/// The rows that are asked for, and the calls of a key.
fn look(global: &Global, asked: &Asked) -> anyhow::Result<(Vec<RowLine>, Vec<Call>)> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let status = asked.status.as_deref().map(status).transpose()?;
    let since = asked.since.as_deref().map(|text| since::parse(text, Utc::now())).transpose()?;
    let code = asked.cause.as_deref().map(cause).transpose()?;
    let syncs = engine.select(std::slice::from_ref(&asked.sync))?;
    let key = crate::key::typed(asked.key.as_deref(), &loaded.project, &syncs)?;
    let (mut lines, mut calls) = (Vec::new(), Vec::new());
    if let (Some(ledger), Some(sync)) = (engine.ledger_to_read()?, syncs.first())
        && let Some(scope) = engine.scope(&ledger, sync)?
    {
        tell_of_runs(&engine, &ledger)?;
        let filter = RowFilter { status, key, run: None, since, code, still_failing: asked.still_failing };
        lines = found(&ledger, &scope, &filter, asked)?;
        if let Some(key) = &filter.key {
            calls = made(&ledger, &scope, key, &lines)?;
            tell_forgotten(&ledger.forgotten(&scope, Some(key), MOST_FORGOTTEN)?);
        }
    }
    Ok((lines, calls))
}

/// Says when somebody had the row forgotten, since it was new to the run after that.
fn tell_forgotten(forgotten: &[Forgotten]) {
    for one in forgotten {
        let what = if one.key.is_some() { "the row was" } else { "all rows of the sync were" };
        let by = one.user.as_deref().map(|user| format!(" by {user}")).unwrap_or_default();
        let on = one.host.as_deref().map(|host| format!(" on {host}")).unwrap_or_default();
        let page = if one.by == Some(StartedBy::Debugger) { ", on a page" } else { "" };
        let at = one.at.format("%Y-%m-%d %H:%M:%S UTC");
        print::talk(&format!("{what} forgotten on purpose on {at}{by}{on}{page}"));
    }
}

fn status(text: &str) -> Result<RowStatus, Known> {
    RowStatus::parse(text).ok_or_else(|| {
        let all = RowStatus::ALL.map(RowStatus::as_str).join(", ");
        let help = Some(format!("expected one of {all}"));
        Known { message: format!("unknown row status `{text}`"), help, code: 2, source: None }
    })
}

/// The code that somebody typed.
pub(crate) fn cause(text: &str) -> Result<Code, Known> {
    Code::parse(text).ok_or_else(|| {
        let near = coho_core::problem::nearest(text, code::ALL.iter().map(|entry| entry.code.as_str()));
        let help = near.map_or_else(
            || "see docs/reference/error-codes.md for all codes".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Known { message: format!("unknown code `{text}`"), help: Some(help), code: 2, source: None }
    })
}

/// The calls that were made for a key in the runs of these lines, the oldest first.
fn made(ledger: &Ledger, scope: &SyncScope, key: &Key, lines: &[RowLine]) -> anyhow::Result<Vec<Call>> {
    let mut runs: Vec<&str> = lines.iter().rev().map(|line| line.run.as_str()).collect();
    runs.dedup();
    let mut calls = Vec::new();
    for run in runs {
        let of_run = ledger.calls(scope, &RunId::new(run), Some(key), MOST_CALLS)?;
        calls.extend(of_run.into_iter().map(|(_, call)| call));
    }
    Ok(calls)
}

fn known(ledger: &Ledger, run: &str) -> anyhow::Result<RunId> {
    let id = RunId::new(run);
    if ledger.run(&id)?.is_none() {
        return Err(super::runs::no_run(run).into());
    }
    Ok(id)
}

/// The rows of the run that was named; over all runs where a key, a time or a cause was; else of the newest run that has any.
fn found(
    ledger: &Ledger,
    scope: &SyncScope,
    filter: &RowFilter,
    asked: &Asked,
) -> anyhow::Result<Vec<RowLine>> {
    let read = |run: Option<RunId>| -> anyhow::Result<Vec<RowLine>> {
        let filter = RowFilter { run, ..filter.clone() };
        Ok(ledger.rows(scope, &filter, asked.limit as usize)?.into_iter().map(line).collect())
    };
    if let Some(run) = &asked.run {
        return read(Some(known(ledger, run)?));
    }
    let over_all_runs =
        filter.key.is_some() || filter.since.is_some() || filter.code.is_some() || filter.still_failing;
    if over_all_runs {
        return read(None);
    }
    let runs = ledger.runs(MOST_RUNS)?;
    let of_sync = |run: &&RunRecord| run.syncs.iter().any(|one| one.sync.as_str() == asked.sync);
    let mut without = 0;
    for run in runs.iter().filter(of_sync) {
        let lines = match without {
            // With the newest run goes what stands since an earlier one.
            0 => now(ledger, scope, filter.status, &run.id, asked)?,
            _ => read(Some(run.id.clone()))?,
        };
        if !lines.is_empty() {
            tell_older(without, &run.id);
            return Ok(lines);
        }
        without += 1;
    }
    tell_none(without);
    Ok(Vec::new())
}

/// The rows of the newest run, and those whose status has stood since an earlier one.
fn now(
    ledger: &Ledger,
    scope: &SyncScope,
    status: Option<RowStatus>,
    newest: &RunId,
    asked: &Asked,
) -> anyhow::Result<Vec<RowLine>> {
    let rows = ledger.rows_now(scope, Some(newest), status, asked.limit as usize)?;
    Ok(rows.into_iter().map(line).collect())
}

/// Says so where the rows are not those of the newest run.
fn tell_older(without: u64, run: &RunId) {
    if without > 0 {
        let newer = print::counted(without, "newer run");
        let has = if without == 1 { "has" } else { "have" };
        print::talk(&format!("these are from run {}: {newer} {has} none", run.as_str()));
    }
}

fn tell_none(without: u64) {
    match without {
        0 => print::talk("the sync has not run yet"),
        1 => print::talk("searched the sync's only run; unchanged rows are only counted"),
        _ => print::talk(&format!(
            "searched all {} of the sync; unchanged rows are only counted",
            print::counted(without, "run")
        )),
    }
}

fn line(record: RowRecord) -> RowLine {
    let status = record.status;
    RowLine {
        key: status.key.map(|key| key.to_string()).unwrap_or_default(),
        status: status.status,
        verb: status.op_type.map(|op_type| match op_type {
            OpType::Added | OpType::Changed => Verb::Write,
            OpType::Removed => Verb::Remove,
        }),
        code: status.code.map_or(status.reason, |code: Code| code.to_string()),
        message: status.message.unwrap_or_default(),
        run: record.run.as_str().to_owned(),
        at: status.at,
        differences: status.changes,
    }
}
