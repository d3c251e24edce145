//! A ledger in a bucket in memory: what was written is there for whoever opens it next, whichever way its holder ended, and a holder that
//! was taken for dead stores nothing more.

use std::sync::Arc;
use std::time::Duration;

use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Pending, RowState};
use coho_core::sync::SyncId;
use coho_core::target::ExternalId;
use coho_core::time::Time;
use coho_core::value::Value;
use proptest::prelude::*;

use super::memory::{Memory, Upset};
use super::store::BucketPlace;
use crate::bucket_failure::BucketError;
use crate::failure::LedgerError;
use crate::holder::Holder;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::open::{Access, Create, OpenError, Opening};
use crate::scope::SyncScope;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn bucket() -> (Arc<Memory>, BucketPlace) {
    let memory = Arc::new(Memory::default());
    (Arc::clone(&memory), BucketPlace::of(memory, "s3://acme/ledger.db".to_owned()))
}

/// A holder whose process lives for as long as this test.
fn holder(id: &str) -> Holder {
    Holder { id: id.to_owned(), pid: std::process::id(), host: "here".to_owned() }
}

fn day(number: u32) -> Time {
    Time::UNIX_EPOCH + DAY * number
}

/// A ledger that is written.
struct Writer {
    ledger: Ledger,
    lease: Lease,
    scope: SyncScope,
}

impl Writer {
    fn open(place: &BucketPlace, id: &str, now: Time) -> Result<Self, OpenError> {
        let ledger = Ledger::open_in_bucket(place, &Opening::new(now), &holder(id))?;
        let lease = ledger.acquire(&holder(id), now, DAY).unwrap();
        let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account).unwrap();
        Ok(Self { ledger, lease, scope })
    }

    fn write(&self, key: &str) -> Result<(), LedgerError> {
        self.write_as(key, DeliveryState::Removed { at: day(0) })
    }

    fn write_as(&self, key: &str, delivery: DeliveryState) -> Result<(), LedgerError> {
        let row_state = RowState {
            target: ExternalId::parse(key).unwrap(),
            delivery,
            pending: Pending::None,
            seen: None,
            version: 0,
        };
        self.ledger.write(&self.lease, &self.scope, &[(Key::new(key), Some(row_state))], day(0)).map(drop)
    }

    /// Stores a base in the middle of a run.
    fn fold(&self) -> Result<(), BucketError> {
        self.ledger.hold().unwrap().store_whole(&self.ledger.connection())
    }

    /// Nothing is stored any more, as after a kill.
    fn kill(self) {
        self.ledger.hold().unwrap().abandon();
    }
}

/// Which of these keys a ledger knows, read without a lease.
fn known(place: &BucketPlace, keys: &[&str]) -> Vec<String> {
    let opening = Opening { now: day(0), create: Create::No, access: Access::ReadOnly };
    let ledger = Ledger::open_in_bucket(place, &opening, &holder("reader")).unwrap();
    let scope = ledger.find_scope("production", &SyncId::new("accounts"), Object::Account).unwrap().unwrap();
    let is_known = |key: &&&str| ledger.row_state(&scope, &Key::new(**key)).unwrap().is_some();
    keys.iter().filter(is_known).map(|key| (*key).to_owned()).collect()
}

fn is_lost(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Bucket(BucketError::Lost { .. }))
}

