//! Intend and settle: what is durable before a write, and what a verdict leaves.

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::digest::Digest;
use coho_core::fields::Difference;
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Pending, RowState, Seen, Verb, Why};
use coho_core::started::Started;
use coho_core::value::Value;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::intent::{Intent, Opened};
use coho_ledger::lease::LeaseError;
use coho_ledger::row_state::sent_text;
use coho_ledger::run::{Run, RunId};
use coho_ledger::settle::{Advance, OpType, RowResult, Settlement};
use coho_ledger::{Ledger, LedgerError, Opening};

use super::stage::{Stage, TTL, Tested, at, delivered, digest, holder, sent, target};

type Failure = Box<dyn std::error::Error>;

fn intent(key: &str, version: u64) -> Result<Intent, Failure> {
    Ok(Intent {
        key: Key::new(key),
        target: target(key)?,
        operation: digest(key),
        would_send: sent_text(&sent(key)),
        verb: Verb::Write,
        since: at(2),
        version,
    })
}

fn open(key: &str) -> Pending {
    Pending::Open { operation: digest(key), would_send: sent(key), verb: Verb::Write, since: at(2) }
}

fn begin(stage: &Stage) -> Result<Run, LedgerError> {
    stage.ledger.begin_run(&stage.lease, &RunId::new("r1"), RunKind::Sync, &Started::default(), at(1))
}

fn settlement(key: &str) -> Result<Settlement, Failure> {
    let path = FieldPath::new("name");
    Ok(Settlement {
        key: Key::new(key),
        row_state: Some(delivered(key)?),
        arrived: None,
        status: RowResult {
            key: Some(Key::new(key)),
            op_type: Some(OpType::Added),
            status: RowStatus::Delivered,
            reason: "new-record".to_owned(),
            code: None,
            message: None,
            changes: vec![Difference { path, before: None, after: Value::text(key) }],
            at: at(3),
        },
        calls: vec![Call {
            at: at(3),
            micros: 1_500,
            method: "POST",
            path: "/resources/accounts".to_owned(),
            request: Some("{}".to_owned()),
            status: Some(201),
            response: "{}".to_owned(),
            ..super::history::call()
        }],
    })
}

#[test]
fn an_intent_is_remembered_before_anything_was_acknowledged() -> Tested {
    let stage = Stage::new()?;
    let opened = stage.ledger.open_intents(&stage.lease, &stage.scope, &[intent("1", 0)?])?;
    assert_eq!(opened, [Opened::Durable { before: None }]);
    let row_state = stage.row_state("1")?.ok_or("no memory")?;
    assert_eq!(
        (row_state.delivery, row_state.pending, row_state.version),
        (DeliveryState::Never, open("1"), 1)
    );
    Ok(())
}

#[test]
fn what_was_acknowledged_stands_while_an_intent_is_open() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.ledger.open_intents(&stage.lease, &stage.scope, &[intent("1", 1)?])?;
    let row_state = stage.row_state("1")?.ok_or("no memory")?;
    assert_eq!(
        (row_state.delivery, row_state.pending, row_state.version),
        (delivered("1")?.delivery, open("1"), 2)
    );
    Ok(())
}

#[test]
fn an_operation_of_another_serial_is_stale_and_the_others_open() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.write("2", Some(delivered("2")?))?;
    let window = [intent("3", 1)?, intent("1", 0)?, intent("2", 1)?];
    let before = stage.row_state("2")?;
    let opened = stage.ledger.open_intents(&stage.lease, &stage.scope, &window)?;
    assert_eq!(opened, [Opened::Stale, Opened::Stale, Opened::Durable { before }]);
    assert_eq!(stage.row_state("2")?.ok_or("no memory")?.pending, open("2"));
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.pending, Pending::None);
    assert_eq!(stage.row_state("3")?, None);
    Ok(())
}

#[test]
fn only_a_verdict_closes_an_intent() -> Tested {
    let stage = Stage::new()?;
    stage.ledger.open_intents(&stage.lease, &stage.scope, &[intent("1", 0)?])?;
    let closing = [(Key::new("0"), Some(delivered("0")?)), (Key::new("1"), Some(delivered("1")?))];
    let refused = stage.ledger.write(&stage.lease, &stage.scope, &closing, at(3));
    assert!(matches!(refused, Err(LedgerError::OpenIntent { key }) if key == Key::new("1")));
    assert_eq!(stage.row_state("0")?, None);
    let kept = RowState { pending: open("1"), ..delivered("1")? };
    stage.write("1", Some(kept))?;
    stage.ledger.settle(&stage.lease, &begin(&stage)?, &stage.scope, &[settlement("1")?])?;
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.pending, Pending::None);
    Ok(())
}

