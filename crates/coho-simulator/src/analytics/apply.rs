//! What a message does when its time has come. [`record`] writes organizations, accounts and users, [`event`] stores
//! events, [`instance`] writes custom object instances, [`unlink`] takes users out of accounts, and [`traits`] says what
//! a bag of traits does to a record.

mod event;
mod instance;
mod parent;
mod record;
pub(super) mod traits;
mod unlink;

use crate::clock::SimulatorTime;
use crate::message::{DropReason, End, Message, MessageType};
use crate::rest::Turn;

/// Applies the messages that are due by then, in their order, each at its own time. Says how many there were.
pub(crate) fn settle(turn: &mut Turn<'_>, by: SimulatorTime) -> usize {
    let mut settled = 0;
    while let Some((due, number)) = turn.store.messages().next_due() {
        let Some(message) = turn.store.messages().get(number).cloned().filter(|_| due <= by) else { break };
        let at = due.min(turn.now);
        let mut turn = Turn { store: &mut *turn.store, switches: turn.switches, now: at };
        let end = apply(&mut turn, &message).unwrap_or_else(|reason| End::Dropped { at, reason });
        turn.store.settle_message(number, end);
        settled += 1;
    }
    settled
}

fn apply(turn: &mut Turn<'_>, message: &Message) -> Result<End, DropReason> {
    match message.content.kind {
        MessageType::Organization => record::organization(turn, message),
        MessageType::Account => record::account(turn, message),
        MessageType::User => record::user(turn, message),
        MessageType::Track => event::store(turn, message),
        MessageType::Unlink => unlink::unlink(turn, message),
        MessageType::CustomObjectInstance => instance::write(turn, message),
    }
}
