//! Custom object instances, matched by their external id within their custom object.

use super::{parent, traits};
use crate::message::{DropReason, End, Instance, Message};
use crate::rest::Turn;

pub(super) fn write(turn: &mut Turn<'_>, message: &Message) -> Result<End, DropReason> {
    let content = &message.content;
    let account = parent::account(turn, content)?;
    let organization = parent::organization(turn, content);
    let custom_object_id = content.custom_object_id.clone().unwrap_or_default();
    let external_id = content.external_id.clone().unwrap_or_default();
    let key = (custom_object_id.clone(), external_id.clone());
    let mut instance = turn.store.instance(&key).cloned().unwrap_or(Instance {
        custom_object_id,
        external_id,
        name: None,
        account_id: None,
        organization_id: None,
        traits: serde_json::Map::new(),
    });
    if let Some(name) = &content.name {
        instance.name = Some(name.clone());
    }
    if account.is_some() {
        instance.account_id.clone_from(&content.account_id);
    }
    if organization.is_some() {
        instance.organization_id.clone_from(&content.organization_id);
    }
    for (key, value) in traits::arranged(&content.bag, turn.switches.nested_trait) {
        traits::merge(&mut instance.traits, &key, value, turn.switches.null_trait);
    }
    turn.store.put_instance(instance);
    Ok(End::Applied)
}
