//! The log of requests to both APIs, in the order in which they were answered. Headers are not kept: they hold the key.

use std::collections::VecDeque;

use crate::clock::SimulatorTime;

/// Bodies longer than this are cut in the log.
const BODY_KEPT: usize = 64 * 1024;

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedCall {
    /// Counts from 1 over the life of the simulator, also when the log was cleared.
    pub number: u64,
    /// When it was answered.
    pub at: SimulatorTime,
    /// `GET`, `POST`, `PUT`, `DELETE`, or whatever came.
    pub method: String,
    /// The path as it came, still percent-encoded.
    pub path: String,
    /// The query as it came, without the question mark.
    pub query: Option<String>,
    /// The request's body as text, cut after 64 KiB.
    pub body: String,
    /// What it was answered.
    pub reply: CallReply,
    /// What it wrote, or would have written, is in the store: also where no answer was sent.
    pub committed: bool,
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallReply {
    /// A status and a body (cut after 64 KiB).
    Answered {
        /// The status.
        status: u16,
        /// The body as text.
        body: String,
    },
    /// The connection was cut.
    Cut,
    /// Nothing, and the connection stays open.
    Hung,
}

impl ServedCall {
    /// The status that was answered; `None` where no answer was sent.
    pub fn status(&self) -> Option<u16> {
        match &self.reply {
            CallReply::Answered { status, .. } => Some(*status),
            CallReply::Cut | CallReply::Hung => None,
        }
    }
}

/// The newest calls.
#[derive(Debug)]
pub(crate) struct Log {
    calls: VecDeque<ServedCall>,
    kept: usize,
    last: u64,
}

impl Log {
    pub(crate) fn new(kept: usize) -> Self {
        Self { calls: VecDeque::new(), kept, last: 0 }
    }

    /// Adds a call and gives it its number.
    pub(crate) fn add(&mut self, mut call: ServedCall) {
        self.last += 1;
        call.number = self.last;
        if self.calls.len() >= self.kept {
            self.calls.pop_front();
        }
        if self.kept > 0 {
            self.calls.push_back(call);
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &ServedCall> {
        self.calls.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
    }
}

/// A body as the log keeps it.
pub(crate) fn kept_text(body: &[u8]) -> String {
    let kept = body.get(..BODY_KEPT).unwrap_or(body);
    String::from_utf8_lossy(kept).into_owned()
}
