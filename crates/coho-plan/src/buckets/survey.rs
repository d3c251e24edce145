//! What memory says of each bucket: the sum of all rows of which nothing needs to be done while they stay as they were seen.

use std::ops::ControlFlow;
use std::path::Path;

use coho_core::digest::Digest;
use coho_ledger::row_state::{Look, PageSeen, RowStates};
use coho_source::buckets::{Chosen, bucket, key_digest};

use super::places::Places;
use crate::compare::{BUDGET, KnownRows};
use crate::failure::PlanError;
use crate::stop::Stop;

/// The most memories that are looked at: each takes a byte in the end, for whether its row was met. Pages take a
/// fraction of that, and the sums of all buckets 32 MiB at most.
const MOST: usize = BUDGET / size_of::<u8>();

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
    buckets: Places,
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
    /// Looks at all memories; those are summed up that were seen with this mapping, and of which nothing needs to be done. `None`
    /// where there are too many of them. A file in this folder takes four bytes of each.
    pub(crate) fn of(
        row_states: &mut RowStates,
        mapping: Digest,
        bits: u8,
        (folder, stop): (&Path, &Stop),
    ) -> Result<Option<Self>, PlanError> {
        Self::within(MOST, row_states, mapping, bits, (folder, stop))
    }

    /// The same where at most so many memories are looked at, and those of one page more.
    fn within(
        most: usize,
        row_states: &mut RowStates,
        mapping: Digest,
        bits: u8,
        (folder, stop): (&Path, &Stop),
    ) -> Result<Option<Self>, PlanError> {
        let (sums, buckets) = (vec![SeenSum::default(); 1 << bits], Places::in_folder(folder)?);
        let mut survey = Self { bits, sums, buckets, pages: Vec::new() };
        let (mut scratch, mut failed) = (Vec::new(), None);
        row_states.survey(|look| {
            let bucket = match look {
                Look::Settled { key, seen } if seen.mapping == mapping => {
                    survey.settled(key, digest_of(seen.row, key, &mut scratch))
                }
                Look::Settled { .. } | Look::Other => NONE,
                Look::Page(seen) => {
                    survey.pages.push(seen.clone());
                    let ends = stop.is_asked() || survey.buckets.number > most;
                    return if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
                }
            };
            failed = survey.buckets.push(bucket).err();
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        if stop.is_asked() {
            return Err(PlanError::Interrupted);
        }
        Ok((survey.buckets.number <= most).then_some(survey))
    }

    /// Sums up a memory. Gives its bucket.
    fn settled(&mut self, key: &[u8], digest: u128) -> u32 {
        let bucket = std::str::from_utf8(key).map_or(NONE, |key| bucket(key_digest(key), self.bits));
        if let Some(sum) = self.sums.get_mut(bucket as usize) {
            *sum = SeenSum { rows: sum.rows + 1, digests: sum.digests.wrapping_add(digest) };
        }
        bucket
    }

    /// The memories whose rows are known without being read: those of all buckets that are not chosen.
    pub(crate) fn known(self, chosen: &Chosen) -> Result<KnownRows, PlanError> {
        let met = self.buckets.read(|bucket| bucket != NONE && !chosen.has(bucket))?;
        Ok(KnownRows::met_once(met, self.pages))
    }
}

/// What stands for a row with its key, in a sum.
pub(crate) fn digest_of(row: Digest, key: &[u8], scratch: &mut Vec<u8>) -> u128 {
    u128::from_be_bytes(row.keyed(key, scratch).to_bytes())
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::time::Duration;

    use chrono::DateTime;
    use coho_core::key::Key;
    use coho_core::object::Object;
    use coho_core::row_state::{DeliveryState, Origin, Pending, RowState, Seen};
    use coho_core::sync::SyncId;
    use coho_core::target::ExternalId;
    use coho_ledger::lease::Holder;
    use coho_ledger::{Ledger, Opening};

    use super::*;

    #[test]
    fn more_memories_than_there_is_room_for_are_not_summed_up() -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap_or_default();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), &Opening::new(now))?;
        let holder = Holder { id: "a".to_owned(), pid: 7, host: "a".to_owned() };
        let lease = ledger.acquire(&holder, now, Duration::from_secs(60))?;
        let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
        let seen = Seen { row: Digest::of(b"row"), mapping: Digest::of(b"mapping") };
        for key in ["a", "b", "c"] {
            let delivery = DeliveryState::Delivered {
                sent: coho_core::fields::Sent::new(),
                n: 1,
                id: None,
                origin: Origin::Created,
            };
            let target = ExternalId::parse(key)?;
            let state = RowState { target, delivery, pending: Pending::None, seen: Some(seen), version: 1 };
            ledger.write(&lease, &scope, &[(Key::new(key), Some(state))], now)?;
        }
        let survey = |most| {
            Survey::within(
                most,
                &mut ledger.row_states(&scope)?,
                seen.mapping,
                6,
                (folder.path(), &Stop::new()),
            )
        };
        assert!(survey(2)?.is_none());
        let survey = survey(3)?.ok_or("three memories are not too many")?;
        assert_eq!(survey.sums.iter().map(|sum| sum.rows).sum::<u64>(), 3);
        let missing = folder.path().join("missing");
        let mut row_states = ledger.row_states(&scope)?;
        let failed = Survey::of(&mut row_states, seen.mapping, 6, (&missing, &Stop::new()));
        assert!(failed.is_err_and(|error| error.to_string().contains("missing")));
        Ok(())
    }
}
