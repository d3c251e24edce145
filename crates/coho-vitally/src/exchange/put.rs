//! A PUT: one request that updates a record, and before it one that reads a user's links where the body has links.
//!
//! Whether a PUT adds `accountIds` to those that are there or replaces them is not documented: with the union of both,
//! either gives the same.

use coho_core::verdict::Verdict;

use crate::address::Address;
use crate::exchange::origin::Moment;
use crate::exchange::post::{Sight, Written};
use crate::exchange::subject::{Bodies, Extent, Subject, fitting};
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::body::Body;
use crate::wire::reading::{Reading, read, refused, unreadable, written};
use crate::wire::record::Record;
use crate::wire::refusal;

/// A PUT under way.
#[derive(Debug)]
pub(crate) struct Put {
    address: Address,
    body: Body,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The user's links are being read.
    Links,
    /// The record is being written; whether it was seen before.
    Write(Sight),
}

/// What came of a PUT.
#[derive(Debug)]
pub(crate) enum PutEnd {
    /// It was acknowledged.
    Written(Box<Written>),
    /// There is no such record.
    Missing,
    /// The route takes only Vitally's ids.
    WantsVitallysId,
    /// It was refused in words that may say that the record is missing; the verdict if it is not.
    Doubtful(Verdict),
    /// Anything else.
    Verdict(Verdict),
}

/// Begins with a record that was not seen yet.
pub(crate) fn start(address: Address, bodies: &Bodies, extent: Extent) -> Turn<Put, PutEnd> {
    match bodies.update(extent) {
        Err(verdict) => Turn::End(PutEnd::Verdict(verdict)),
        Ok(body) if bodies.wants_links(&body) => {
            let request = Request::get(&address);
            Turn::Ask(request, Put { address, body, stage: Stage::Links })
        }
        Ok(body) => Put { address, body, stage: Stage::Write(Sight::Unseen) }.write(),
    }
}

/// Begins with a record that was just looked up.
pub(crate) fn start_with(
    subject: &Subject,
    record: &Record,
    bodies: &Bodies,
    extent: Extent,
) -> Turn<Put, PutEnd> {
    match bodies.update(extent) {
        Err(verdict) => Turn::End(PutEnd::Verdict(verdict)),
        Ok(body) => {
            let body = bodies.united(body, record);
            Put { address: subject.address_of(record), body, stage: Stage::Write(Sight::Seen) }.write()
        }
    }
}

impl Put {
    pub(crate) fn on(self, subject: &Subject, answer: &Answer) -> Turn<Self, PutEnd> {
        match self.stage {
            Stage::Links => self.on_links(subject, answer),
            Stage::Write(sight) => Turn::End(self.on_write(subject, answer, sight)),
        }
    }

    fn write(self) -> Turn<Self, PutEnd> {
        match fitting(&self.body) {
            Ok(text) => Turn::Ask(Request::put(&self.address, text), self),
            Err(verdict) => Turn::End(PutEnd::Verdict(verdict)),
        }
    }

    fn on_links(self, subject: &Subject, answer: &Answer) -> Turn<Self, PutEnd> {
        match read(answer) {
            Reading::Absent(_) => Turn::End(PutEnd::Missing),
            Reading::Refused(reply) if self.wants_vitallys_id(reply.status, &reply.body) => {
                Turn::End(PutEnd::WantsVitallysId)
            }
            Reading::Fine(reply) => match Record::parse(&reply.body) {
                Some(record) if subject.is_at(&record, &self.address) => {
                    let stage = Stage::Write(Sight::Seen);
                    let body = self.body.with_links_of(&record);
                    // An answer without an id is that of the record that was asked for.
                    let address =
                        if record.id.is_some() { subject.address_of(&record) } else { self.address };
                    Self { address, body, stage }.write()
                }
                Some(record) => Turn::End(self.other(subject, &record)),
                None => Turn::End(PutEnd::Verdict(unreadable(reply).of_read())),
            },
            Reading::Refused(reply) => Turn::End(PutEnd::Verdict(subject.not_found_out(refused(reply)))),
            Reading::End(end) => Turn::End(PutEnd::Verdict(end.of_read())),
        }
    }

    /// Another record under the remembered id means that the remembered one is no more.
    fn other(&self, subject: &Subject, record: &Record) -> PutEnd {
        match self.address {
            Address::Id(..) => PutEnd::Missing,
            Address::External(..)
            | Address::All(_)
            | Address::Search(_)
            | Address::Email(_)
            | Address::CustomFields(_)
            | Address::Page(..) => PutEnd::Verdict(subject.wrong(record)),
        }
    }

    fn on_write(self, subject: &Subject, answer: &Answer, sight: Sight) -> PutEnd {
        match read(answer) {
            Reading::Fine(reply) => match written(reply) {
                Ok(Some(record)) if !subject.is_at(&record, &self.address) => {
                    PutEnd::Verdict(subject.wrong(&record))
                }
                Ok(record) => {
                    let notes = record.as_ref().map(|record| self.body.compare(record)).unwrap_or_default();
                    // Vitally gives ids itself: a PUT to one never creates.
                    let sight = if matches!(self.address, Address::Id(..)) { Sight::Seen } else { sight };
                    PutEnd::Written(Box::new(Written { record, moment: Moment::of(reply), sight, notes }))
                }
                Err(_) => PutEnd::Verdict(unreadable(reply).of_write()),
            },
            Reading::Absent(_) => PutEnd::Missing,
            Reading::Refused(reply)
                if sight == Sight::Unseen && self.wants_vitallys_id(reply.status, &reply.body) =>
            {
                PutEnd::WantsVitallysId
            }
            Reading::Refused(reply)
                if sight == Sight::Unseen && refusal::may_be_missing(reply.status, &reply.body) =>
            {
                PutEnd::Doubtful(refused(reply))
            }
            Reading::Refused(reply) => PutEnd::Verdict(refused(reply)),
            Reading::End(end) => PutEnd::Verdict(end.of_write()),
        }
    }

    fn wants_vitallys_id(&self, status: u16, body: &str) -> bool {
        matches!(self.address, Address::External(..)) && refusal::wants_vitallys_id(status, body)
    }
}
