//! How operations are written to the plan's file, in [`bytes`](super::bytes).

use chrono::DateTime;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{Difference, FieldValue, Fields, Sent};
use coho_core::json::{self, Json, JsonError};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::{Origin, Seen, Verb};
use coho_core::sync::{Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;

use super::bytes::{Bytes, Reader};

/// The fields that an operation clears.
pub(super) fn nulled(operation: &Operation) -> Vec<&FieldPath> {
    match &operation.action {
        Action::Write { changed, .. } => {
            changed.iter().filter(|difference| difference.after.is_null()).map(|d| &d.path).collect()
        }
        Action::Remove | Action::Probe { .. } => Vec::new(),
    }
}

/// Writes an operation.
pub(super) fn write(operation: &Operation) -> Vec<u8> {
    let mut bytes = Bytes::default();
    bytes.text(operation.key.row());
    bytes.number(u64::from(operation.key.departure()));
    bytes.text(operation.object.name());
    bytes.text(operation.target.as_str());
    bytes.option(operation.email.as_deref(), Bytes::text);
    bytes.text(operation.change.name());
    bytes.text(operation.reason.as_str());
    bytes.option(operation.seen, |bytes, seen| {
        bytes.raw(&seen.row.to_bytes());
        bytes.raw(&seen.mapping.to_bytes());
    });
    bytes.number(operation.version);
    write_known(&mut bytes, &operation.known);
    write_action(&mut bytes, &operation.action);
    bytes.finish()
}

fn write_known(bytes: &mut Bytes, known: &Known) {
    let origin = |bytes: &mut Bytes, origin: Origin| bytes.flag(origin == Origin::Created);
    let id = |bytes: &mut Bytes, id: &VitallyId| bytes.text(id.as_str());
    match known {
        Known::New => bytes.byte(0),
        Known::Assumed => bytes.byte(1),
        Known::There { id: held, origin: of } => {
            bytes.byte(2);
            bytes.option(held.as_ref(), id);
            origin(bytes, *of);
        }
        Known::Unclear { since, id: held, origin: of } => {
            bytes.byte(3);
            bytes.int(since.timestamp_micros());
            bytes.option(held.as_ref(), id);
            bytes.option(*of, origin);
        }
    }
}

fn write_action(bytes: &mut Bytes, action: &Action) {
    match action {
        Action::Remove => bytes.byte(0),
        Action::Probe { verb, would_send } => {
            bytes.byte(1);
            bytes.flag(*verb == Verb::Remove);
            bytes.number(would_send.len() as u64);
            for (path, value) in would_send {
                bytes.path(path);
                bytes.value(value);
            }
        }
        Action::Write { mode, associations, complete, changed, would_send } => {
            bytes.byte(2);
            bytes.text(mode.name());
            bytes.text(associations.name());
            write_complete(bytes, complete);
            let mut places = Places::of(complete);
            write_changed(bytes, changed, &mut places);
            write_sent(bytes, would_send, &mut places);
        }
    }
}

fn write_complete(bytes: &mut Bytes, complete: &Fields) {
    bytes.number(complete.len() as u64);
    for (path, value) in complete {
        bytes.path(path);
        match value {
            FieldValue::Value(value) => bytes.value(value),
            FieldValue::Reference(..)
            | FieldValue::References(..)
            | FieldValue::Id(..)
            | FieldValue::Ids(..) => bytes.value(&value.to_value()),
        }
    }
}

/// The fields of the complete record by their places.
struct Places<'f> {
    fields: Vec<(&'f FieldPath, &'f FieldValue)>,
    /// The place behind the one that was found last: whoever looks does so in the order of the paths, and mostly for each of them.
    next: usize,
}

impl<'f> Places<'f> {
    fn of(complete: &'f Fields) -> Self {
        Self { fields: complete.iter().collect(), next: 0 }
    }

