//! What pages ask: rows that are found by what is in them, as far as patience reaches, and questions that end.

use coho_core::verdict::RowStatus;
use coho_ledger::LedgerError;
use coho_ledger::look::Patience;
use coho_ledger::look::run::RowQuery;
use coho_ledger::look::runs::WantedRuns;
use coho_ledger::run::RunId;
use coho_ledger::settle::OpType;

use super::history::{begin, status};
use super::stage::{Stage, Tested, at};

/// Rows 0 to 4,999 in one run, every tenth of them rejected.
fn many() -> Result<Stage, Box<dyn std::error::Error>> {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let rows: Vec<_> = (0..5_000)
        .map(|number| {
            let end = if number % 10 == 0 { RowStatus::Rejected } else { RowStatus::Delivered };
            status(&format!("row-{number}"), Some(OpType::Changed), end)
        })
        .collect();
    stage.ledger.record(&stage.lease, &run, &stage.scope, &rows)?;
    Ok(stage)
}

#[test]
fn a_search_ends_when_patience_is_over_and_goes_on_from_there() -> Tested {
    let stage = many()?;
    let run = RunId::new("r1");
    let (wanted, hasty) = (RowQuery::default(), Patience::until(|| true));
    let first = stage.ledger.search_rows(Some(&run), &wanted, "ROW-7", 50, &hasty)?;
    assert_eq!(first.rows.len(), 0, "the newest 2,000 rows are those from 3,000 on");
    assert_eq!(first.back_to, Some(at(5)));
    let second = stage.ledger.search_rows(
        Some(&run),
        &RowQuery { before: first.next, ..wanted.clone() },
        "row-7",
        200,
        &hasty,
    )?;
    assert!(second.rows.is_empty() && second.next.is_some());
    let last = stage.ledger.search_rows(
        Some(&run),
        &RowQuery { before: second.next, ..wanted.clone() },
        "row-7",
        200,
        &hasty,
    )?;
    assert_eq!(last.rows.len(), 111, "7, 70 to 79, 700 to 799");
    assert_eq!((last.next, last.back_to), (None, None));
    let patient = Patience::until(|| false);
    assert_eq!(stage.ledger.search_rows(None, &wanted, "row-7", 200, &patient)?.rows.len(), 111);
    assert!(
        stage.ledger.search_rows(Some(&RunId::new("r2")), &wanted, "row-7", 200, &patient)?.rows.is_empty()
    );
    Ok(())
}

#[test]
fn a_search_wants_what_its_filters_choose() -> Tested {
    let stage = many()?;
    let patient = Patience::until(|| false);
    let wanted = RowQuery { status: Some(RowStatus::Rejected), ..RowQuery::default() };
    let found = stage.ledger.search_rows(None, &wanted, "row-7", 200, &patient)?;
    assert_eq!(found.rows.len(), 11, "70, and every tenth of 700 to 799");
    let other = RowQuery { sync: Some(coho_core::sync::SyncId::new("other")), ..RowQuery::default() };
    assert!(stage.ledger.search_rows(None, &other, "row-7", 200, &patient)?.rows.is_empty());
    Ok(())
}

#[test]
fn rows_of_a_run_come_page_by_page_from_the_newest() -> Tested {
    let stage = many()?;
    let run = RunId::new("r1");
    let (mut before, mut keys) = (None, Vec::new());
    loop {
        let found = stage.ledger.rows_of_run(&run, &RowQuery { before, ..RowQuery::default() }, 999)?;
        keys.extend(
            found.rows.iter().filter_map(|row| row.record.status.key.as_ref().map(ToString::to_string)),
        );
        before = found.next;
        if before.is_none() {
            break;
        }
    }
    let all: Vec<_> = (0..5_000).rev().map(|number| format!("row-{number}")).collect();
    assert_eq!(keys, all);
    Ok(())
}

#[test]
fn a_question_that_takes_too_long_ends() -> Tested {
    let stage = many()?;
    stage.ledger.be_patient(Some(Patience::until(|| true)))?;
    let ended = stage.ledger.statuses_of_run(&RunId::new("r1"));
    assert!(matches!(ended, Err(LedgerError::TooLong { .. })), "{ended:?}");
    stage.ledger.be_patient(None)?;
    assert_eq!(stage.ledger.statuses_of_run(&RunId::new("r1"))?.len(), 2);
    Ok(())
}

#[test]
fn runs_are_listed_by_what_they_are() -> Tested {
    let stage = Stage::new()?;
    for (number, id) in ["r1", "r2", "r3"].into_iter().enumerate() {
        begin(&stage, id, i64::try_from(number)?)?;
    }
    let ids = |wanted: &WantedRuns| -> Result<Vec<String>, LedgerError> {
        let runs = stage.ledger.list_runs(wanted, 2)?;
        Ok(runs.iter().map(|run| run.run.as_str().to_owned()).collect())
    };
    assert_eq!(ids(&WantedRuns::default())?, ["r3", "r2"]);
    assert_eq!(ids(&WantedRuns { before: Some(2), ..WantedRuns::default() })?, ["r1"]);
    let failed = Some(coho_ledger::run::RunStatus::Failed);
    assert!(ids(&WantedRuns { status: failed, ..WantedRuns::default() })?.is_empty());
    Ok(())
}
