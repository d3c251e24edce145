//! What memory says of each bucket: the sum of all rows of which nothing needs to be done while they stay as they were seen.

use std::ops::ControlFlow;

use coho_core::digest::Digest;
use coho_ledger::row_state::{Look, PageSeen, RowStates};
use coho_source::buckets::{Chosen, bucket, key_digest};

use crate::compare::KnownRows;
use crate::failure::PlanError;
use crate::stop::Stop;

/// No bucket: something needs to be done about this memory.
const NONE: u32 = u32::MAX;

/// All memories, summed up by their buckets.
#[derive(Debug)]
pub(crate) struct Survey {
    /// How many buckets there are, as a power of two.
    pub(crate) bits: u8,
    /// What was seen of each.
    pub(crate) sums: Vec<SeenSum>,
    /// The bucket of each memory, in their order.
    buckets: Vec<u32>,
    pages: Vec<PageSeen>,
}

/// The rows of a bucket, as they were seen last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeenSum {
    /// How many they are.
    pub(crate) rows: u64,
    /// The sum of their digests with their keys.
    pub(crate) digests: u128,
}

impl Survey {
    /// Looks at all memories; those are summed up that were seen with this mapping, and of which nothing needs to be done.
    pub(crate) fn of(
        row_states: &mut RowStates,
        mapping: Digest,
        bits: u8,
        stop: &Stop,
    ) -> Result<Self, PlanError> {
        let sums = vec![SeenSum::default(); 1 << bits];
        let mut survey = Self { bits, sums, buckets: Vec::new(), pages: Vec::new() };
        let mut scratch = Vec::new();
        row_states.survey(|look| {
            match look {
                Look::Settled { key, seen } if seen.mapping == mapping => {
                    survey.settled(key, digest_of(seen.row, key, &mut scratch));
                }
                Look::Settled { .. } | Look::Other => survey.buckets.push(NONE),
                Look::Page(seen) => {
                    survey.pages.push(seen.clone());
                    if stop.is_asked() {
                        return ControlFlow::Break(());
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        if stop.is_asked() { Err(PlanError::Interrupted) } else { Ok(survey) }
    }

    fn settled(&mut self, key: &[u8], digest: u128) {
        let bucket = std::str::from_utf8(key).map_or(NONE, |key| bucket(key_digest(key), self.bits));
        self.buckets.push(bucket);
        if let Some(sum) = self.sums.get_mut(bucket as usize) {
            *sum = SeenSum { rows: sum.rows + 1, digests: sum.digests.wrapping_add(digest) };
        }
    }

    /// The memories whose rows are known without being read: those of all buckets that are not chosen.
    pub(crate) fn known(self, chosen: &Chosen) -> KnownRows {
        let met = self.buckets.iter().map(|bucket| *bucket != NONE && !chosen.has(*bucket));
        KnownRows::met_once(met.collect(), self.pages)
    }
}

/// What stands for a row with its key, in a sum.
pub(crate) fn digest_of(row: Digest, key: &[u8], scratch: &mut Vec<u8>) -> u128 {
    u128::from_be_bytes(row.keyed(key, scratch).to_bytes())
}
