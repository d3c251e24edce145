//! The accounts and organizations that a message names: found, made, or passed over, as the switches say.

use crate::message::{Content, DropReason};
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::rest::Turn;
use crate::switches::{UnknownAccount, UnknownOrganization};

/// The account of a user or an instance.
pub(super) fn account(turn: &mut Turn<'_>, content: &Content) -> Result<Option<RecordId>, DropReason> {
    let Some(id) = &content.account_id else { return Ok(None) };
    if let Some(account) = turn.store.by_external(RecordKind::Account, id) {
        return Ok(Some(account.id));
    }
    match turn.switches.unknown_account {
        UnknownAccount::Create => Ok(Some(make(turn, RecordKind::Account, id))),
        // It was there, or on its way, when the message came.
        UnknownAccount::Drop | UnknownAccount::BadRequest => Err(DropReason::UnknownAccount),
    }
}

/// The organization of an account, a user or an instance.
pub(super) fn organization(turn: &mut Turn<'_>, content: &Content) -> Option<RecordId> {
    let id = content.organization_id.as_ref()?;
    if let Some(organization) = turn.store.by_external(RecordKind::Organization, id) {
        return Some(organization.id);
    }
    match turn.switches.unknown_org {
        UnknownOrganization::Create => Some(make(turn, RecordKind::Organization, id)),
        UnknownOrganization::Unlinked | UnknownOrganization::BadRequest => None,
    }
}

fn make(turn: &mut Turn<'_>, object: RecordKind, external_id: &str) -> RecordId {
    let mut record = StoredRecord::new(object, turn.store.mint(), turn.now);
    record.external_id = Some(external_id.to_owned());
    let id = record.id;
    turn.store.put(record);
    id
}
