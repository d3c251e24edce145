//! How long rows and calls are kept, and how large the ledger becomes.

use std::time::Duration;

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_core::started::Started;
use coho_core::time::Time;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::history::RowFilter;
use coho_ledger::look::requests::WantedCalls;
use coho_ledger::retention::{KeptUntil, Pruned, Retention};
use coho_ledger::run::{Kept, Run, RunEnding, RunId, RunStatus, SyncStart};
use coho_ledger::settle::{OpType, RowResult};
use rusqlite::Connection;

use super::history::{begin, call, status};
use super::stage::{Stage, Tested, at};

/// Rows are kept for so long, failures for ten times as long, and runs for ever.
pub(super) fn seconds(keep: u64) -> Retention {
    Retention {
        keep: Duration::from_secs(keep),
        failures: Duration::from_secs(10 * keep),
        runs: Duration::from_secs(1_000_000_000),
        max_size: u64::MAX,
    }
}

fn refused(key: &str) -> RowResult {
    RowResult { code: Some(Code::REFUSED), ..status(key, Some(OpType::Added), RowStatus::Rejected) }
}

fn well(key: &str) -> RowResult {
    status(key, Some(OpType::Added), RowStatus::Delivered)
}

/// One row is delivered and one refused, each with a call of its own; a batch has both, another one only what was delivered,
/// and one call was for none.
fn mixed(stage: &Stage, id: &str, at: i64) -> Result<Run, Box<dyn std::error::Error>> {
    let run = begin(stage, id, at)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[well("1"), refused("2"), well("3")])?;
    for key in ["1", "2"] {
        let own = [(call(), vec![Key::new(key)])];
        stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &own)?;
    }
    let keys = |names: &[&str]| names.iter().map(|name| Key::new(*name)).collect::<Vec<_>>();
    let batches = [(call(), keys(&["2", "3"])), (call(), keys(&["1", "3"])), (call(), Vec::new())];
    stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &batches)?;
    let ending = RunEnding { status: RunStatus::Warning, error: None, at: super::stage::at(at + 1) };
    stage.ledger.end_sync(&stage.lease, &run, &stage.scope, &ending, &Counts::default())?;
    stage.ledger.end_run(&stage.lease, &run, &ending)?;
    Ok(run)
}

fn keys(stage: &Stage, run: &str) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let filter = RowFilter { run: Some(RunId::new(run)), ..RowFilter::default() };
    let rows = stage.ledger.rows(&stage.scope, &filter, 99)?;
    Ok(rows.into_iter().filter_map(|row| row.status.key).map(|key| key.to_string()).rev().collect())
}

fn kept(stage: &Stage, run: &str) -> Result<Kept, Box<dyn std::error::Error>> {
    Ok(stage.ledger.run(&RunId::new(run))?.ok_or("no run")?.kept)
}

#[test]
fn rows_that_failed_are_kept_longest_and_their_calls_with_them() -> Tested {
    let stage = Stage::new()?;
    mixed(&stage, "r1", 0)?;
    // Whatever stood is over, so that age alone decides.
    mixed(&stage, "r2", 500)?;
    let later = begin(&stage, "r3", 600)?;
    stage.ledger.record(&stage.lease, &later, &stage.scope, &[well("2")])?;
    let pruned = stage.ledger.retain(&stage.lease, &seconds(100), at(300))?;
    assert_eq!(pruned, Pruned { statuses: 2, calls: 3, runs: 0 });
    assert_eq!((keys(&stage, "r1")?, kept(&stage, "r1")?), (vec!["2".to_owned()], Kept::Failures));
    assert_eq!((keys(&stage, "r2")?.len(), kept(&stage, "r2")?), (3, Kept::All));
    assert_eq!(stage.ledger.requests_of_run(&RunId::new("r1"), &WantedCalls::default(), 9)?.len(), 2);
    let pruned = stage.ledger.retain(&stage.lease, &seconds(100), at(1_400))?;
    assert_eq!((keys(&stage, "r1")?, kept(&stage, "r1")?), (vec![], Kept::Counts));
    assert_eq!(kept(&stage, "r2")?, Kept::Failures);
    assert_eq!(pruned, Pruned { statuses: 1 + 2 + 1, calls: 2 + 3, runs: 0 });
    assert_eq!(stage.ledger.retain(&stage.lease, &seconds(100), at(1_400))?, Pruned::default());
    Ok(())
}

