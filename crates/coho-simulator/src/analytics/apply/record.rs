//! Writes of organizations, accounts and users: found by external id, else made; traits merged, links added.

use serde_json::{Map, Value};

use super::{parent, traits};
use crate::clock::SimulatorTime;
use crate::message::{DropReason, End, Message};
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::rest::Turn;
use crate::switches::{StaleTimestamp, UserAssociation};

pub(super) fn organization(turn: &mut Turn<'_>, message: &Message) -> Result<End, DropReason> {
    let record = found(turn, RecordKind::Organization, message.content.organization_id.as_deref());
    Write::new(turn, message, record).end(turn)
}

pub(super) fn account(turn: &mut Turn<'_>, message: &Message) -> Result<End, DropReason> {
    let organization = parent::organization(turn, &message.content);
    let record = found(turn, RecordKind::Account, message.content.account_id.as_deref());
    let mut write = Write::new(turn, message, record);
    if let Some(organization) = organization
        && write.wins(stamp_of(RecordKind::Organization))
    {
        write.record.organization = Some(organization);
    }
    write.end(turn)
}

pub(super) fn user(turn: &mut Turn<'_>, message: &Message) -> Result<End, DropReason> {
    let account = parent::account(turn, &message.content)?;
    let organization = parent::organization(turn, &message.content);
    let record = found(turn, RecordKind::User, message.content.user_id.as_deref());
    let mut write = Write::new(turn, message, record);
    let UserAssociation::Add = turn.switches.user_assoc;
    if let Some(account) = account {
        if write.wins(link_stamp(account)) {
            write.record.accounts.insert(account);
        }
        if write.wins(stamp_of(RecordKind::Account)) {
            write.record.last_account = Some(account);
        }
    }
    if let Some(organization) = organization
        && write.wins(link_stamp(organization))
    {
        write.record.organizations.insert(organization);
    }
    write.end(turn)
}

/// The record with that external id, or a new one.
fn found(turn: &mut Turn<'_>, object: RecordKind, external_id: Option<&str>) -> StoredRecord {
    let external_id = external_id.unwrap_or_default();
    if let Some(record) = turn.store.by_external(object, external_id) {
        return record.clone();
    }
    let mut record = StoredRecord::new(object, turn.store.mint(), turn.now);
    record.external_id = Some(external_id.to_owned());
    record
}

/// Under which name the timestamp of a link is kept; no trait begins so.
pub(super) fn link_stamp(parent: RecordId) -> String {
    format!("\u{1f}{parent}")
}

fn stamp_of(parent: RecordKind) -> String {
    format!("\u{1f}{}", parent.singular())
}

/// One write of one record, not yet stored.
struct Write<'m> {
    message: &'m Message,
    record: StoredRecord,
    /// The traits that it wrote.
    traits: Map<String, Value>,
    stale: StaleTimestamp,
    /// Members that it wrote, and members that newer messages had written.
    won: usize,
    lost: usize,
}

impl<'m> Write<'m> {
    fn new(turn: &Turn<'_>, message: &'m Message, record: StoredRecord) -> Self {
        let stale = turn.switches.stale_timestamp;
        let mut write = Self { message, record, traits: Map::new(), stale, won: 0, lost: 0 };
        let kind = message.content.kind;
        for (key, value) in traits::arranged(&message.content.bag, turn.switches.nested_trait) {
            if write.wins(key.clone()) {
                if !traits::is_special(kind, &key) {
                    write.traits.insert(key.clone(), value.clone());
                }
                traits::set(&mut write.record, kind, &key, value, turn.switches.null_trait);
            }
        }
        write
    }

    /// Whether this message may write the member.
    fn wins(&mut self, member: String) -> bool {
        let wins = is_newest(&mut self.record, member, self.message.timestamp, self.stale);
        if wins {
            self.won += 1;
        } else {
            self.lost += 1;
        }
        wins
    }

    fn end(self, turn: &mut Turn<'_>) -> Result<End, DropReason> {
        if self.won == 0 && self.lost > 0 {
            return Err(DropReason::Stale);
        }
        let mut record = self.record;
        record.updated_at = turn.now;
        turn.store.define_unseen(record.object, &self.traits, turn.now);
        turn.store.put(record);
        Ok(End::Applied)
    }
}

/// Whether a message of that time may write the member, which is then noted.
pub(super) fn is_newest(
    record: &mut StoredRecord,
    member: String,
    at: SimulatorTime,
    stale: StaleTimestamp,
) -> bool {
    match stale {
        StaleTimestamp::Arrival => true,
        StaleTimestamp::Newest if record.stamps.get(&member).is_some_and(|newest| *newest > at) => false,
        StaleTimestamp::Newest => {
            record.stamps.insert(member, at);
            true
        }
    }
}
