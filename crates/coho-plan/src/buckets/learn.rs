//! What a reading teaches about buckets: each row comes with its marks, so that both sums are of the very same rows.

use std::collections::BTreeSet;

use coho_core::digest::Digest;
use coho_core::key::{Key, KeyError};
use coho_ledger::buckets::{BucketSum, Buckets, LearnedBuckets};
use coho_source::buckets::{Chosen, MOST_BITS, MarkedRow, bucket, key_digest};

use super::sums::finest;
use super::survey::digest_of;

/// Adds up rows while they are read.
#[derive(Debug)]
pub(crate) struct Learner {
    bits: u8,
    sums: Vec<BucketSum>,
    /// Buckets with a row that has no key for Coho: nothing can be said of them.
    odd: BTreeSet<u32>,
    scratch: Vec<u8>,
}

/// The source and Coho do not put a row into the same bucket: what the source says of buckets is of no use.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misplaced;

impl Learner {
    /// Learns of so many buckets, as a power of two; of as many as there may be, where nothing says yet how many rows there are.
    pub(crate) fn of(bits: Option<u8>) -> Self {
        let bits = bits.unwrap_or(MOST_BITS);
        let sums = vec![BucketSum::default(); 1 << bits];
        Self { bits, sums, odd: BTreeSet::new(), scratch: Vec::new() }
    }

    /// Takes a row with its marks.
    pub(crate) fn take(
        &mut self,
        key: Result<&Key, &KeyError>,
        fingerprint: Digest,
        marked: &MarkedRow,
    ) -> Result<(), Misplaced> {
        let (key, digest) = match (key, marked.key) {
            (Ok(key), Some(digest)) if key_digest(key.row()) == digest => (key, digest),
            (Ok(_), _) => return Err(Misplaced),
            (Err(_), None) => return Ok(()),
            (Err(_), Some(digest)) => {
                self.odd.insert(bucket(digest, self.bits));
                return Ok(());
            }
        };
        let bucket = bucket(digest, self.bits);
        let seen = digest_of(fingerprint, key.row().as_bytes(), &mut self.scratch);
        if let Some(sum) = self.sums.get_mut(bucket as usize) {
            sum.add(BucketSum { rows: 1, source: marked.halves, seen });
        }
        Ok(())
    }

    /// What was learned of all buckets.
    pub(crate) fn all(self, basis: Digest, expected: u64) -> LearnedBuckets {
        let rows = self.sums.iter().map(|sum| sum.rows).sum();
        let bits = finest(rows).min(self.bits);
        let fewer = u32::from(self.bits - bits);
        let mut sums = vec![BucketSum::default(); 1 << bits];
        for (bucket, sum) in (0_u32..).zip(&self.sums) {
            if let Some(place) = sums.get_mut((bucket >> fewer) as usize) {
                place.add(*sum);
            }
        }
        let odd = self.odd.iter().map(|bucket| bucket >> fewer).collect();
        let buckets = Buckets { basis, bits, expected, sums: filled(&sums, &odd) };
        LearnedBuckets { buckets, among: vec![0..=u32::MAX] }
    }

    /// What was learned of the buckets that were chosen, of fewer ones.
    pub(crate) fn some(self, basis: Digest, expected: u64, chosen: &Chosen) -> LearnedBuckets {
        let more = u32::from(self.bits.saturating_sub(chosen.bits()));
        let ranges = (0..1_u32 << chosen.bits()).filter(|bucket| chosen.has(*bucket));
        let among = ranges.map(|bucket| bucket << more..=((bucket + 1) << more) - 1).collect();
        let buckets = Buckets { basis, bits: self.bits, expected, sums: filled(&self.sums, &self.odd) };
        LearnedBuckets { buckets, among }
    }
}

/// The buckets that have rows, and of which all is known.
fn filled(sums: &[BucketSum], odd: &BTreeSet<u32>) -> Vec<(u32, BucketSum)> {
    let sums = (0_u32..).zip(sums.iter().copied());
    sums.filter(|(bucket, sum)| sum.rows > 0 && !odd.contains(bucket)).collect()
}

#[cfg(test)]
mod tests {
    use coho_core::row::RowBuf;

    use super::*;

    fn marked(key: Option<u32>) -> MarkedRow {
        MarkedRow { row: RowBuf::default(), key, halves: [1, 2], cached: None }
    }

    #[test]
    fn a_row_in_another_bucket_than_its_source_says_is_misplaced() {
        let mut learner = Learner::of(Some(8));
        let (key, row) = (Key::new("a"), Digest::of(b"row"));
        assert_eq!(learner.take(Ok(&key), row, &marked(Some(key_digest("a")))), Ok(()));
        assert_eq!(learner.take(Ok(&key), row, &marked(Some(key_digest("b")))), Err(Misplaced));
        assert_eq!(learner.take(Ok(&key), row, &marked(None)), Err(Misplaced));
    }

    #[test]
    fn nothing_is_known_of_a_bucket_with_a_row_that_has_no_key() {
        let mut learner = Learner::of(None);
        let (key, row) = (Key::new("a"), Digest::of(b"row"));
        learner.take(Ok(&key), row, &marked(Some(key_digest("a")))).unwrap();
        let long = KeyError::Long { length: 2_000 };
        learner.take(Err(&long), row, &marked(Some(key_digest("a")))).unwrap();
        learner.take(Err(&KeyError::Null { column: "id".into() }), row, &marked(None)).unwrap();
        let buckets = learner.all(Digest::of(b""), 0).buckets;
        assert_eq!((buckets.bits, buckets.sums), (6, vec![]));
    }

    #[test]
    fn what_is_learned_of_chosen_buckets_is_all_of_these() {
        let mut chosen = Chosen::none(6);
        chosen.choose(0);
        chosen.choose(63);
        let learned = Learner::of(Some(8)).some(Digest::of(b""), 0, &chosen);
        assert_eq!(learned.among, [0..=3, 252..=255]);
    }
}
