//! What one write says, read and checked: names resolved to records, types right, nothing stored yet.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::clock::SimulatorTime;
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::rest::fields::{self, Verb};
use crate::rest::{Refused, Turn};
use crate::switches::{Associations, OrganizationExternal, Switches, Types};
use crate::traits;

/// What a write says of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Set<T> {
    /// Nothing.
    Keep,
    /// Null.
    Clear,
    To(T),
}

impl<T> Set<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::To(value) => *to = Some(value),
        }
    }
}

/// What one write says.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) external_id: Option<String>,
    pub(crate) name: Set<String>,
    pub(crate) email: Set<String>,
    avatar: Set<String>,
    join_date: Set<String>,
    unsubscribed: Option<bool>,
    pub(crate) traits: Map<String, Value>,
    organization: Set<RecordId>,
    accounts: Option<BTreeSet<RecordId>>,
    organizations: Option<BTreeSet<RecordId>>,
}

impl Patch {
    pub(crate) fn read(
        turn: &Turn<'_>,
        object: RecordKind,
        verb: Verb,
        body: Map<String, Value>,
    ) -> Result<Self, Refused> {
        let mut body = fields::sift(body, fields::of(object), verb, turn.switches)?;
        let accounts = linked(turn, &mut body, "accountIds", RecordKind::Account, verb)?;
        let organizations = linked(turn, &mut body, "organizationIds", RecordKind::Organization, verb)?;
        if object == RecordKind::User && verb == Verb::Create && accounts.is_none() && organizations.is_none()
        {
            return Err(Refused::bad("Must specify at least one of: accountIds or organizationIDs"));
        }
        owner(&mut body)?;
        Ok(Self {
            external_id: external_id(&mut body)?,
            name: name(&mut body, object)?,
            email: text(&mut body, "email")?,
            avatar: text(&mut body, "avatar")?,
            join_date: join_date(&mut body)?,
            unsubscribed: unsubscribed(&mut body)?,
            traits: trait_values(turn, object, &mut body)?,
            organization: organization(turn, verb, &mut body)?,
            accounts,
            organizations,
        })
    }

    pub(crate) fn apply(self, record: &mut StoredRecord, switches: &Switches, now: SimulatorTime) {
        if let Some(external_id) = self.external_id {
            record.external_id = Some(external_id);
        }
        self.name.apply(&mut record.name);
        self.email.apply(&mut record.email);
        self.avatar.apply(&mut record.avatar);
        self.join_date.apply(&mut record.join_date);
        self.organization.apply(&mut record.organization);
        match self.unsubscribed {
            None => {}
            Some(true) => record.unsubscribed_at = record.unsubscribed_at.or(Some(now)),
            Some(false) => record.unsubscribed_at = None,
        }
        traits::merge(&mut record.traits, self.traits, switches.deleted_traits);
        link(&mut record.accounts, self.accounts, switches.assoc);
        link(&mut record.organizations, self.organizations, switches.assoc);
        record.updated_at = now;
    }
}

fn link(to: &mut BTreeSet<RecordId>, ids: Option<BTreeSet<RecordId>>, assoc: Associations) {
    let Some(ids) = ids else { return };
    match assoc {
        Associations::Add => to.extend(ids),
        Associations::Replace => *to = ids,
    }
}

