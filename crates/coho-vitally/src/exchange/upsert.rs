//! The table of upsert and update.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | matched by e-mail, id not remembered | look-up: the address; where it changes, the old one; where an earlier write is unclear, the external id |
//! | | matched by e-mail, id remembered, the address changes | look-up: the new address |
//! | | upsert, believed new | POST |
//! | | known, assumed, unclear, or update | PUT; where the path will not do, look-up |
//! | POST | acknowledged | Applied |
//! | | refused, may exist | look-up, up to three times; found: PUT all fields; missing: Rejected |
//! | PUT | acknowledged | Applied; where it created the record from a part of its fields: PUT all fields |
//! | | missing under a remembered id | look-up: the record may have been deleted and made again |
//! | | missing under the external id, or after a look-up | upsert: POST; update: Missing |
//! | | the path wants Vitally's id | look-up |
//! | | refused, may be missing | look-up: missing: as above; found: Rejected |
//! | look-up | of a new address: nobody else has it | PUT |
//! | | of a new address: another record has it | Rejected `ambiguous-match` |
//! | | several | Ambiguous |
//! | | found | PUT |
//! | | missing | upsert: POST; update: Missing |
//!
//! A POST happens at most once in an exchange, so that all of this ends. A record that an address found may have another
//! external id: it keeps it, and a note says so. After Applied, [`crate::exchange::exact`] takes links away where the sync
//! wants that.

use std::time::Duration;

use coho_core::code::Code;
use coho_core::memory::{Origin, Time};
use coho_core::operation::Known;
use coho_core::value::preview;
use coho_core::verdict::Verdict;

use crate::address::Address;
use crate::exchange::ending::{Applied, Ending, Links};
use crate::exchange::find::{Find, Seek};
use crate::exchange::origin::Reached;
use crate::exchange::post::{self, Post, PostEnd, Written};
use crate::exchange::put::{self, Put, PutEnd};
use crate::exchange::subject::{Bodies, Extent, Subject, wrong_record};
use crate::lookup::Finding;
use crate::request::Answer;
use crate::turn::Turn;
use crate::wire::record::Record;

/// What becomes of a record that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Upsert.
    IsCreated,
    /// Update.
    IsLeft,
}

/// Where an exchange stands.
#[derive(Debug)]
pub(crate) struct State {
    way: Way,
    stage: Stage,
}

