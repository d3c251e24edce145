//! The table of upsert and update.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | upsert, believed new | POST |
//! | | known, assumed, unclear, or update | PUT; where the path will not do, look-up |
//! | POST | acknowledged | Applied |
//! | | refused, may exist | look-up, up to three times; found: PUT all fields; missing: Rejected |
//! | PUT | acknowledged | Applied; where it created the record from a part of its fields: PUT all fields |
//! | | missing under a remembered id | look-up: the record may have been deleted and made again |
//! | | missing under the external id, or after a look-up | upsert: POST; update: Missing |
//! | | the path wants Vitally's id | look-up |
//! | | refused, may be missing | look-up: missing: as above; found: Rejected |
//! | look-up | found | PUT |
//! | | missing | upsert: POST; update: Missing |
//!
//! A POST happens at most once in an exchange, so that all of this ends.

use std::time::Duration;

use coho_core::memory::Origin;
use coho_core::operation::Known;
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;

use crate::address::{Address, Paths};
use crate::exchange::origin::Reached;
use crate::exchange::post::{self, Post, PostEnd, Written};
use crate::exchange::put::{self, Put, PutEnd};
use crate::exchange::subject::{Bodies, Extent, Subject, wrong_record};
use crate::lookup::{Finding, Lookup};
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
#[derive(Clone, Copy, Debug)]
struct Way {
    absent: Absent,
    posted: Posted,
    reached: Reached,
    extent: Extent,
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
    Find(Lookup, Because),
    /// A PUT made the record from the fields that differ: it gets all others. What the first answer told.
    Fill(Put, Option<VitallyId>, Vec<String>),
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
    /// There is no record under the remembered id.
    Stale,
    /// The path does not take its external id.
    Path,
    /// A PUT was refused with this verdict, and may have meant that the record is missing.
    Doubt(Verdict),
    /// A POST was refused with this verdict, and may have meant that the record exists; so many looks are left.
    Exists(Verdict, u8),
}

type Next = Turn<State, Verdict>;

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
    let way = Way { absent, posted: Posted::Not, reached, extent };
    match (absent, &subject.known) {
        (Absent::IsCreated, Known::New) => way.post(subject, bodies),
        (Absent::IsCreated | Absent::IsLeft, _) => way.put(subject, bodies),
    }
}

pub(crate) fn on(state: State, subject: &Subject, bodies: &Bodies, answer: &Answer) -> Next {
    let State { way, stage } = state;
    match stage {
        Stage::Post(post) => post
            .on(subject, answer)
            .then(|post| State { way, stage: Stage::Post(post) }, |end| way.on_post(subject, end)),
        Stage::Put(put, by) => put.on(subject, answer).then(
            |put| State { way, stage: Stage::Put(put, by) },
            |end| way.on_put(subject, bodies, end, by),
        ),
        Stage::Find(lookup, because) => {
            let why = because.clone();
            lookup.take(answer).then(
                |lookup| State { way, stage: Stage::Find(lookup, because) },
                |finding| way.on_finding(subject, bodies, finding, why),
            )
        }
        Stage::Fill(put, id, notes) => match put.on(subject, answer) {
            Turn::Ask(request, put) => Turn::Ask(request, State { way, stage: Stage::Fill(put, id, notes) }),
            Turn::End(end) => Turn::End(filled(end, id, notes)),
        },
    }
}

impl Way {
    fn post(self, subject: &Subject, bodies: &Bodies) -> Next {
        post::start(subject, bodies)
            .then(|post| State { way: self, stage: Stage::Post(post) }, |end| self.on_post(subject, end))
    }

    fn on_post(self, subject: &Subject, end: PostEnd) -> Next {
        match end {
            PostEnd::Written(written) => {
                let way = Self { reached: Reached::Anew, ..self };
                Turn::End(way.applied(subject, *written))
            }
            PostEnd::Exists { looks, otherwise } => {
                let way = Self { posted: Posted::Refused, reached: Reached::Anew, ..self };
                way.find(subject, Because::Exists(otherwise, looks - 1), Duration::ZERO)
            }
            PostEnd::Verdict(verdict) => Turn::End(verdict),
        }
    }

    /// Addresses the record by what is known of it.
    fn put(self, subject: &Subject, bodies: &Bodies) -> Next {
        let Some(address) = subject.address() else {
            return self.find(subject, Because::Path, Duration::ZERO);
        };
        let by = if matches!(address, Address::Id(..)) { By::RememberedId } else { By::Sight };
        put::start(address, bodies, self.extent).then(
            |put| State { way: self, stage: Stage::Put(put, by) },
            |end| self.on_put(subject, bodies, end, by),
        )
    }

    fn put_found(self, subject: &Subject, bodies: &Bodies, record: &Record) -> Next {
        put::start_with(subject, record, bodies, self.extent).then(
            |put| State { way: self, stage: Stage::Put(put, By::Sight) },
            |end| self.on_put(subject, bodies, end, By::Sight),
        )
    }

    fn on_put(self, subject: &Subject, bodies: &Bodies, end: PutEnd, by: By) -> Next {
        match (end, by) {
            (PutEnd::Written(written), _) => self.on_written(subject, bodies, *written),
            (PutEnd::Missing, By::RememberedId) => self.find(subject, Because::Stale, Duration::ZERO),
            (PutEnd::Missing, By::Sight) => self.on_missing(subject, bodies),
            (PutEnd::WantsVitallysId, _) => self.find(subject, Because::Path, Duration::ZERO),
            (PutEnd::Doubtful(verdict), _) => self.find(subject, Because::Doubt(verdict), Duration::ZERO),
            (PutEnd::Verdict(verdict), _) => Turn::End(verdict),
        }
    }

