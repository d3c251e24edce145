//! The table of insert.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | | look-up |
//! | look-up | found; an earlier write is unclear, and it was born after that | Applied: it was ours |
//! | | found | Exists |
//! | | missing | POST |
//! | POST | acknowledged, and the record was born by it | Applied |
//! | | acknowledged, and the record is older: Vitally made the insert an update | Applied as found, with a note |
//! | | refused, may exist | look-up once more; found: as above; missing: Rejected |

use std::time::Duration;

use coho_core::memory::Origin;
use coho_core::verdict::Verdict;

use crate::exchange::origin::{Moment, Reached};
use crate::exchange::post::{self, Post, PostEnd, Written};
use crate::exchange::subject::{Bodies, Subject, wrong_record};
use crate::lookup::{Finding, Lookup};
use crate::request::Answer;
use crate::turn::Turn;

/// Where an exchange stands.
#[derive(Debug)]
pub(crate) enum State {
    /// The record is looked up before anything is written.
    Find(Lookup),
    /// It is being created.
    Post(Post),
    /// It is looked up after a refusal; the verdict if it is not there.
    FindAgain(Lookup, Verdict),
}

type Next = Turn<State, Verdict>;

/// How long the look after a refusal waits for Vitally to see the record.
const WAIT: Duration = Duration::from_millis(250);

pub(crate) fn start(subject: &Subject) -> Next {
    Lookup::begin(subject.object, subject.target.clone(), subject.paths, None)
        .then(State::Find, |_| Turn::End(Verdict::Missing))
}

pub(crate) fn on(state: State, subject: &Subject, bodies: &Bodies, answer: &Answer) -> Next {
    match state {
        State::Find(lookup) => lookup.take(answer).then(State::Find, |finding| match finding {
            Finding::Missing => post::start(subject, bodies).then(State::Post, |end| on_post(subject, end)),
            finding @ (Finding::Found(_) | Finding::Several | Finding::Wrong { .. } | Finding::Failed(_)) => {
                Turn::End(on_found(subject, answer, finding, Verdict::Missing))
            }
        }),
        State::Post(post) => post.on(subject, answer).then(State::Post, |end| on_post(subject, end)),
        State::FindAgain(lookup, otherwise) => match lookup.take(answer) {
            Turn::Ask(request, lookup) => Turn::Ask(request, State::FindAgain(lookup, otherwise)),
            Turn::End(finding) => Turn::End(on_found(subject, answer, finding, otherwise)),
        },
    }
}

fn on_found(subject: &Subject, answer: &Answer, finding: Finding, missing: Verdict) -> Verdict {
    match finding {
        Finding::Found(record) => {
            let origin = Moment::of_answer(answer)
                .map(|moment| moment.origin(&subject.known, Reached::Anew, Some(&record)));
            match origin {
                Some(Origin::Created) => {
                    Verdict::Applied { id: record.id, origin: Origin::Created, notes: Vec::new() }
                }
                Some(Origin::Found) | None => Verdict::Exists,
            }
        }
        Finding::Missing => missing,
        Finding::Several => Verdict::Ambiguous,
        Finding::Wrong { message } => wrong_record(message),
        Finding::Failed(verdict) => subject.not_found_out(verdict),
    }
}

fn on_post(subject: &Subject, end: PostEnd) -> Next {
    match end {
        PostEnd::Written(written) => Turn::End(applied(*written)),
        PostEnd::Exists { otherwise, .. } => {
            match Lookup::later(subject.object, subject.target.clone(), subject.paths, WAIT) {
                Turn::Ask(request, lookup) => Turn::Ask(request, State::FindAgain(lookup, otherwise)),
                Turn::End(_) => Turn::End(otherwise),
            }
        }
        PostEnd::Verdict(verdict) => Turn::End(verdict),
    }
}

fn applied(written: Written) -> Verdict {
    let is_born = written.is_born();
    let mut notes = written.notes;
    let told = written.record.as_ref().is_some_and(|record| record.created_at.is_some());
    if !is_born && told {
        notes.push("the record existed already, and Vitally made the insert an update".to_owned());
    }
    // An answer without a body says nothing of the record's age; the look before found none, yet only proof counts.
    let origin = if is_born { Origin::Created } else { Origin::Found };
    Verdict::Applied { id: written.record.and_then(|record| record.id), origin, notes }
}
