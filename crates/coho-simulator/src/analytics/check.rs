//! What a message that reads must not say in this workspace: blocked types, organizations where there are none, unknown
//! parents and nested traits where the switches refuse them, and special traits that are no text.

use serde_json::Value;

use super::apply::traits;
use crate::clock::SimulatorTime;
use crate::message::{Content, MessageType};
use crate::record::RecordKind;
use crate::rest::{Refused, Turn};
use crate::switches::{
    Nested, NestedTrait, Organizations, UnknownAccount, UnknownOrganization, UnlinkMissing,
};
use crate::traits::first_refused;

/// Whether Vitally's support has blocked the type.
pub(super) fn blocked(turn: &Turn<'_>, kind: MessageType) -> Result<(), Refused> {
    if turn.switches.blocked_types.0.contains(&kind) {
        return Err(Refused::bad(format!("Messages of type {} are blocked", kind.name())));
    }
    Ok(())
}

/// Checks one message. `before` are those of the same batch that would be taken before it.
pub(super) fn message(turn: &Turn<'_>, content: &Content, before: &[&Content]) -> Result<(), Refused> {
    organizations(turn, content)?;
    nested(turn, content)?;
    special(content)?;
    parents(turn, content, before)?;
    unlink(turn, content, before)
}

fn organizations(turn: &Turn<'_>, content: &Content) -> Result<(), Refused> {
    match (turn.switches.organizations, &content.organization_id) {
        (Organizations::Off, Some(_)) => {
            Err(Refused::bad("Organizations are not enabled for this workspace"))
        }
        (Organizations::Off, None) | (Organizations::On, _) => Ok(()),
    }
}

fn nested(turn: &Turn<'_>, content: &Content) -> Result<(), Refused> {
    if content.kind == MessageType::Track || turn.switches.nested_trait != NestedTrait::BadRequest {
        return Ok(());
    }
    match first_refused(&content.bag, Nested::Reject) {
        Some(key) => Err(Refused::bad(format!("Trait {key} must not be an object"))),
        None => Ok(()),
    }
}

fn special(content: &Content) -> Result<(), Refused> {
    for (key, value) in &content.bag {
        if !traits::is_special(content.kind, key) || value.is_null() {
            continue;
        }
        let Value::String(text) = value else {
            return Err(Refused::bad(format!("Trait {key} must be a string")));
        };
        if key == "createdAt" && SimulatorTime::parse(text).is_none() {
            return Err(Refused::bad("Trait createdAt must be an ISO 8601 date"));
        }
    }
    Ok(())
}

fn parents(turn: &Turn<'_>, content: &Content, before: &[&Content]) -> Result<(), Refused> {
    let needs_account = matches!(content.kind, MessageType::User | MessageType::CustomObjectInstance);
    let names_parent = needs_account || content.kind == MessageType::Account;
    if let (Some(id), UnknownAccount::BadRequest) = (&content.account_id, turn.switches.unknown_account)
        && needs_account
        && !is_known(turn, RecordKind::Account, id, before)
    {
        return Err(Refused::bad(format!("accountId: no account with id {id}")));
    }
    if let (Some(id), UnknownOrganization::BadRequest) = (&content.organization_id, turn.switches.unknown_org)
        && names_parent
        && !is_known(turn, RecordKind::Organization, id, before)
    {
        return Err(Refused::bad(format!("organizationId: no organization with id {id}")));
    }
    Ok(())
}

fn unlink(turn: &Turn<'_>, content: &Content, before: &[&Content]) -> Result<(), Refused> {
    if content.kind != MessageType::Unlink || turn.switches.unlink_missing == UnlinkMissing::Ok {
        return Ok(());
    }
    let find = |object, id: &Option<String>| id.as_deref().and_then(|id| turn.store.by_external(object, id));
    let user = find(RecordKind::User, &content.user_id);
    let account = find(RecordKind::Account, &content.account_id);
    let is_linked = user.zip(account).is_some_and(|(user, account)| user.accounts.contains(&account.id));
    let links = |other: &Content| {
        other.kind == MessageType::User
            && (&other.user_id, &other.account_id) == (&content.user_id, &content.account_id)
    };
    let is_coming = before.iter().any(|other| links(other))
        || turn.store.messages().pending().any(|message| links(&message.content));
    if is_linked || is_coming { Ok(()) } else { Err(Refused::bad("The user is not in the account")) }
}

/// Whether the record is there, or a message that makes it was taken before.
fn is_known(turn: &Turn<'_>, object: RecordKind, id: &str, before: &[&Content]) -> bool {
    let makes = |content: &Content| match (object, content.kind) {
        (RecordKind::Account, MessageType::Account) => content.account_id.as_deref() == Some(id),
        (RecordKind::Organization, MessageType::Organization) => {
            content.organization_id.as_deref() == Some(id)
        }
        (RecordKind::Organization | RecordKind::Account | RecordKind::User, _) => false,
    };
    turn.store.by_external(object, id).is_some()
        || before.iter().any(|content| makes(content))
        || turn.store.messages().pending().any(|message| makes(&message.content))
}