    /// A PUT that created its record from a part of the fields left it incomplete.
    fn on_written(self, subject: &Subject, bodies: &Bodies, written: Written) -> Next {
        let is_part = self.extent == Extent::Change && bodies.change_is_partial();
        match &written.record {
            Some(record) if is_part && written.is_born() => {
                let notes = written.notes;
                put::start_with(subject, record, bodies, Extent::Complete).then(
                    |put| State { way: self, stage: Stage::Fill(put, record.id.clone(), notes) },
                    |end| Turn::End(filled(end, record.id.clone(), Vec::new())),
                )
            }
            Some(_) | None => Turn::End(self.applied(subject, written)),
        }
    }

    fn on_missing(self, subject: &Subject, bodies: &Bodies) -> Next {
        match (self.absent, self.posted) {
            (Absent::IsLeft, _) => Turn::End(Verdict::Missing),
            (Absent::IsCreated, Posted::Not) => self.post(subject, bodies),
            (Absent::IsCreated, Posted::Refused) => {
                let why = "Vitally says of the record both that it exists and that it does not".to_owned();
                Turn::End(Verdict::Unsent { why })
            }
        }
    }

    fn find(self, subject: &Subject, because: Because, after: Duration) -> Next {
        let paths: Paths = match because {
            Because::Path => subject.paths.only_vitallys(subject.object),
            Because::Stale | Because::Doubt(_) | Because::Exists(..) => subject.paths,
        };
        let paths = if subject.address().is_none() { subject.paths } else { paths };
        let turn = Lookup::later(subject.object, subject.target.clone(), paths, after);
        match turn {
            Turn::Ask(request, lookup) => {
                Turn::Ask(request, State { way: self, stage: Stage::Find(lookup, because) })
            }
            Turn::End(_) => Turn::End(Verdict::Missing),
        }
    }

    fn on_finding(self, subject: &Subject, bodies: &Bodies, finding: Finding, because: Because) -> Next {
        match (finding, because) {
            (Finding::Found(record), Because::Doubt(verdict)) if !is_other(subject, &record) => {
                Turn::End(verdict)
            }
            (Finding::Found(record), Because::Path) => self.put_found(subject, bodies, &record),
            (Finding::Found(record), Because::Stale | Because::Doubt(_) | Because::Exists(..)) => {
                let way = Self { reached: Reached::Anew, extent: Extent::Complete, ..self };
                way.put_found(subject, bodies, &record)
            }
            (Finding::Missing, Because::Exists(verdict, left)) => match left.checked_sub(1) {
                None => Turn::End(verdict),
                Some(left) => {
                    let wait = WAITS.get(usize::from(left)).copied().unwrap_or_default();
                    self.find(subject, Because::Exists(verdict, left), wait)
                }
            },
            (Finding::Missing, Because::Stale | Because::Path | Because::Doubt(_)) => {
                self.on_missing(subject, bodies)
            }
            (Finding::Several, _) => Turn::End(Verdict::Ambiguous),
            (Finding::Wrong { message }, _) => Turn::End(wrong_record(message)),
            (Finding::Failed(verdict), _) => Turn::End(subject.not_found_out(verdict)),
        }
    }

    fn applied(self, subject: &Subject, mut written: Written) -> Verdict {
        let origin = if written.is_born() {
            Origin::Created
        } else {
            written.moment.origin(&subject.known, self.reached, written.record.as_ref())
        };
        if self.absent == Absent::IsLeft && written.is_born() {
            written.notes.push("there was no such record, and Vitally created it for an update".to_owned());
        }
        let id = written.record.and_then(|record| record.id).or_else(|| self.remembered(subject));
        Verdict::Applied { id, origin, notes: written.notes }
    }

    fn remembered(self, subject: &Subject) -> Option<VitallyId> {
        match self.reached {
            Reached::Remembered => subject.id.clone(),
            Reached::Anew => None,
        }
    }
}

/// Whether a record has another id than the remembered one: that one was deleted, and this one made in its place.
fn is_other(subject: &Subject, record: &Record) -> bool {
    matches!((&subject.id, &record.id), (Some(remembered), Some(found)) if remembered != found)
}

/// The first PUT created the record, so whatever the second says, it is ours.
fn filled(end: PutEnd, id: Option<VitallyId>, mut notes: Vec<String>) -> Verdict {
    match end {
        PutEnd::Written(written) => {
            notes.extend(written.notes);
            notes.dedup();
            let id = written.record.and_then(|record| record.id).or(id);
            Verdict::Applied { id, origin: Origin::Created, notes }
        }
        PutEnd::Verdict(
            Verdict::Unsent { why } | Verdict::Halt { message: why, .. } | Verdict::Deferred { message: why },
        ) => Verdict::Unsure { why },
        PutEnd::Verdict(verdict) | PutEnd::Doubtful(verdict) => verdict,
        PutEnd::Missing | PutEnd::WantsVitallysId => {
            Verdict::Unsure { why: "the record was created and then not found".to_owned() }
        }
    }
}
