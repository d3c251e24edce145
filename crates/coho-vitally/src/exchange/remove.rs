//! The table of remove. Nothing is deleted that was not verified: either its id was acknowledged to us, or its external
//! id, or the e-mail address where that matches, is read first and is the one that was asked for.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | id remembered | DELETE |
//! | | id not remembered | look-up |
//! | look-up | found, with this very external id or address | DELETE by Vitally's id |
//! | | several | Ambiguous |
//! | | missing | Gone |
//! | | anything else | Rejected `wrong-record` |
//! | DELETE | any 2xx, 404 | Gone |

use std::time::Duration;

use coho_core::operation::Known;
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;

use crate::address::Address;
use crate::exchange::find::Find;
use crate::exchange::subject::{Subject, wrong_record};
use crate::lookup::Finding;
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::reading::{Reading, read, refused};

/// Where an exchange stands.
#[derive(Debug)]
pub(crate) enum State {
    /// The record is looked up.
    Find(Find),
    /// It is being deleted.
    Delete,
}

type Next = Turn<State, Verdict>;

pub(crate) fn start(subject: &Subject) -> Next {
    match &subject.known {
        Known::There { id: Some(id), .. } | Known::Unclear { id: Some(id), .. } => delete(subject, id),
        Known::There { id: None, .. } | Known::Unclear { id: None, .. } | Known::New | Known::Assumed => {
            Find::start(subject, subject.seeks_removed(), Duration::ZERO)
                .then(State::Find, |finding| on_finding(subject, finding))
        }
    }
}

pub(crate) fn on(state: State, subject: &Subject, answer: &Answer) -> Next {
    match state {
        State::Find(find) => {
            find.take(subject, answer).then(State::Find, |finding| on_finding(subject, finding))
        }
        State::Delete => Turn::End(match read(answer) {
            Reading::Fine(_) | Reading::Absent(_) => Verdict::Gone,
            Reading::Refused(reply) => refused(reply),
            Reading::End(end) => end.of_write(),
        }),
    }
}

fn delete(subject: &Subject, id: &VitallyId) -> Next {
    Turn::Ask(Request::delete(&Address::Id(subject.object, id.clone())), State::Delete)
}

fn on_finding(subject: &Subject, finding: Finding) -> Next {
    let verdict = match finding {
        Finding::Found(record) => match &record.id {
            // What an address found has that address; anything else must have the external id.
            Some(id) if subject.email.is_some() || subject.has_target(&record) => return delete(subject, id),
            Some(_) | None => subject.wrong(&record),
        },
        Finding::Missing => Verdict::Gone,
        Finding::Several => Verdict::Ambiguous,
        Finding::Wrong { message } => wrong_record(message),
        Finding::Failed(verdict) => subject.not_found_out(verdict),
    };
    Turn::End(verdict)
}
