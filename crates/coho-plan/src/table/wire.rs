//! How operations are written to the plan's file. Nothing but this process ever reads it.

use std::collections::BTreeMap;

use chrono::DateTime;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{Difference, FieldValue, Fields, Sent};
use coho_core::json::{self, JsonError};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::{Origin, Seen, Verb};
use coho_core::sync::{Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

#[derive(Serialize, Deserialize)]
struct OperationWire {
    key: String,
    departure: u32,
    object: String,
    target: String,
    email: Option<String>,
    action: ActionWire,
    known: KnownWire,
    change: String,
    reason: String,
    seen: Option<(String, String)>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
enum ActionWire {
    Write {
        mode: String,
        associations: String,
        complete: Vec<(String, Json)>,
        changed: Vec<ChangedWire>,
        sent: Vec<(String, Vec<Json>)>,
    },
    Remove,
    Probe {
        removes: bool,
        sent: Vec<(String, Json)>,
    },
}

#[derive(Serialize, Deserialize)]
enum KnownWire {
    New,
    There { id: Option<String>, created: bool },
    Assumed,
    Unclear { since: i64, id: Option<String>, created: Option<bool> },
}

/// The fields that an operation clears.
pub(super) fn nulled(operation: &Operation) -> Vec<&FieldPath> {
    match &operation.action {
        Action::Write { changed, .. } => {
            changed.iter().filter(|difference| difference.after.is_null()).map(|d| &d.path).collect()
        }
        Action::Remove | Action::Probe { .. } => Vec::new(),
    }
}

pub(super) fn write(operation: &Operation) -> String {
    let wire = OperationWire {
        key: operation.key.row().to_owned(),
        departure: operation.key.departure(),
        object: operation.object.name().to_owned(),
        target: operation.target.to_string(),
        email: operation.email.clone(),
        action: write_action(&operation.action),
        known: write_known(&operation.known),
        change: operation.change.name().to_owned(),
        reason: operation.reason.as_str().to_owned(),
        seen: operation.seen.map(|seen| (seen.row.to_string(), seen.mapping.to_string())),
        version: operation.version,
    };
    serde_json::to_string(&wire).unwrap_or_default()
}

fn write_action(action: &Action) -> ActionWire {
    match action {
        Action::Write { mode, associations, complete, changed, would_send } => ActionWire::Write {
            mode: mode.name().to_owned(),
            associations: associations.name().to_owned(),
            complete: complete
                .iter()
                .map(|(path, value)| (path.to_string(), json::to_serde(&value.to_value())))
                .collect(),
            changed: changed.iter().map(|difference| write_changed(difference, complete)).collect(),
            sent: write_sent_beside(would_send, complete),
        },
        Action::Remove => ActionWire::Remove,
        Action::Probe { verb, would_send } => {
            ActionWire::Probe { removes: *verb == Verb::Remove, sent: write_sent(would_send) }
        }
    }
}

/// A path, what was sent before, if anything was, and what is sent now. A null that was sent is not nothing.
type DifferenceWire = (String, Vec<Json>, Json);

fn write_difference(difference: &Difference) -> DifferenceWire {
    let before = difference.before.iter().map(json::to_serde).collect();
    (difference.path.to_string(), before, json::to_serde(&difference.after))
}

/// A path, what was sent before, if anything was, and what is sent now, if that is not what the complete record has.
type ChangedWire = (String, Vec<Json>, Vec<Json>);

fn write_changed(difference: &Difference, complete: &Fields) -> ChangedWire {
    let Difference { path, before, after } = difference;
    let after = Some(after).filter(|after| !has(complete, path, after));
    let list = |value: Option<&Value>| value.into_iter().map(json::to_serde).collect();
    (path.to_string(), list(before.as_ref()), list(after))
}

/// What is remembered is mostly what the complete record has: here is where it is not, with what is remembered there, if
/// anything is.
fn write_sent_beside(sent: &Sent, complete: &Fields) -> Vec<(String, Vec<Json>)> {
    let others = sent.iter().filter(|(path, value)| !has(complete, path, value));
    let others = others.map(|(path, value)| (path.to_string(), vec![json::to_serde(value)]));
    let missing = complete.keys().filter(|path| !sent.contains_key(*path));
    others.chain(missing.map(|path| (path.to_string(), Vec::new()))).collect()
}

/// Whether the complete record has this value there.
fn has(complete: &Fields, path: &FieldPath, value: &Value) -> bool {
    complete.get(path).is_some_and(|found| match found {
        FieldValue::Value(found) => found == value,
        FieldValue::Reference(..) | FieldValue::References(..) | FieldValue::Id(..) | FieldValue::Ids(..) => {
            found.to_value() == *value
        }
    })
}

fn write_sent(sent: &Sent) -> Vec<(String, Json)> {
    sent.iter().map(|(path, value)| (path.to_string(), json::to_serde(value))).collect()
}

fn write_known(known: &Known) -> KnownWire {
    let text = |id: &Option<VitallyId>| id.as_ref().map(ToString::to_string);
    match known {
        Known::New => KnownWire::New,
        Known::Assumed => KnownWire::Assumed,
        Known::There { id, origin } => KnownWire::There { id: text(id), created: *origin == Origin::Created },
        Known::Unclear { since, id, origin } => KnownWire::Unclear {
            since: since.timestamp_micros(),
            id: text(id),
            created: origin.map(|origin| origin == Origin::Created),
        },
    }
}

pub(super) fn read(body: &str) -> Option<Operation> {
    let wire: OperationWire = serde_json::from_str(body).ok()?;
    let object = Object::parse(&wire.object)?;
    Some(Operation {
        key: Key::departed(wire.key, wire.departure, &wire.target),
        object,
        target: ExternalId::parse(&wire.target).ok()?,
        email: wire.email,
        action: read_action(wire.action, object)?,
        known: read_known(wire.known)?,
        change: Change::parse(&wire.change)?,
        reason: Reason::parse(&wire.reason)?,
        seen: match wire.seen {
            None => None,
            Some((row, mapping)) => {
                Some(Seen { row: Digest::from_hex(&row)?, mapping: Digest::from_hex(&mapping)? })
            }
        },
        version: wire.version,
    })
}

fn read_action(wire: ActionWire, object: Object) -> Option<Action> {
    Some(match wire {
        ActionWire::Remove => Action::Remove,
        ActionWire::Probe { removes, sent } => Action::Probe {
            verb: if removes { Verb::Remove } else { Verb::Write },
            would_send: read_sent(sent)?,
        },
        ActionWire::Write { mode, associations, complete, changed, sent } => {
            let complete = read_fields(complete, object)?;
            Action::Write {
                mode: Mode::ALL.into_iter().find(|candidate| candidate.name() == mode)?,
                associations: Associations::ALL
                    .into_iter()
                    .find(|candidate| candidate.name() == associations)?,
                changed: changed
                    .into_iter()
                    .map(|changed| read_changed(changed, &complete))
                    .collect::<Option<_>>()?,
                would_send: read_sent_beside(sent, &complete)?,
                complete,
            }
        }
    })
}

fn read_changed((path, before, after): ChangedWire, complete: &Fields) -> Option<Difference> {
    let path = FieldPath::new(&path);
    let after = match first(after).ok()? {
        Some(after) => after,
        None => complete.get(&path)?.to_value(),
    };
    Some(Difference { path, before: first(before).ok()?, after })
}

fn read_sent_beside(beside: Vec<(String, Vec<Json>)>, complete: &Fields) -> Option<Sent> {
    let mut sent: Sent = complete.iter().map(|(path, value)| (path.clone(), value.to_value())).collect();
    for (path, value) in beside {
        let path = FieldPath::new(&path);
        match first(value).ok()? {
            Some(value) => sent.insert(path, value),
            None => sent.remove(&path),
        };
    }
    Some(sent)
}

fn read_difference((path, before, after): DifferenceWire) -> Option<Difference> {
    let (path, before) = (FieldPath::new(&path), first(before).ok()?);
    Some(Difference { path, before, after: json::from_serde(after).ok()? })
}

/// The value in a list of at most one: a null in it is not nothing.
fn first(values: Vec<Json>) -> Result<Option<Value>, JsonError> {
    values.into_iter().next().map(json::from_serde).transpose()
}

fn read_sent(sent: Vec<(String, Json)>) -> Option<Sent> {
    sent.into_iter()
        .map(|(path, value)| Some((FieldPath::new(&path), json::from_serde(value).ok()?)))
        .collect::<Option<BTreeMap<_, _>>>()
}

fn read_fields(fields: Vec<(String, Json)>, object: Object) -> Option<Fields> {
    fields
        .into_iter()
        .map(|(path, value)| {
            let path = FieldPath::new(&path);
            let kind = path.as_field().and_then(|name| object.field(name)).map(|field| field.kind);
            let value = json::from_serde(value).ok()?;
            Some((path, FieldValue::reference_in(kind, &value).unwrap_or(FieldValue::Value(value))))
        })
        .collect()
}

fn read_known(wire: KnownWire) -> Option<Known> {
    let origin = |created| if created { Origin::Created } else { Origin::Found };
    Some(match wire {
        KnownWire::New => Known::New,
        KnownWire::Assumed => Known::Assumed,
        KnownWire::There { id, created } => {
            Known::There { id: id.map(VitallyId::new), origin: origin(created) }
        }
        KnownWire::Unclear { since, id, created } => Known::Unclear {
            since: DateTime::from_timestamp_micros(since)?,
            id: id.map(VitallyId::new),
            origin: created.map(origin),
        },
    })
}

/// The fields in which something differs.
pub(super) fn write_differences(differences: &[Difference]) -> String {
    serde_json::to_string(&differences.iter().map(write_difference).collect::<Vec<_>>()).unwrap_or_default()
}

/// What [`write_differences`] wrote.
pub(crate) fn read_differences(body: &str) -> Option<Vec<Difference>> {
    let wire: Vec<DifferenceWire> = serde_json::from_str(body).ok()?;
    wire.into_iter().map(read_difference).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use coho_core::decide::Change;
    use coho_core::value::Value;

    use super::*;

    fn target(text: &str) -> ExternalId {
        ExternalId::parse(text).unwrap()
    }

    fn write_of(fields: Fields) -> Action {
        let changed = |(path, value): (&FieldPath, &FieldValue)| Difference {
            path: path.clone(),
            before: Some(Value::Null),
            after: value.to_value(),
        };
        Action::Write {
            mode: Mode::Update,
            associations: Associations::Exact,
            changed: fields.iter().map(changed).collect(),
            would_send: fields.iter().map(|(path, value)| (path.clone(), value.to_value())).collect(),
            complete: fields,
        }
    }

    fn operation(action: Action) -> Operation {
        let digest = |text: &str| Digest::of(text.as_bytes());
        Operation {
            key: Key::departed("1 (was x)", 2, "u-1"),
            object: Object::User,
            target: target("u-1"),
            email: Some("ada@acme.example".to_owned()),
            action,
            known: Known::New,
            change: Change::Retry,
            reason: Reason::DeferredEarlier,
            seen: Some(Seen { row: digest("row"), mapping: digest("mapping") }),
            version: 3,
        }
    }

    #[test]
    fn a_write_reads_back_with_its_links_and_nulls() {
        let accounts = BTreeSet::from([target("acme"), target("hoop")]);
        let fields = Fields::from([
            (FieldPath::new("accountIds"), FieldValue::References(Object::Account, accounts)),
            (FieldPath::new("traits.vitally.custom.tier"), FieldValue::Value(Value::Null)),
            (FieldPath::new("traits.long"), FieldValue::Value(Value::text("12345678901234567890.5"))),
        ]);
        let written = operation(write_of(fields));
        assert_eq!(read(&write(&written)), Some(written.clone()));
        assert_eq!(nulled(&written), [&FieldPath::new("traits.vitally.custom.tier")]);
    }

    #[test]
    fn what_is_remembered_reads_back_where_it_is_not_what_is_sent() {
        let path = |name: &str| FieldPath::new(name);
        let value = |text: &str| FieldValue::Value(Value::text(text));
        let accounts = FieldValue::References(Object::Account, BTreeSet::from([target("acme")]));
        let fields = Fields::from([
            (path("accountIds"), accounts),
            (path("email"), value("ada@acme.example")),
            (path("name"), value("Ada")),
        ]);
        let mut action = write_of(fields);
        if let Action::Write { changed, would_send, .. } = &mut action {
            changed.push(Difference { path: path("traits.gone"), before: None, after: Value::Null });
            let grown = Value::Array(vec![Value::text("acme"), Value::text("hoop")]);
            would_send.insert(path("accountIds"), grown);
            would_send.insert(path("traits.kept"), Value::Null);
            would_send.remove(&path("email"));
        }
        let written = operation(action);
        let body = write(&written);
        assert_eq!(body.matches("Ada").count(), 1, "{body}");
        assert_eq!(read(&body), Some(written));
    }

    #[test]
    fn an_event_reads_back_and_is_the_same_operation() {
        let text = |text: &str| FieldValue::Value(Value::text(text));
        let at = DateTime::from_timestamp(1_790_000_000, 5_000_000).unwrap();
        let fields = Fields::from([
            (FieldPath::new("event"), text("Order placed")),
            (FieldPath::new("accountId"), text("acme")),
            (FieldPath::new("timestamp"), FieldValue::Value(Value::Timestamp(at))),
            (FieldPath::new("properties.total"), FieldValue::Value(Value::Int(12))),
            (FieldPath::new("properties.traits.odd.name"), text("kept")),
        ]);
        let event = Operation { object: Object::Event, email: None, ..operation(write_of(fields)) };
        let found = read(&write(&event)).unwrap();
        assert_eq!(found, event);
        assert_eq!(found.digest(), event.digest());
    }

    #[test]
    fn removals_and_probes_read_back_with_all_that_may_be_known() {
        let since = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let id = Some(VitallyId::new("v-2"));
        let knowns = [
            Known::New,
            Known::Assumed,
            Known::There { id: id.clone(), origin: Origin::Created },
            Known::There { id: None, origin: Origin::Found },
            Known::Unclear { since, id, origin: Some(Origin::Found) },
            Known::Unclear { since, id: None, origin: None },
        ];
        for known in knowns {
            for verb in [Verb::Write, Verb::Remove] {
                let would_send = [(FieldPath::new("name"), Value::text("Ada"))].into();
                for action in [Action::Remove, Action::Probe { verb, would_send }] {
                    let written = Operation { known: known.clone(), seen: None, ..operation(action) };
                    assert_eq!(read(&write(&written)), Some(written));
                }
            }
        }
    }

    #[test]
    fn what_differs_reads_back_and_a_null_that_was_sent_is_not_nothing() {
        let path = FieldPath::new("name");
        let differences = [None, Some(Value::Null), Some(Value::Int(1))].map(|before| Difference {
            path: path.clone(),
            before,
            after: Value::Null,
        });
        assert_eq!(read_differences(&write_differences(&differences)).unwrap(), differences);
    }
}
