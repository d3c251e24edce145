//! Events that would be sent again under new ids. An event's id is made of its sync's id and its row's key: where either is
//! renamed, every event is a new one to Vitally, and nobody can take it back. So such a plan is held until a person says
//! which it is. Records are found again by their external ids: for them a word is enough.

use coho_core::fields::FieldValue;
use coho_core::memory::Time;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::sync::{Sync, SyncId};
use coho_core::value::Value;
use coho_ledger::scope::Remembered;
use coho_project::Project;

/// What a plan says of its rows, held against what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Rows that could be sent, or are unchanged: all that were read but the invalid ones.
    pub(crate) rows: u64,
    /// Those of them of whose key nothing is remembered.
    pub(crate) new: u64,
    /// Those of the new ones that happened before anything was remembered last, or nobody knows when.
    pub(crate) earlier: u64,
    /// Keys with a delivered or assumed memory.
    pub(crate) remembered: u64,
}

/// Whether not one row has a key that is remembered, though something is.
pub(crate) fn are_all_new(evidence: &Evidence) -> bool {
    evidence.remembered > 0 && evidence.new > 0 && evidence.new == evidence.rows
}

/// Whether the keys of a sync's events were changed. A model that shows only the newest events has new keys each time too:
/// but those happened after the last run.
pub(crate) fn are_renamed(evidence: &Evidence) -> bool {
    are_all_new(evidence) && evidence.earlier.saturating_mul(2) > evidence.new
}

/// The sync of events that the project has no more, and that this one may be under another id: of the same model, or of one
/// that is gone too.
pub(crate) fn predecessor<'r>(
    project: &Project,
    sync: &Sync,
    remembered: &'r [Remembered],
) -> Option<&'r SyncId> {
    let known =
        |id: &SyncId| project.syncs.iter().any(|other| other.id == *id || other.renamed_from.contains(id));
    let begins_anew =
        !remembered.iter().any(|one| one.sync == sync.id || sync.renamed_from.contains(&one.sync));
    let fits = |one: &&Remembered| {
        let model = one.model.as_deref();
        let is_gone = model.is_none_or(|model| project.model(model).is_none());
        one.object == Object::Event && !known(&one.sync) && (is_gone || model == Some(sync.model.as_str()))
    };
    let concerns = sync.object == Object::Event && begins_anew;
    remembered.iter().filter(|_| concerns).find(fits).map(|one| &one.sync)
}

/// When the event of an operation happened, where that is known.
pub(crate) fn moment(operation: &Operation) -> Option<Time> {
    let Action::Write { complete, .. } = &operation.action else { return None };
    match complete.get(&FieldPath::new("timestamp"))? {
        FieldValue::Value(Value::Timestamp(moment)) => Some(*moment),
        FieldValue::Value(value) => value.as_text()?.parse().ok(),
        FieldValue::Reference(..) | FieldValue::References(..) | FieldValue::Id(..) | FieldValue::Ids(..) => {
            None
        }
    }
}

/// What a person is told of a sync that may be another one.
pub(crate) fn renamed_sync(sync: &SyncId, earlier: &SyncId) -> (String, String) {
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
        "none of {} events has a primary key that is remembered, though {} were delivered: with other keys, events of the past \
         would be sent a second time",
        evidence.new, evidence.remembered
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
        "none of {} rows has a primary key that is remembered, though {} were delivered: if the key was changed, all that was \
         remembered counts as gone",
        evidence.new, evidence.remembered
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_count_as_renamed_where_most_of_the_new_ones_are_of_the_past() {
        let evidence = Evidence { rows: 10, new: 10, earlier: 6, remembered: 10 };
        assert!(are_renamed(&evidence));
        assert!(!are_renamed(&Evidence { earlier: 5, ..evidence }), "a model of the newest events");
        assert!(!are_renamed(&Evidence { rows: 11, ..evidence }), "one key is known");
        assert!(!are_renamed(&Evidence { remembered: 0, ..evidence }), "nothing is remembered");
        assert!(!are_renamed(&Evidence { rows: 0, new: 0, earlier: 0, ..evidence }));
    }
}