#[test]
fn a_row_that_still_fails_stays_however_old_it_is_and_so_does_its_run() -> Tested {
    let stage = Stage::new()?;
    mixed(&stage, "r1", 0)?;
    begin(&stage, "r2", 10)?;
    let nothing =
        Retention { keep: Duration::ZERO, failures: Duration::ZERO, runs: Duration::ZERO, max_size: 0 };
    stage.ledger.retain(&stage.lease, &nothing, at(9_000))?;
    assert_eq!(keys(&stage, "r1")?, ["2"]);
    let filter = RowFilter { still_failing: true, ..RowFilter::default() };
    assert_eq!(stage.ledger.rows(&stage.scope, &filter, 9)?.len(), 1);
    Ok(())
}

#[test]
fn runs_are_forgotten_at_last_with_all_that_belongs_to_them() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 0)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[well("1")])?;
    begin(&stage, "r2", 2_000)?;
    let retention = Retention { runs: Duration::from_secs(1_500), ..seconds(100) };
    assert_eq!(stage.ledger.retain(&stage.lease, &retention, at(1_400))?.runs, 0);
    assert_eq!(stage.ledger.retain(&stage.lease, &retention, at(1_600))?.runs, 1);
    assert_eq!(stage.ledger.run(&RunId::new("r1"))?, None);
    let connection = Connection::open(stage.path())?;
    let left: i64 = connection.query_row("SELECT count(*) FROM run_syncs", [], |row| row.get(0))?;
    assert_eq!(left, 1);
    Ok(())
}

#[test]
fn nothing_that_is_counted_becomes_less_when_it_is_pruned() -> Tested {
    let stage = Stage::new()?;
    for (id, starts) in [("r1", 0), ("r2", 10)] {
        let run = begin(&stage, id, starts)?;
        let own = [(call(), vec![Key::new("1")])];
        stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &own)?;
        let ending = RunEnding { status: RunStatus::Success, error: None, at: at(starts + 1) };
        let mut counts = Counts { read: 2, ..Counts::default() };
        counts.rows.insert(RowStatus::Unchanged, 2);
        stage.ledger.end_sync(&stage.lease, &run, &stage.scope, &ending, &counts)?;
        stage.ledger.end_run(&stage.lease, &run, &ending)?;
    }
    begin(&stage, "r3", 2_000)?;
    let before = stage.ledger.totals()?;
    let of = |numbers: &std::collections::BTreeMap<String, u64>| {
        numbers
            .iter()
            .filter(|(_, number)| **number > 0)
            .map(|(name, n)| (name.clone(), *n))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&before[0].rows), [("unchanged".to_owned(), 4)]);
    assert_eq!(of(&before[0].runs), [("success".to_owned(), 2)]);
    assert_eq!(of(&before[0].calls).iter().map(|(_, number)| number).sum::<u64>(), 2);
    let retention = Retention { runs: Duration::from_secs(1_500), ..seconds(100) };
    assert_eq!(stage.ledger.retain(&stage.lease, &retention, at(2_000))?.runs, 2);
    let after = stage.ledger.totals()?;
    let counted = |totals: &[coho_ledger::totals::Totals]| {
        totals.iter().map(|total| (of(&total.rows), of(&total.runs), of(&total.calls))).collect::<Vec<_>>()
    };
    assert_eq!(counted(&after), counted(&before));
    Ok(())
}

#[test]
fn until_when_a_run_is_kept_is_told_from_its_start_and_from_what_is_left_of_it() -> Tested {
    let stage = Stage::new()?;
    begin(&stage, "r1", 50)?;
    let record = stage.ledger.run(&RunId::new("r1"))?.ok_or("no run")?;
    let until = |kept| seconds(100).until(&coho_ledger::run::RunRecord { kept, ..record.clone() });
    assert_eq!(until(Kept::All), KeptUntil { all: Some(at(150)), failures: Some(at(1_050)) });
    assert_eq!(until(Kept::Failures), KeptUntil { all: None, failures: Some(at(1_050)) });
    assert_eq!(until(Kept::Counts), KeptUntil { all: None, failures: None });
    let less = Retention { failures: Duration::from_secs(1), ..seconds(100) };
    assert_eq!(less.until(&record).failures, Some(at(150)), "failures are never kept shorter than the rest");
    Ok(())
}

