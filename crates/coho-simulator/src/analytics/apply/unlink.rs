//! Unlink: takes a user out of an account. The user stays, also where it was the last account.

use super::record::{is_newest, link_stamp};
use crate::message::{DropReason, End, Message};
use crate::record::RecordKind;
use crate::rest::Turn;

pub(super) fn unlink(turn: &mut Turn<'_>, message: &Message) -> Result<End, DropReason> {
    let content = &message.content;
    let account =
        content.account_id.as_deref().and_then(|id| turn.store.by_external(RecordKind::Account, id));
    let user = content.user_id.as_deref().and_then(|id| turn.store.by_external(RecordKind::User, id));
    let (Some(account), Some(user)) = (account, user) else { return Err(DropReason::NotLinked) };
    let (account, mut user) = (account.id, user.clone());
    if !is_newest(&mut user, link_stamp(account), message.timestamp, turn.switches.stale_timestamp) {
        return Err(DropReason::Stale);
    }
    let was_linked = user.accounts.remove(&account);
    user.last_account = user.last_account.filter(|last| *last != account);
    if was_linked {
        user.updated_at = turn.now;
    }
    // Also where nothing was linked: an older message that links the two may still be on its way.
    turn.store.put(user);
    if was_linked { Ok(End::Applied) } else { Err(DropReason::NotLinked) }
}