/// What is remembered once an intent is settled, of which `arrived` is said.
fn settled(before: Option<RowState>, arrived: Option<Digest>) -> Result<Option<RowState>, Failure> {
    let stage = Stage::new()?;
    let version = u64::from(before.is_some());
    stage.write("1", before)?;
    stage.ledger.open_intents(&stage.lease, &stage.scope, &[intent("1", version)?])?;
    let settlement = Settlement { arrived, ..settlement("1")? };
    stage.ledger.settle(&stage.lease, &begin(&stage)?, &stage.scope, &[settlement])?;
    stage.row_state("1")
}

#[test]
fn what_arrived_as_it_was_intended_is_remembered_as_if_it_were_written_again() -> Tested {
    let waiting = Pending::Waiting {
        why: Why::Rejected,
        code: Code::REFUSED,
        tried: Seen { row: digest("r"), mapping: digest("m") },
        tries: 1,
        due: Due::At(at(9)),
        verb: Verb::Write,
    };
    let before = [
        None,
        Some(delivered("1")?),
        Some(RowState {
            pending: waiting,
            delivery: DeliveryState::Removed { at: at(1) },
            ..delivered("2")?
        }),
    ];
    for before in before {
        let written = settled(before.clone(), None)?;
        assert_eq!(settled(before.clone(), Some(digest("1")))?, written);
        assert_eq!(settled(before, Some(digest("another")))?, written);
        let row_state = written.ok_or("no memory")?;
        assert_eq!((row_state.delivery, row_state.pending), (delivered("1")?.delivery, Pending::None));
    }
    Ok(())
}

#[test]
fn what_is_settled_and_what_is_opened_with_it_is_one_transaction() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage)?;
    stage.ledger.open_intents(&stage.lease, &stage.scope, &[intent("1", 0)?])?;
    let (settlements, intents) = ([settlement("1")?], [intent("2", 0)?]);
    let step = Advance { settlements: &settlements, intents: &intents, ..Advance::default() };
    let file = rusqlite::Connection::open(stage.ledger.path())?;
    file.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON memory WHEN new.key = '2' BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )?;
    assert!(stage.ledger.advance(&stage.lease, &run, &stage.scope, step).is_err());
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.pending, open("1"));
    file.execute_batch("DROP TRIGGER full")?;
    let opened = stage.ledger.advance(&stage.lease, &run, &stage.scope, step)?;
    assert_eq!(opened.opened, [Opened::Durable { before: None }]);
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.pending, Pending::None);
    assert_eq!(stage.row_state("2")?.ok_or("no memory")?.pending, open("2"));
    Ok(())
}

/// Opens what a power cut would leave of a ledger whose log had been written up to this byte.
fn after_cut(stage: &Stage, log: &[u8], cut: usize) -> Result<u64, Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    std::fs::copy(stage.path(), &path)?;
    std::fs::write(folder.path().join("ledger.db-wal"), log.get(..cut).ok_or("beyond the log")?)?;
    let ledger = Ledger::open(&path, &Opening::new(at(3)))?;
    let mut row_states = ledger.row_states(&stage.scope)?;
    row_states.by_ref().try_for_each(|row_state| row_state.map(drop))?;
    Ok(row_states.counts().open)
}

#[test]
fn whatever_a_crash_leaves_a_window_of_intents_is_there_or_not() -> Tested {
    const WINDOW: u64 = 4;
    let Stage { folder, ledger, lease, scope } = Stage::new()?;
    // Closing empties the log, so that it holds only intents from here on.
    ledger.release(lease, at(1))?;
    drop(ledger);
    let ledger = Ledger::open(&folder.path().join("ledger.db"), &Opening::new(at(1)))?;
    let lease = ledger.acquire(&holder("a"), at(1), TTL)?;
    for window in 0..5 {
        let intents: Vec<_> =
            (0..WINDOW).map(|n| intent(&format!("{window}-{n}"), 0)).collect::<Result<_, _>>()?;
        ledger.open_intents(&lease, &scope, &intents)?;
    }
    let stage = Stage { folder, ledger, lease, scope };
    let log = std::fs::read(stage.folder.path().join("ledger.db-wal"))?;
    let mut before = 0;
    for cut in (0..log.len()).step_by(1_111).chain([log.len()]) {
        let open = after_cut(&stage, &log, cut)?;
        assert!(open >= before && open % WINDOW == 0, "{open} intents are open after {cut} bytes");
        before = open;
    }
    assert_eq!(before, 5 * WINDOW);
    Ok(())
}

#[test]
fn a_settlement_is_all_or_nothing() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage)?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    std::fs::remove_file(stage.folder.path().join("ledger.db.lock"))?;
    let taken = other.acquire(&holder("b"), at(61), TTL).map_err(|error: LeaseError| error.to_string())?;
    let refused = stage.ledger.settle(&stage.lease, &run, &stage.scope, &[settlement("1")?]);
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })));
    assert_eq!(stage.row_state("1")?, None);
    assert_eq!(stage.ledger.calls(&stage.scope, run.id(), None, 9)?, []);
    other.settle(&taken, &run, &stage.scope, &[settlement("1")?])?;
    assert_eq!(stage.ledger.calls(&stage.scope, run.id(), Some(&Key::new("1")), 9)?.len(), 1);
    Ok(())
}

