//! Runs, rows by status, calls and references.

use coho_core::call::{Attempt, Headers};
use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::RunKind;
use coho_core::fields::Difference;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, RowState};
use coho_core::started::Started;
use coho_core::target::VitallyId;
use coho_core::value::Value;
use coho_core::verdict::{Call, Outcome, RowStatus};
use coho_ledger::history::RowFilter;
use coho_ledger::retention::Pruned;
use coho_ledger::run::{Run, RunEnding, RunId, RunStatus, SyncStart};
use coho_ledger::settle::{OpType, RowResult};

use super::retention::seconds;
use super::stage::{Stage, Tested, at, delivered, target};

type Failure = Box<dyn std::error::Error>;

pub(super) fn begin(stage: &Stage, id: &str, seconds: i64) -> Result<Run, Failure> {
    let run = stage.ledger.begin_run(
        &stage.lease,
        &RunId::new(id),
        RunKind::Sync,
        &Started::default(),
        at(seconds),
    )?;
    let start = SyncStart {
        model: "active_accounts".to_owned(),
        destination: "vitally".to_owned(),
        primary_key: vec!["id".to_owned()],
        at: at(seconds),
    };
    stage.ledger.begin_sync(&stage.lease, &run, &stage.scope, &start)?;
    Ok(run)
}

pub(super) fn status(key: &str, op_type: Option<OpType>, status: RowStatus) -> RowResult {
    RowResult {
        key: Some(Key::new(key)),
        op_type,
        status,
        reason: "row-changed".to_owned(),
        code: (status == RowStatus::Rejected).then_some(Code::CAST_FAILED),
        message: None,
        changes: vec![Difference {
            path: FieldPath::new("traits.seats"),
            before: Some(Value::Int(4)),
            after: Value::Null,
        }],
        at: at(5),
    }
}

pub(super) fn call() -> Call {
    Call {
        at: at(4),
        micros: 12,
        route: None,
        method: "GET",
        path: "/resources/accounts/a".to_owned(),
        attempt: Attempt::FIRST,
        request: None,
        status: None,
        headers: Headers::new(),
        response: "connection reset".to_owned(),
        request_cut: 0,
        response_cut: 0,
    }
}

#[test]
fn a_run_is_remembered_with_its_syncs_and_counts() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let mut counts = Counts { read: 2, writes: 2, ..Counts::default() };
    counts.outcome(Outcome::Delivered);
    counts.outcome(Outcome::Rejected);
    let ending = RunEnding { status: RunStatus::Warning, error: None, at: at(9) };
    stage.ledger.end_sync(&stage.lease, &run, &stage.scope, &ending, &counts)?;
    stage.ledger.end_run(&stage.lease, &run, &ending)?;
    let record = stage.ledger.run(&RunId::new("r1"))?.ok_or("no run")?;
    assert_eq!((record.status, record.started, record.ended), (RunStatus::Warning, at(1), Some(at(9))));
    assert_eq!(record.syncs[0].counts.as_ref(), Some(&counts));
    assert_eq!(stage.ledger.run(&RunId::new("r2"))?, None);
    Ok(())
}

