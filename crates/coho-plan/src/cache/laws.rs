//! The law of caches: whatever happens, a comparison with a cache decides what a reading of all rows decides.
//!
//! Rows, memory, cache and the ledger's book of it are played here without a database: runs end at any point, publish late, when others
//! have the ledger; caches are dropped, renamed, or written by others; ledgers are brought back. [`Book`] is the one of the
//! product. Three designs that lack something each are played too, and must fail.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::digest::Digest;
use coho_ledger::buckets::BucketSum;
use coho_source::buckets::{bucket, key_digest};
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use super::book::Book;
use crate::buckets::sums::bits;
use crate::buckets::survey::{SeenSum, digest_of};

const TRIALS: u32 = 10_000;
const KEYS: u8 = 6;
const VALUES: u8 = 3;

/// What a run relies on.
#[derive(Clone, Copy, Debug)]
struct Design {
    /// Memory is compared with the book: not only the name of the cache counts.
    compares_memory: bool,
    /// Each name is a new one, and not the number behind the last.
    has_own_names: bool,
    /// A cache is only written where it has the name that was read.
    expects_name: bool,
}

const WHOLE: Design = Design { compares_memory: true, has_own_names: true, expects_name: true };

#[derive(Clone, Copy, Debug)]
enum Event {
    Change {
        key: u8,
        value: u8,
    },
    Leave {
        key: u8,
    },
    Twin {
        key: u8,
    },
    /// Memory is not what it was: another run, a person, a retry.
    Unsettle {
        key: u8,
    },
    Forget {
        key: u8,
    },
    Drop,
    Rename,
    Keep,
    Restore,
    /// A run that lost the ledger long ago writes its cache.
    Late,
    Run(Run),
}

#[derive(Clone, Copy, Debug)]
struct Run {
    /// Keys that Vitally refuses, and those whose removal is held.
    refused: u8,
    end: End,
    /// Another one writes its cache while this one sends.
    late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// It sent all, and wrote no cache.
    Sent,
    /// It wrote the cache, and the ledger does not know.
    Published,
    /// It is thought to be gone, and will write its cache yet.
    Late,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Memory {
    value: u8,
    settled: bool,
}

/// What the ledger has.
#[derive(Clone, Debug, Default)]
struct Ledger {
    memory: BTreeMap<u8, Memory>,
    book: Option<(u64, Vec<BucketSum>)>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    name: u64,
    entries: BTreeMap<u8, (u8, u128)>,
}

/// What is to be written.
#[derive(Clone, Debug)]
struct Writing {
    expects: Option<u64>,
    name: u64,
    put: BTreeMap<u8, (u8, u128)>,
    take: BTreeSet<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Decision {
    Send(u8),
    Twins,
    Remove,
}

type Decisions = BTreeMap<u8, Decision>;

#[derive(Debug)]
struct World {
    design: Design,
    rows: BTreeMap<u8, Vec<u8>>,
    ledger: Ledger,
    kept: Option<Ledger>,
    table: Option<Table>,
    late: Option<Writing>,
    /// The last name that was drawn.
    drawn: u64,
}

/// What was read with the help of a cache.
struct Reading {
    came: BTreeSet<u8>,
    book: Option<(u64, Book)>,
    decisions: Decisions,
}

fn name_of(key: u8) -> String {
    format!("key-{key}")
}

fn seen(key: u8, value: u8) -> u128 {
    digest_of(Digest::of(&[value]), name_of(key).as_bytes(), &mut Vec::new())
}

impl World {
    fn new(design: Design) -> Self {
        let rows = (0..KEYS).map(|key| (key, vec![0])).collect();
        let (ledger, kept, table, late) = (Ledger::default(), None, None, None);
        Self { design, rows, ledger, kept, table, late, drawn: 0 }
    }

    fn happen(&mut self, event: Event) -> Result<(), TestCaseError> {
        match event {
            Event::Change { key, value } => drop(self.rows.insert(key, vec![value])),
            Event::Leave { key } => drop(self.rows.remove(&key)),
            Event::Twin { key } => {
                if let Some(rows) = self.rows.get_mut(&key) {
                    rows.extend(rows.first().copied());
                }
            }
            Event::Unsettle { key } => {
                if let Some(memory) = self.ledger.memory.get_mut(&key) {
                    memory.settled = false;
                }
            }
            Event::Forget { key } => {
                self.ledger.memory.remove(&key);
            }
            Event::Drop => self.table = None,
            Event::Rename => {
                if let Some(table) = &mut self.table {
                    table.name += 1_000_000;
                }
            }
            Event::Keep => self.kept = Some(self.ledger.clone()),
            Event::Restore => self.ledger = self.kept.clone().unwrap_or_default(),
            Event::Late => self.write_late(),
            Event::Run(run) => self.run(run)?,
        }
        Ok(())
    }