    fn find(&mut self, path: &FieldPath) -> Option<usize> {
        let is_next = self.fields.get(self.next).is_some_and(|(known, _)| *known == path);
        let found = if is_next {
            self.next
        } else {
            self.fields.binary_search_by(|(known, _)| (*known).cmp(path)).ok()?
        };
        self.next = found + 1;
        Some(found)
    }

    /// Whether there is this value at a place.
    fn has(&self, place: Option<usize>, value: &Value) -> bool {
        place.and_then(|at| self.fields.get(at)).is_some_and(|(_, found)| match found {
            FieldValue::Value(found) => found == value,
            FieldValue::Reference(..)
            | FieldValue::References(..)
            | FieldValue::Id(..)
            | FieldValue::Ids(..) => found.to_value() == *value,
        })
    }
}

/// A path by its place in the complete record, counted from 1; 0 and its text, where it has none.
fn write_path(bytes: &mut Bytes, path: &FieldPath, place: Option<usize>) {
    bytes.number(place.map_or(0, |at| at + 1) as u64);
    if place.is_none() {
        bytes.path(path);
    }
}

/// A path, what was sent before, if anything was, and what is sent now, if that is not what the complete record has. A null that
/// was sent is not nothing.
fn write_changed(bytes: &mut Bytes, changed: &[Difference], places: &mut Places<'_>) {
    bytes.number(changed.len() as u64);
    places.next = 0;
    for Difference { path, before, after } in changed {
        let place = places.find(path);
        write_path(bytes, path, place);
        bytes.option(before.as_ref(), Bytes::value);
        bytes.option(Some(after).filter(|after| !places.has(place, after)), Bytes::value);
    }
}

