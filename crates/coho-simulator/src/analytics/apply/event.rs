//! Track: stores an event, unless it is of a churned or ignored customer.

use crate::message::{DropReason, End, Message};
use crate::record::{LifecycleStage, RecordKind, StoredRecord};
use crate::rest::Turn;
use crate::switches::LifecycleRule;

pub(super) fn store(turn: &Turn<'_>, message: &Message) -> Result<End, DropReason> {
    let content = &message.content;
    let find = |object, id: &Option<String>| id.as_deref().and_then(|id| turn.store.by_external(object, id));
    let user = find(RecordKind::User, &content.user_id);
    let account = match (&content.account_id, user) {
        (Some(_), _) => find(RecordKind::Account, &content.account_id),
        // Without an account it counts for the last one that the user was put into.
        (None, user) => user
            .and_then(|user| user.last_account)
            .and_then(|account| turn.store.get(RecordKind::Account, account)),
    };
    let organization = find(RecordKind::Organization, &content.organization_id);
    match turn.switches.lifecycle {
        LifecycleRule::Store => {}
        LifecycleRule::Drop => {
            [user, account, organization].into_iter().flatten().try_for_each(collected)?;
        }
    }
    let counted = account.and_then(|account| account.external_id.clone());
    Ok(End::Stored { at: turn.now, account: content.account_id.clone().or(counted) })
}

/// Whether events of the record are collected.
fn collected(record: &StoredRecord) -> Result<(), DropReason> {
    match record.lifecycle {
        LifecycleStage::Ignored => Err(DropReason::Ignored),
        LifecycleStage::Churned => Err(DropReason::Churned),
        LifecycleStage::Active if record.is_churned() => Err(DropReason::Churned),
        LifecycleStage::Active => Ok(()),
    }
}
