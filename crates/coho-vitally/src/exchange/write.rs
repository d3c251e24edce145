//! Single writes. A POST creates a record, or turns out to be an update; it is never repeated without a look. A PUT updates
//! one, and reads a user's links before it where the body has links.
//!
//! Whether a PUT adds `accountIds` to those that are there or replaces them is not documented: with the union of both,
//! either gives the same.

use coho_core::verdict::Verdict;

use crate::address::{Address, RouteIds};
use crate::ask::Ask;
use crate::exchange::Exchange;
use crate::exchange::origin::Moment;
use crate::exchange::subject::{Bodies, Extent, fitting};
use crate::request::{Reply, Request};
use crate::wire::body::Body;
use crate::wire::reading::{self, End, Reading, read, refused};
use crate::wire::record::Record;
use crate::wire::refusal::{self, Certainty};

/// A write that was acknowledged.
#[derive(Debug)]
pub(crate) struct Written {
    /// The record.
    pub(crate) record: Record,
    /// When.
    pub(crate) moment: Moment,
    /// Whether the record was born by it.
    pub(crate) birth: Birth,
    /// What Vitally did otherwise than asked.
    pub(crate) notes: Vec<String>,
}

/// Whether a record was born by a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// A POST was answered with a record as young as itself, or a PUT with 201.
    Proven,
    /// A PUT was answered with such a record: it may be as young because somebody else made it a moment before.
    Possible,
    /// It is older, or was seen before.
    Unlikely,
}

/// Whether a record was seen before it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existence {
    /// It was.
    Seen,
    /// It was not.
    Unseen,
}

/// What came of a POST.
#[derive(Debug)]
pub(crate) enum Posted {
    /// It was acknowledged.
    Written(Box<Written>),
    /// It was refused, maybe because the record exists.
    Exists {
        /// How sure that is.
        certainty: Certainty,
        /// The verdict if it does not exist.
        refusal: Verdict,
    },
}

/// What came of a PUT.
#[derive(Debug)]
pub(crate) enum Put {
    /// It was acknowledged.
    Written(Box<Written>),
    /// There is no such record.
    Missing,
    /// The route takes only Vitally's ids.
    WantsVitallysId,
    /// It was refused in words that may say that the record is missing; the verdict if it is not.
    Doubtful(Verdict),
}

impl<A: Ask> Exchange<'_, A> {
    /// Creates the record.
    pub(crate) async fn post(&mut self, bodies: &Bodies) -> Result<Posted, Verdict> {
        let body = bodies.create()?;
        let answer = self.asked.ask(Request::post(self.subject.object, fitting(&body)?)).await;
        match read(&answer) {
            Reading::Fine(reply) => {
                self.posted(&body, reply).map(|written| Posted::Written(Box::new(written)))
            }
            Reading::Refused(reply) => match refusal::may_exist(reply.status, &reply.body) {
                Some(certainty) => Ok(Posted::Exists { certainty, refusal: refused(reply) }),
                None => Err(refused(reply)),
            },
            Reading::Absent(reply) => Err(refused(reply)),
            Reading::End(end) => Err(end.of_write()),
        }
    }

    fn posted(&self, body: &Body, reply: &Reply) -> Result<Written, Verdict> {
        let record = reading::record(reply).map_err(End::of_write)?;
        if !self.subject.is_posted(&record) {
            return Err(self.subject.written_elsewhere(&record));
        }
        let mut notes = body.compare(&record);
        if record.external_id.is_some() {
            notes.extend(self.subject.keeps(&record));
        }
        let moment = Moment::of(reply);
        let birth = if moment.bore(&record) { Birth::Proven } else { Birth::Unlikely };
        Ok(Written { record, moment, birth, notes })
    }

    /// Updates the record at an address, which was not seen yet.
    pub(crate) async fn put_unseen(
        &mut self,
        address: Address,
        bodies: &Bodies,
        extent: Extent,
    ) -> Result<Put, Verdict> {
        let body = bodies.update(extent)?;
        if !bodies.wants_links(&body) {
            return self.put(&address, &body, Existence::Unseen).await;
        }
        let answer = self.asked.ask(Request::get(&address)).await;
        let record = match read(&answer) {
            Reading::Absent(_) => return Ok(Put::Missing),
            Reading::Refused(reply) if wants_vitallys_id(&address, reply) => return Ok(Put::WantsVitallysId),
            Reading::Refused(reply) => return Err(self.subject.not_found_out(refused(reply))),
            Reading::Fine(reply) => reading::record(reply).map_err(End::of_read)?,
            Reading::End(end) => return Err(end.of_read()),
        };
        match address {
            _ if self.subject.is_at(&record, &address) => {
                let address = self.subject.address_of(&record);
                self.put(&address, &body.with_links_of(&record), Existence::Seen).await
            }
            // Another record under the remembered id means that the remembered one is no more.
            Address::Id(..) => Ok(Put::Missing),
            Address::External(..) => Err(self.subject.wrong(&record)),
        }
    }

    /// Updates a record that was just looked up.
    pub(crate) async fn put_seen(
        &mut self,
        record: &Record,
        bodies: &Bodies,
        extent: Extent,
    ) -> Result<Put, Verdict> {
        let body = bodies.united(bodies.update(extent)?, record);
        let address = self.subject.address_of(record);
        self.put(&address, &body, Existence::Seen).await
    }

    async fn put(&mut self, address: &Address, body: &Body, existence: Existence) -> Result<Put, Verdict> {
        let answer = self.asked.ask(Request::put(address, fitting(body)?)).await;
        let unseen = existence == Existence::Unseen;
        match read(&answer) {
            Reading::Fine(reply) => {
                let written = self.put_at(address, body, existence, reply)?;
                if let (Address::External(object, _), true) = (address, written.birth == Birth::Unlikely) {
                    self.paths.learn(*object, RouteIds::BothShown);
                }
                Ok(Put::Written(Box::new(written)))
            }
            Reading::Absent(_) => Ok(Put::Missing),
            Reading::Refused(reply) if unseen && wants_vitallys_id(address, reply) => {
                Ok(Put::WantsVitallysId)
            }
            Reading::Refused(reply) if unseen && refusal::may_be_missing(reply.status, &reply.body) => {
                Ok(Put::Doubtful(refused(reply)))
            }
            Reading::Refused(reply) => Err(refused(reply)),
            Reading::End(end) => Err(end.of_write()),
        }
    }

    fn put_at(
        &self,
        address: &Address,
        body: &Body,
        existence: Existence,
        reply: &Reply,
    ) -> Result<Written, Verdict> {
        let record = reading::record(reply).map_err(End::of_write)?;
        if !self.subject.is_at(&record, address) {
            return Err(self.subject.written_elsewhere(&record));
        }
        let moment = Moment::of(reply);
        let birth = match (address, existence) {
            // Vitally gives ids itself: a PUT to one never creates.
            (Address::Id(..), _) | (_, Existence::Seen) => Birth::Unlikely,
            (Address::External(..), Existence::Unseen) if !moment.bore(&record) => Birth::Unlikely,
            (Address::External(..), Existence::Unseen) if reply.status == 201 => Birth::Proven,
            (Address::External(..), Existence::Unseen) => Birth::Possible,
        };
        let notes = body.compare(&record);
        Ok(Written { record, moment, birth, notes })
    }
}

fn wants_vitallys_id(address: &Address, reply: &Reply) -> bool {
    matches!(address, Address::External(..)) && refusal::wants_vitallys_id(reply.status, &reply.body)
}