/// A call with an answer as Vitally's are.
fn told(number: usize) -> Call {
    let body = format!(
        r#"{{"id":"{number:032x}","externalId":"acc-{number}","name":"Account {number}","traits":{{"plan":"growth","seats":{number},"mrr":{number}.50}}}}"#
    );
    Call {
        status: Some(200),
        request: Some(body.clone()),
        response: format!("[{body},{body},{body},{body}]"),
        ..call()
    }
}

/// A run every quarter of an hour, in which so many rows are delivered and one is refused. Gives its largest file.
fn year(
    stage: &Stage,
    runs: usize,
    rows: usize,
    retention: &Retention,
) -> Result<u64, Box<dyn std::error::Error>> {
    let mut largest = 0;
    for number in 0..runs {
        let now: Time = at(0) + TimeDelta::minutes(15 * i64::try_from(number)?);
        let id = RunId::new(format!("r{number}"));
        let run = stage.ledger.begin_run(&stage.lease, &id, RunKind::Sync, &Started::default(), now)?;
        let start =
            SyncStart { model: "m".to_owned(), destination: "v".to_owned(), primary_key: vec![], at: now };
        stage.ledger.begin_sync(&stage.lease, &run, &stage.scope, &start)?;
        let mut statuses: Vec<_> =
            (0..rows).map(|key| RowResult { at: now, ..well(&key.to_string()) }).collect();
        statuses.push(RowResult { at: now, ..refused("bad") });
        stage.ledger.record(&stage.lease, &run, &stage.scope, &statuses)?;
        let one = |key: usize| (Call { at: now, ..told(key) }, vec![Key::new(key.to_string())]);
        let calls: Vec<_> = (0..rows).map(one).collect();
        stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &calls)?;
        let ending = RunEnding { status: RunStatus::Warning, error: None, at: now };
        stage.ledger.end_sync(&stage.lease, &run, &stage.scope, &ending, &Counts::default())?;
        stage.ledger.end_run(&stage.lease, &run, &ending)?;
        stage.ledger.retain(&stage.lease, retention, now)?;
        largest = largest.max(pages(stage)?);
    }
    Ok(largest)
}

/// The size of the file, as it is once the log is written back.
fn pages(stage: &Stage) -> Result<u64, Box<dyn std::error::Error>> {
    let connection = Connection::open(stage.path())?;
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(u64::try_from(number("page_count")? * number("page_size")?)?)
}

#[test]
fn the_file_stays_within_its_bound_however_many_runs_there_are() -> Tested {
    let stage = Stage::new()?;
    let most = 900_000;
    let retention = Retention { max_size: most, ..seconds(1_000_000_000) };
    let largest = year(&stage, 60, 40, &retention)?;
    // The run that is not over yet comes on top.
    assert!(largest <= most + 200_000, "{largest}");
    assert!(largest > most / 2, "{largest}: the bound was never reached");
    assert_eq!(kept(&stage, "r59")?, Kept::All);
    assert_ne!(kept(&stage, "r0")?, Kept::All);
    Ok(())
}

#[test]
fn a_smaller_bound_gives_space_back() -> Tested {
    let stage = Stage::new()?;
    // What the guide says: only a ledger that was told so gives pages back.
    rusqlite::Connection::open(stage.path())?.execute_batch("PRAGMA auto_vacuum = 2; VACUUM")?;
    year(&stage, 20, 40, &seconds(1_000_000_000))?;
    let before = pages(&stage)?;
    let smaller = Retention { max_size: before / 2, ..seconds(1_000_000_000) };
    stage.ledger.retain(&stage.lease, &smaller, at(20 * 900))?;
    assert!(pages(&stage)? <= before / 2, "{} of {before}", pages(&stage)?);
    Ok(())
}
