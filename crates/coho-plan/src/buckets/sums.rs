//! Sums of buckets, and how many buckets there are.

use coho_source::buckets::MOST_BITS;

/// About how many rows a bucket is to have where it is learned.
const ROWS_IN_BUCKET: u64 = 8;

/// The fewest buckets, as a power of two.
pub(crate) const FEWEST_BITS: u8 = 6;

/// In how many buckets so many rows are learned, as a power of two.
pub(crate) fn finest(rows: u64) -> u8 {
    bits(rows / ROWS_IN_BUCKET).clamp(FEWEST_BITS, MOST_BITS)
}

/// So many buckets, as a power of two.
pub(crate) fn bits(buckets: u64) -> u8 {
    u8::try_from(buckets.max(1).next_power_of_two().trailing_zeros()).unwrap_or(MOST_BITS)
}
