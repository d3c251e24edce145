//! What holds for every store of a ledger.

use coho_storage::Condition;

use super::*;

pub(super) fn what_was_written_is_there_for_the_next_one_and_nothing_older_stays(store: Store) {
    let Store { memory, place } = store;
    for (number, id) in (1..).zip(["a", "b", "c"]) {
        let writer = Writer::open(&place, id, day(number)).unwrap();
        writer.write(id).unwrap();
        writer.ledger.finish().unwrap();
    }
    assert_eq!(known(&place, &["a", "b", "c", "d"]), ["a", "b", "c"]);
    let names = memory.names();
    assert_eq!(names.iter().filter(|name| name.starts_with("base/")).count(), 1, "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("log/")), "{names:?}");
}

pub(super) fn what_a_killed_holder_wrote_is_there_and_its_log_is_sealed(store: Store) {
    let Store { memory, place } = store;
    let killed = Writer::open(&place, "a", day(1)).unwrap();
    killed.write("a").unwrap();
    killed.kill();
    assert_eq!(known(&place, &["a"]), ["a"]);
    let error = Writer::open(&place, "b", day(1)).err().unwrap();
    assert!(matches!(error, OpenError::Remote(RemoteError::Held { .. })), "{error:?}");
    let next = Writer::open(&place, "b", day(2)).unwrap();
    next.write("b").unwrap();
    next.kill();
    let last = Writer::open(&place, "c", day(3)).unwrap();
    last.write("c").unwrap();
    last.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b", "c"]), ["a", "b", "c"]);
    let seals: Vec<_> = memory.names().into_iter().filter(|name| name.starts_with("log/")).collect();
    assert_eq!(seals.len(), 2, "a seal stays for good: {seals:?}");
}

pub(super) fn a_holder_that_was_taken_for_dead_stores_nothing_more(store: Store) {
    let Store { place, .. } = store;
    let zombie = Writer::open(&place, "a", day(1)).unwrap();
    zombie.write("a").unwrap();
    let next = Writer::open(&place, "b", day(2)).unwrap();
    assert!(is_lost(&zombie.write("too-late").unwrap_err()));
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b", "too-late"]), ["a", "b"]);
}

pub(super) fn a_holder_that_wakes_up_after_the_next_one_ended_stores_nothing_more_either(store: Store) {
    let Store { place, .. } = store;
    let zombie = Writer::open(&place, "a", day(1)).unwrap();
    zombie.write("a").unwrap();
    for (number, id) in (2..).zip(["b", "c"]) {
        let next = Writer::open(&place, id, day(number)).unwrap();
        next.write(id).unwrap();
        next.ledger.finish().unwrap();
    }
    assert!(is_lost(&zombie.write("too-late").unwrap_err()));
    drop(zombie.ledger.finish());
    assert_eq!(known(&place, &["a", "b", "c", "too-late"]), ["a", "b", "c"]);
}

pub(super) fn a_file_of_a_holder_that_was_taken_for_dead_is_not_named(store: Store) {
    let Store { place, .. } = store;
    let zombie = Writer::open(&place, "a", day(1)).unwrap();
    zombie.write("a").unwrap();
    let next = Writer::open(&place, "b", day(2)).unwrap();
    assert!(is_lost(&zombie.ledger.finish().unwrap_err()));
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

pub(super) fn a_file_that_is_stored_in_the_middle_of_a_run_is_followed_by_the_rest(store: Store) {
    let Store { memory, place } = store;
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    writer.write("a").unwrap();
    writer.fold().unwrap();
    writer.write("b").unwrap();
    // The link is there, and no manifest names the base.
    memory.upset(&[Upset::None, Upset::Before, Upset::Before, Upset::Before]);
    assert!(writer.fold().is_err());
    writer.kill();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
    let next = Writer::open(&place, "b", day(2)).unwrap();
    next.write("c").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b", "c"]), ["a", "b", "c"]);
}

pub(super) fn a_write_whose_answer_was_lost_counts_once(store: Store) {
    let Store { memory, place } = store;
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    memory.upset(&[Upset::After]);
    writer.write("a").unwrap();
    memory.upset(&[Upset::Before, Upset::After]);
    writer.write("b").unwrap();
    memory.upset(&[Upset::After; 2]);
    writer.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

pub(super) fn a_write_that_cannot_be_stored_ends_the_writing(store: Store) {
    let Store { memory, place } = store;
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    writer.write("a").unwrap();
    memory.upset(&[Upset::Before; 3]);
    let error = writer.write("b").unwrap_err();
    assert!(matches!(error, LedgerError::Remote(RemoteError::Store { .. })), "{error:?}");
    let error = writer.write("c").unwrap_err();
    assert!(matches!(error, LedgerError::Remote(RemoteError::Ended { .. })), "{error:?}");
    assert_eq!(known(&place, &["a", "b", "c"]), ["a"]);
}

pub(super) fn a_ledger_whose_lease_was_removed_by_hand_goes_on(store: Store) {
    let Store { memory, place } = store;
    let killed = Writer::open(&place, "a", day(1)).unwrap();
    killed.write("a").unwrap();
    killed.kill();
    memory.drop_object("lease");
    let next = Writer::open(&place, "b", day(1)).unwrap();
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

pub(super) fn another_programs_object_is_left_alone(store: Store) {
    let Store { memory, place } = store;
    let put = Condition::Absent;
    Objects::put(&*memory, "", b"SQLite format 3\0", &put).unwrap();
    let error = Writer::open(&place, "a", day(1)).err().unwrap();
    assert!(matches!(error, OpenError::Remote(RemoteError::Foreign { .. })), "{error:?}");
}

pub(super) fn who_only_reads_sees_who_writes(store: Store) {
    let Store { place, .. } = store;
    let opening = Opening { now: day(1), create: Create::No, access: Access::ReadOnly };
    let none = Ledger::open_remote(&place, &opening, &holder("reader")).err().unwrap();
    assert!(matches!(none, OpenError::Missing { .. }));
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    let reader = Ledger::open_remote(&place, &opening, &holder("reader")).unwrap();
    assert_eq!(reader.under_way("here", day(1)).unwrap().unwrap().holder.id, "a");
    writer.ledger.finish().unwrap();
    let reader = Ledger::open_remote(&place, &opening, &holder("reader")).unwrap();
    assert_eq!(reader.under_way("here", day(1)).unwrap(), None);
}

/// A killed run leaves its log, and a store that removes nothing the base that was replaced.
pub(super) fn after_a_purge_no_object_has_a_value_of_the_row(store: Store) {
    let Store { memory, place } = store;
    let killed = Writer::open(&place, "a", day(1)).unwrap();
    let sent = Sent::from([(FieldPath::new("name"), Value::text("Planted"))]);
    killed.write_as("1", DeliveryState::Assumed { sent }).unwrap();
    killed.kill();
    let next = Writer::open(&place, "b", day(2)).unwrap();
    let planted = || memory.with_bytes(b"Planted");
    assert_ne!(planted(), [""; 0]);

    let purge = |writer: &Writer| {
        writer.ledger.purge(&writer.lease, &SyncId::new("accounts"), &Key::new("1"), day(2)).unwrap();
        writer.ledger.scrub(&writer.lease)
    };
    memory.deny_removals(true);
    let error = purge(&next).unwrap_err();
    assert!(matches!(error, LedgerError::Remote(RemoteError::Store { .. })), "{error:?}");
    assert_ne!(planted(), [""; 0]);
    memory.deny_removals(false);
    purge(&next).unwrap();
    assert_eq!(planted(), [""; 0]);
    next.ledger.finish().unwrap();
    assert_eq!((planted(), known(&place, &["1"])), (Vec::new(), vec!["1".to_owned()]));
}
