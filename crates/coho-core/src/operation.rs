//! Operations: writes that are valid by construction. [`seal`] is the only way to make one.

use std::borrow::Cow;

use crate::code::Code;
use crate::decide::{Change, Reason};
use crate::digest::{Digest, Parts};
use crate::fields::{Difference, FieldDiff, FieldValue, Fields, Rendered, Rendering, Sent, own_field};
use crate::key::Key;
use crate::object::{FieldKind, Object, Required};
use crate::path::FieldPath;
use crate::problem::Problem;
use crate::row_state::{DeliveryState, Origin, Pending, RowState, Seen, Verb};
use crate::sync::{Associations, Mode, NullPolicy};
use crate::target::{ExternalId, VitallyId};
use crate::time::Time;
use crate::value::Value;

/// A write of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The row.
    pub key: Key,
    /// What kind of record.
    pub object: Object,
    /// Which record: its external id. An event's `messageId`.
    pub target: ExternalId,
    /// The e-mail address that finds the record while Vitally's id of it is not known, where the sync matches by that. The
    /// record may have another external id than the target, then: it keeps it.
    pub email: Option<String>,
    /// What is done to it.
    pub action: Action,
    /// What is known of the record.
    pub known: Known,
    /// What was to be done about the key that this was made for.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// The row and mapping that this comes from; absent for removals.
    pub seen: Option<Seen>,
    /// The serial of the memory that this was made from; 0 where there was none.
    pub version: u64,
}

/// What is done to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create or update.
    Write {
        /// What may happen to the record.
        mode: Mode,
        /// What happens to links that the fields do not name.
        associations: Associations,
        /// All fields: what a record is created with.
        complete: Fields,
        /// The fields that an update sends; never empty.
        changed: Vec<Difference>,
        /// What is remembered once it was acknowledged.
        would_send: Sent,
    },
    /// Delete.
    Remove,
    /// Only look whether it is there.
    Probe {
        /// What the open intent was to do.
        verb: Verb,
        /// What is remembered if it is there.
        would_send: Sent,
    },
}

/// What is known of a record before an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is believed not to be there.
    New,
    /// It was acknowledged, with its id where Vitally told it.
    There {
        /// The record's id.
        id: Option<VitallyId>,
        /// Whether this sync created it.
        origin: Origin,
    },
    /// It is taken to be there, though this sync never wrote it.
    Assumed,
    /// A write of it may have arrived.
    Unclear {
        /// When the intent was made: a record born later is ours.
        since: Time,
        /// What was known before that write.
        id: Option<VitallyId>,
        /// Whether this sync had created it before that write, where there was one.
        origin: Option<Origin>,
    },
}

impl Known {
    /// What a memory knows of its record.
    pub fn of(row_state: Option<&RowState>) -> Self {
        let Some(row_state) = row_state else { return Self::New };
        if let Pending::Open { since, .. } = &row_state.pending {
            return Self::Unclear {
                since: *since,
                id: row_state.delivery.id().cloned(),
                origin: row_state.delivery.origin(),
            };
        }
        match &row_state.delivery {
            DeliveryState::Never | DeliveryState::Removed { .. } => Self::New,
            DeliveryState::Assumed { .. } => Self::Assumed,
            DeliveryState::Delivered { id, origin, .. } | DeliveryState::Released { id, origin, .. } => {
                Self::There { id: id.clone(), origin: *origin }
            }
        }
    }
}

impl Known {
    /// The record's id, where it is known.
    pub fn id(&self) -> Option<&VitallyId> {
        match self {
            Self::There { id, .. } | Self::Unclear { id, .. } => id.as_ref(),
            Self::New | Self::Assumed => None,
        }
    }

    /// Whether this sync created the record, where that is known.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::There { origin, .. } => Some(*origin),
            Self::Unclear { origin, .. } => *origin,
            Self::New | Self::Assumed => None,
        }
    }
}

