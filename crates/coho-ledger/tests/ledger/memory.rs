//! Memory: what is written reads back; forgetting, trying again, splitting.

use chrono::DateTime;
use coho_core::code::Code;
use coho_core::digest::Digest;
use coho_core::failure::Failure as _;
use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use coho_core::started::{Started, StartedBy};
use coho_core::sync::SyncId;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::{Float, Value};
use coho_ledger::LedgerError;
use coho_ledger::amend::{AmendError, Retried};
use coho_ledger::row_state::StateCounts;
use coho_ledger::scope::ScopeError;
use proptest::prelude::*;

use super::stage::{Stage, Tested, at, delivered, digest, seen, sent};

fn times() -> impl Strategy<Value = Time> {
    (-2_000_000_000_000_000_i64..4_000_000_000_000_000)
        .prop_filter_map("a time", DateTime::from_timestamp_micros)
}

fn digests() -> impl Strategy<Value = Digest> {
    any::<[u8; 16]>().prop_map(Digest::from_bytes)
}

fn seens() -> impl Strategy<Value = Seen> {
    (digests(), digests()).prop_map(|(row, mapping)| Seen { row, mapping })
}

fn values() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter_map("finite", Float::new).prop_map(Value::Float),
        ".*".prop_map(Value::Text),
        times().prop_map(Value::Timestamp),
    ];
    prop_oneof![plain.clone(), prop::collection::vec(plain, 0..3).prop_map(Value::Array)]
}

fn sents() -> impl Strategy<Value = Sent> {
    prop::collection::btree_map(
        "(traits\\.)?[a-z.]{1,8}".prop_map(|path| FieldPath::new(&path)),
        values(),
        0..4,
    )
}

fn ids() -> impl Strategy<Value = Option<VitallyId>> {
    prop::option::of("[a-f0-9-]{1,36}".prop_map(VitallyId::new))
}

fn origins() -> impl Strategy<Value = Origin> {
    prop_oneof![Just(Origin::Created), Just(Origin::Found)]
}

fn verbs() -> impl Strategy<Value = Verb> {
    prop_oneof![Just(Verb::Write), Just(Verb::Remove)]
}

fn counts() -> impl Strategy<Value = DeliveryState> {
    prop_oneof![
        Just(DeliveryState::Never),
        sents().prop_map(|sent| DeliveryState::Assumed { sent }),
        (sents(), any::<u32>(), ids(), origins())
            .prop_map(|(sent, n, id, origin)| DeliveryState::Delivered { sent, n, id, origin }),
        (sents(), ids(), origins()).prop_map(|(sent, id, origin)| DeliveryState::Released {
            sent,
            id,
            origin
        }),
        times().prop_map(|at| DeliveryState::Removed { at }),
    ]
}

fn pendings() -> impl Strategy<Value = Pending> {
    let why = prop_oneof![Just(Why::Rejected), Just(Why::Deferred), Just(Why::Skipped)];
    let due = prop_oneof![times().prop_map(Due::At), Just(Due::Always), Just(Due::OnChange)];
    prop_oneof![
        Just(Pending::None),
        (digests(), sents(), verbs(), times()).prop_map(|(operation, would_send, verb, since)| {
            Pending::Open { operation, would_send, verb, since }
        }),
        (why, prop::sample::select(coho_core::code::ALL), seens(), any::<u16>(), due, verbs()).prop_map(
            |(why, entry, tried, tries, due, verb)| Pending::Waiting {
                why,
                code: entry.code,
                tried,
                tries,
                due,
                verb
            }
        ),
    ]
}

fn row_states() -> impl Strategy<Value = RowState> {
    let target = "[a-zA-Z0-9é'\" ]{0,20}x".prop_filter_map("an id", |text| ExternalId::parse(&text).ok());
    (target, counts(), pendings(), prop::option::of(seens())).prop_map(|(target, delivery, pending, seen)| {
        RowState { target, delivery, pending, seen, version: 1 }
    })
}

