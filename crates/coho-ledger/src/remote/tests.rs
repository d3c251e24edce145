//! A ledger that is in no file, in a bucket in memory and in a real PostgreSQL: what was written is there for whoever opens it next, whichever
//! way its holder ended, and a holder that was taken for dead stores nothing more.

mod cases;
mod postgres;
mod proxy;

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

use super::memory::Memory;
use super::store::{Objects, RemotePlace};
use super::unsteady::{Unsteady, Upset};
use crate::failure::LedgerError;
use crate::holder::Holder;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::open::{Access, Create, OpenError, Opening};
use crate::remote_failure::RemoteError;
use crate::scope::SyncScope;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a test's ledger is.
struct Store {
    memory: Arc<Unsteady>,
    place: RemotePlace,
}

impl Store {
    fn of(objects: impl Objects + 'static) -> Self {
        let memory = Arc::new(Unsteady::new(objects));
        let shared: Arc<Unsteady> = Arc::clone(&memory);
        Self { memory, place: RemotePlace::of(shared, "s3://acme/ledger.db".to_owned()) }
    }

    fn in_memory() -> Self {
        Self::of(Memory::default())
    }
}

/// What holds for every store.
type Case = fn(Store);

macro_rules! in_every_store {
    ($($case:ident),* $(,)?) => {
        const CASES: &[(&str, Case)] = &[$((stringify!($case), cases::$case)),*];

        $(#[test]
        fn $case() {
            cases::$case(Store::in_memory());
        })*
    };
}

in_every_store![
    what_was_written_is_there_for_the_next_one_and_nothing_older_stays,
    what_a_killed_holder_wrote_is_there_and_its_log_is_sealed,
    a_holder_that_was_taken_for_dead_stores_nothing_more,
    a_holder_that_wakes_up_after_the_next_one_ended_stores_nothing_more_either,
    a_file_of_a_holder_that_was_taken_for_dead_is_not_named,
    a_file_that_is_stored_in_the_middle_of_a_run_is_followed_by_the_rest,
    a_write_whose_answer_was_lost_counts_once,
    a_write_that_cannot_be_stored_ends_the_writing,
    a_ledger_whose_lease_was_removed_by_hand_goes_on,
    another_programs_object_is_left_alone,
    who_only_reads_sees_who_writes,
    after_a_purge_no_object_has_a_value_of_the_row,
];

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
    fn open(place: &RemotePlace, id: &str, now: Time) -> Result<Self, OpenError> {
        let ledger = Ledger::open_remote(place, &Opening::new(now), &holder(id))?;
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
    fn fold(&self) -> Result<(), RemoteError> {
        self.ledger.hold().unwrap().store_whole(&self.ledger.connection())
    }

    /// Nothing is stored any more, as after a kill.
    fn kill(self) {
        self.ledger.hold().unwrap().abandon();
    }
}

/// Which of these keys a ledger knows, read without a lease.
fn known(place: &RemotePlace, keys: &[&str]) -> Vec<String> {
    let opening = Opening { now: day(0), create: Create::No, access: Access::ReadOnly };
    let ledger = Ledger::open_remote(place, &opening, &holder("reader")).unwrap();
    let scope = ledger.find_scope("production", &SyncId::new("accounts"), Object::Account).unwrap().unwrap();
    let is_known = |key: &&&str| ledger.row_state(&scope, &Key::new(**key)).unwrap().is_some();
    keys.iter().filter(is_known).map(|key| (*key).to_owned()).collect()
}

fn is_lost(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Remote(RemoteError::Lost { .. }))
}

#[test]
fn a_bucket_that_ignores_conditions_is_refused() {
    let memory = Memory::default();
    memory.ignore_conditions();
    let error = Writer::open(&Store::of(memory).place, "a", day(1)).err().unwrap();
    assert!(matches!(error, OpenError::Remote(RemoteError::NoConditions { .. })), "{error:?}");
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

/// Whatever happens, what was said to be stored is there in the end; and what a zombie was told is stored, every later holder knows.
fn what_was_said_to_be_stored_is_there(store: Store, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let Store { memory, place } = store;
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
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_said_to_be_stored_is_there_in_memory(steps in steps()) {
        what_was_said_to_be_stored_is_there(Store::in_memory(), steps)?;
    }
}
