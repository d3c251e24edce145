//! Buckets: what the sums that a source told of its rows stand for.
//!
//! Each entry says: rows that the source sums up like this are the rows whose digests Coho sums up like that. It was learned
//! from the rows themselves, and is true whatever happens to them or to memory later; so nothing else has to keep it up to
//! date, and nothing is lost where it is gone.

use std::ops::RangeInclusive;

use coho_core::digest::Digest;
use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored};
use crate::scope::SyncScope;

/// How a sync's rows were compared last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketBasis {
    /// On which basis buckets were summed up.
    pub basis: Digest,
    /// How many there are, as a power of two.
    pub bits: u8,
    /// About how many rows had changed.
    pub expected: u64,
    /// How many rows there are in all buckets.
    pub rows: u64,
}

/// The buckets of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// On which basis they were summed up.
    pub basis: Digest,
    /// How many there are, as a power of two.
    pub bits: u8,
    /// About how many rows had changed when they were compared last.
    pub expected: u64,
    /// Those that have rows, in the order of their numbers.
    pub sums: Vec<(u32, BucketSum)>,
}

/// The rows of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BucketSum {
    /// How many they are.
    pub rows: u64,
    /// How their source sums them up.
    pub source: [u64; 2],
    /// How Coho sums up their digests with their keys.
    pub seen: u128,
}

impl BucketSum {
    /// Adds other rows.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        for (half, more) in self.source.iter_mut().zip(other.source) {
            *half = half.wrapping_add(more);
        }
        self.seen = self.seen.wrapping_add(other.seen);
    }
}

/// What was learned of some of the buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedBuckets {
    /// Those that have rows. Of another basis, or another number of buckets, than before they are all that is known.
    pub buckets: Buckets,
    /// Which buckets these are all of.
    pub among: Vec<RangeInclusive<u32>>,
}

impl Ledger {
    /// How a sync's rows were compared last.
    pub fn bucket_basis(&self, scope: &SyncScope) -> Result<Option<BucketBasis>, LedgerError> {
        self.read("reading buckets", |connection| {
            let Some((basis, bits, expected)) = comparison(connection, scope)? else { return Ok(None) };
            let mut statement =
                connection.prepare_cached("SELECT coalesce(sum(rows), 0) FROM buckets WHERE scope = ?1")?;
            let rows = count(statement.query_row([scope.id], |row| row.get(0))?);
            Ok(Some(BucketBasis { basis, bits, expected, rows }))
        })
    }

    /// What is known of a sync's buckets on this basis, in so many of them as a power of two: those that are learned in more are added up.
    pub fn buckets(
        &self,
        scope: &SyncScope,
        known: &BucketBasis,
        bits: u8,
    ) -> Result<Vec<BucketSum>, LedgerError> {
        self.read("reading buckets", |connection| {
            let bits = bits.min(known.bits);
            let fewer = u32::from(known.bits - bits);
            let mut sums = vec![BucketSum::default(); 1 << bits];
            let mut statement = connection.prepare_cached(
                "SELECT bucket, rows, source, seen FROM buckets JOIN comparisons USING (scope)
                 WHERE scope = ?1 AND basis = ?2 AND bits = ?3",
            )?;
            let mut found = statement.query(params![scope.id, known.basis.to_bytes(), known.bits])?;
            while let Some(row) = found.next()? {
                let (source, seen): ([u8; 16], [u8; 16]) = (row.get(2)?, row.get(3)?);
                let sum = BucketSum {
                    rows: count(row.get(1)?),
                    source: halves(u128::from_be_bytes(source)),
                    seen: u128::from_be_bytes(seen),
                };
                if let Some(place) = sums.get_mut((row.get::<_, u32>(0)? >> fewer) as usize) {
                    place.add(sum);
                }
            }
            Ok(sums)
        })
    }

    /// Remembers what was learned of a sync's buckets, in one transaction.
    pub fn learn_buckets(
        &self,
        lease: &Lease,
        scope: &SyncScope,
        learned: &LearnedBuckets,
        now: Time,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "remembering buckets", |connection| {
            let Buckets { basis, bits, expected, sums } = &learned.buckets;
            let before = comparison(connection, scope)?;
            let is_same = before.is_some_and(|(known, of, _)| (known, of) == (*basis, *bits));
            connection
                .prepare_cached(
                    "INSERT INTO comparisons (scope, basis, bits, expected, at) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET basis = ?2, bits = ?3, expected = ?4, at = ?5",
                )?
                .execute(params![scope.id, basis.to_bytes(), bits, stored(*expected), micros(now)])?;
            let all = [0..=u32::MAX];
            let among = if is_same { learned.among.as_slice() } else { &all };
            let mut clear = connection
                .prepare_cached("DELETE FROM buckets WHERE scope = ?1 AND bucket BETWEEN ?2 AND ?3")?;
            for range in among {
                clear.execute(params![scope.id, range.start(), range.end()])?;
            }
            let mut insert = connection.prepare_cached(
                "INSERT INTO buckets (scope, bucket, rows, source, seen) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (bucket, sum) in sums {
                let [high, low] = sum.source.map(u128::from);
                let source = (high << 64 | low).to_be_bytes();
                insert.execute(params![
                    scope.id,
                    bucket,
                    stored(sum.rows),
                    source,
                    sum.seen.to_be_bytes()
                ])?;
            }
            Ok(())
        })
    }
}

/// The most buckets that there may be, as a power of two.
const MOST_BITS: u8 = 20;

/// Basis, bits, and about how many rows had changed.
fn comparison(connection: &Connection, scope: &SyncScope) -> Result<Option<(Digest, u8, u64)>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT basis, bits, expected FROM comparisons WHERE scope = ?1")?;
    let found = statement
        .query_row([scope.id], |row| Ok((Digest::from_bytes(row.get(0)?), row.get(1)?, count(row.get(2)?))))
        .optional()?;
    match found {
        Some((_, bits, _)) if bits > MOST_BITS => {
            Err(Fault::damaged("a comparison has more buckets than there may be"))
        }
        found => Ok(found),
    }
}

fn halves(sum: u128) -> [u64; 2] {
    let half = |half: u128| u64::try_from(half & u128::from(u64::MAX)).unwrap_or_default();
    [half(sum >> 64), half(sum)]
}
