//! Records that are there before the first request: made directly, past the REST API's rules, with any age.

use serde_json::{Map, Value};

use crate::clock::SimulatorTime;
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::store::Store;

/// A record to be there. Parents must be there before their children.
///
/// ```
/// use coho_simulator::{Seed, SimulatorTime};
///
/// let acme = Seed::account("acme").name("Acme").made_at(SimulatorTime::from_millis(1_700_000_000_000));
/// let ada = Seed::user("u-1").email("ada@acme.io").account_link("acme").with_trait("plan", "pro");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Seed {
    /// What kind of record.
    pub object: RecordKind,
    /// Its Vitally id; `None` mints one.
    pub id: Option<RecordId>,
    /// Its external id; `None` is a record that was made inside Vitally.
    pub external_id: Option<String>,
    /// When it was made; `None` is now.
    pub created_at: Option<SimulatorTime>,
    /// When it was last written; `None` is when it was made.
    pub updated_at: Option<SimulatorTime>,
    /// Its name.
    pub name: Option<String>,
    /// User: e-mail address.
    pub email: Option<String>,
    /// Traits by key.
    pub traits: Map<String, Value>,
    /// Account: its organization, by Vitally id or external id.
    pub organization: Option<String>,
    /// User: linked accounts, by Vitally id or external id.
    pub accounts: Vec<String>,
    /// User: linked organizations, by Vitally id or external id.
    pub organizations: Vec<String>,
}

/// Why a record cannot be there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// Another record has its external id.
    #[error("the external id `{external_id}` is in use among {}", object.plural())]
    Taken {
        /// What kind of record.
        object: RecordKind,
        /// The external id.
        external_id: String,
    },
    /// A parent is not there.
    #[error("there is no {} `{parent}` to link to", object.singular())]
    Parent {
        /// What kind of parent.
        object: RecordKind,
        /// The id that was given.
        parent: String,
    },
}

impl Seed {
    /// A record of that kind with that external id and nothing else.
    pub fn new(object: RecordKind, external_id: Option<&str>) -> Self {
        Self {
            object,
            id: None,
            external_id: external_id.map(str::to_owned),
            created_at: None,
            updated_at: None,
            name: None,
            email: None,
            traits: Map::new(),
            organization: None,
            accounts: Vec::new(),
            organizations: Vec::new(),
        }
    }

    /// An account.
    pub fn account(external_id: &str) -> Self {
        Self::new(RecordKind::Account, Some(external_id))
    }

    /// An organization.
    pub fn organization(external_id: &str) -> Self {
        Self::new(RecordKind::Organization, Some(external_id))
    }

    /// A user.
    pub fn user(external_id: &str) -> Self {
        Self::new(RecordKind::User, Some(external_id))
    }

    /// Names it.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Gives it an e-mail address.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        self.email = Some(email.to_owned());
        self
    }

    /// Says when it was made.
    #[must_use]
    pub const fn made_at(mut self, time: SimulatorTime) -> Self {
        self.created_at = Some(time);
        self
    }

    /// Sets a trait.
    #[must_use]
    pub fn with_trait(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.traits.insert(key.to_owned(), value.into());
        self
    }

    /// User: links it to an account, by Vitally id or external id.
    #[must_use]
    pub fn account_link(mut self, account: &str) -> Self {
        self.accounts.push(account.to_owned());
        self
    }

    /// Links it to an organization, by Vitally id or external id. An account has one.
    #[must_use]
    pub fn organization_link(mut self, organization: &str) -> Self {
        match self.object {
            RecordKind::Account => self.organization = Some(organization.to_owned()),
            RecordKind::User | RecordKind::Organization => self.organizations.push(organization.to_owned()),
        }
        self
    }
}

/// Plants the record, and gives its id.
pub(crate) fn plant(store: &mut Store, seed: Seed, now: SimulatorTime) -> Result<RecordId, SeedError> {
    let taken = seed.external_id.as_deref().and_then(|id| store.by_external(seed.object, id));
    if let Some(taken) = taken {
        let external_id = taken.external_id.clone().unwrap_or_default();
        return Err(SeedError::Taken { object: seed.object, external_id });
    }
    let organization =
        seed.organization.iter().map(|id| parent(store, RecordKind::Organization, id)).next().transpose()?;
    let accounts =
        seed.accounts.iter().map(|id| parent(store, RecordKind::Account, id)).collect::<Result<_, _>>()?;
    let organizations = seed
        .organizations
        .iter()
        .map(|id| parent(store, RecordKind::Organization, id))
        .collect::<Result<_, _>>()?;
    let created_at = seed.created_at.unwrap_or(now);
    let id = seed.id.unwrap_or_else(|| store.mint());
    store.define_unseen(seed.object, &seed.traits, created_at);
    store.put(StoredRecord {
        external_id: seed.external_id,
        updated_at: seed.updated_at.unwrap_or(created_at),
        name: seed.name,
        email: seed.email,
        traits: seed.traits,
        organization,
        accounts,
        organizations,
        ..StoredRecord::new(seed.object, id, created_at)
    });
    Ok(id)
}

fn parent(store: &Store, object: RecordKind, id: &str) -> Result<RecordId, SeedError> {
    let by_id = RecordId::parse(id).and_then(|id| store.get(object, id));
    match by_id.or_else(|| store.by_external(object, id)) {
        Some(record) => Ok(record.id),
        None => Err(SeedError::Parent { object, parent: id.to_owned() }),
    }
}