impl Operation {
    /// What it does, in one word.
    pub fn verb(&self) -> Verb {
        match &self.action {
            Action::Write { .. } => Verb::Write,
            Action::Remove => Verb::Remove,
            Action::Probe { verb, .. } => *verb,
        }
    }

    /// What is remembered once it was acknowledged.
    pub fn would_send(&self) -> Sent {
        self.remembered().cloned().unwrap_or_default()
    }

    /// What is remembered of a write once it was acknowledged.
    pub fn remembered(&self) -> Option<&Sent> {
        match &self.action {
            Action::Write { would_send, .. } | Action::Probe { would_send, .. } => Some(would_send),
            Action::Remove => None,
        }
    }

    /// The records that it refers to, without repetition.
    pub fn references(&self) -> Vec<(Object, ExternalId)> {
        let Action::Write { complete, .. } = &self.action else { return Vec::new() };
        let mut references: Vec<_> = complete
            .values()
            .flat_map(FieldValue::references)
            .map(|(object, id)| (object, id.clone()))
            .collect();
        references.sort();
        references.dedup();
        references
    }

    /// How many messages the Analytics API takes for it: one for each account and each organization of a user, else one.
    pub fn messages(&self) -> u64 {
        let Action::Write { complete, .. } = &self.action else { return 1 };
        let links = |name| match own_field(complete, name) {
            Some(FieldValue::References(_, ids)) => ids.len() as u64,
            Some(FieldValue::Ids(_, ids)) => ids.len() as u64,
            Some(FieldValue::Value(_) | FieldValue::Reference(..) | FieldValue::Id(..)) | None => 0,
        };
        (links("accountIds") + links("organizationIds")).max(1)
    }

    /// Whether the record has to be searched by its e-mail address first.
    pub fn searches(&self) -> bool {
        self.email.is_some() && self.known.id().is_none()
    }

    /// Stands for the operation in its intent: another operation on the same key has another digest.
    pub fn digest(&self) -> Digest {
        let mut parts = Parts::default();
        parts.part(self.key.row().as_bytes());
        if self.key.is_departed() {
            parts.part(b"departed");
        }
        parts.part(self.object.name().as_bytes());
        parts.part(self.target.as_str().as_bytes());
        parts.part(&[match self.verb() {
            Verb::Write => 0,
            Verb::Remove => 1,
        }]);
        let mut text = Vec::new();
        for (path, value) in self.remembered().into_iter().flatten() {
            let (prefix, key) = path.parts();
            text.clear();
            text.extend_from_slice(prefix.as_bytes());
            text.extend_from_slice(key.as_bytes());
            parts.part(&text);
            text.clear();
            crate::json::append(&mut text, value);
            parts.part(&text);
        }
        parts.finish()
    }
}

/// What an operation is made from.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// The row.
    pub key: &'a Key,
    /// What kind of record.
    pub object: Object,
    /// What may happen to it.
    pub mode: Mode,
    /// Whether the e-mail address, a field of the row, finds the record.
    pub found_by: FoundBy,
    /// What the mapping made of the row.
    pub rendered: &'a Rendered,
    /// What the field diff found.
    pub field_diff: FieldDiff,
    /// What is remembered.
    pub row_state: Option<&'a RowState>,
    /// What is to be done about the key.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// The row and mapping.
    pub seen: Seen,
}

/// What finds a record whose Vitally id is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// Its external id.
    ExternalId,
    /// Its field `email`.
    Email,
}

/// The e-mail address among these fields.
pub fn email_of(fields: &Fields) -> Option<String> {
    match own_field(fields, "email") {
        Some(FieldValue::Value(value)) => value.as_text().map(str::to_owned),
        Some(
            FieldValue::Reference(..) | FieldValue::References(..) | FieldValue::Id(..) | FieldValue::Ids(..),
        )
        | None => None,
    }
}

/// A field that is cleared.
static CLEARED: FieldValue = FieldValue::Value(Value::Null);

