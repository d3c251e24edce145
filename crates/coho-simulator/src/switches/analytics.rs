//! The switches of the Analytics API. What each stands for in the store is [`crate::analytics`]'s business.

use std::collections::BTreeSet;

use super::choice::{Choice, Span, choices};
use crate::message::MessageType;

choices! {
    /// `batch_mode`: what a batch does of which some messages are bad.
    BatchMode {
        /// 400, and nothing is taken.
        Reject = "reject",
        /// The good ones are taken, then 400.
        ApplyThenRefuse = "apply-400",
        /// The good ones are taken, then 200; the bad ones are dropped silently.
        ApplyThenSucceed = "apply-200",
        /// What stands before the first bad one is taken, then 400.
        StopAtFirst = "stop",
    }
    /// `empty_batch`: the answer to a batch without a message.
    EmptyBatch {
        /// 400.
        BadRequest = "400",
        /// 200.
        Ok = "200",
    }
    /// `reorder`: whether requests overtake one another.
    Reorder {
        /// They are applied in the order in which they came.
        Off = "off",
        /// Every other request, the first, the third and so on, waits twice as long as `apply_delay`.
        On = "on",
    }
    /// `null_trait`: what null does to a trait.
    NullTrait {
        /// It deletes it.
        Delete = "delete",
        /// It is stored as a value.
        Store = "store",
        /// Nothing.
        Ignore = "ignore",
    }
    /// `nested_trait`: what becomes of a trait that is an object, or an array of other than scalars.
    NestedTrait {
        /// It is stored.
        Store = "store",
        /// Its members become traits of their own, whose keys are joined by dots.
        Flatten = "flatten",
        /// It is left out.
        Drop = "drop",
        /// 400.
        BadRequest = "400",
    }
    /// `unknown_account`: what becomes of a user or custom object instance whose account is not there.
    UnknownAccount {
        /// The account is made, with nothing but its id.
        Create = "create",
        /// The message is dropped.
        Drop = "drop",
        /// 400.
        BadRequest = "400",
    }
    /// `unknown_org`: what becomes of a message whose organization is not there.
    UnknownOrganization {
        /// It is applied without the link.
        Unlinked = "unlinked",
        /// The organization is made, with nothing but its id.
        Create = "create",
        /// 400.
        BadRequest = "400",
    }
    /// `stale_timestamp`: which of two values of a member stays.
    StaleTimestamp {
        /// The one that was applied last.
        Arrival = "arrival",
        /// The one whose message has the newer timestamp.
        Newest = "newest",
    }
    /// `user_assoc`: what a user message does to the user's accounts. Nothing else was ever seen.
    UserAssociation {
        /// Its account is added.
        Add = "add",
    }
    /// `unlink_missing`: the answer to an unlink of a user that is not in the account.
    UnlinkMissing {
        /// 200, and the message is dropped.
        Ok = "200",
        /// 400.
        BadRequest = "400",
    }
    /// `blocked_batch`: what a message of a blocked type does to the batch that it is in.
    BlockedBatch {
        /// The whole batch is refused, whatever `batch_mode` is.
        Whole = "whole",
        /// It is a bad message like any other.
        Item = "item",
    }
    /// `rate_headers`: what is said of the rate.
    RateHeaders {
        /// Nothing.
        None = "none",
        /// `RateLimit-…` on every answer.
        RateLimit = "ratelimit",
        /// `Retry-After` on a 429.
        RetryAfter = "retry-after",
        /// Both.
        Both = "both",
    }
    /// `lifecycle`: what becomes of events of churned or ignored customers.
    LifecycleRule {
        /// They are dropped, and the answer is 200 all the same.
        Drop = "drop",
        /// They are stored.
        Store = "store",
    }
    /// `legacy_ids`: whether ids may be numbers, as they once might.
    LegacyIds {
        /// 400.
        Off = "off",
        /// They are taken as text.
        On = "on",
    }
    /// `organizations`: whether the workspace has organizations.
    Organizations {
        /// It has.
        On = "on",
        /// It has not: whatever names one is refused with 400.
        Off = "off",
    }
}

/// `dedupe`: which later messages with a `messageId` that came before are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dedupe {
    /// `forever`: all, for ever.
    Forever,
    /// `per-type`: those of the same type, for ever.
    PerType,
    /// A time such as `10m`: all that come within it.
    Within(Span),
    /// `off`: none.
    Off,
}

impl Choice for Dedupe {
    fn read(text: &str) -> Option<Self> {
        match text {
            "forever" => Some(Self::Forever),
            "per-type" => Some(Self::PerType),
            "off" => Some(Self::Off),
            _ => Span::read(text).filter(|span| span.millis() > 0).map(Self::Within),
        }
    }
    fn text(&self) -> String {
        match self {
            Self::Forever => "forever".to_owned(),
            Self::PerType => "per-type".to_owned(),
            Self::Within(span) => span.text(),
            Self::Off => "off".to_owned(),
        }
    }
    fn values() -> String {
        "forever|per-type|off or a time such as 10m".to_owned()
    }
}

/// `blocked_types`: the message types that Vitally's support has blocked for the workspace; `none`, or names that are
/// joined by a plus (`track+user`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedTypes(pub BTreeSet<MessageType>);

impl Choice for BlockedTypes {
    fn read(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::default()),
            _ => text.split('+').map(MessageType::from_name).collect::<Option<_>>().map(Self),
        }
    }
    fn text(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        self.0.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("+")
    }
    fn values() -> String {
        format!("none or names joined by +: {}", MessageType::ALL.map(MessageType::name).join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dedupe_window_is_a_time_that_is_not_nought() {
        assert_eq!(Dedupe::read("10m").map(|dedupe| dedupe.text()).as_deref(), Some("10m"));
        assert_eq!(Dedupe::read("0"), None);
        assert_eq!(Dedupe::read("sometimes"), None);
    }

    #[test]
    fn blocked_types_read_back_from_their_text() {
        let blocked = BlockedTypes::read("user+track").unwrap();
        assert_eq!(blocked.text(), "user+track");
        assert_eq!(BlockedTypes::read("none"), Some(BlockedTypes::default()));
        assert_eq!(BlockedTypes::read("users"), None);
    }
}
