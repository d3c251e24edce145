//! What the ledger knows of a cache, bucket by bucket: how many keys are in there, and the sum of what was seen of them.

use coho_ledger::buckets::BucketSum;
use coho_source::buckets::{Chosen, bucket, key_digest};

use crate::buckets::sums::{FEWEST_BITS, bits};
use crate::buckets::survey::SeenSum;

/// About how many keys a bucket has. Buckets matter where memory is not what it was when the cache was published, which is seldom.
const KEYS_IN_BUCKET: u64 = 64;

/// The most buckets, as a power of two: they take 6 MiB in a plan.
const MOST_BITS: u8 = 16;

/// What is in a cache. Of buckets that are chosen nothing is believed: their rows are all read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    sums: Vec<SeenSum>,
    chosen: Chosen,
    /// How many keys are in the buckets that are not chosen.
    rows: u64,
    /// More keys were taken out of a bucket than it had.
    is_odd: bool,
}

impl Book {
    /// Nothing, where so many keys are to come.
    pub(crate) fn empty(keys: u64) -> Self {
        let bits = bits(keys / KEYS_IN_BUCKET).clamp(FEWEST_BITS, MOST_BITS);
        let sums = vec![SeenSum::default(); 1 << bits];
        Self { sums, chosen: Chosen::none(bits), rows: 0, is_odd: false }
    }

    /// What was known, as far as memory says the same of as many buckets.
    pub(crate) fn believed(known: &[BucketSum], seen: &[SeenSum]) -> Self {
        let sums = vec![SeenSum::default(); known.len()];
        let bits = bits(known.len() as u64);
        let mut book = Self { sums, chosen: Chosen::none(bits), rows: 0, is_odd: false };
        for (bucket, ((sum, known), seen)) in (0..).zip(book.sums.iter_mut().zip(known).zip(seen)) {
            if (SeenSum { rows: known.rows, digests: known.seen }) == *seen {
                *sum = *seen;
                book.rows += seen.rows;
            } else {
                book.chosen.choose(bucket);
            }
        }
        book
    }

    /// The buckets whose rows are all read.
    pub(crate) fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// How many keys are in the other buckets.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// A key came, with its row or without one: what the cache says of it is not so any more.
    pub(crate) fn take_out(&mut self, key: u32, seen: u128) {
        let bucket = bucket(key, self.chosen.bits());
        if self.chosen.has(bucket) {
            return;
        }
        match self.sums.get_mut(bucket as usize) {
            Some(sum) if sum.rows > 0 => {
                *sum = SeenSum { rows: sum.rows - 1, digests: sum.digests.wrapping_sub(seen) };
                self.rows -= 1;
            }
            Some(_) | None => self.is_odd = true,
        }
    }

    /// Whether each key that was not taken out has one row, where so many rows are as the cache says. Two rows of one key would be two
    /// of those, or one of those and one that came.
    pub(crate) fn is_of(&self, same: u64) -> bool {
        !self.is_odd && self.rows == same
    }

    /// A key is in the cache from now on.
    pub(crate) fn put_in(&mut self, key: &str, seen: u128) {
        let bucket = bucket(key_digest(key), self.chosen.bits());
        if let Some(sum) = self.sums.get_mut(bucket as usize) {
            *sum = SeenSum { rows: sum.rows + 1, digests: sum.digests.wrapping_add(seen) };
        }
    }

    /// All buckets that have keys, of so many as a power of two.
    pub(crate) fn sums(self) -> (u8, Vec<(u32, BucketSum)>) {
        let sum = |sum: SeenSum| BucketSum { rows: sum.rows, source: [0; 2], seen: sum.digests };
        let sums = (0..).zip(self.sums).filter(|(_, sum)| sum.rows > 0);
        (self.chosen.bits(), sums.map(|(bucket, seen)| (bucket, sum(seen))).collect())
    }
}