/// How an exchange came to where it stands.
#[derive(Clone, Debug)]
struct Way {
    absent: Absent,
    posted: Posted,
    reached: Reached,
    extent: Extent,
    /// What is to be told of the record that was found.
    notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Posted {
    Not,
    Refused,
}

#[derive(Debug)]
enum Stage {
    Post(Post),
    Put(Put, By),
    Find(Find, Because),
    /// A PUT made the record from the fields that differ: it gets all others.
    Fill(Put, Box<First>),
}

/// What the answer told that showed an incomplete record.
#[derive(Debug)]
struct First {
    record: Record,
    at: Time,
    notes: Vec<String>,
}

/// How a PUT addresses its record.
#[derive(Clone, Copy, Debug)]
enum By {
    /// By an id that is remembered.
    RememberedId,
    /// By its external id, or as it was just found.
    Sight,
}

/// Why a record is looked up.
#[derive(Clone, Debug)]
enum Because {
    /// An e-mail address finds it.
    Sought,
    /// Its e-mail address changes: somebody else may have the new one.
    Moved,
    /// There is no record under the remembered id.
    Stale,
    /// The path does not take its external id.
    Path,
    /// A PUT was refused with this verdict, and may have meant that the record is missing.
    Doubt(Verdict),
    /// A POST was refused with this verdict, and may have meant that the record exists; so many looks are left.
    Exists(Verdict, u8),
}

type Next = Turn<State, Ending>;

/// How long the second and third look wait for Vitally to see a record that exists.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(250)];

pub(crate) fn start(subject: &Subject, bodies: &Bodies, absent: Absent) -> Next {
    let extent = match subject.known {
        Known::Unclear { .. } => Extent::Complete,
        Known::New | Known::There { .. } | Known::Assumed => Extent::Change,
    };
    let reached = match subject.known {
        Known::New => Reached::Anew,
        Known::Unclear { .. } | Known::There { .. } | Known::Assumed => Reached::Remembered,
    };
    let way = Way { absent, posted: Posted::Not, reached, extent, notes: Vec::new() };
    match (&subject.email, &subject.id, absent, &subject.known) {
        (Some(_), None, _, _) => way.find(subject, bodies, Because::Sought, Duration::ZERO),
        (Some(email), Some(_), _, _) if email.before.is_some() => {
            way.find(subject, bodies, Because::Moved, Duration::ZERO)
        }
        (None, _, Absent::IsCreated, Known::New) => way.post(subject, bodies),
        (Some(_) | None, _, Absent::IsCreated | Absent::IsLeft, _) => way.put(subject, bodies),
    }
}

pub(crate) fn on(state: State, subject: &Subject, bodies: &Bodies, answer: &Answer) -> Next {
    let State { way, stage } = state;
    match stage {
        Stage::Post(post) => match post.on(subject, answer) {
            Turn::Ask(request, post) => Turn::Ask(request, State { way, stage: Stage::Post(post) }),
            Turn::End(end) => way.on_post(subject, bodies, end),
        },
        Stage::Put(put, by) => match put.on(subject, answer) {
            Turn::Ask(request, put) => Turn::Ask(request, State { way, stage: Stage::Put(put, by) }),
            Turn::End(end) => way.on_put(subject, bodies, end, by),
        },
        Stage::Find(find, because) => match find.take(subject, answer) {
            Turn::Ask(request, find) => Turn::Ask(request, State { way, stage: Stage::Find(find, because) }),
            Turn::End(finding) => way.on_finding(subject, bodies, finding, because),
        },
        Stage::Fill(put, first) => match put.on(subject, answer) {
            Turn::Ask(request, put) => Turn::Ask(request, State { way, stage: Stage::Fill(put, first) }),
            Turn::End(end) => Turn::End(filled(end, *first)),
        },
    }
}

impl Way {
    fn post(self, subject: &Subject, bodies: &Bodies) -> Next {
        match post::start(subject, bodies) {
            Turn::Ask(request, post) => Turn::Ask(request, State { way: self, stage: Stage::Post(post) }),
            Turn::End(end) => self.on_post(subject, bodies, end),
        }
    }

    fn on_post(self, subject: &Subject, bodies: &Bodies, end: PostEnd) -> Next {
        match end {
            PostEnd::Written(written) => {
                let way = Self { reached: Reached::Anew, ..self };
                Turn::End(way.applied(subject, *written))
            }
            PostEnd::Exists { looks, otherwise } => {
                let way = Self { posted: Posted::Refused, reached: Reached::Anew, ..self };
                way.find(subject, bodies, Because::Exists(otherwise, looks - 1), Duration::ZERO)
            }
            PostEnd::Verdict(verdict) => ended(verdict),
        }
    }

    /// Addresses the record by what is known of it.
    fn put(self, subject: &Subject, bodies: &Bodies) -> Next {
        let Some(address) = subject.address() else {
            return self.find(subject, bodies, Because::Path, Duration::ZERO);
        };
        let by = if matches!(address, Address::Id(..)) { By::RememberedId } else { By::Sight };
        let turn = put::start(address, bodies, self.extent);
        self.go_on(turn, subject, bodies, by)
    }

    fn put_found(mut self, subject: &Subject, bodies: &Bodies, record: &Record) -> Next {
        self.notes.extend(subject.keeps(record));
        self.put_seen(subject, bodies, record)
    }

    fn put_seen(self, subject: &Subject, bodies: &Bodies, record: &Record) -> Next {
        let turn = put::start_with(subject, record, bodies, self.extent);
        self.go_on(turn, subject, bodies, By::Sight)
    }

