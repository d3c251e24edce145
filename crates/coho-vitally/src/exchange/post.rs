//! A POST: one request that creates a record, or turns out to be an update. It is never repeated without a look.

use coho_core::verdict::Verdict;

use crate::address::Address;
use crate::exchange::origin::Moment;
use crate::exchange::subject::{Bodies, Subject, fitting};
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::body::Body;
use crate::wire::reading::{Reading, read, refused, unreadable, written};
use crate::wire::record::Record;
use crate::wire::refusal::{Hint, hint};

/// A POST under way.
#[derive(Debug)]
pub(crate) struct Post {
    body: Body,
}

/// A write that was acknowledged.
#[derive(Debug)]
pub(crate) struct Written {
    /// The record, where the answer has it.
    pub(crate) record: Option<Record>,
    /// When.
    pub(crate) moment: Moment,
    /// Whether the record is known to have been there before.
    pub(crate) sight: Sight,
    /// What Vitally did otherwise than asked.
    pub(crate) notes: Vec<String>,
}

/// Whether a record was seen before it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It was.
    Seen,
    /// It was not.
    Unseen,
}

impl Written {
    /// Whether the record was born by this write. The clocks alone cannot tell a record that was made a moment before.
    pub(crate) fn is_born(&self) -> bool {
        self.sight == Sight::Unseen && self.moment.bore(self.record.as_ref())
    }
}

/// What came of a POST.
#[derive(Debug)]
pub(crate) enum PostEnd {
    /// It was acknowledged.
    Written(Box<Written>),
    /// It was refused, maybe because the record exists.
    Exists {
        /// How many looks are worth while: a record that was just created may not be seen at once.
        looks: u8,
        /// The verdict if it does not.
        otherwise: Verdict,
    },
    /// Anything else.
    Verdict(Verdict),
}

pub(crate) fn start(subject: &Subject, bodies: &Bodies) -> Turn<Post, PostEnd> {
    let prepared = bodies.create().and_then(|body| Ok((fitting(&body)?, body)));
    match prepared {
        Ok((text, body)) => Turn::Ask(Request::post(&Address::All(subject.object), text), Post { body }),
        Err(verdict) => Turn::End(PostEnd::Verdict(verdict)),
    }
}

impl Post {
    pub(crate) fn on(self, subject: &Subject, answer: &Answer) -> Turn<Self, PostEnd> {
        let end = match read(answer) {
            Reading::Fine(reply) => match written(reply) {
                Ok(Some(record)) if !subject.is_posted(&record) => PostEnd::Verdict(subject.wrong(&record)),
                Ok(record) => {
                    let mut notes =
                        record.as_ref().map(|record| self.body.compare(record)).unwrap_or_default();
                    let other = record.as_ref().filter(|record| record.external_id.is_some());
                    notes.extend(other.and_then(|record| subject.keeps(record)));
                    let moment = Moment::of(reply);
                    PostEnd::Written(Box::new(Written { record, moment, sight: Sight::Unseen, notes }))
                }
                Err(_) => PostEnd::Verdict(unreadable(reply).of_write()),
            },
            Reading::Refused(reply) => match hint(reply.status, &reply.body) {
                Hint::Exists => PostEnd::Exists { looks: 3, otherwise: refused(reply) },
                Hint::Unclear => PostEnd::Exists { looks: 1, otherwise: refused(reply) },
                Hint::None => PostEnd::Verdict(refused(reply)),
            },
            Reading::Absent(reply) => PostEnd::Verdict(refused(reply)),
            Reading::End(end) => PostEnd::Verdict(end.of_write()),
        };
        Turn::End(end)
    }
}
