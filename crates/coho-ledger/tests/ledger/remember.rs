//! Remembering without sending: notes of a plan's file, carried out by joins.

use coho_core::key::Key;
use coho_core::row_state::{DeliveryState, Origin, Pending, RowState, Verb};
use coho_core::target::VitallyId;
use coho_ledger::LedgerError;
use rusqlite::{Connection, params};

use super::stage::{Stage, Tested, at, delivered, digest, seen, sent, target};

/// A plan's file with these notes: key, effect, target, and the departure under which what is remembered so far goes on.
fn notes(notes: &[(&str, Option<&str>, &str, Option<u32>)]) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TEMP TABLE notes (seq INTEGER PRIMARY KEY, key TEXT, departure INTEGER, effect TEXT, target TEXT, sent TEXT,
           seen_row BLOB, seen_mapping BLOB, splits_to INTEGER)",
    )?;
    for (key, effect, target, splits_to) in notes {
        let seen = seen("again");
        connection.execute(
            "INSERT INTO notes (key, departure, effect, target, sent, seen_row, seen_mapping, splits_to)
             VALUES (?1, 0, ?2, ?3, '{\"name\":\"learned\"}', ?4, ?5, ?6)",
            params![key, effect, target, seen.row.to_bytes(), seen.mapping.to_bytes(), splits_to],
        )?;
    }
    Ok(connection)
}

fn remember(stage: &Stage, noted: &[(&str, Option<&str>, &str, Option<u32>)]) -> Tested {
    let connection = notes(noted)?;
    Ok(stage.ledger.remember(&stage.lease, &connection, &stage.scope, 1..=100, at(9))?)
}

#[test]
fn a_row_that_was_looked_at_again_is_delivered_again_if_it_was_let_be() -> Tested {
    let stage = Stage::new()?;
    let released = DeliveryState::Released { sent: sent("1"), id: None, origin: Origin::Created };
    stage.write("1", Some(delivered("1")?))?;
    stage.write("2", Some(RowState { delivery: released, ..delivered("2")? }))?;
    remember(
        &stage,
        &[("1", Some("seen"), "1", None), ("2", Some("seen"), "2", None), ("3", Some("seen"), "3", None)],
    )?;
    let one = stage.row_state("1")?.ok_or("no memory")?;
    assert_eq!((one.delivery, one.seen, one.version), (delivered("1")?.delivery, Some(seen("again")), 2));
    let two = stage.row_state("2")?.ok_or("no memory")?.delivery;
    assert_eq!(two, DeliveryState::Delivered { sent: sent("1"), n: 1, id: None, origin: Origin::Created });
    assert_eq!(stage.row_state("3")?, None);
    Ok(())
}

#[test]
fn what_is_learned_is_assumed_and_what_was_delivered_stays_ours() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.write("2", Some(delivered("other")?))?;
    let learned = |key| (key, Some("learned"), key, None);
    remember(&stage, &[learned("1"), learned("2"), learned("3")])?;
    let learned = sent("learned");
    let delivery =
        |key: &str| stage.row_state(key).map(|row_state| row_state.map(|row_state| row_state.delivery));
    let id = Some(VitallyId::new("v-1"));
    let ours = DeliveryState::Delivered { sent: learned.clone(), n: 1, id, origin: Origin::Created };
    assert_eq!(delivery("1")?, Some(ours));
    assert_eq!(delivery("2")?, Some(DeliveryState::Assumed { sent: learned.clone() }));
    assert_eq!(delivery("3")?, Some(DeliveryState::Assumed { sent: learned }));
    assert_eq!(stage.row_state("2")?.ok_or("no memory")?.target, target("2")?);
    Ok(())
}

#[test]
fn records_are_let_be_and_memories_dropped() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.write(
        "2",
        Some(RowState { delivery: DeliveryState::Assumed { sent: sent("2") }, ..delivered("2")? }),
    )?;
    stage.write("3", Some(delivered("3")?))?;
    remember(
        &stage,
        &[
            ("1", Some("released"), "1", None),
            ("2", Some("released"), "2", None),
            ("3", Some("forgotten"), "3", None),
        ],
    )?;
    let delivery =
        |key: &str| stage.row_state(key).map(|row_state| row_state.map(|row_state| row_state.delivery));
    let id = Some(VitallyId::new("v-1"));
    assert_eq!(
        delivery("1")?,
        Some(DeliveryState::Released { sent: sent("1"), id, origin: Origin::Created })
    );
    assert_eq!(
        delivery("2")?,
        Some(DeliveryState::Released { sent: sent("2"), id: None, origin: Origin::Found })
    );
    assert_eq!(delivery("3")?, None);
    Ok(())
}

#[test]
fn no_note_closes_an_open_intent() -> Tested {
    let stage = Stage::new()?;
    let pending =
        Pending::Open { operation: digest("o"), would_send: sent("1"), verb: Verb::Write, since: at(1) };
    let open = RowState { pending, ..delivered("1")? };
    stage.write("1", Some(open.clone()))?;
    for effect in ["seen", "learned", "released", "forgotten"] {
        remember(&stage, &[("1", Some(effect), "1", None)])?;
        assert_eq!(stage.row_state("1")?, Some(open.clone()), "{effect}");
    }
    Ok(())
}

#[test]
fn a_key_with_a_new_target_leaves_its_old_record_behind() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("old")?))?;
    remember(&stage, &[("1", None, "new", Some(1))])?;
    let departed = Key::departed("1", 1, "old");
    let left = stage.ledger.row_state(&stage.scope, &departed)?.ok_or("no departure")?;
    assert_eq!((left.target, left.delivery, left.version), (target("old")?, delivered("old")?.delivery, 1));
    let anew = stage.row_state("1")?.ok_or("no memory")?;
    assert_eq!((anew.target, anew.delivery, anew.version), (target("new")?, DeliveryState::Never, 2));
    // It goes to and fro: what was left last is remembered there.
    remember(&stage, &[("1", Some("learned"), "old", None)])?;
    remember(&stage, &[("1", None, "new", Some(1))])?;
    let left = stage.ledger.row_state(&stage.scope, &departed)?.ok_or("no departure")?;
    assert_eq!((left.delivery, left.version), (DeliveryState::Assumed { sent: sent("learned") }, 2));
    Ok(())
}

#[test]
fn whoever_lost_the_lease_remembers_nothing() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let connection = notes(&[("1", Some("forgotten"), "1", None)])?;
    rusqlite::Connection::open(stage.path())?.execute("UPDATE lease SET epoch = epoch + 1", [])?;
    let refused = stage.ledger.remember(&stage.lease, &connection, &stage.scope, 1..=100, at(9));
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })), "{refused:?}");
    assert!(stage.row_state("1")?.is_some());
    Ok(())
}