    fn go_on(self, turn: Turn<Put, PutEnd>, subject: &Subject, bodies: &Bodies, by: By) -> Next {
        match turn {
            Turn::Ask(request, put) => Turn::Ask(request, State { way: self, stage: Stage::Put(put, by) }),
            Turn::End(end) => self.on_put(subject, bodies, end, by),
        }
    }

    fn on_put(self, subject: &Subject, bodies: &Bodies, end: PutEnd, by: By) -> Next {
        let because = match (end, by) {
            (PutEnd::Written(written), _) => return self.on_written(subject, bodies, *written),
            (PutEnd::Missing, By::Sight) => return self.on_missing(subject, bodies),
            (PutEnd::Verdict(verdict), _) => return ended(verdict),
            (PutEnd::Missing, By::RememberedId) => Because::Stale,
            (PutEnd::WantsVitallysId, _) => Because::Path,
            (PutEnd::Doubtful(verdict), _) => Because::Doubt(verdict),
        };
        self.find(subject, bodies, because, Duration::ZERO)
    }

    /// A PUT that created its record from a part of the fields left it incomplete.
    fn on_written(self, subject: &Subject, bodies: &Bodies, written: Written) -> Next {
        let is_part = self.extent == Extent::Change && bodies.change_is_partial();
        match &written.record {
            Some(record) if is_part && written.is_born() => {
                let at = written.moment.asked();
                let first = Box::new(First { record: record.clone(), at, notes: written.notes });
                match put::start_with(subject, &first.record, bodies, Extent::Complete) {
                    Turn::Ask(request, put) => {
                        Turn::Ask(request, State { way: self, stage: Stage::Fill(put, first) })
                    }
                    Turn::End(end) => Turn::End(filled(end, *first)),
                }
            }
            Some(_) | None => Turn::End(self.applied(subject, written)),
        }
    }

    fn on_missing(self, subject: &Subject, bodies: &Bodies) -> Next {
        match (self.absent, self.posted) {
            (Absent::IsLeft, _) => ended(Verdict::Missing),
            (Absent::IsCreated, Posted::Not) => self.post(subject, bodies),
            (Absent::IsCreated, Posted::Refused) => {
                let why = "Vitally says of the record both that it exists and that it does not".to_owned();
                ended(Verdict::Unsent { why })
            }
        }
    }

    fn find(self, subject: &Subject, bodies: &Bodies, because: Because, after: Duration) -> Next {
        let seeks = match &because {
            Because::Path if subject.address().is_some() => {
                vec![Seek::Target(subject.paths.only_vitallys(subject.object))]
            }
            Because::Sought | Because::Path | Because::Stale | Because::Doubt(_) => subject.seeks(),
            Because::Moved => subject.seeks_address(),
            Because::Exists(..) => subject.seeks_again(),
        };
        match Find::start(subject, seeks, after) {
            Turn::Ask(request, find) => {
                Turn::Ask(request, State { way: self, stage: Stage::Find(find, because) })
            }
            Turn::End(finding) => self.on_finding(subject, bodies, finding, because),
        }
    }

    fn on_finding(self, subject: &Subject, bodies: &Bodies, finding: Finding, because: Because) -> Next {
        match finding {
            Finding::Found(record) => self.on_found(subject, bodies, &record, because),
            Finding::Missing => self.on_none(subject, bodies, because),
            Finding::Several => ended(Verdict::Ambiguous),
            Finding::Wrong { message } => ended(wrong_record(message)),
            Finding::Failed(verdict) => ended(subject.not_found_out(verdict)),
        }
    }

    fn on_found(self, subject: &Subject, bodies: &Bodies, record: &Record, because: Because) -> Next {
        match because {
            Because::Doubt(verdict) if !is_other(subject, record) => ended(verdict),
            Because::Moved if is_other(subject, record) => ended(taken(subject, record)),
            Because::Path => self.put_found(subject, bodies, record),
            // The record is remembered, and so is whatever there is to tell of it.
            Because::Moved => self.put_seen(subject, bodies, record),
            Because::Sought if self.reached == Reached::Remembered && subject.has_target(record) => {
                self.put_found(subject, bodies, record)
            }
            Because::Sought | Because::Stale | Because::Doubt(_) | Because::Exists(..) => {
                let way = Self { reached: Reached::Anew, extent: Extent::Complete, ..self };
                way.put_found(subject, bodies, record)
            }
        }
    }

