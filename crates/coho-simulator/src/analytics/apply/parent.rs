//! The accounts and organizations that a message names: found, made, or passed over, as the switches say.

use crate::message::{Content, DropReason};
use crate::record::{Object, Record, VitallyId};
use crate::rest::Turn;
use crate::switches::{UnknownAccount, UnknownOrganization};

/// The account of a user or an instance.
pub(super) fn account(turn: &mut Turn<'_>, content: &Content) -> Result<Option<VitallyId>, DropReason> {
    let Some(id) = &content.account_id else { return Ok(None) };
    if let Some(account) = turn.store.by_external(Object::Account, id) {
        return Ok(Some(account.id));
    }
    match turn.switches.unknown_account {
        UnknownAccount::Create => Ok(Some(make(turn, Object::Account, id))),
        // It was there, or on its way, when the message came.
        UnknownAccount::Drop | UnknownAccount::BadRequest => Err(DropReason::UnknownAccount),
    }
}

/// The organization of an account, a user or an instance.
pub(super) fn organization(turn: &mut Turn<'_>, content: &Content) -> Option<VitallyId> {
    let id = content.organization_id.as_ref()?;
    if let Some(organization) = turn.store.by_external(Object::Organization, id) {
        return Some(organization.id);
    }
    match turn.switches.unknown_org {
        UnknownOrganization::Create => Some(make(turn, Object::Organization, id)),
        UnknownOrganization::Unlinked | UnknownOrganization::BadRequest => None,
    }
}

fn make(turn: &mut Turn<'_>, object: Object, external_id: &str) -> VitallyId {
    let mut record = Record::new(object, turn.store.mint(), turn.now);
    record.external_id = Some(external_id.to_owned());
    let id = record.id;
    turn.store.put(record);
    id
}
