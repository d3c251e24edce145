//! Comparing rows in their source, bucket by bucket: which rows must be read, and which are known to be as they were.
//!
//! Three sums of each bucket are laid side by side: what the source says of its rows now, what the ledger learned that such a
//! sum stands for, and what memory says was seen. Where all three agree, each row of the bucket would meet its own memory,
//! once, and no memory would be left over: it is counted as the same, just as if it had been read. All other buckets are
//! read whole, so that what is missing from them has left. [`survey`] looks at memory, [`learn`] keeps what readings teach,
//! [`words`] says how a difference was computed.

pub(crate) mod sums;
pub(crate) mod learn;
mod places;
pub(crate) mod survey;
pub(crate) mod words;

use coho_core::decide::RunKind;
use coho_core::digest::{Digest, ENCODING, Hasher};
use coho_ledger::buckets::{BucketBasis, BucketSum};
use coho_source::buckets::{Chosen, SourceSum, SourceSums};

use self::sums::{FEWEST_BITS, bits, finest};
use self::survey::Survey;
use crate::job::{Job, Waiting};

/// About how many rows are as large as the sums of two buckets: where the sums cost as much as the rows that are read besides, least
/// is moved.
const ROWS_FOR_SUMS: u64 = 2;

/// So few changed rows are always expected.
const LEAST_EXPECTED: u64 = 16;

/// Why a plan looks at rows that no comparison of buckets would give.
pub(crate) fn why_all(job: &Job<'_>) -> Option<&'static str> {
    if job.filter.limit.is_some() || job.filter.key.is_some() || job.filter.waiting != Waiting::Too {
        return Some("only some rows are looked at");
    }
    match job.run_kind {
        RunKind::Sync => {}
        RunKind::Baseline | RunKind::Adopt | RunKind::Resend | RunKind::ResendEvents => {
            return Some("all rows are looked at");
        }
    }
    // What no row says again must still be compared with the others.
    job.sync
        .matching
        .email()
        .map(|_| "records are found by their e-mail addresses, which are compared with those of all rows")
}

/// Stands for all that decides what a source's sums mean to this version of Coho: what the source told, and the columns that the
/// mapping reads, in their order.
pub(crate) fn basis<'a>(told: Digest, reads: impl Iterator<Item = &'a &'a str>) -> Digest {
    let mut hasher = Hasher::new();
    hasher.part(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.part(&[ENCODING]);
    hasher.part(&told.to_bytes());
    reads.for_each(|name| hasher.part(name.as_bytes()));
    hasher.finish()
}

/// In how many buckets rows are compared, as a power of two: the more changes are expected, the more.
pub(crate) fn level(known: &BucketBasis) -> u8 {
    let expected = known.expected.max(LEAST_EXPECTED);
    let wanted = expected.saturating_mul(known.rows).saturating_mul(ROWS_FOR_SUMS).isqrt();
    bits(wanted).clamp(FEWEST_BITS.min(known.bits), known.bits)
}

/// Whether so many rows should be learned in more buckets by far.
pub(crate) fn is_coarse(known: &BucketBasis, rows: u64) -> bool {
    finest(rows) > known.bits + 1
}

/// What a comparison of buckets came to.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The buckets whose rows must be read.
    pub(crate) chosen: Chosen,
    /// How many rows the source has, besides those without a key.
    pub(crate) rows: u64,
    /// How many of them are in buckets that are chosen.
    pub(crate) to_read: u64,
}

impl Difference {
    /// Compares what a source says of its buckets with what is known of them, of as many as memory was summed up in.
    pub(crate) fn of(told: &SourceSums, known: &[BucketSum], survey: &Survey) -> Self {
        let bits = survey.bits;
        let mut now = vec![SourceSum::default(); known.len()];
        for (bucket, sum) in &told.sums {
            if let Some(place) = now.get_mut(*bucket as usize) {
                place.add(*sum);
            }
        }
        let mut found = Self { chosen: Chosen::none(bits), rows: 0, to_read: 0 };
        for (bucket, ((now, known), seen)) in (0..).zip(now.iter().zip(known).zip(&survey.sums)) {
            found.rows += now.rows;
            let stands = SourceSum { rows: known.rows, halves: known.source } == *now;
            if !stands || (seen.rows, seen.digests) != (known.rows, known.seen) {
                found.chosen.choose(bucket);
                found.to_read += now.rows;
            }
        }
        found
    }

    /// Whether it is better to read all rows.
    pub(crate) fn is_large(&self) -> bool {
        self.to_read > self.rows / 2
    }

    /// About how many rows changed: of few changes nearly each is in a bucket of its own.
    pub(crate) fn changed(&self) -> u64 {
        let (all, differ) = (1_u64 << self.chosen.bits(), self.chosen.number());
        match all.checked_sub(differ) {
            None | Some(0) => self.rows,
            Some(same) => differ * all / same,
        }
    }
}

#[cfg(test)]
mod tests {
    use coho_source::buckets::MOST_BITS;

    use super::*;

    fn known(bits: u8, expected: u64, rows: u64) -> BucketBasis {
        BucketBasis { basis: Digest::of(b""), bits, expected, rows }
    }

    #[test]
    fn more_changes_are_looked_for_in_more_buckets() {
        assert_eq!(finest(0), 6);
        assert_eq!(finest(1_000_000), 17);
        assert_eq!(finest(u64::MAX), MOST_BITS);
        assert_eq!(level(&known(17, 0, 1_000_000)), 13);
        assert_eq!(level(&known(17, 1_000, 1_000_000)), 16);
        assert_eq!(level(&known(17, 1_000_000, 1_000_000)), 17);
        assert_eq!(level(&known(6, 0, 3)), 6);
        assert!(!is_coarse(&known(17, 0, 0), 2_000_000));
        assert!(is_coarse(&known(17, 0, 0), 2_200_000));
    }
}