/// Each memory alone, and all of them in order through a cursor.
fn reads_back(row_states: &std::collections::BTreeMap<String, RowState>) -> Tested {
    let stage = Stage::new()?;
    let written: Vec<_> =
        row_states.iter().map(|(key, row_state)| (Key::new(key.as_str()), Some(row_state.clone()))).collect();
    stage.ledger.write(&stage.lease, &stage.scope, &written, at(1))?;
    for (key, row_state) in row_states {
        assert_eq!(stage.row_state(key)?.as_ref(), Some(row_state));
    }
    let streamed = stage.ledger.row_states(&stage.scope)?.map(|row| {
        let row = row?;
        Ok((row.key().as_str().to_owned(), row.decode()?))
    });
    let streamed: Vec<_> = streamed.collect::<Result<_, LedgerError>>()?;
    assert_eq!(streamed, row_states.clone().into_iter().collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_memory_reads_back_in_the_order_of_keys(
        row_states in prop::collection::btree_map(".{0,12}", row_states(), 0..12)
    ) {
        reads_back(&row_states).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn a_cursor_sees_the_moment_when_it_was_opened() -> Tested {
    let stage = Stage::new()?;
    for key in ["a", "c"] {
        stage.write(key, Some(delivered(key)?))?;
    }
    let row_states = stage.ledger.row_states(&stage.scope)?;
    stage.write("b", Some(delivered("b")?))?;
    stage.write("c", None)?;
    let keys: Vec<_> = row_states.map(|row| row.map(|row| row.key())).collect::<Result<_, _>>()?;
    assert_eq!(keys, [Key::new("a"), Key::new("c")]);
    Ok(())
}

#[test]
fn the_serial_grows_with_each_change() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.write("1", Some(delivered("1")?))?;
    stage.write("1", Some(RowState { seen: Some(seen("other")), ..delivered("1")? }))?;
    let row_state = stage.row_state("1")?.ok_or("no memory")?;
    assert_eq!((row_state.version, row_state.seen), (3, Some(seen("other"))));
    Ok(())
}

#[test]
fn a_memory_tells_when_it_changed_last() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let told = || {
        let row = stage.ledger.row_states(&stage.scope)?.next().ok_or("no memory")??;
        Ok::<_, Box<dyn std::error::Error>>(row.updated_at())
    };
    assert_eq!(told()?, at(1));
    let changed = RowState { seen: Some(seen("other")), ..delivered("1")? };
    stage.ledger.write(&stage.lease, &stage.scope, &[(Key::new("1"), Some(changed))], at(2))?;
    assert_eq!(told()?, at(2));
    Ok(())
}

#[test]
fn a_time_that_cannot_be_told_expires_nothing() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    rusqlite::Connection::open(stage.path())?.execute("UPDATE memory SET updated_at = ?1", [i64::MIN])?;
    let row = stage.ledger.row_states(&stage.scope)?.next().ok_or("no memory")??;
    assert_eq!(row.updated_at(), Time::MAX_UTC);
    Ok(())
}

#[test]
fn a_memory_of_another_encoding_is_rendered_again() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    rusqlite::Connection::open(stage.path())?.execute("UPDATE memory SET encoding = 99", [])?;
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.seen, None);
    assert!(!stage.ledger.row_states(&stage.scope)?.is_same(&seen("1"))?);
    Ok(())
}

#[test]
fn what_coho_never_writes_is_told_without_its_value() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    rusqlite::Connection::open(stage.path())?.execute("UPDATE memory SET sent = 'secret'", [])?;
    let error = stage.ledger.row_state(&stage.scope, &Key::new("1")).err().ok_or("it was read")?;
    let told = "is damaged: the column `sent` of a row state holds a value that Coho never writes";
    assert!(error.to_string().ends_with(told), "{error}");
    Ok(())
}

