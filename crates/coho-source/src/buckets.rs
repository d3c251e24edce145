//! Buckets: a source says of each group of keys what it holds, in a few numbers, so that rows that are as they were stay there.
//!
//! A row's bucket is told by the digest of its key, so every row of a key is in one bucket. Of a bucket the source gives the
//! number of its rows and the sum of their fingerprints, which depends on no order. The rows of the buckets that are asked for
//! come with the same numbers, so that whoever reads them knows what their sum must be. [`dialect`] has the texts, with [`engines`], [`comparing`]
//! how they are asked; each source that can do this runs them.

pub(crate) mod dialect;
pub(crate) mod engines;
pub(crate) mod comparing;

use coho_core::digest::Digest;
use coho_core::row::RowBuf;
use md5::{Digest as _, Md5};

use crate::cache_table::CacheTable;

/// The most buckets, as a power of two.
pub const MOST_BITS: u8 = 20;

/// What a source is asked to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareQuery {
    /// The places of the columns of the primary key.
    pub key: Vec<usize>,
    /// The places of the columns that the fingerprint of a row covers, besides its key.
    pub reads: Vec<usize>,
    /// How many buckets are summed up, as a power of two; `None` where only rows are wanted.
    pub bits: Option<u8>,
    /// The cache that rows may be compared with, instead of sums; whoever has no such thing asks for sums.
    pub cache: Option<CacheTable>,
}

/// What a source said of its buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSums {
    /// What summed them up, as messages name it: `PostgreSQL`.
    pub by: &'static str,
    /// Stands for the text of the statements, and the names and types of the columns: sums that were told on another basis
    /// cannot be compared.
    pub basis: Digest,
    /// The sum of each bucket that has rows, by its number; none where none were asked for.
    pub sums: Vec<(u32, SourceSum)>,
    /// How many rows have no bucket, since a column of their key is null; of a comparison with a cache, nobody knows before its end.
    pub nameless: u64,
    /// Under which name the cache that was asked about was published last; `None` where nothing was published there, or no cache was
    /// asked about; or why it cannot be read.
    pub published: Result<Option<Digest>, String>,
}

/// The rows of a bucket as their source sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SourceSum {
    /// How many they are.
    pub rows: u64,
    /// The sums of both halves of their fingerprints.
    pub halves: [u64; 2],
}

impl SourceSum {
    /// Adds other rows.
    pub fn add(&mut self, other: Self) {
        self.rows += other.rows;
        for (half, more) in self.halves.iter_mut().zip(other.halves) {
            *half = half.wrapping_add(more);
        }
    }
}

/// Which rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// Those of these buckets, of so many as were summed up, and those that have no bucket.
    Buckets(Chosen),
    /// Those that are not in the cache as they are, those of these buckets, and those that have no bucket. Keys that are in the cache and
    /// have no row come as well.
    Changed(Chosen),
}

/// Some of the buckets that were summed up: a bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    bits: u8,
    bytes: Vec<u8>,
}

impl Chosen {
    /// None of so many buckets, as a power of two.
    pub fn none(bits: u8) -> Self {
        let bits = bits.min(MOST_BITS);
        Self { bits, bytes: vec![0; (1_usize << bits).div_ceil(8)] }
    }

    /// Chooses a bucket.
    pub fn choose(&mut self, bucket: u32) {
        let (byte, bit) = place(bucket);
        if let Some(byte) = self.bytes.get_mut(byte) {
            *byte |= bit;
        }
    }

    /// Whether a bucket is chosen.
    pub fn has(&self, bucket: u32) -> bool {
        let (byte, bit) = place(bucket);
        self.bytes.get(byte).is_some_and(|byte| byte & bit != 0)
    }

    /// How many buckets there are, as a power of two.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// How many are chosen.
    pub fn number(&self) -> u64 {
        self.bytes.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The byte and the bit of a bucket, as PostgreSQL's `get_bit` counts them.
fn place(bucket: u32) -> (usize, u8) {
    (usize::try_from(bucket / 8).unwrap_or(usize::MAX), 1 << (bucket % 8))
}

/// A row with what its source says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedRow {
    /// The row.
    pub row: RowBuf,
    /// The beginning of its key's digest; `None` where a column of the key is null.
    pub key: Option<u32>,
    /// Both halves of its fingerprint.
    pub halves: [u64; 2],
    /// What Coho had seen of the key when it was written into the cache, where it is in there.
    pub cached: Option<Digest>,
}

/// A key that is in the cache, and of which the source has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneKey {
    /// The key, as Coho writes it.
    pub key: String,
    /// What Coho had seen of it when it was written into the cache.
    pub cached: Digest,
}

/// What a comparison with a cache gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Rows.
    Rows(Vec<MarkedRow>),
    /// Keys that have no rows any more.
    Gone(Vec<GoneKey>),
}

/// How much of a source was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Moved {
    /// Rows of the model.
    pub rows: u64,
    /// Bytes of answers, sums of buckets among them.
    pub bytes: u64,
}

/// The beginning of a key's digest, as sources compute it: its first bits are the number of the key's bucket.
pub fn key_digest(key: &str) -> u32 {
    let digest = Md5::digest(key.as_bytes());
    digest.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// The bucket of a key's digest, of so many buckets as a power of two.
pub fn bucket(digest: u32, bits: u8) -> u32 {
    u32::try_from(u64::from(digest) >> (32 - u32::from(bits.min(32)))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_the_beginning_of_the_digest_of_its_key() {
        assert_eq!(format!("{:08x}", key_digest("")), "d41d8cd9");
        assert_eq!(bucket(0xd41d_8cd9, 8), 0xd4);
        assert_eq!(bucket(0xd41d_8cd9, 0), 0);
        assert_eq!(bucket(u32::MAX, MOST_BITS), (1 << MOST_BITS) - 1);
    }

    #[test]
    fn what_is_chosen_is_found_again() {
        let mut chosen = Chosen::none(10);
        for bucket in [0, 7, 8, 1_023] {
            chosen.choose(bucket);
        }
        assert_eq!(chosen.number(), 4);
        assert!(chosen.has(1_023) && !chosen.has(1_022) && !chosen.has(1_024));
        assert_eq!(chosen.bytes().len(), 128);
    }

    #[test]
    fn a_sum_depends_on_no_order_and_counts_each_row() {
        let row = |halves| SourceSum { rows: 1, halves };
        let sum = |rows: &[SourceSum]| {
            let mut sum = SourceSum::default();
            for row in rows {
                sum.add(*row);
            }
            sum
        };
        let (a, b) = (row([u64::MAX, 5]), row([2, u64::MAX]));
        assert_eq!(sum(&[a, b]), sum(&[b, a]));
        assert_ne!(sum(&[a, a]), sum(&[b, b]), "twins do not cancel out");
    }
}