#[test]
fn what_was_written_is_there_for_the_next_one_and_one_base_stays() {
    let (memory, place) = bucket();
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

#[test]
fn what_a_killed_holder_wrote_is_there_and_its_log_is_sealed() {
    let (memory, place) = bucket();
    let killed = Writer::open(&place, "a", day(1)).unwrap();
    killed.write("a").unwrap();
    killed.kill();
    assert_eq!(known(&place, &["a"]), ["a"]);
    let error = Writer::open(&place, "b", day(1)).err().unwrap();
    assert!(matches!(error, OpenError::Bucket(BucketError::Held { .. })), "{error:?}");
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

#[test]
fn a_holder_that_was_taken_for_dead_stores_nothing_more() {
    let (_, place) = bucket();
    let zombie = Writer::open(&place, "a", day(1)).unwrap();
    zombie.write("a").unwrap();
    let next = Writer::open(&place, "b", day(2)).unwrap();
    assert!(is_lost(&zombie.write("too-late").unwrap_err()));
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b", "too-late"]), ["a", "b"]);
}

#[test]
fn a_holder_that_wakes_up_after_the_next_one_ended_stores_nothing_more_either() {
    let (_, place) = bucket();
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

#[test]
fn a_base_of_a_holder_that_was_taken_for_dead_is_not_named() {
    let (_, place) = bucket();
    let zombie = Writer::open(&place, "a", day(1)).unwrap();
    zombie.write("a").unwrap();
    let next = Writer::open(&place, "b", day(2)).unwrap();
    assert!(is_lost(&zombie.ledger.finish().unwrap_err()));
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

#[test]
fn a_base_in_the_middle_of_a_run_is_followed_by_the_rest() {
    let (memory, place) = bucket();
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

#[test]
fn a_write_whose_answer_was_lost_counts_once() {
    let (memory, place) = bucket();
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    memory.upset(&[Upset::After]);
    writer.write("a").unwrap();
    memory.upset(&[Upset::Before, Upset::After]);
    writer.write("b").unwrap();
    memory.upset(&[Upset::After; 2]);
    writer.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

#[test]
fn a_write_that_cannot_be_stored_ends_the_writing() {
    let (memory, place) = bucket();
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    writer.write("a").unwrap();
    memory.upset(&[Upset::Before; 3]);
    let error = writer.write("b").unwrap_err();
    assert!(matches!(error, LedgerError::Bucket(BucketError::Storage { .. })), "{error:?}");
    let error = writer.write("c").unwrap_err();
    assert!(matches!(error, LedgerError::Bucket(BucketError::Ended { .. })), "{error:?}");
    assert_eq!(known(&place, &["a", "b", "c"]), ["a"]);
}

/// A killed run leaves its log, and a bucket that removes nothing the base that was replaced.
#[test]
fn after_a_purge_no_object_has_a_value_of_the_row() {
    let (memory, place) = bucket();
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
    assert!(matches!(error, LedgerError::Bucket(BucketError::Storage { .. })), "{error:?}");
    assert_ne!(planted(), [""; 0]);
    memory.deny_removals(false);
    purge(&next).unwrap();
    assert_eq!(planted(), [""; 0]);
    next.ledger.finish().unwrap();
    assert_eq!((planted(), known(&place, &["1"])), (Vec::new(), vec!["1".to_owned()]));
}

#[test]
fn a_bucket_that_ignores_conditions_is_refused() {
    let (memory, place) = bucket();
    memory.ignore_conditions();
    let error = Writer::open(&place, "a", day(1)).err().unwrap();
    assert!(matches!(error, OpenError::Bucket(BucketError::NoConditions { .. })), "{error:?}");
}

#[test]
fn a_ledger_whose_lease_was_removed_by_hand_goes_on() {
    let (memory, place) = bucket();
    let killed = Writer::open(&place, "a", day(1)).unwrap();
    killed.write("a").unwrap();
    killed.kill();
    memory.drop_object("lease");
    let next = Writer::open(&place, "b", day(1)).unwrap();
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

#[test]
fn another_programs_object_is_left_alone() {
    let (memory, place) = bucket();
    let put = coho_storage::Condition::Absent;
    super::store::Objects::put(&*memory, "", b"SQLite format 3\0", &put).unwrap();
    let error = Writer::open(&place, "a", day(1)).err().unwrap();
    assert!(matches!(error, OpenError::Bucket(BucketError::Foreign { .. })), "{error:?}");
}

#[test]
fn who_only_reads_sees_who_writes() {
    let (_, place) = bucket();
    let opening = Opening { now: day(1), create: Create::No, access: Access::ReadOnly };
    let none = Ledger::open_in_bucket(&place, &opening, &holder("reader")).err().unwrap();
    assert!(matches!(none, OpenError::Missing { .. }));
    let writer = Writer::open(&place, "a", day(1)).unwrap();
    let reader = Ledger::open_in_bucket(&place, &opening, &holder("reader")).unwrap();
    assert_eq!(reader.under_way("here", day(1)).unwrap().unwrap().holder.id, "a");
    writer.ledger.finish().unwrap();
    let reader = Ledger::open_in_bucket(&place, &opening, &holder("reader")).unwrap();
    assert_eq!(reader.under_way("here", day(1)).unwrap(), None);
}

/// What happens in a history of holders.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The present holder writes, with what happens to its next writes.
    Write(Upset, Upset, Upset),
    /// A holder of earlier writes, if there is one: it was taken for dead.
    WriteOfZombie(u8),
    /// It tries to end well.
    FinishOfZombie(u8),
    /// The present holder, or an earlier one, stores a base in the middle of its run.
    Base(Upset),
    BaseOfZombie(u8),
    /// The present holder is taken for dead, and another one takes over.
    TakeOver,
    /// The present holder ends well, or as well as it can, and another one follows.
    Finish(Upset),
}

fn upsets() -> impl Strategy<Value = Upset> {
    prop_oneof![3 => Just(Upset::None), 1 => Just(Upset::Before), 1 => Just(Upset::After)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (upsets(), upsets(), upsets()).prop_map(|(a, b, c)| Step::Write(a, b, c)),
        2 => any::<u8>().prop_map(Step::WriteOfZombie),
        1 => any::<u8>().prop_map(Step::FinishOfZombie),
        1 => upsets().prop_map(Step::Base),
        1 => any::<u8>().prop_map(Step::BaseOfZombie),
        2 => Just(Step::TakeOver),
        2 => upsets().prop_map(Step::Finish),
    ];
    proptest::collection::vec(step, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens, what was said to be stored is there in the end; and what a zombie was told is stored, every later holder knows.
    #[test]
    fn what_was_said_to_be_stored_is_there(steps in steps()) {
        let (memory, place) = bucket();
        let mut today = 1;
        let mut present = Writer::open(&place, "holder-0", day(today)).unwrap();
        let (mut zombies, mut stored): (Vec<Writer>, Vec<String>) = (Vec::new(), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            let key = format!("key-{number}");
            let follow = |today: &mut u32| {
                *today += 1;
                Writer::open(&place, &format!("holder-{today}"), day(*today)).unwrap()
            };
            match step {
                Step::Write(a, b, c) => {
                    memory.upset(&[a, b, c]);
                    let written = present.write(&key);
                    memory.upset(&[]);
                    if written.is_ok() {
                        stored.push(key);
                    }
                }
                Step::WriteOfZombie(which) if !zombies.is_empty() => {
                    let zombie = &zombies[usize::from(which) % zombies.len()];
                    prop_assert!(zombie.write(&key).is_err(), "a zombie was told that its write is stored");
                }
                Step::FinishOfZombie(which) if !zombies.is_empty() => {
                    let zombie = &zombies[usize::from(which) % zombies.len()];
                    // It may say that it lost the ledger, or have said so before.
                    drop(zombie.ledger.finish());
                }
                Step::Base(upset) => {
                    memory.upset(&[upset]);
                    drop(present.fold());
                    memory.upset(&[]);
                }
                Step::BaseOfZombie(which) if !zombies.is_empty() => {
                    prop_assert!(zombies[usize::from(which) % zombies.len()].fold().is_err());
                }
                Step::WriteOfZombie(_) | Step::FinishOfZombie(_) | Step::BaseOfZombie(_) => {}
                Step::TakeOver => {
                    let next = follow(&mut today);
                    zombies.push(std::mem::replace(&mut present, next));
                }
                Step::Finish(upset) => {
                    memory.upset(&[upset]);
                    // Where it fails, the log has all.
                    drop(present.ledger.finish());
                    memory.upset(&[]);
                    present = follow(&mut today);
                }
            }
        }
        let keys: Vec<&str> = stored.iter().map(String::as_str).collect();
        prop_assert_eq!(known(&place, &keys), stored.clone());
        drop(present.ledger.finish());
        prop_assert_eq!(known(&place, &keys), stored.clone());
    }
}
