//! The table of probe: what became of a write whose row is gone. One look, and nothing is written.
//!
//! | look-up | it was to write | it was to delete |
//! |---|---|---|
//! | found | Applied: it is there | Applied: it still is there |
//! | missing | Missing | Gone |

use std::time::Duration;

use coho_core::memory::{Origin, Verb};
use coho_core::verdict::Verdict;

use crate::exchange::find::Find;
use crate::exchange::origin::{Moment, Reached};
use crate::exchange::subject::{Subject, wrong_record};
use crate::lookup::Finding;
use crate::request::Answer;
use crate::turn::Turn;

/// Where an exchange stands.
#[derive(Debug)]
pub(crate) struct State {
    find: Find,
    verb: Verb,
}

type Next = Turn<State, Verdict>;

pub(crate) fn start(subject: &Subject, verb: Verb) -> Next {
    // The clocks tell whose the record is, and only an answer has Vitally's: what the caller found is asked again.
    let asked = Subject { found: None, ..subject.clone() };
    Find::start(subject, asked.seeks_probed(verb), Duration::ZERO)
        .then(|find| State { find, verb }, |_| Turn::End(Verdict::Missing))
}

pub(crate) fn on(state: State, subject: &Subject, answer: &Answer) -> Next {
    let State { find, verb } = state;
    find.take(subject, answer)
        .then(|find| State { find, verb }, |finding| Turn::End(verdict(subject, answer, finding, verb)))
}

fn verdict(subject: &Subject, answer: &Answer, finding: Finding, verb: Verb) -> Verdict {
    match (finding, verb) {
        (Finding::Found(record), _) => {
            let is_remembered = subject.id.is_none() || subject.id == record.id;
            let reached = if is_remembered { Reached::Remembered } else { Reached::Anew };
            let origin = Moment::of_answer(answer)
                .map_or(Origin::Found, |moment| moment.origin(&subject.known, reached, Some(&record)));
            Verdict::Applied { id: record.id, origin, notes: Vec::new() }
        }
        (Finding::Missing, Verb::Write) => Verdict::Missing,
        (Finding::Missing, Verb::Remove) => Verdict::Gone,
        (Finding::Several, _) => Verdict::Ambiguous,
        (Finding::Wrong { message }, _) => wrong_record(message),
        (Finding::Failed(verdict), _) => subject.not_found_out(verdict),
    }
}