/// What is remembered is mostly what the complete record has: here is where it is not, with what is remembered there, if
/// anything is.
fn write_sent(bytes: &mut Bytes, sent: &Sent, places: &mut Places<'_>) {
    let (mut beside, mut shared) = (Vec::new(), 0);
    places.next = 0;
    for (path, value) in sent {
        let place = places.find(path);
        shared += usize::from(place.is_some());
        if !places.has(place, value) {
            beside.push((path, place, Some(value)));
        }
    }
    if shared < places.fields.len() {
        let fields = places.fields.iter().enumerate();
        let missing = fields.filter(|(_, (path, _))| !sent.contains_key(*path));
        beside.extend(missing.map(|(at, (path, _))| (*path, Some(at), None)));
    }
    bytes.number(beside.len() as u64);
    for (path, place, value) in beside {
        write_path(bytes, path, place);
        bytes.option(value, Bytes::value);
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(bytes: &[u8]) -> Option<Operation> {
    let mut from = Reader(bytes);
    let (row, departure) = (from.text()?, u32::try_from(from.number()?).ok()?);
    let object = Object::parse(from.text()?)?;
    let target = from.text()?;
    Some(Operation {
        key: Key::departed(row, departure, target),
        object,
        target: ExternalId::parse(target).ok()?,
        email: from.option(Reader::text)?.map(str::to_owned),
        change: Change::parse(from.text()?)?,
        reason: Reason::parse(from.text()?)?,
        seen: from.option(|from| Some(Seen { row: read_digest(from)?, mapping: read_digest(from)? }))?,
        version: from.number()?,
        known: read_known(&mut from)?,
        action: read_action(&mut from, object)?,
    })
}

fn read_digest(from: &mut Reader<'_>) -> Option<Digest> {
    Some(Digest::from_bytes(from.raw(16)?.try_into().ok()?))
}

fn read_known(from: &mut Reader<'_>) -> Option<Known> {
    let id = |from: &mut Reader<'_>| from.text().map(VitallyId::new);
    let origin = |from: &mut Reader<'_>| Some(if from.flag()? { Origin::Created } else { Origin::Found });
    Some(match from.byte()? {
        0 => Known::New,
        1 => Known::Assumed,
        2 => Known::There { id: from.option(id)?, origin: origin(from)? },
        3 => Known::Unclear {
            since: DateTime::from_timestamp_micros(from.int()?)?,
            id: from.option(id)?,
            origin: from.option(origin)?,
        },
        _ => return None,
    })
}

fn read_action(from: &mut Reader<'_>, object: Object) -> Option<Action> {
    Some(match from.byte()? {
        0 => Action::Remove,
        1 => Action::Probe {
            verb: if from.flag()? { Verb::Remove } else { Verb::Write },
            would_send: read_list(from, |from| Some((FieldPath::new(from.text()?), from.value()?)))?,
        },
        2 => {
            let (mode, associations) = (from.text()?, from.text()?);
            let complete: Vec<_> = read_list(from, |from| read_field(from, object))?;
            Action::Write {
                mode: Mode::ALL.into_iter().find(|candidate| candidate.name() == mode)?,
                associations: Associations::ALL
                    .into_iter()
                    .find(|candidate| candidate.name() == associations)?,
                changed: read_list(from, |from| read_changed(from, &complete))?,
                would_send: read_sent(from, &complete)?,
                complete: complete.into_iter().collect(),
            }
        }
        _ => return None,
    })
}

fn read_list<T, L: FromIterator<T>>(
    from: &mut Reader<'_>,
    mut one: impl FnMut(&mut Reader<'_>) -> Option<T>,
) -> Option<L> {
    let length = from.length()?;
    (0..length).map(|_| one(from)).collect()
}

fn read_field(from: &mut Reader<'_>, object: Object) -> Option<(FieldPath, FieldValue)> {
    let (path, value) = (FieldPath::new(from.text()?), from.value()?);
    let kind = path.as_field().and_then(|name| object.field(name)).map(|field| field.kind);
    let value = FieldValue::reference_in(kind, &value).unwrap_or(FieldValue::Value(value));
    Some((path, value))
}

/// A path, and what the complete record has there.
fn read_path<'f>(
    from: &mut Reader<'_>,
    complete: &'f [(FieldPath, FieldValue)],
) -> Option<(FieldPath, Option<&'f FieldValue>)> {
    match from.length()?.checked_sub(1) {
        Some(at) => complete.get(at).map(|(path, value)| (path.clone(), Some(value))),
        None => from.text().map(|text| (FieldPath::new(text), None)),
    }
}

fn read_changed(from: &mut Reader<'_>, complete: &[(FieldPath, FieldValue)]) -> Option<Difference> {
    let (path, whole) = read_path(from, complete)?;
    let before = from.option(Reader::value)?;
    let after = match from.option(Reader::value)? {
        Some(after) => after,
        None => whole?.to_value(),
    };
    Some(Difference { path, before, after })
}

fn read_sent(from: &mut Reader<'_>, complete: &[(FieldPath, FieldValue)]) -> Option<Sent> {
    let mut sent: Sent = complete.iter().map(|(path, value)| (path.clone(), value.to_value())).collect();
    for _ in 0..from.length()? {
        let (path, _) = read_path(from, complete)?;
        match from.option(Reader::value)? {
            Some(value) => sent.insert(path, value),
            None => sent.remove(&path),
        };
    }
    Some(sent)
}

/// A path, what was sent before, if anything was, and what is sent now. A null that was sent is not nothing.
type DifferenceWire = (String, Vec<Json>, Json);

fn write_difference(difference: &Difference) -> DifferenceWire {
    let before = difference.before.iter().map(json::to_serde).collect();
    (difference.path.to_string(), before, json::to_serde(&difference.after))
}

fn read_difference((path, before, after): DifferenceWire) -> Option<Difference> {
    let (path, before) = (FieldPath::new(&path), first(before).ok()?);
    Some(Difference { path, before, after: json::from_serde(after).ok()? })
}

/// The value in a list of at most one: a null in it is not nothing.
fn first(values: Vec<Json>) -> Result<Option<Value>, JsonError> {
    values.into_iter().next().map(json::from_serde).transpose()
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
        assert_eq!(body.windows(3).filter(|window| window == b"Ada").count(), 1);
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