/// What a run that dies leaves of one batch.
fn left_batch(stage: &Stage) -> Result<Vec<coho_ledger::batch::OpenedBatch>, Failure> {
    stage.write("2", Some(delivered("2")?))?;
    let run = begin(stage)?;
    let batches = [vec![intent("1", 0)?, intent("2", 1)?, intent("3", 4)?]];
    let step = Advance { batches: &batches, ..Advance::default() };
    Ok(stage.ledger.advance(&stage.lease, &run, &stage.scope, step)?.batches)
}

#[test]
fn the_intent_of_a_batch_is_one_row_until_it_is_settled() -> Tested {
    let stage = Stage::new()?;
    let opened = left_batch(&stage)?;
    let before = stage.row_state("2")?;
    assert_eq!(
        opened[0].opened,
        [Opened::Durable { before: None }, Opened::Durable { before }, Opened::Stale]
    );
    let file = rusqlite::Connection::open(stage.ledger.path())?;
    let batches = || file.query_row("SELECT count(*) FROM batches", [], |row| row.get::<_, i64>(0));
    assert_eq!((batches()?, stage.row_state("1")?), (1, None));
    let run = stage.ledger.begin_run(
        &stage.lease,
        &RunId::new("r2"),
        coho_core::decide::RunKind::Sync,
        &coho_core::started::Started::default(),
        at(2),
    )?;
    let (settlements, closes) = ([settlement("1")?, settlement("2")?], [opened[0].id.ok_or("no batch")?]);
    let step = Advance { settlements: &settlements, closes: &closes, ..Advance::default() };
    stage.ledger.advance(&stage.lease, &run, &stage.scope, step)?;
    assert_eq!(batches()?, 0);
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.pending, Pending::None);
    Ok(())
}

#[test]
fn a_batch_that_a_dead_run_left_is_an_open_intent_of_each_of_its_rows() -> Tested {
    let stage = Stage::new()?;
    left_batch(&stage)?;
    let Stage { folder, ledger, lease, scope } = stage;
    drop((ledger, lease));
    let path = folder.path().join("ledger.db");
    let before = std::fs::read(&path)?;
    let read_only = Opening { access: coho_ledger::Access::ReadOnly, ..Opening::new(at(3)) };
    // Who makes a plan finds it so, and changes nothing.
    let copy = Ledger::open(&path, &read_only)?.unfolded(at(3))?;
    open_both(&copy, &scope)?;
    assert_ne!(copy.path(), path);
    drop(copy);
    assert!(std::fs::read(&path)? == before);
    // The next run finds it so.
    let ledger = Ledger::open(&path, &Opening::new(at(400)))?;
    let lease = ledger.acquire(&holder("b"), at(400), TTL)?;
    open_both(&ledger, &scope)?;
    ledger.release(lease, at(400))?;
    let whole = Ledger::open(&path, &read_only)?.unfolded(at(401))?;
    assert_eq!(whole.path(), path, "there is nothing left to do");
    Ok(())
}

/// The rows of [`left_batch`] have open intents, and what was acknowledged stands.
fn open_both(ledger: &Ledger, scope: &coho_ledger::scope::SyncScope) -> Tested {
    let found = |key: &str| ledger.row_state(scope, &Key::new(key));
    let (first, second) = (found("1")?.ok_or("no memory")?, found("2")?.ok_or("no memory")?);
    assert_eq!((first.pending, first.delivery), (open("1"), DeliveryState::Never));
    assert_eq!((second.pending, second.delivery), (open("2"), delivered("2")?.delivery));
    assert_eq!(found("3")?, None, "its memory was another one");
    Ok(())
}

#[test]
fn the_batches_of_a_run_that_lives_are_left_to_it() -> Tested {
    let stage = Stage::new()?;
    left_batch(&stage)?;
    let path = stage.folder.path().join("ledger.db");
    let ledger =
        Ledger::open(&path, &Opening { access: coho_ledger::Access::ReadOnly, ..Opening::new(at(3)) })?;
    assert_eq!(ledger.row_state(&stage.scope, &Key::new("1"))?, None);
    Ok(())
}

#[test]
fn whoever_takes_the_lease_of_a_dead_run_finds_its_batches_open() -> Tested {
    let Stage { folder, ledger, lease, scope } = {
        let stage = Stage::new()?;
        left_batch(&stage)?;
        stage
    };
    drop(lease);
    let lease = ledger.acquire(&holder("b"), at(1_000_000), TTL)?;
    assert_eq!(ledger.row_state(&scope, &Key::new("1"))?.ok_or("no memory")?.pending, open("1"));
    ledger.release(lease, at(1_000_000))?;
    drop(folder);
    Ok(())
}
