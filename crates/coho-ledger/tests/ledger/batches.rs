//! Settling a batch: one call that was made for many rows is found by each of them.

use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_core::row_state::{DeliveryState, RowState};
use coho_core::started::Started;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::LedgerError;
use coho_ledger::history::RowFilter;
use coho_ledger::retention::Pruned;
use coho_ledger::run::RunId;
use coho_ledger::settle::{OpType, Settlement};
use rusqlite::Connection;

use super::history::{begin, call, status};
use super::retention::seconds;
use super::stage::{Stage, TTL, Tested, at, delivered, holder};

fn settlement(key: &str, ended: RowStatus) -> Result<Settlement, Box<dyn std::error::Error>> {
    let accepted = delivered(key)?;
    let row_state = if ended == RowStatus::Accepted {
        accepted
    } else {
        RowState { delivery: DeliveryState::Never, ..accepted }
    };
    let status = status(key, Some(OpType::Added), ended);
    Ok(Settlement {
        key: Key::new(key),
        row_state: Some(row_state),
        arrived: None,
        status,
        calls: Vec::new(),
    })
}

fn batch(path: &str) -> Call {
    Call { method: "POST", path: path.to_owned(), status: Some(200), ..call() }
}

fn paths(stage: &Stage, key: Option<&str>) -> Result<Vec<(Option<Key>, String)>, LedgerError> {
    let found = stage.ledger.calls(&stage.scope, &RunId::new("r1"), key.map(Key::new).as_ref(), 9)?;
    Ok(found.into_iter().map(|(key, call)| (key, call.path)).collect())
}

#[test]
fn a_call_for_many_rows_is_found_by_each_of_them() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let settled = [settlement("2", RowStatus::Rejected)?, settlement("1", RowStatus::Accepted)?];
    let calls = [
        (batch("/whole"), ["1", "2", "2"].map(Key::new).to_vec()),
        (batch("/left"), vec![Key::new("1")]),
        (batch("/nobody"), Vec::new()),
    ];
    stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &settled, &calls)?;
    let own = [(Call { path: "/own".to_owned(), ..call() }, vec![Key::new("2")])];
    stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &own)?;

    let of = |key: &str, path: &str| (Some(Key::new(key)), path.to_owned());
    assert_eq!(paths(&stage, Some("1"))?, [of("1", "/whole"), of("1", "/left")]);
    assert_eq!(paths(&stage, Some("2"))?, [of("2", "/whole"), of("2", "/own")]);
    assert_eq!(paths(&stage, Some("3"))?, []);
    let all = [(None, "/whole".to_owned()), of("1", "/left"), (None, "/nobody".to_owned()), of("2", "/own")];
    assert_eq!(paths(&stage, None)?, all);
    assert_eq!(stage.ledger.run(run.id())?.ok_or("no run")?.syncs[0].calls, 4);
    let accepted = RowFilter { status: Some(RowStatus::Accepted), ..RowFilter::default() };
    assert_eq!(stage.ledger.rows(&stage.scope, &accepted, 9)?.len(), 1);
    assert!(matches!(stage.row_state("1")?.ok_or("no memory")?.delivery, DeliveryState::Delivered { .. }));
    Ok(())
}

#[test]
fn a_call_for_many_rows_is_found_only_in_its_run_and_sync() -> Tested {
    let stage = Stage::new()?;
    let calls = [(batch("/whole"), ["1", "2"].map(Key::new).to_vec())];
    for id in ["r1", "r2"] {
        let run = begin(&stage, id, 1)?;
        stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &calls)?;
    }
    assert_eq!(paths(&stage, Some("1"))?.len(), 1);
    let sync = coho_core::sync::SyncId::new("others");
    let object = coho_core::object::Object::Account;
    let other = stage.ledger.scope(&stage.lease, "production", &sync, object)?;
    assert_eq!(stage.ledger.calls(&other, &RunId::new("r1"), Some(&Key::new("1")), 9)?, []);
    Ok(())
}

#[test]
fn a_batch_is_settled_whole_or_not_at_all() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let lost = stage.ledger.acquire(&holder("a"), at(0), TTL);
    assert!(lost.is_err());
    Connection::open(stage.path())?.execute("UPDATE lease SET epoch = epoch + 1", [])?;
    let settled = [settlement("1", RowStatus::Accepted)?];
    let calls = [(batch("/whole"), ["1", "2"].map(Key::new).to_vec())];
    let refused = stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &settled, &calls);
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })));
    assert_eq!(paths(&stage, None)?, []);
    assert_eq!(stage.row_state("1")?, None);
    Ok(())
}

#[test]
fn the_rows_of_a_call_are_pruned_with_it() -> Tested {
    let stage = Stage::new()?;
    let calls = [(batch("/whole"), ["1", "2"].map(Key::new).to_vec())];
    for (id, seconds) in [("r0", 1), ("r1", 100)] {
        let run = begin(&stage, id, seconds)?;
        stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &calls)?;
    }
    assert_eq!(
        stage.ledger.retain(&stage.lease, &seconds(900), at(1_000))?,
        Pruned { statuses: 0, calls: 1, runs: 0 }
    );
    let left = Connection::open(stage.path())?
        .query_row("SELECT count(*) FROM call_keys", [], |row| row.get::<_, i64>(0))?;
    assert_eq!((left, paths(&stage, Some("2"))?.len()), (2, 1));
    Ok(())
}

#[test]
fn what_was_accepted_counts_as_succeeded() -> Tested {
    let stage = Stage::new()?;
    let run = stage.ledger.begin_run(
        &stage.lease,
        &RunId::new("r0"),
        RunKind::Adopt,
        &Started::default(),
        at(0),
    )?;
    assert_eq!(stage.ledger.run(run.id())?.ok_or("no run")?.run_kind, "adopt");
    let run = begin(&stage, "r1", 1)?;
    let settled = [settlement("1", RowStatus::Accepted)?, settlement("2", RowStatus::Rejected)?];
    stage.ledger.settle(&stage.lease, &run, &stage.scope, &settled)?;
    let mut counts = coho_core::counts::Counts { read: 2, writes: 2, ..Default::default() };
    counts.outcome(coho_core::verdict::Outcome::Accepted);
    counts.outcome(coho_core::verdict::Outcome::Rejected);
    let ending =
        coho_ledger::run::RunEnding { status: coho_ledger::run::RunStatus::Warning, error: None, at: at(9) };
    stage.ledger.end_sync(&stage.lease, &run, &stage.scope, &ending, &counts)?;
    assert_eq!(stage.ledger.run(run.id())?.ok_or("no run")?.syncs[0].counts, Some(counts));
    let told: [i64; 3] = Connection::open(stage.path())?.query_row(
        "SELECT num_planned_add, num_succeeded_add, num_failed_add FROM sync_runs WHERE sync_run_id = 'r1'",
        [],
        |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]),
    )?;
    assert_eq!(told, [2, 1, 1]);
    Ok(())
}