    fn on_none(self, subject: &Subject, bodies: &Bodies, because: Because) -> Next {
        match because {
            Because::Exists(verdict, left) => match left.checked_sub(1) {
                None => ended(verdict),
                Some(left) => {
                    let wait = WAITS.get(usize::from(left)).copied().unwrap_or_default();
                    self.find(subject, bodies, Because::Exists(verdict, left), wait)
                }
            },
            Because::Moved => self.put(subject, bodies),
            Because::Sought | Because::Stale | Because::Path | Because::Doubt(_) => {
                self.on_missing(subject, bodies)
            }
        }
    }

    fn applied(self, subject: &Subject, written: Written) -> Ending {
        let mut notes = self.notes;
        notes.extend(written.notes.iter().cloned());
        let is_born = written.is_born();
        let origin = if is_born {
            Origin::Created
        } else {
            written.moment.origin(&subject.known, self.reached, written.record.as_ref())
        };
        if self.absent == Absent::IsLeft && is_born {
            notes.push("there was no such record, and Vitally created it for an update".to_owned());
        }
        notes.dedup();
        let is_linked_anew =
            self.extent == Extent::Complete || subject.exact.as_ref().is_some_and(|exact| exact.is_changed);
        let remembered = match self.reached {
            Reached::Remembered => subject.id.clone(),
            Reached::Anew => None,
        };
        Ending::Applied(Box::new(Applied {
            id: written.record.as_ref().and_then(|record| record.id.clone()).or(remembered),
            origin,
            notes,
            at: written.moment.asked(),
            links: if is_linked_anew && !is_born { Links::Unknown } else { Links::Known },
            record: written.record,
        }))
    }
}

/// Whether a record has another id than the remembered one: that one was deleted, and this one made in its place.
fn is_other(subject: &Subject, record: &Record) -> bool {
    matches!((&subject.id, &record.id), (Some(remembered), Some(found)) if remembered != found)
}

/// The verdict where the new e-mail address of a record is that of another one.
fn taken(subject: &Subject, record: &Record) -> Verdict {
    let address = subject.email.as_ref().map(|email| preview(&email.address)).unwrap_or_default();
    let holder = match &record.external_id {
        Some(external_id) => format!("the {} {}", subject.object, preview(external_id)),
        None => format!("a {} without external id", subject.object),
    };
    let message = format!("{holder} has the e-mail address {address} in Vitally already");
    Verdict::Rejected { code: Code::AMBIGUOUS_MATCH, message }
}

fn ended(verdict: Verdict) -> Next {
    Turn::End(Ending::Verdict(verdict))
}

/// The first PUT created the record, so whatever the second says, it is ours.
fn filled(end: PutEnd, first: First) -> Ending {
    let First { record, at, mut notes } = first;
    Ending::Verdict(match end {
        PutEnd::Written(written) => {
            notes.extend(written.notes);
            notes.dedup();
            let record = written.record.unwrap_or(record);
            let (id, origin, links) = (record.id.clone(), Origin::Created, Links::Known);
            let record = Some(record);
            return Ending::Applied(Box::new(Applied { id, origin, notes, record, at, links }));
        }
        PutEnd::Verdict(
            Verdict::Unsent { why } | Verdict::Halt { message: why, .. } | Verdict::Deferred { message: why },
        ) => Verdict::Unsure { why },
        PutEnd::Verdict(verdict) | PutEnd::Doubtful(verdict) => verdict,
        PutEnd::Missing | PutEnd::WantsVitallysId => {
            Verdict::Unsure { why: "the record was created and then not found".to_owned() }
        }
    })
}
