//! Events that would be sent again under new ids. An event's id is made of its sync's id and its row's key: where either is
//! renamed, every event is a new one to Vitally, and nobody can take it back. So such a plan is held until a person says
//! which it is. Records are found again by their external ids: for them a word is enough.

use std::collections::HashSet;

use coho_core::digest::Digest;
use coho_core::fields::Sent;
use coho_core::json;
use coho_core::operation::Operation;
use coho_core::path::FieldPath;
use coho_core::sync::SyncId;
use coho_ledger::scope::SyncScope;

use crate::failure::PlanError;
use crate::job::Job;
use crate::progress::Step;

/// How many memories are read between two looks whether somebody asked to end.
const AT_ONCE: usize = 1_000;

/// What a plan says of its rows, held against what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Rows that could be sent, or are unchanged: all that were read but the invalid ones.
    pub(crate) rows: u64,
    /// Those of them of whose key nothing is remembered.
    pub(crate) new: u64,
    /// Those of the new ones that look like events which are remembered under other keys.
    pub(crate) twins: u64,
    /// Keys with a delivered or assumed memory.
    pub(crate) remembered: u64,
}

/// Whether not one row has a key that is remembered, though something is.
pub(crate) fn are_all_new(evidence: &Evidence) -> bool {
    evidence.remembered > 0 && evidence.new > 0 && evidence.new == evidence.rows
}

/// Whether the keys of a sync's events were changed. A model that shows only the newest events has new keys each time too,
/// but other events.
pub(crate) fn are_renamed(evidence: &Evidence) -> bool {
    are_all_new(evidence) && evidence.twins.saturating_mul(2) > evidence.new
}

/// The events that are remembered, without their keys: when they happened, and what their rows were. Eight bytes stand for
/// each: two that fall together only count an event too many.
#[derive(Default)]
pub(crate) struct Past {
    moments: HashSet<u64>,
    rows: HashSet<u64>,
}

impl Past {
    /// Reads all of a sync's memory.
    pub(crate) fn of(job: &Job<'_>, scope: &SyncScope) -> Result<Self, PlanError> {
        let mut past = Self::default();
        for (at, row) in job.ledger.row_states(scope)?.enumerate() {
            if at % AT_ONCE == 0 {
                job.tell(Step::Evaluating)?;
            }
            let row_state = row?.decode()?;
            past.moments.extend(row_state.delivery.sent().and_then(moment));
            past.rows.extend(row_state.seen.map(|seen| short(seen.row)));
        }
        Ok(past)
    }

    /// Whether an event is one of these, as it seems: it happened at the very same time, or its row is the same but for columns
    /// that the mapping does not read.
    pub(crate) fn has(&self, operation: &Operation) -> bool {
        let same_time = moment(&operation.would_send()).is_some_and(|at| self.moments.contains(&at));
        same_time || operation.seen.is_some_and(|seen| self.rows.contains(&short(seen.row)))
    }
}

/// Stands for when an event happened.
fn moment(sent: &Sent) -> Option<u64> {
    sent.get(&FieldPath::new("timestamp")).map(|at| short(Digest::of(json::write(at).as_bytes())))
}

fn short(digest: Digest) -> u64 {
    digest.to_bytes().first_chunk().copied().map_or(0, u64::from_le_bytes)
}

/// What a person is told of a sync that may be another one.
pub fn renamed_sync(sync: &SyncId, earlier: &SyncId) -> (String, String) {
    let message = format!(
        "the ledger remembers events of a sync `{earlier}`, which the project does not have: if `{sync}` is that sync under \
         another id, all its events would be sent a second time"
    );
    let help = format!(
        "where it is, write `renamed_from: {earlier}` in the sync; where its events are others, `coho run {sync} --resend \
         --events` sends them, and `coho baseline {sync}` takes them as sent"
    );
    (message, help)
}

/// What a person is told of events whose keys were changed.
pub(crate) fn renamed_keys(sync: &SyncId, evidence: &Evidence) -> (String, String) {
    let message = format!(
        "no event has a primary key that is remembered, though {} were delivered: with other keys, events of the past would be \
         sent a second time",
        evidence.remembered
    );
    let help = format!(
        "where the primary key was changed, give the rows their old keys; where these events are others, `coho run {sync} \
         --resend --events` sends them, and `coho baseline {sync}` takes them as sent"
    );
    (message, help)
}

/// What a person is told of records whose keys were changed.
pub(crate) fn renamed_records(evidence: &Evidence) -> String {
    format!(
        "no row has a primary key that is remembered, though {} were delivered: if the key was changed, all that was \
         remembered counts as gone",
        evidence.remembered
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_as_renamed_where_most_of_the_new_events_are_known_ones() {
        let evidence = Evidence { rows: 10, new: 10, twins: 6, remembered: 10 };
        assert!(are_renamed(&evidence));
        assert!(!are_renamed(&Evidence { twins: 5, ..evidence }), "a model of the newest events");
        assert!(!are_renamed(&Evidence { rows: 11, ..evidence }), "one key is known");
        assert!(!are_renamed(&Evidence { remembered: 0, ..evidence }), "nothing is remembered");
        assert!(!are_renamed(&Evidence { rows: 0, new: 0, twins: 0, ..evidence }));
    }
}
