//! The Analytics API: records and events as messages, up to a hundred in one call.
//!
//! It only takes: an answer of success says that messages were accepted, and nothing of what became of them. One flat answer
//! stands for a whole batch, so a refused batch is halved until the message is found that Vitally does not take. Messages
//! keep their ids through all repeats; Vitally drops what it has seen, and so twice is the same as once.
//!
//! | file | says |
//! |---|---|
//! | `message` | what an operation is as messages: one, or one for each account and organization of a user |
//! | `value` | how values are written |
//! | [`batch`] | how messages are packed and what the answers mean; a machine without I/O |
//! | `limits` | how large a batch may be, and what answers taught of it |
//! | `tally` | one verdict for each operation, whatever became of its messages |
//!
//! A user is taken away from an account through this API too: here by a message of the batch, for users that are sent
//! through REST by a step of their exchange.
//!
//! What Vitally leaves open, such as how long it remembers a message's id, is answered by what is right either way: ids
//! are unique for each write and the same for its repeats, and nothing is taken for more than accepted.
//!
//! ```
//! # use coho_core::{decide::{Change, Reason}, fields::{FieldValue, Fields, Sent}, key::Key, object::Object};
//! # use coho_core::{operation::{Action, Known, Operation}, path::FieldPath, sync::{Associations, Mode}, value::Value};
//! # use coho_core::{target::ExternalId, time::Time};
//! use coho_vitally::analytics::{AnalyticsMessage, Outgoing};
//!
//! # let complete = Fields::from([(FieldPath::new("name"), FieldValue::Value(Value::text("Acme")))]);
//! # let (mode, associations) = (Mode::Upsert, Associations::Add);
//! # let operation = Operation {
//! #     key: Key::new("1"), object: Object::Account, target: ExternalId::parse("acme")?, email: None, known: Known::New,
//! #     action: Action::Write { mode, associations, complete, changed: Vec::new(), would_send: Sent::new() },
//! #     change: Change::Add, reason: Reason::NewRecord, seen: None, version: 0,
//! # };
//! let outgoing = Outgoing { operation: &operation, message_id: "m-1".to_owned(), at: Time::UNIX_EPOCH };
//! let messages = AnalyticsMessage::of(&outgoing)?;
//! assert_eq!(
//!     messages[0].text,
//!     r#"{"type":"account","accountId":"acme","traits":{"name":"Acme"},"messageId":"m-1","timestamp":"1970-01-01T00:00:00.000Z"}"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod batch;
pub mod limits;
mod message;
mod tally;
mod value;

use coho_core::operation::{Known, Operation};
use coho_core::time::Time;

pub use message::{AnalyticsMessage, Kind, Unfit};

/// Where batches go (<https://docs.vitally.io/en/articles/9874151-analytics-api-batch>, read 2026-11-24).
pub const BATCH: &str = "/analytics/v1/batch";

/// An operation that is to be sent as messages.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The id of its message: the same for every repetition of one intent, and of no other. An event has its own, the
    /// operation's target, and this is not used.
    pub message_id: String,
    /// When the intent was made: the same for every repetition.
    pub at: Time,
}

/// An operation as messages. They are made before its intent is durable: how many bytes they have says which operations go
/// together.
#[derive(Clone, Debug)]
pub struct Messages {
    made: Result<Vec<AnalyticsMessage>, Unfit>,
    /// Whether an earlier intent of it may have arrived.
    is_unclear: bool,
}

impl Messages {
    /// Makes them. An operation that makes none is refused when it is sent.
    pub fn of(outgoing: &Outgoing<'_>) -> Self {
        let is_unclear = matches!(outgoing.operation.known, Known::Unclear { .. });
        Self { made: AnalyticsMessage::of(outgoing), is_unclear }
    }

    /// How many there are; those of an operation that makes none count as one, so that a batch of such has an end too.
    pub fn count(&self) -> usize {
        self.made.as_ref().map_or(1, Vec::len)
    }

    /// How many bytes of a batch they take.
    pub fn bytes(&self) -> usize {
        self.made.as_ref().map_or(0, |made| made.iter().map(|message| message.text.len() + 1).sum())
    }
}
