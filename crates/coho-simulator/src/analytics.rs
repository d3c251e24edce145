//! The Analytics API as a function: a request and the store in, an answer out. It answers once a message is good; what
//! the message says is applied when its time has come, to the same records that the REST API shows.
//!
//! [`route`] knows the paths, [`body`] the size and form of a body, [`read`] what a message must look like, [`check`]
//! what it must not say in this workspace. [`batch`] takes many at once, [`dedupe`] and [`delay`] say whether and when
//! a message is applied, and [`apply`] does it. The messages themselves are in [`crate::message`].

pub(crate) mod route;

mod body;
mod check;
mod read;

mod batch;

mod dedupe;
mod delay;

mod apply;

#[cfg(test)]
mod laws;

use crate::message::{DropReason, End, Message, MessageType};
use crate::rest::{Asked, Refused, Turn};
pub(crate) use apply::settle;
use read::Draft;
use route::Path;

/// What a request came to.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Success has one answer.
    pub(crate) answer: Result<(), Refused>,
    /// Messages that were taken, which may be some also where the answer is an error.
    pub(crate) taken: usize,
}

/// Answers a request whose sender may ask.
pub(crate) fn answer(turn: &mut Turn<'_>, path: Path, asked: &Asked) -> Reply {
    let taken = match path {
        Path::Single(kind) => single(turn, kind, asked).map(|draft| vec![draft]),
        Path::Batch => batch::read(turn, asked),
    };
    match taken {
        Ok(drafts) => {
            let taken = take(turn, drafts);
            Reply { answer: Ok(()), taken }
        }
        Err(batch::Refusal { refused, good }) => {
            let taken = take(turn, good);
            Reply { answer: Err(refused), taken }
        }
    }
}

fn single(turn: &Turn<'_>, kind: MessageType, asked: &Asked) -> Result<Draft, batch::Refusal> {
    let body = body::object(turn, asked)?;
    check::blocked(turn, kind)?;
    let draft = read::message(turn, kind, &body)?;
    check::message(turn, &draft.content, &[])?;
    Ok(draft)
}

/// Takes good messages, and applies those that need not wait.
fn take(turn: &mut Turn<'_>, drafts: Vec<Draft>) -> usize {
    if drafts.is_empty() {
        return 0;
    }
    let taken = drafts.iter().filter(|draft| !draft.is_bad).count();
    let request = turn.store.next_request();
    for draft in drafts {
        take_one(turn, draft, request);
    }
    settle(turn, turn.now);
    taken
}

fn take_one(turn: &mut Turn<'_>, draft: Draft, request: u64) {
    let kind = draft.content.kind;
    let is_duplicate =
        dedupe::is_duplicate(turn.store.messages(), turn.switches.dedupe, kind, &draft.message_id, turn.now);
    let dropped = |reason| End::Dropped { at: turn.now, reason };
    let end = match (draft.is_bad, is_duplicate) {
        (true, _) => dropped(DropReason::Refused),
        (false, true) => dropped(DropReason::Duplicate),
        (false, false) => End::Pending,
    };
    turn.store.put_message(Message {
        number: turn.store.messages().next_number(),
        id: draft.message_id,
        timestamp: draft.timestamp.unwrap_or(turn.now),
        arrived_at: turn.now,
        due: delay::due(turn.switches, kind, request, turn.now),
        content: draft.content,
        end,
    });
}