    /// What a reading of all rows decides.
    fn decide(&self, same: impl Fn(u8) -> bool) -> Decisions {
        let mut decisions = Decisions::new();
        for (key, rows) in &self.rows {
            match rows.as_slice() {
                _ if same(*key) => {}
                [value] => {
                    decisions.insert(*key, Decision::Send(*value));
                }
                _ => {
                    decisions.insert(*key, Decision::Twins);
                }
            }
        }
        let left = self.ledger.memory.keys().filter(|key| !self.rows.contains_key(key));
        decisions.extend(left.map(|key| (*key, Decision::Remove)));
        decisions
    }

    fn is_same(&self, key: u8) -> bool {
        let memory = self.ledger.memory.get(&key).filter(|memory| memory.settled);
        memory.is_some_and(|memory| self.rows.get(&key) == Some(&vec![memory.value]))
    }

    /// What memory says of each bucket.
    fn survey(&self, bits: u8) -> Vec<SeenSum> {
        let mut sums = vec![SeenSum::default(); 1 << bits];
        for (key, memory) in self.ledger.memory.iter().filter(|(_, memory)| memory.settled) {
            let place = &mut sums[bucket(key_digest(&name_of(*key)), bits) as usize];
            place.rows += 1;
            place.digests = place.digests.wrapping_add(seen(*key, memory.value));
        }
        sums
    }

    /// What is believed of the cache.
    fn believed(&self) -> Option<(u64, Book)> {
        let ((name, known), table) = self.ledger.book.as_ref().zip(self.table.as_ref())?;
        if table.name != *name {
            return None;
        }
        let mut seen = self.survey(bits(known.len() as u64));
        if !self.design.compares_memory {
            seen = known.iter().map(|sum| SeenSum { rows: sum.rows, digests: sum.seen }).collect();
        }
        Some((*name, Book::believed(known, &seen)))
    }

    fn read(&self) -> Reading {
        if let Some((name, book)) = self.believed()
            && let Some(reading) = self.read_changes(name, book)
        {
            return reading;
        }
        let came = self.rows.keys().copied().collect();
        Reading { came, book: None, decisions: self.decide(|key| self.is_same(key)) }
    }

    /// What comes of a cache; `None` where two rows have one key.
    fn read_changes(&self, name: u64, mut book: Book) -> Option<Reading> {
        let table = self.table.clone().unwrap_or_default();
        let is_read = |key: u8| book.chosen().has(bucket(key_digest(&name_of(key)), book.chosen().bits()));
        let (mut came, mut same, mut taken) = (BTreeSet::new(), 0, Vec::new());
        for (key, rows) in &self.rows {
            for row in rows {
                let cached = table.entries.get(key);
                if cached.is_some_and(|(value, _)| value == row) && !is_read(*key) {
                    same += 1;
                    continue;
                }
                came.insert(*key);
                taken.extend(cached.map(|(_, seen)| (*key, *seen)));
            }
        }
        let gone = table.entries.iter().filter(|(key, _)| !self.rows.contains_key(key));
        for (key, (_, seen)) in gone {
            came.insert(*key);
            taken.push((*key, *seen));
        }
        // Of memories in buckets that are believed, those whose key did not come are the same.
        let settled = |key: u8| self.ledger.memory.get(&key).is_some_and(|memory| memory.settled);
        let known = |key: u8| settled(key) && !is_read(key) && !came.contains(&key);
        let mut decisions =
            self.decide(|key| if came.contains(&key) { self.is_same(key) } else { known(key) });
        decisions.retain(|key, decision| came.contains(key) || !known(*key) || *decision != Decision::Remove);
        for (key, seen) in taken {
            book.take_out(key_digest(&name_of(key)), seen);
        }
        book.is_of(same).then_some(Reading { came, book: Some((name, book)), decisions })
    }

    fn run(&mut self, run: Run) -> Result<(), TestCaseError> {
        let reading = self.read();
        prop_assert_eq!(&reading.decisions, &self.decide(|key| self.is_same(key)));
        for (key, decision) in &reading.decisions {
            let refused = run.refused & 1 << key != 0;
            match decision {
                Decision::Send(value) => {
                    self.ledger.memory.insert(*key, Memory { value: *value, settled: !refused });
                }
                Decision::Remove if refused => {}
                Decision::Remove => {
                    self.ledger.memory.remove(key);
                }
                Decision::Twins => {}
            }
        }
        if run.late {
            self.write_late();
        }
        if run.end == End::Sent {
            return Ok(());
        }
        self.publish(reading, run.end);
        Ok(())
    }

