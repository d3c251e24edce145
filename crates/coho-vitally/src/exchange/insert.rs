//! The table of insert.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | | look-up: the external id; matched by e-mail, the address |
//! | look-up | found; an earlier write is unclear, and it was born after that | Applied: it was ours |
//! | | found | Exists |
//! | | missing | POST |
//! | POST | acknowledged, and the record was born by it | Applied |
//! | | acknowledged, and the record is older: Vitally made the insert an update | Applied as found, with a note |
//! | | refused, may exist | look-up once more; found: as above; missing: Rejected |

use std::time::Duration;

use coho_core::memory::Origin;
use coho_core::operation::Known;
use coho_core::verdict::Verdict;

use crate::exchange::find::Find;
use crate::exchange::origin::{Moment, Reached};
use crate::exchange::post::{self, Post, PostEnd, Written};
use crate::exchange::subject::{Bodies, Subject, wrong_record};
use crate::lookup::Finding;
use crate::request::Answer;
use crate::turn::Turn;

/// Where an exchange stands.
#[derive(Debug)]
pub(crate) enum State {
    /// The record is looked up before anything is written.
    Find(Find),
    /// It is being created.
    Post(Post),
    /// It is looked up after a refusal; the verdict if it is not there.
    FindAgain(Find, Verdict),
}

type Next = Turn<State, Verdict>;

/// How long the look after a refusal waits for Vitally to see the record.
const WAIT: Duration = Duration::from_millis(250);

pub(crate) fn start(subject: &Subject, bodies: &Bodies) -> Next {
    // Whether a record is ours is told by the clocks, and only an answer has Vitally's.
    let asked = match &subject.known {
        Known::Unclear { .. } => Subject { found: None, ..subject.clone() },
        Known::New | Known::Assumed | Known::There { .. } => subject.clone(),
    };
    Find::start(subject, asked.seeks(), Duration::ZERO)
        .then(State::Find, |finding| on_finding(subject, bodies, None, finding))
}

pub(crate) fn on(state: State, subject: &Subject, bodies: &Bodies, answer: &Answer) -> Next {
    match state {
        State::Find(find) => find
            .take(subject, answer)
            .then(State::Find, |finding| on_finding(subject, bodies, Some(answer), finding)),
        State::Post(post) => post.on(subject, answer).then(State::Post, |end| on_post(subject, end)),
        State::FindAgain(find, otherwise) => match find.take(subject, answer) {
            Turn::Ask(request, find) => Turn::Ask(request, State::FindAgain(find, otherwise)),
            Turn::End(finding) => Turn::End(on_found(subject, Some(answer), finding, otherwise)),
        },
    }
}

fn on_finding(subject: &Subject, bodies: &Bodies, answer: Option<&Answer>, finding: Finding) -> Next {
    match finding {
        Finding::Missing => post::start(subject, bodies).then(State::Post, |end| on_post(subject, end)),
        finding @ (Finding::Found(_) | Finding::Several | Finding::Wrong { .. } | Finding::Failed(_)) => {
            Turn::End(on_found(subject, answer, finding, Verdict::Missing))
        }
    }
}

fn on_found(subject: &Subject, answer: Option<&Answer>, finding: Finding, missing: Verdict) -> Verdict {
    match finding {
        Finding::Found(record) => {
            let origin = answer
                .and_then(Moment::of_answer)
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
        PostEnd::Exists { otherwise, .. } => match Find::start(subject, subject.seeks_again(), WAIT) {
            Turn::Ask(request, find) => Turn::Ask(request, State::FindAgain(find, otherwise)),
            Turn::End(_) => Turn::End(otherwise),
        },
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