/// What is remembered of a row whose record is taken to hold it, though nothing was ever sent of it: the fields of a first write, which
/// are checked as [`seal`] does, without one being made.
pub fn seal_assumed(
    object: Object,
    mode: Mode,
    rendered: &Rendered,
) -> Result<Vec<(&FieldPath, Cow<'_, Value>)>, Vec<Problem>> {
    let set = rendered.fields.iter().filter_map(|(path, rendering)| match rendering {
        Rendering::Set(value) => Some((path, value)),
        Rendering::Null(NullPolicy::Clear) => Some((path, &CLEARED)),
        Rendering::Null(NullPolicy::Follow | NullPolicy::Omit) => None,
    });
    let set: Vec<_> = set.collect();
    let problems = check(object, mode, &set, &Fields::new());
    if !problems.is_empty() {
        return Err(problems);
    }
    let remembered = set.into_iter().map(|(path, value)| match value {
        FieldValue::Value(value) => (path, Cow::Borrowed(value)),
        FieldValue::Reference(..) | FieldValue::References(..) | FieldValue::Id(..) | FieldValue::Ids(..) => {
            (path, Cow::Owned(value.to_value()))
        }
    });
    Ok(remembered.collect())
}

/// Checks a draft against the object's rules. All problems are found, not the first.
pub fn seal(draft: Draft<'_>) -> Result<Operation, Vec<Problem>> {
    let left = left(&draft);
    let complete: Vec<_> = draft.field_diff.complete.iter().collect();
    let problems = check(draft.object, draft.mode, &complete, &left);
    if !problems.is_empty() {
        return Err(problems);
    }
    let FieldDiff { mut complete, differences, would_send } = draft.field_diff;
    let known = Known::of(draft.row_state);
    let changed = match (&known, draft.reason) {
        (Known::Unclear { .. }, _) | (_, Reason::Resend) => everything(&complete, &differences),
        _ if differences.is_empty() => everything(&complete, &differences),
        _ => differences,
    };
    complete.extend(left);
    let email = match draft.found_by {
        FoundBy::ExternalId => None,
        FoundBy::Email => email_of(&complete),
    };
    Ok(Operation {
        key: draft.key.clone(),
        object: draft.object,
        target: draft.rendered.target.clone(),
        email,
        action: Action::Write {
            mode: draft.mode,
            associations: draft.rendered.associations,
            complete,
            changed,
            would_send,
        },
        known,
        change: draft.change,
        reason: draft.reason,
        seen: Some(draft.seen),
        version: draft.row_state.map_or(0, |row_state| row_state.version),
    })
}

/// The fields that keep what was acknowledged, since an omitted null leaves them: a record that has to be created anew gets
/// them too, or the memory would claim what Vitally does not hold.
fn left(draft: &Draft<'_>) -> Fields {
    // What is complete is remembered too, so that mostly there is nothing to look for.
    if draft.field_diff.would_send.len() == draft.field_diff.complete.len() {
        return Fields::new();
    }
    let remembered = draft
        .field_diff
        .would_send
        .iter()
        .filter(|(path, value)| !value.is_null() && !draft.field_diff.complete.contains_key(*path));
    remembered
        .filter_map(|(path, value)| Some((path.clone(), remembered_value(draft.object, path, value)?)))
        .collect()
}

/// A remembered value as the field takes it: ids become references again.
fn remembered_value(object: Object, path: &FieldPath, value: &Value) -> Option<FieldValue> {
    let kind = path.as_field().and_then(|name| object.field(name)).map(|field| field.kind);
    match kind {
        Some(FieldKind::Reference(_) | FieldKind::References(_)) => FieldValue::reference_in(kind, value),
        Some(FieldKind::Text | FieldKind::Bool | FieldKind::Timestamp | FieldKind::ExternalId(_)) | None => {
            Some(FieldValue::Value(value.clone()))
        }
    }
}

