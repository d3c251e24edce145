//! `coho rows`: rows by what became of them.

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::memory::Verb;
use coho_core::verdict::{Call, Fate};
use coho_ledger::Ledger;
use coho_ledger::history::{RowFilter, RowRecord};
use coho_ledger::run::RunId;
use coho_ledger::scope::Scope;
use coho_ledger::settle::OpType;
use coho_report::line::RowLine;

use crate::args::{Global, RowsFormat};
use crate::exit::{Exit, Known};
use crate::verb::plan::{style, tell_of_runs};
use crate::{engine, print, project};

/// The most calls of a key that are shown for one run.
const MOST_CALLS: usize = 100;

/// Which rows were asked for.
pub(crate) struct Asked {
    pub(crate) sync: String,
    pub(crate) fate: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) limit: u32,
    pub(crate) format: RowsFormat,
}

/// Lists rows.
pub(crate) fn rows(global: &Global, asked: &Asked) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let fate = asked.fate.as_deref().map(fate).transpose()?;
    let sync = engine.select(std::slice::from_ref(&asked.sync))?;
    let (mut lines, mut calls) = (Vec::new(), Vec::new());
    if let (Some(ledger), Some(sync)) = (engine.ledger_to_read()?, sync.first())
        && let Some(scope) = engine.scope(&ledger, sync)?
    {
        tell_of_runs(&engine, &ledger)?;
        let run = asked.run.as_deref().map(|run| known(&ledger, run)).transpose()?;
        let filter = RowFilter { fate, key: asked.key.as_deref().map(Key::new), run };
        let found = if filter.run.is_none() && filter.key.is_none() {
            let newest = newest(&ledger, &asked.sync)?;
            ledger.rows_now(&scope, newest.as_ref(), fate, asked.limit as usize)?
        } else {
            ledger.rows(&scope, &filter, asked.limit as usize)?
        };
        lines = found.into_iter().map(line).collect();
        if let Some(key) = &filter.key {
            calls = made(&ledger, &scope, key, &lines)?;
        }
    }
    let filtered = asked.key.is_some();
    match (asked.format, global.json) {
        (RowsFormat::Json, _) | (RowsFormat::Table, true) => {
            let mut document = coho_report::json::rows(&lines);
            if filtered {
                document["calls"] = calls.iter().map(coho_report::json::call).collect();
            }
            print::json(&document)?;
        }
        (RowsFormat::Csv, _) => print::out(&coho_report::text::csv(&lines))?,
        (RowsFormat::Table, false) => {
            let text = coho_report::text::rows(&lines, &style());
            let calls = coho_report::text::calls(&calls, &style());
            print::out(&if calls.is_empty() { text } else { format!("{text}\ncalls\n{calls}") })?;
        }
    }
    Ok(Exit::Done)
}

fn fate(text: &str) -> Result<Fate, Known> {
    Fate::parse(text).ok_or_else(|| {
        let all = Fate::ALL.map(Fate::as_str).join(", ");
        let help = Some(format!("fates are {all}"));
        Known { message: format!("there is no fate `{text}`"), help, code: 2, source: None }
    })
}

/// The calls that were made for a key in the runs of these lines, the oldest first.
fn made(ledger: &Ledger, scope: &Scope, key: &Key, lines: &[RowLine]) -> anyhow::Result<Vec<Call>> {
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

fn newest(ledger: &Ledger, sync: &str) -> anyhow::Result<Option<RunId>> {
    let runs = ledger.runs(1_000)?;
    let of_sync = runs.into_iter().find(|run| run.syncs.iter().any(|one| one.sync.as_str() == sync));
    Ok(of_sync.map(|run| run.id))
}

fn line(record: RowRecord) -> RowLine {
    let fate = record.fate;
    RowLine {
        key: fate.key.map(|key| key.to_string()).unwrap_or_default(),
        fate: fate.fate,
        verb: fate.op_type.map(|op_type| match op_type {
            OpType::Added | OpType::Changed => Verb::Write,
            OpType::Removed => Verb::Remove,
        }),
        code: fate.code.map_or(fate.reason, |code: Code| code.to_string()),
        message: fate.message.unwrap_or_default(),
        run: record.run.as_str().to_owned(),
        at: fate.at,
        differences: fate.changes,
    }
}