#[test]
fn a_sync_that_changes_its_object_needs_a_new_id() -> Tested {
    let stage = Stage::new()?;
    let sync = SyncId::new("accounts");
    let scope = |object| stage.ledger.scope(&stage.lease, "production", &sync, object);
    assert_eq!(scope(Object::User)?.object(), Object::User);
    assert_eq!(scope(Object::Account)?.object(), Object::Account);
    stage.write("1", Some(delivered("1")?))?;
    assert!(matches!(scope(Object::User), Err(ScopeError::ObjectChanged { .. })));
    Ok(())
}

pub(crate) fn waiting(due: Due) -> Pending {
    let (tried, code) = (seen("1"), Code::NULL_KEY);
    Pending::Waiting { why: Why::Rejected, code, tried, tries: 3, due, verb: Verb::Write }
}

#[test]
fn what_waits_can_be_made_due() -> Tested {
    let stage = Stage::new()?;
    for key in ["1", "2", "3"] {
        let pending = if key == "3" { Pending::None } else { waiting(Due::OnChange) };
        stage.write(key, Some(RowState { pending, ..delivered(key)? }))?;
    }
    assert_eq!(stage.ledger.retry(&stage.lease, &stage.scope, &Retried::Key(Key::new("1")), at(5))?, 1);
    assert_eq!(stage.row_state("1")?.ok_or("no memory")?.pending, waiting(Due::At(at(5))));
    assert_eq!(stage.row_state("2")?.ok_or("no memory")?.pending, waiting(Due::OnChange));
    assert_eq!(stage.ledger.retry(&stage.lease, &stage.scope, &Retried::All, at(6))?, 2);
    Ok(())
}

#[test]
fn open_intents_are_not_forgotten() -> Tested {
    let stage = Stage::new()?;
    let open =
        Pending::Open { operation: digest("o"), would_send: sent("1"), verb: Verb::Write, since: at(1) };
    stage.write("1", Some(RowState { pending: open, ..delivered("1")? }))?;
    stage.write("2", Some(delivered("2")?))?;
    let anna = Started { by: Some(StartedBy::Debugger), user: Some("anna".to_owned()), ..Started::default() };
    let forget = |key: Option<&Key>| stage.ledger.forget(&stage.lease, &stage.scope, key, &anna, at(7));
    let error = forget(None).err().ok_or("it was forgotten")?;
    assert!(matches!(error, AmendError::Open(1)));
    assert_eq!(error.help().as_deref(), Some("run the sync first: it checks what became of them"));
    assert_eq!(stage.ledger.forgotten(&stage.scope, None, 9)?, []);
    assert_eq!(forget(Some(&Key::new("2")))?, 1);
    assert_eq!(forget(Some(&Key::new("2")))?, 0, "it is not remembered any more");
    let told = stage.ledger.forgotten(&stage.scope, Some(&Key::new("2")), 9)?;
    assert_eq!((told.len(), told[0].at, told[0].rows), (1, at(7), 1));
    assert_eq!((told[0].by, told[0].user.as_deref()), (Some(StartedBy::Debugger), Some("anna")));
    assert_eq!(stage.ledger.forgotten(&stage.scope, Some(&Key::new("1")), 9)?, []);
    assert_eq!(stage.counts()?, StateCounts { delivered: 1, open: 1, ..StateCounts::default() });
    Ok(())
}

#[test]
fn memories_are_counted_by_standing() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.write("2", Some(RowState { pending: waiting(Due::Always), ..delivered("2")? }))?;
    stage.write("3", Some(RowState { delivery: DeliveryState::Removed { at: at(1) }, ..delivered("3")? }))?;
    let counted = StateCounts { delivered: 2, removed: 1, waiting: 1, ..StateCounts::default() };
    let mut row_states = stage.ledger.row_states(&stage.scope)?;
    assert_eq!(row_states.by_ref().count(), 3);
    assert_eq!(row_states.counts(), counted);
    Ok(())
}
