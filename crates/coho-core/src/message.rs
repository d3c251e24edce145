//! Message ids: what the Analytics API tells a message from its repetition by.
//!
//! An event's id is the same for ever: sent again, it is the same event. A write of a record has an id of its own for each
//! intent, so that a record that changes from A to B and back to A arrives three times, whatever Vitally remembers.

use uuid::Uuid;

use crate::digest::Digest;
use crate::key::Key;
use crate::sync::SyncId;
use crate::target::{ExternalId, ExternalIdError};
use crate::time::Time;

/// The namespace of all ids that Coho makes: `uuid5(URL, "https://github.com/coho-sync/coho")`. It never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d62_fa21_f5bf_569c_9f93_416f_87cd_af94);

/// The `messageId` of an event without a column for it: made of the sync's id and the row's key.
pub fn of_event(sync: &SyncId, key: &Key) -> Result<ExternalId, ExternalIdError> {
    ExternalId::parse(&make(&["event", sync.as_str(), key.as_str()]))
}

/// The `messageId` of a write of a record: the same for every repetition of one intent, and of no other. `version` is that of
/// the memory that the operation was made from, `at` when the intent was made durable: a memory that was forgotten begins
/// with the first serial again.
pub fn of_write(sync: &SyncId, key: &Key, version: u64, at: Time, operation: Digest) -> String {
    make(&[
        "record",
        sync.as_str(),
        key.as_str(),
        &version.to_string(),
        &at.timestamp_micros().to_string(),
        &operation.to_string(),
    ])
}

/// The `messageId` of the message that takes a user away from an account: made of both external ids and the time of the
/// write that it belongs to, so that the same user can be taken away again later.
pub fn of_unlink(user: &str, account: &str, at: Time) -> String {
    make(&["unlink", user, account, &at.timestamp_micros().to_string()])
}

/// Parts are joined as a JSON array, so that their borders count.
fn make(parts: &[&str]) -> String {
    let name = serde_json::Value::from(parts).to_string();
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_id_never_changes_between_releases() {
        let id = of_event(&SyncId::new("orders"), &Key::new("10248")).unwrap();
        assert_eq!(id.as_str(), "337f7204-37e7-5191-8163-71cc49f2e1b2");
    }

    #[test]
    fn borders_between_sync_and_key_count() {
        let id = |sync: &str, key: &str| of_event(&SyncId::new(sync), &Key::new(key)).unwrap();
        assert_ne!(id("a", "bc"), id("ab", "c"));
    }

    #[test]
    fn each_intent_of_a_write_has_an_id_of_its_own() {
        let (sync, key) = (SyncId::new("accounts"), Key::new("1"));
        let at = |second| chrono::DateTime::from_timestamp(second, 0).unwrap();
        let id = |version, second, of| of_write(&sync, &key, version, at(second), Digest::of(of));
        let first = id(1, 0, b"a");
        assert_eq!(first, id(1, 0, b"a"));
        for other in [id(2, 0, b"a"), id(1, 1, b"a"), id(1, 0, b"b")] {
            assert_ne!(first, other);
        }
    }
}
