//! Batches: how messages are packed into calls, and what the answers mean for each operation. A machine without I/O, like
//! the exchanges: [`Batch::start`] gives the first step, [`Batch::on`] each further one.
//!
//! | answer | what follows |
//! |---|---|
//! | 200 that says so | every message of the call was taken |
//! | 400, 422, another 4xx | one message: refused. More: the first half is sent; if that is taken, the fault is in the second |
//! | 413 | one message: too large. More: the rest of the run's batches are half as large |
//! | 401, 403 | the token; the run stops |
//! | 404, 3xx | the host; the run stops |
//! | 408, 425, 5xx, another 2xx, no answer | after the client's repeats: it may have arrived |
//! | never left | nothing was sent |
//!
//! After a message was found that is refused, all that had been set aside goes on together; where several are, in portions
//! that fit their share. It is a queue that its carrier moves on, not straight code: the carrier has to know which operations
//! each call is for. `k` of `n` messages cost at most `2 k log2 n + 1` calls, and usually half of that. No message
//! overtakes another.

use std::collections::{BTreeSet, VecDeque};

use coho_core::code::Code;
use coho_core::verdict::Verdict;

use super::limits::{BatchLimits, Lessons};
use super::message::{AnalyticsMessage, Unfit};
use super::tally::{Mark, Tally};
use super::{BATCH, Kind, Messages, Outgoing};
use crate::request::{Answer, Reply, Request};
use crate::wire::reading::{self, End, Reading};
use crate::wire::refusal;

/// What is said of a host that knows nothing of batches.
const NO_API: &str =
    "the host has no Analytics API (404): check the region, the subdomain or `analytics_url`";

/// Operations on their way in batches.
#[derive(Debug)]
pub struct Batch {
    /// What was not sent, or set aside: nothing is known of it.
    pending: VecDeque<Item>,
    /// Among these is one that is refused.
    suspects: VecDeque<Item>,
    /// What was sent, and awaits its answer.
    under_way: Vec<Item>,
    tally: Tally,
    limits: BatchLimits,
    lessons: Lessons,
    portions: Portions,
}

/// What a batch wants next.
#[derive(Debug)]
pub enum BatchStep {
    /// Send this, which carries messages of these operations, and give the answer to [`Batch::on`].
    Ask(Request, Vec<usize>, Box<Batch>),
    /// All has been sent that could be: a verdict for each operation, in their order, and what was learned.
    Done(Vec<Verdict>, Lessons),
}

#[derive(Debug)]
struct Item {
    operation: usize,
    message: AnalyticsMessage,
}

