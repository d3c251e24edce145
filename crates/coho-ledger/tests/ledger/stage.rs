//! What most tests need: a ledger with a lease, a scope and memories.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use chrono::DateTime;
use coho_core::digest::Digest;
use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Origin, Pending, RowState, Seen};
use coho_core::sync::SyncId;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_ledger::lease::{Holder, Lease};
use coho_ledger::row_state::StateCounts;
use coho_ledger::scope::SyncScope;
use coho_ledger::{Ledger, Opening};
use tempfile::TempDir;

pub(crate) type Tested = Result<(), Box<dyn Error>>;

pub(crate) const TTL: Duration = Duration::from_secs(60);

/// A ledger in a folder of its own.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) ledger: Ledger,
    pub(crate) lease: Lease,
    pub(crate) scope: SyncScope,
}

impl Stage {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let ledger = Ledger::open(&folder.path().join("ledger.db"), &Opening::new(at(0)))?;
        let lease = ledger.acquire(&holder("a"), at(0), TTL)?;
        let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
        Ok(Self { folder, ledger, lease, scope })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    pub(crate) fn write(&self, key: &str, row_state: Option<RowState>) -> Tested {
        Ok(self.ledger.write(&self.lease, &self.scope, &[(Key::new(key), row_state)], at(1))?)
    }

    pub(crate) fn counts(&self) -> Result<StateCounts, Box<dyn Error>> {
        let mut row_states = self.ledger.row_states(&self.scope)?;
        row_states.by_ref().try_for_each(|row_state| row_state.map(drop))?;
        Ok(row_states.counts())
    }

    pub(crate) fn row_state(&self, key: &str) -> Result<Option<RowState>, Box<dyn Error>> {
        Ok(self.ledger.row_state(&self.scope, &Key::new(key))?)
    }
}

pub(crate) fn holder(host: &str) -> Holder {
    Holder { id: format!("holder on {host}"), pid: 7, host: host.to_owned() }
}

/// So many seconds after a day in 2026.
pub(crate) fn at(seconds: i64) -> Time {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap_or_default()
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

pub(crate) fn seen(row: &str) -> Seen {
    Seen { row: digest(row), mapping: digest("mapping") }
}

pub(crate) fn sent(name: &str) -> Sent {
    [(FieldPath::new("name"), Value::text(name))].into()
}

pub(crate) fn target(text: &str) -> Result<ExternalId, Box<dyn Error>> {
    Ok(ExternalId::parse(text)?)
}

pub(crate) fn delivered(id: &str) -> Result<RowState, Box<dyn Error>> {
    let delivery = DeliveryState::Delivered {
        sent: sent(id),
        n: 1,
        id: Some(VitallyId::new(format!("v-{id}"))),
        origin: Origin::Created,
    };
    Ok(RowState { target: target(id)?, delivery, pending: Pending::None, seen: Some(seen(id)), version: 1 })
}
