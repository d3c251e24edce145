//! `coho runs`: what was run, the newest first.

use coho_core::verdict::RowStatus;
use coho_ledger::Ledger;
use coho_ledger::retention::{KeptUntil, Retention};
use coho_ledger::run::{RunId, RunRecord, RunStatus, SyncRecord};
use coho_ledger::stages::StageRecord;
use coho_report::line::{RunDetail, RunLine, StageLine};

use crate::args::Global;
use crate::exit::{Exit, Known};
use crate::verb::plan::{style, tell_of_runs};
use crate::{engine, print, project};

/// Lists runs, or one of them.
pub(crate) fn runs(global: &Global, run: Option<&str>, limit: u32) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let ledger = engine.ledger_to_read()?;
    if let Some(ledger) = &ledger {
        tell_of_runs(&engine, ledger)?;
    }
    let records = match (&ledger, run) {
        (None, _) => Vec::new(),
        (Some(ledger), None) => ledger.runs(limit as usize)?,
        (Some(ledger), Some(id)) => ledger.run(&RunId::new(id))?.into_iter().collect(),
    };
    let details = match (&ledger, records.as_slice()) {
        (Some(ledger), [record]) => Some(details(ledger, record)?),
        _ => None,
    };
    if let (Some(id), true) = (run, records.is_empty()) {
        return Err(no_run(id).into());
    }
    let retention = engine.retention();
    let lines: Vec<_> = records.iter().flat_map(|record| lines(record, &retention)).collect();
    if let (Some(details), true) = (details, run.is_some()) {
        return detailed(global, &lines, &details);
    }
    if global.json {
        print::json(&coho_report::json::runs(&lines))?;
    } else {
        print::out(&coho_report::text::runs(&lines, &style()))?;
    }
    Ok(Exit::Done)
}

/// One run, with what is known of it beside its counts.
fn detailed(global: &Global, lines: &[RunLine], details: &[RunDetail]) -> anyhow::Result<Exit> {
    if global.json {
        print::json(&coho_report::json::run_detail(lines, details))?;
    } else {
        print::out(&coho_report::text::run_detail(lines, details, &style()))?;
    }
    Ok(Exit::Done)
}

/// The stages and the waits of each sync of a run.
pub(crate) fn details(ledger: &Ledger, record: &RunRecord) -> anyhow::Result<Vec<RunDetail>> {
    let (stages, sums) = (ledger.stages(&record.id)?, ledger.call_sums(&record.id)?);
    let of_sync = |sync: &SyncRecord| {
        let calls = sums.iter().find(|sums| sums.sync == sync.sync);
        RunDetail {
            sync: sync.sync.clone(),
            stages: stages.iter().filter(|stage| stage.sync == sync.sync).map(stage).collect(),
            repeated: calls.map_or(0, |calls| calls.repeated),
            waits: calls.map(|calls| calls.waits.clone()).unwrap_or_default(),
        }
    };
    Ok(record.syncs.iter().map(of_sync).collect())
}

fn stage(record: &StageRecord) -> StageLine {
    let millis = record.ended.map(|ended| (ended - record.began).num_milliseconds());
    StageLine {
        stage: record.stage,
        phase: record.phase.clone(),
        began: record.began,
        millis: millis.and_then(|millis| u64::try_from(millis).ok()),
        rows: record.rows,
    }
}

/// The ledger knows no such run.
pub(crate) fn no_run(id: &str) -> Known {
    let help = Some("`coho runs` lists them".to_owned());
    Known { message: format!("there is no run `{id}`"), help, code: 2, source: None }
}

/// A run as lines, one for each sync.
pub(crate) fn lines(record: &RunRecord, retention: &Retention) -> Vec<RunLine> {
    record.syncs.iter().map(|sync| line(record, sync, retention.until(record))).collect()
}

fn line(record: &RunRecord, sync: &SyncRecord, until: KeptUntil) -> RunLine {
    let millis = sync.ended.map(|ended| (ended - sync.started).num_milliseconds());
    RunLine {
        run: record.id.as_str().to_owned(),
        sync: sync.sync.clone(),
        started: sync.started,
        millis: millis.and_then(|millis| u64::try_from(millis).ok()),
        status: status(sync).to_owned(),
        counts: sync.counts.clone().unwrap_or_default(),
        calls: sync.calls,
        start: record.start.clone(),
        full_why: sync.full_why,
        kept: record.kept.as_str(),
        kept_until: until.all,
        failures_until: until.failures,
    }
}

/// Whether rows were left for the next run.
fn is_cut_short(sync: &SyncRecord) -> bool {
    sync.counts.as_ref().is_some_and(|counts| counts.status(RowStatus::NotAttempted) > 0)
}

/// The words of `coho run`; the ledger's own are those of its views.
fn status(sync: &SyncRecord) -> &'static str {
    match sync.status {
        RunStatus::Running => "running",
        // The only run that ends well before all its rows were tried is one whose time was over.
        RunStatus::Success if is_cut_short(sync) => "time-up",
        RunStatus::Success => "completed",
        RunStatus::Warning => "completed-with-errors",
        RunStatus::Failed => "failed",
        RunStatus::Halted => "halted",
        RunStatus::Interrupted => "interrupted",
    }
}