impl Batch {
    /// Begins. `lessons` is what earlier batches of the run learned.
    ///
    /// ```
    /// use coho_vitally::analytics::batch::{Batch, BatchStep};
    /// use coho_vitally::analytics::limits::{Lessons, BatchLimits};
    ///
    /// let nothing = Batch::start(&[], BatchLimits::default(), Lessons::default());
    /// assert!(matches!(nothing, BatchStep::Done(verdicts, _) if verdicts.is_empty()));
    /// ```
    pub fn start(outgoing: &[Outgoing<'_>], limits: BatchLimits, lessons: Lessons) -> BatchStep {
        Self::of(outgoing.iter().map(Messages::of).collect(), limits, lessons)
    }

    /// Begins with what was made of operations before.
    pub fn of(outgoing: Vec<Messages>, limits: BatchLimits, lessons: Lessons) -> BatchStep {
        let mut batch = Self {
            pending: VecDeque::new(),
            suspects: VecDeque::new(),
            under_way: Vec::new(),
            tally: Tally::default(),
            limits,
            lessons,
            portions: Portions::default(),
        };
        for Messages { made, is_unclear } in outgoing {
            let operation = batch.tally.add(is_unclear);
            match made.and_then(|messages| fitting(messages, limits)) {
                Ok(messages) => {
                    let items = messages.into_iter().map(|message| Item { operation, message });
                    batch.pending.extend(items);
                }
                Err(Unfit { code, message }) => {
                    batch.tally.mark(operation, Mark::Refused { code, text: message });
                }
            }
        }
        batch.next()
    }

    /// Goes on with an answer.
    pub fn on(mut self, answer: &Answer) -> BatchStep {
        let items = std::mem::take(&mut self.under_way);
        let text = |reply: &Reply| refusal::text_or_status(reply.status, &reply.body);
        match reading::read(answer) {
            Reading::Fine(reply) => match reading::taken(reply) {
                Ok(()) => self.taken(&items),
                Err(why) => self.end(&items, &Mark::Unsure { why }),
            },
            Reading::Absent(_) => self.halt(&items, Code::UNREACHABLE, NO_API.to_owned()),
            Reading::Refused(reply) if reply.status == 425 => {
                self.end(&items, &Mark::Unsure { why: text(reply) });
            }
            Reading::Refused(reply) => self.refused(items, text(reply)),
            Reading::End(End::TooLarge(text)) => self.too_large(items, text),
            // The other API has a token and perhaps an address of its own: say which one this is about.
            Reading::End(End::Halt(code, message)) => {
                self.halt(&items, code, format!("Analytics API: {message}"));
            }
            Reading::End(End::Unknown(why)) => self.end(&items, &Mark::Unsure { why }),
            Reading::End(End::NotSent(why)) => {
                self.end(&items, &Mark::Unsent { why: format!("Analytics API: {why}") });
            }
        }
        self.next()
    }

    fn next(mut self) -> BatchStep {
        let items = if self.suspects.is_empty() { self.packed() } else { self.half() };
        if items.is_empty() {
            return BatchStep::Done(self.tally.verdicts(), self.lessons);
        }
        let texts: Vec<&str> = items.iter().map(|item| item.message.text.as_str()).collect();
        let request = Request::analytics(BATCH, format!("[{}]", texts.join(",")));
        let mut operations: Vec<usize> = items.iter().map(|item| item.operation).collect();
        operations.dedup();
        self.under_way = items;
        BatchStep::Ask(request, operations, Box::new(self))
    }

    /// As many messages as fit. Two operations on one record never go together: nobody knows which would come first.
    fn packed(&mut self) -> Vec<Item> {
        let most = self.lessons.bytes(self.limits);
        let messages = self.portions.most().min(self.limits.messages.max(1));
        let mut items: Vec<Item> = Vec::new();
        let mut records: BTreeSet<(Kind, String)> = BTreeSet::new();
        let mut bytes = "[]".len();
        while let Some(item) = self.pending.front() {
            let longer = bytes + item.message.text.len() + usize::from(!items.is_empty());
            let is_full = items.len() >= messages || longer > most;
            let is_same = items.last().is_some_and(|last| last.operation == item.operation);
            let record = (item.message.kind, item.message.record.clone());
            let meets = !is_same && records.contains(&record);
            if !items.is_empty() && (is_full || meets) {
                break;
            }
            bytes = longer;
            records.insert(record);
            items.extend(self.pending.pop_front());
        }
        items
    }

    /// The first half of the suspects; the only one, if it is one.
    fn half(&mut self) -> Vec<Item> {
        let half = (self.suspects.len() / 2).max(1);
        self.suspects.drain(..half).collect()
    }

    /// Nothing is known any more of those that were set aside as suspects.
    fn set_aside(&mut self) {
        while let Some(item) = self.suspects.pop_back() {
            self.pending.push_front(item);
        }
    }

    /// If these were the first half of suspects, the one that is refused is among the others, which stay.
    fn taken(&mut self, items: &[Item]) {
        for item in items {
            self.tally.mark(item.operation, Mark::Taken);
            self.lessons.taken(item.message.kind);
        }
        self.portions.taken(items.len());
    }

    fn refused(&mut self, items: Vec<Item>, text: String) {
        self.set_aside();
        if items.len() > 1 {
            for item in &items {
                self.tally.left(item.operation);
            }
            self.suspects = items.into();
            return;
        }
        let Some(item) = items.first() else { return };
        self.portions.refused();
        let kind = item.message.kind;
        let blocked = self.lessons.refused(kind, &text).map(|refused| {
            let kind = kind.as_str();
            format!("Vitally refused all of the first {refused} messages of type `{kind}`: {text}")
        });
        let code = if kind == Kind::Unlink { Code::UNLINK_FAILED } else { Code::REFUSED };
        self.tally.mark(item.operation, Mark::Refused { code, text });
        if let Some(message) = blocked {
            self.halt(&[], Code::TYPE_BLOCKED, message);
        }
    }

    fn too_large(&mut self, items: Vec<Item>, text: String) {
        self.set_aside();
        if let [item] = items.as_slice() {
            self.tally.mark(item.operation, Mark::Refused { code: Code::TOO_LARGE, text });
            return;
        }
        let sent = items.iter().map(|item| item.message.text.len() + 1).sum::<usize>() + 1;
        self.lessons.too_large(sent, self.limits);
        for item in items.into_iter().rev() {
            self.tally.left(item.operation);
            self.pending.push_front(item);
        }
    }

    fn end(&mut self, items: &[Item], mark: &Mark) {
        self.set_aside();
        for item in items {
            self.tally.mark(item.operation, mark.clone());
        }
    }

    /// Nothing more is sent.
    fn halt(&mut self, items: &[Item], code: Code, message: String) {
        self.set_aside();
        let mark = Mark::Halted { code, message };
        self.end(items, &mark);
        for item in std::mem::take(&mut self.pending) {
            self.tally.mark(item.operation, mark.clone());
        }
    }
}

/// How many messages are tried together, by how many were refused so far: where many are, a large batch only fails.
#[derive(Debug, Default)]
struct Portions {
    taken: usize,
    refused: usize,
    /// After the second refusal; doubles with each call that is taken.
    most: Option<usize>,
}

impl Portions {
    fn most(&self) -> usize {
        self.most.unwrap_or(usize::MAX)
    }

    fn taken(&mut self, count: usize) {
        self.taken += count;
        self.most = self.most.map(|most| most.saturating_mul(2));
    }

    /// As many as are taken as a whole about every other time.
    fn refused(&mut self) {
        self.refused += 1;
        if self.refused > 1 {
            self.most = Some(((self.taken + self.refused) * 2 / (self.refused * 3)).max(1));
        }
    }
}

/// The messages, unless one of them is larger than a whole batch may be.
fn fitting(messages: Vec<AnalyticsMessage>, limits: BatchLimits) -> Result<Vec<AnalyticsMessage>, Unfit> {
    let largest = messages.iter().map(|message| message.text.len() + "[]".len()).max().unwrap_or_default();
    if largest <= limits.bytes {
        return Ok(messages);
    }
    let message = format!("the message is {largest} bytes long; the limit is {}", limits.bytes);
    Err(Unfit { code: Code::TOO_LARGE, message })
}