/// Where a record is written again, or what it holds is not known, what did not differ is sent too.
fn everything(complete: &Fields, differences: &[Difference]) -> Vec<Difference> {
    let whole = |(path, value): (&FieldPath, &FieldValue)| {
        let found = differences.iter().find(|difference| difference.path == *path);
        found.cloned().unwrap_or_else(|| {
            let value = value.to_value();
            Difference { path: path.clone(), before: Some(value.clone()), after: value }
        })
    };
    complete.iter().map(whole).collect()
}

/// What is wrong with these fields, of which `left` are those that keep what was acknowledged.
fn check(object: Object, mode: Mode, complete: &[(&FieldPath, &FieldValue)], left: &Fields) -> Vec<Problem> {
    let catalog = object.catalog();
    let has = |name| {
        let field = complete.iter().find(|(path, _)| path.as_field() == Some(name)).map(|(_, value)| *value);
        says(field) || says(own_field(left, name))
    };
    let mut problems = Vec::new();
    if mode.creates() {
        for field in catalog.fields.iter().filter(|field| field.required == Required::OnCreate) {
            if field.name != "externalId" && !has(field.name) {
                let path = FieldPath::new(field.name);
                let message = "Required field: the value is null";
                problems.push(Problem::new(Code::NULL_REQUIRED, message).field(&path));
            }
        }
    }
    if let Some(owners) = &catalog.owners
        && !owners.any_of.iter().any(|name| has(name))
    {
        problems.push(Problem::new(Code::NO_OWNER, owners.text));
    }
    problems.extend(complete.iter().filter_map(|(path, value)| misfit(object, path, value)));
    problems
}

/// Whether a field has a value that says something.
fn says(field: Option<&FieldValue>) -> bool {
    match field {
        None | Some(FieldValue::Value(Value::Null)) => false,
        Some(FieldValue::References(_, ids)) => !ids.is_empty(),
        Some(FieldValue::Ids(_, ids)) => !ids.is_empty(),
        Some(FieldValue::Value(_) | FieldValue::Reference(..) | FieldValue::Id(..)) => true,
    }
}

/// The last look before a value leaves: mappings check types with better places, so this only fires for foreign callers.
fn misfit(object: Object, path: &FieldPath, value: &FieldValue) -> Option<Problem> {
    let wrong = |message: String| Some(Problem::new(Code::VALUE_TYPE, message).field(path));
    let Some(name) = path.as_field() else {
        return match value {
            FieldValue::Value(value) if is_plain(value) => None,
            FieldValue::Value(value) => {
                let message = format!("{} cannot hold this {}", custom(path), value.kind());
                Some(Problem::new(Code::NESTED_TRAIT, message).field(path))
            }
            FieldValue::Reference(..)
            | FieldValue::References(..)
            | FieldValue::Id(..)
            | FieldValue::Ids(..) => wrong(format!("{} cannot refer", custom(path))),
        };
    };
    let Some(field) = object.field(name) else { return wrong(format!("{object} has no field `{name}`")) };
    match (field.kind, value) {
        (_, FieldValue::Value(Value::Null))
        | (FieldKind::Text | FieldKind::ExternalId(_), FieldValue::Value(Value::Text(_)))
        | (FieldKind::Bool, FieldValue::Value(Value::Bool(_)))
        | (FieldKind::Timestamp, FieldValue::Value(Value::Timestamp(_))) => None,
        (FieldKind::Reference(to), FieldValue::Reference(other, _) | FieldValue::Id(other, _))
        | (FieldKind::References(to), FieldValue::References(other, _) | FieldValue::Ids(other, _))
            if to == *other =>
        {
            None
        }
        (kind, value) => wrong(format!("expected {kind}, found {}", value.to_value().kind())),
    }
}

/// What a custom value is called.
fn custom(path: &FieldPath) -> &'static str {
    match path {
        FieldPath::Property(_) => "a property",
        FieldPath::Trait(_) | FieldPath::Field(_) => "a trait",
    }
}

/// Whether Vitally stores a trait like this: a plain value, or a list of plain values.
pub fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !matches!(item, Value::Object(_) | Value::Array(_))),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_) => true,
    }
}