#[test]
fn a_run_that_died_is_found_by_the_next_one() -> Tested {
    let stage = Stage::new()?;
    let dead = begin(&stage, "r1", 1)?;
    let added = status("1", Some(OpType::Added), RowStatus::Delivered);
    stage.ledger.record(&stage.lease, &dead, &stage.scope, &[added])?;
    begin(&stage, "r2", 2)?;
    let runs = stage.ledger.runs(10)?;
    let statuses: Vec<_> = runs.iter().map(|run| (run.id.as_str(), run.status)).collect();
    assert_eq!(statuses, [("r2", RunStatus::Running), ("r1", RunStatus::Interrupted)]);
    assert_eq!(runs[1].syncs[0].status, RunStatus::Interrupted);
    let counted = rusqlite::Connection::open(stage.path())?.query_row(
        "SELECT num_succeeded_add FROM sync_runs WHERE sync_run_id = 'r1'",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    assert_eq!(counted, 1);
    Ok(())
}

#[test]
fn rows_are_found_by_status_key_and_run() -> Tested {
    let stage = Stage::new()?;
    let first = begin(&stage, "r1", 1)?;
    let rejected = status("2", Some(OpType::Changed), RowStatus::Rejected);
    let recorded = [status("1", Some(OpType::Added), RowStatus::Delivered), rejected.clone()];
    stage.ledger.record(&stage.lease, &first, &stage.scope, &recorded)?;
    let second = begin(&stage, "r2", 2)?;
    let nameless = RowResult { key: None, ..status("", None, RowStatus::Invalid) };
    stage.ledger.record(&stage.lease, &second, &stage.scope, &[rejected.clone(), nameless])?;

    let rows = |filter: RowFilter| stage.ledger.rows(&stage.scope, &filter, 10);
    let found = rows(RowFilter { status: Some(RowStatus::Rejected), ..RowFilter::default() })?;
    assert_eq!(found.iter().map(|row| row.run.as_str()).collect::<Vec<_>>(), ["r2", "r1"]);
    assert_eq!(found[0].status, rejected);
    assert_eq!(rows(RowFilter { key: Some(Key::new("1")), ..RowFilter::default() })?.len(), 1);
    assert_eq!(rows(RowFilter { run: Some(RunId::new("r2")), ..RowFilter::default() })?.len(), 2);
    assert_eq!(rows(RowFilter::default())?.len(), 4);
    Ok(())
}

#[test]
fn what_is_old_is_pruned_and_runs_stay() -> Tested {
    let stage = Stage::new()?;
    for (id, seconds) in [("r1", 1), ("r2", 100)] {
        let run = begin(&stage, id, seconds)?;
        stage.ledger.record(&stage.lease, &run, &stage.scope, &[status("1", None, RowStatus::Touched)])?;
        let calls = [(); 2].map(|()| (call(), vec![Key::new("1")]));
        stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &calls)?;
    }
    assert_eq!(
        stage.ledger.retain(&stage.lease, &seconds(900), at(1_000))?,
        Pruned { statuses: 1, calls: 2, runs: 0 }
    );
    assert_eq!(stage.ledger.calls(&stage.scope, &RunId::new("r1"), None, 9)?, []);
    let left = stage.ledger.calls(&stage.scope, &RunId::new("r2"), Some(&Key::new("1")), 9)?;
    assert_eq!(left, vec![(Some(Key::new("1")), call()); 2]);
    assert_eq!(stage.ledger.runs(10)?.len(), 2);
    Ok(())
}

#[test]
fn a_reference_comes_from_what_was_looked_up_before_memory() -> Tested {
    let stage = Stage::new()?;
    let (a, b, c) = (target("a")?, target("b")?, target("c")?);
    let ids = [(b.clone(), VitallyId::new("looked-up-b"))];
    stage.ledger.put_references(&stage.lease, "production", Object::Account, &ids, at(1))?;
    stage.write("1", Some(delivered("a")?))?;
    stage.write("2", Some(delivered("b")?))?;
    let find =
        |workspace, object| stage.ledger.references(workspace, object, &[a.clone(), b.clone(), c.clone()]);
    let found = find("production", Object::Account)?;
    assert_eq!(found.get(&a), Some(&VitallyId::new("v-a")));
    assert_eq!(found.get(&b), Some(&VitallyId::new("looked-up-b")));
    assert_eq!(found.len(), 2);
    assert!(find("production", Object::User)?.is_empty());
    assert!(find("staging", Object::Account)?.is_empty());

    stage.ledger.drop_references(&stage.lease, "production", Object::Account, &[a.clone(), b.clone()])?;
    assert_eq!(find("production", Object::Account)?.get(&b), Some(&VitallyId::new("v-b")));
    stage.write("1", Some(RowState { delivery: DeliveryState::Never, ..delivered("a")? }))?;
    stage.write("2", Some(RowState { delivery: DeliveryState::Never, ..delivered("b")? }))?;
    assert!(find("production", Object::Account)?.is_empty());
    Ok(())
}