    fn publish(&mut self, reading: Reading, end: End) {
        let Reading { came, book, .. } = reading;
        if book.is_some() && came.is_empty() {
            return;
        }
        let expects = book.as_ref().map(|(name, _)| *name);
        let mut book = book.map_or_else(|| Book::empty(came.len() as u64), |(_, book)| book);
        let (mut put, mut take) = (BTreeMap::new(), BTreeSet::new());
        for key in came {
            match self.rows.get(&key).map(Vec::as_slice) {
                Some([value]) if self.is_same(key) => {
                    book.put_in(&name_of(key), seen(key, *value));
                    put.insert(key, (*value, seen(key, *value)));
                }
                Some(_) | None => {
                    take.insert(key);
                }
            }
        }
        self.drawn += 1;
        let last = self.ledger.book.as_ref().map_or(0, |(name, _)| *name);
        let name = if self.design.has_own_names { self.drawn } else { last + 1 };
        let writing = Writing { expects, name, put, take };
        match end {
            End::Late => self.late = Some(writing),
            End::Published | End::Whole | End::Sent => {
                let written = self.write(writing);
                if written && end == End::Whole {
                    let (bits, sums) = book.sums();
                    let mut known = vec![BucketSum::default(); 1 << bits];
                    for (bucket, sum) in sums {
                        known[bucket as usize] = sum;
                    }
                    self.ledger.book = Some((name, known));
                }
            }
        }
    }

    /// Writes a cache, in one transaction. False where it is not the one that is expected.
    fn write(&mut self, writing: Writing) -> bool {
        let Writing { expects, name, put, take } = writing;
        let Some(expected) = expects else {
            self.table = Some(Table { name, entries: put });
            return true;
        };
        let Some(table) = &mut self.table else { return false };
        if table.name != expected && self.design.expects_name {
            return false;
        }
        table.name = name;
        table.entries.retain(|key, _| !take.contains(key));
        table.entries.extend(put);
        true
    }

    /// The ledger does not learn of it: the lease is another's.
    fn write_late(&mut self) {
        if let Some(writing) = self.late.take() {
            self.write(writing);
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let key = 0..KEYS;
    let end = prop_oneof![4 => Just(End::Whole), 1 => Just(End::Sent), 1 => Just(End::Published), 2 => Just(End::Late)];
    let refused = prop_oneof![3 => Just(0), 1 => any::<u8>()];
    let run = (refused, end, any::<bool>()).prop_map(|(refused, end, late)| Run { refused, end, late });
    prop_oneof![
        6 => (key.clone(), 0..VALUES).prop_map(|(key, value)| Event::Change { key, value }),
        1 => key.clone().prop_map(|key| Event::Leave { key }),
        1 => key.clone().prop_map(|key| Event::Twin { key }),
        1 => key.clone().prop_map(|key| Event::Unsettle { key }),
        1 => key.prop_map(|key| Event::Forget { key }),
        1 => Just(Event::Drop),
        1 => Just(Event::Rename),
        1 => Just(Event::Keep),
        1 => Just(Event::Restore),
        1 => Just(Event::Late),
        8 => run.prop_map(Event::Run),
    ]
}

fn play(design: Design) -> Result<(), TestError<Vec<Event>>> {
    let config = ProptestConfig { cases: TRIALS, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(&prop::collection::vec(event(), 1..24), |events| {
        let mut world = World::new(design);
        events.into_iter().try_for_each(|event| world.happen(event))
    })
}

#[test]
fn a_comparison_with_a_cache_decides_what_a_full_read_decides() {
    play(WHOLE).unwrap();
}

#[test]
fn where_all_went_well_nothing_comes() {
    let mut world = World::new(WHOLE);
    let whole = Run { refused: 0, end: End::Whole, late: false };
    for event in [Event::Run(whole), Event::Change { key: 1, value: 2 }, Event::Leave { key: 2 }] {
        world.happen(event).unwrap();
    }
    assert_eq!(world.read().came.into_iter().collect::<Vec<_>>(), [1, 2]);
    world.happen(Event::Run(whole)).unwrap();
    assert!(world.read().book.is_some());
    assert_eq!(world.read().came.len(), 0);
}

/// A value is sent, the run ends before it writes the cache, and the value is what it was: the cache says that nothing changed.
#[test]
fn a_cache_that_is_believed_by_its_name_alone_loses_a_change() {
    assert!(play(Design { compares_memory: false, ..WHOLE }).is_err());
}

/// One run that has lost the ledger writes its cache under the number that another one gave to its own.
#[test]
fn numbers_in_place_of_names_lose_a_change() {
    assert!(play(Design { has_own_names: false, ..WHOLE }).is_err());
}

/// One run writes its changes into what another one wrote after it was read.
#[test]
fn a_cache_that_is_written_whatever_its_name_is_loses_a_change() {
    let change = |key, value| Event::Change { key, value };
    let run = |end, late| Event::Run(Run { refused: 0, end, late });
    let whole = || run(End::Whole, false);
    let events = [
        whole(),
        change(1, 1),
        run(End::Late, false),
        change(1, 2),
        whole(),
        change(2, 1),
        // Between what it reads and what it writes, the one of before says that the first row is 1.
        run(End::Whole, true),
        change(1, 1),
        whole(),
    ];
    let play = |design| {
        let mut world = World::new(design);
        events.into_iter().try_for_each(|event| world.happen(event))
    };
    assert!(play(WHOLE).is_ok());
    assert!(play(Design { expects_name: false, ..WHOLE }).is_err());
}