fn text(body: &mut Map<String, Value>, name: &str) -> Result<Set<String>, Refused> {
    match body.remove(name) {
        None => Ok(Set::Keep),
        Some(Value::Null) => Ok(Set::Clear),
        Some(Value::String(text)) => Ok(Set::To(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(Refused::misfit(
            format!("/{name}"),
            "must be string",
            format!("Field {name} must be a string"),
        )),
    }
}

fn external_id(body: &mut Map<String, Value>) -> Result<Option<String>, Refused> {
    match text(body, "externalId")? {
        Set::Keep | Set::Clear => Ok(None),
        Set::To(id) => Ok(Some(id)),
    }
}

/// A user may be without a name, the others may not.
fn name(body: &mut Map<String, Value>, object: RecordKind) -> Result<Set<String>, Refused> {
    match (text(body, "name")?, object) {
        (Set::Clear, RecordKind::Account | RecordKind::Organization) => {
            Err(Refused::misfit("/name", "must be string", "Field name must be a string"))
        }
        (name, _) => Ok(name),
    }
}

fn join_date(body: &mut Map<String, Value>) -> Result<Set<String>, Refused> {
    let date = text(body, "joinDate")?;
    match &date {
        Set::To(text) if SimulatorTime::parse(text).is_none() => {
            let text = "Field joinDate must be an ISO 8601 date";
            Err(Refused::misfit("/joinDate", "must match format \"date-time\"", text))
        }
        Set::To(_) | Set::Keep | Set::Clear => Ok(date),
    }
}

fn unsubscribed(body: &mut Map<String, Value>) -> Result<Option<bool>, Refused> {
    let name = "unsubscribedFromConversations";
    match body.remove(name) {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(value)),
        Some(_) => {
            let text = format!("Field {name} must be a boolean");
            Err(Refused::misfit(format!("/{name}"), "must be boolean", text))
        }
    }
}

/// People are assigned in Vitally; REST only takes the owner away.
fn owner(body: &mut Map<String, Value>) -> Result<(), Refused> {
    match body.remove("accountOwnerId") {
        None | Some(Value::Null) => Ok(()),
        Some(_) => {
            let text = "Field accountOwnerId can only be set to null";
            Err(Refused::misfit("/accountOwnerId", "must be null", text))
        }
    }
}

fn trait_values(
    turn: &Turn<'_>,
    object: RecordKind,
    body: &mut Map<String, Value>,
) -> Result<Map<String, Value>, Refused> {
    let mut values = match body.remove("traits") {
        None => Map::new(),
        Some(Value::Object(values)) => values,
        Some(_) => {
            return Err(Refused::misfit("/traits", "must be object", "Field traits must be an object"));
        }
    };
    if let Some(key) = traits::first_refused(&values, turn.switches.nested) {
        let text = format!("Trait {key} must be a scalar or an array of scalars");
        return Err(Refused::misfit(
            format!("/traits/{key}"),
            "must be string,number,boolean,null,array",
            text,
        ));
    }
    let kind =
        |key: &str| turn.store.definitions().get(object.plural(), key).map(|field| field.kind.as_str());
    let fits = |key: &str, value: &Value| kind(key).is_none_or(|kind| traits::fits(kind, value));
    match turn.switches.types {
        Types::Store => {}
        Types::Drop => values.retain(|key, value| fits(key, value)),
        Types::BadRequest => {
            if let Some((key, _)) = values.iter().find(|(key, value)| !fits(key, value)) {
                let kind = kind(key).unwrap_or_default();
                let text = format!("Trait {key} must be of type {kind}");
                return Err(Refused::misfit(format!("/traits/{key}"), &format!("must be {kind}"), text));
            }
        }
    }
    Ok(values)
}

fn organization(
    turn: &Turn<'_>,
    verb: Verb,
    body: &mut Map<String, Value>,
) -> Result<Set<RecordId>, Refused> {
    let id = match text(body, "organizationId")? {
        Set::Keep => return Ok(Set::Keep),
        Set::Clear => return Ok(Set::Clear),
        Set::To(id) => id,
    };
    let by_id = RecordId::parse(&id).and_then(|id| turn.store.get(RecordKind::Organization, id));
    let by_external = || match (turn.switches.org_ext, verb) {
        (OrganizationExternal::Both, _) | (OrganizationExternal::Put, Verb::Update) => {
            turn.store.by_external(RecordKind::Organization, &id)
        }
        (OrganizationExternal::Put, Verb::Create) | (OrganizationExternal::Off, _) => None,
    };
    match by_id.or_else(by_external) {
        Some(organization) => Ok(Set::To(organization.id)),
        None => Err(Refused::bad(format!("organizationId: no organization with id {id}"))),
    }
}

/// The records that a user is to be linked to: Vitally's ids only. An empty list asks for no link in a POST, and for
/// something that nobody documents in a PUT.
fn linked(
    turn: &Turn<'_>,
    body: &mut Map<String, Value>,
    name: &str,
    object: RecordKind,
    verb: Verb,
) -> Result<Option<BTreeSet<RecordId>>, Refused> {
    let items = match (body.remove(name), verb) {
        (None, _) => return Ok(None),
        (Some(Value::Array(items)), Verb::Create) if items.is_empty() => return Ok(None),
        (Some(Value::Array(items)), Verb::Update) if items.is_empty() => {
            let text = format!("Field {name} must not be empty");
            return Err(Refused::misfit(format!("/{name}"), "must NOT have fewer than 1 items", text));
        }
        (Some(Value::Array(items)), _) => items,
        (Some(_), _) => {
            let text = format!("Field {name} must be an array of strings");
            return Err(Refused::misfit(format!("/{name}"), "must be array", text));
        }
    };
    items.iter().map(|item| linked_one(turn, item, name, object)).collect::<Result<_, _>>().map(Some)
}

fn linked_one(turn: &Turn<'_>, item: &Value, name: &str, object: RecordKind) -> Result<RecordId, Refused> {
    let text = item.as_str().ok_or_else(|| {
        let text = format!("Field {name} must be an array of strings");
        Refused::misfit(format!("/{name}"), "must be array of strings", text)
    })?;
    let id = RecordId::parse(text).filter(|id| turn.store.get(object, *id).is_some());
    id.ok_or_else(|| Refused::bad(format!("{name}: no {} with id {text}", object.singular())))
}
