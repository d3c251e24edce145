//! Fields: what a mapping renders, what was sent, and the diff between the two.

use std::collections::{BTreeMap, BTreeSet};

use crate::object::{FieldKind, Object};
use crate::path::FieldPath;
use crate::sync::{Associations, NullPolicy};
use crate::target::{ExternalId, VitallyId};
use crate::value::Value;

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A plain value; [`Value::Null`] clears the field.
    Value(Value),
    /// A reference to one record.
    Reference(Object, ExternalId),
    /// References to any number of records.
    References(Object, BTreeSet<ExternalId>),
    /// One record, by the id that Vitally gave it.
    Id(Object, VitallyId),
    /// Any number of records, by the ids that Vitally gave them.
    Ids(Object, BTreeSet<VitallyId>),
}

/// The member that tells one of Vitally's ids from an external id where both are remembered as values.
const ID: &str = "id";

/// One of Vitally's ids as it is remembered and shown: `{"id":"0b5c…"}`.
fn id_value(id: &VitallyId) -> Value {
    Value::Object(vec![(ID.to_owned(), Value::text(id.as_str()))])
}

/// The id in a value that [`FieldValue::to_value`] made of one of Vitally's.
fn id_in(value: &Value) -> Option<VitallyId> {
    value.get(ID).and_then(Value::as_text).map(VitallyId::new)
}

impl FieldValue {
    /// The value as a field of this kind takes it: the inverse of [`FieldValue::to_value`]. `None` where it is no reference.
    pub fn reference_in(kind: Option<FieldKind>, value: &Value) -> Option<Self> {
        let external = |value: &Value| value.as_text().and_then(|text| ExternalId::parse(text).ok());
        match (kind, value) {
            (Some(FieldKind::Reference(to)), value) => match id_in(value) {
                Some(id) => Some(Self::Id(to, id)),
                None => external(value).map(|id| Self::Reference(to, id)),
            },
            (Some(FieldKind::References(to)), Value::Array(items)) => {
                let ids: Option<BTreeSet<_>> = items.iter().map(id_in).collect();
                match ids.filter(|ids| !ids.is_empty()) {
                    Some(ids) => Some(Self::Ids(to, ids)),
                    None => {
                        items.iter().map(external).collect::<Option<_>>().map(|ids| Self::References(to, ids))
                    }
                }
            }
            _ => None,
        }
    }

    /// The value as it is remembered and shown: references as external ids, or as objects with Vitally's.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Id(_, id) => id_value(id),
            Self::Ids(_, ids) => Value::Array(ids.iter().map(id_value).collect()),
            Self::Value(value) => value.clone(),
            Self::Reference(_, id) => Value::text(id.as_str()),
            Self::References(_, ids) => Value::Array(ids.iter().map(|id| Value::text(id.as_str())).collect()),
        }
    }

    /// The records that it refers to by external ids: what has to be looked up.
    pub fn references(&self) -> Vec<(Object, &ExternalId)> {
        match self {
            Self::Value(_) | Self::Id(..) | Self::Ids(..) => Vec::new(),
            Self::Reference(object, id) => vec![(*object, id)],
            Self::References(object, ids) => ids.iter().map(|id| (*object, id)).collect(),
        }
    }
}

/// Fields with their values, in the order of their paths.
pub type Fields = BTreeMap<FieldPath, FieldValue>;

/// The field of the record itself, no trait or property, that has this name. Such fields are few, and come first.
pub fn own_field<'a, T>(fields: &'a BTreeMap<FieldPath, T>, name: &str) -> Option<&'a T> {
    let mut own = fields.iter().map_while(|(path, value)| Some((path.as_field()?, value)));
    own.find(|(field, _)| *field == name).map(|(_, value)| value)
}

/// What was acknowledged of a record: the last value of each field, references as external ids.
pub type Sent = BTreeMap<FieldPath, Value>;

/// What a mapping made of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Which record the row becomes.
    pub target: ExternalId,
    /// The fields.
    pub fields: BTreeMap<FieldPath, Rendering>,
    /// Where all traits are mapped at once: what a trait means that is no longer among them.
    pub absent_traits: Option<NullPolicy>,
    /// Whether links only grow, or are what the row says.
    pub associations: Associations,
}

/// What a mapping made of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// A value.
    Set(FieldValue),
    /// A null, and what it does.
    Null(NullPolicy),
}

/// A field that differs from what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field.
    pub path: FieldPath,
    /// What was acknowledged last; `None` where Coho never sent it.
    pub before: Option<Value>,
    /// What is to be sent; [`Value::Null`] clears.
    pub after: Value,
}

/// What a field diff found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FieldDiff {
    /// All fields that a record is created with.
    pub complete: Fields,
    /// The fields that differ, in the order of their paths.
    pub differences: Vec<Difference>,
    /// What is remembered once it was acknowledged.
    pub would_send: Sent,
}

/// Compares what was rendered with what was sent.
///
/// Fields that are no longer mapped are forgotten, not cleared. References that are remembered only ever grow, unless the row is
/// to say exactly which there are; what is sent is what the row names.
pub fn diff_fields(rendered: &Rendered, sent: &Sent) -> FieldDiff {
    let mut field_diff = Diffing::of(rendered.fields.len());
    for (path, rendering) in &rendered.fields {
        match rendering {
            Rendering::Set(value) => field_diff.set(path, value, sent.get(path), rendered.associations),
            Rendering::Null(policy) => field_diff.null(path, *policy, sent.get(path)),
        }
    }
    if let Some(policy) = rendered.absent_traits {
        for (path, before) in sent {
            if matches!(path, FieldPath::Trait(_)) && !rendered.fields.contains_key(path) {
                field_diff.null(path, policy, Some(before));
            }
        }
    }
    field_diff.finish()
}

/// What was found so far, in the order in which it was: maps are made of it at once.
struct Diffing {
    complete: Vec<(FieldPath, FieldValue)>,
    differences: Vec<Difference>,
    would_send: Vec<(FieldPath, Value)>,
}

impl Diffing {
    fn of(fields: usize) -> Self {
        Self {
            complete: Vec::with_capacity(fields),
            differences: Vec::new(),
            would_send: Vec::with_capacity(fields),
        }
    }

    fn finish(self) -> FieldDiff {
        FieldDiff {
            complete: self.complete.into_iter().collect(),
            differences: self.differences,
            would_send: self.would_send.into_iter().collect(),
        }
    }

    fn set(
        &mut self,
        path: &FieldPath,
        value: &FieldValue,
        before: Option<&Value>,
        associations: Associations,
    ) {
        let after = match associations {
            Associations::Add => grown(value, before),
            Associations::Exact => value.to_value(),
        };
        if before != Some(&after) {
            self.differ(path, before, after.clone());
        }
        // A record is written with what its row names: what it was linked to once may be no more. A row that names nothing
        // leaves what is there, as an omitted null does.
        if !is_empty(value) || after == value.to_value() {
            self.complete.push((path.clone(), value.clone()));
        }
        self.would_send.push((path.clone(), after));
    }

    fn null(&mut self, path: &FieldPath, policy: NullPolicy, before: Option<&Value>) {
        let held = before.is_some_and(|value| !value.is_null());
        let clears = match policy {
            NullPolicy::Follow => held,
            NullPolicy::Omit => false,
            NullPolicy::Clear => before != Some(&Value::Null),
        };
        if clears {
            self.differ(path, before, Value::Null);
        }
        if clears || policy == NullPolicy::Clear {
            self.complete.push((path.clone(), FieldValue::Value(Value::Null)));
            self.would_send.push((path.clone(), Value::Null));
        } else if let Some(before) = before {
            self.would_send.push((path.clone(), before.clone()));
        }
    }

    fn differ(&mut self, path: &FieldPath, before: Option<&Value>, after: Value) {
        self.differences.push(Difference { path: path.clone(), before: before.cloned(), after });
    }
}

fn is_empty(value: &FieldValue) -> bool {
    match value {
        FieldValue::References(_, ids) => ids.is_empty(),
        FieldValue::Ids(_, ids) => ids.is_empty(),
        FieldValue::Value(_) | FieldValue::Reference(..) | FieldValue::Id(..) => false,
    }
}

/// References with those that were sent before: what is remembered, since nothing takes them away.
fn grown(value: &FieldValue, before: Option<&Value>) -> Value {
    match (value, before) {
        (FieldValue::References(object, ids), Some(Value::Array(earlier))) => {
            let earlier =
                earlier.iter().filter_map(Value::as_text).filter_map(|id| ExternalId::parse(id).ok());
            FieldValue::References(*object, ids.iter().cloned().chain(earlier).collect()).to_value()
        }
        (FieldValue::Ids(object, ids), Some(Value::Array(earlier))) => {
            let earlier = earlier.iter().filter_map(id_in);
            FieldValue::Ids(*object, ids.iter().cloned().chain(earlier).collect()).to_value()
        }
        (value, _) => value.to_value(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rendered(fields: &[(&str, Rendering)]) -> Rendered {
        Rendered {
            target: ExternalId::parse("acme").unwrap(),
            fields: fields.iter().map(|(path, r)| (FieldPath::new(path), r.clone())).collect(),
            absent_traits: None,
            associations: Associations::Add,
        }
    }

    fn sent(fields: &[(&str, Value)]) -> Sent {
        fields.iter().map(|(path, value)| (FieldPath::new(path), value.clone())).collect()
    }

    fn set(value: Value) -> Rendering {
        Rendering::Set(FieldValue::Value(value))
    }

    fn paths(field_diff: &FieldDiff) -> Vec<String> {
        field_diff.differences.iter().map(|difference| difference.path.to_string()).collect()
    }

    #[test]
    fn a_field_of_the_record_is_no_trait_of_its_name() {
        let fields = sent(&[("email", Value::Null), ("name", Value::Int(1)), ("traits.plan", Value::Int(2))]);
        assert_eq!(own_field(&fields, "name"), Some(&Value::Int(1)));
        assert_eq!(["plan", "traits.plan", "nam"].map(|name| own_field(&fields, name)), [None; 3]);
    }

    #[test]
    fn only_what_differs_is_found() {
        let rendered = rendered(&[("name", set(Value::text("Acme"))), ("traits.seats", set(Value::Int(5)))]);
        let field_diff =
            diff_fields(&rendered, &sent(&[("name", Value::text("Acme")), ("traits.seats", Value::Int(4))]));
        assert_eq!(paths(&field_diff), ["traits.seats"]);
        assert_eq!(field_diff.complete.len(), 2);
    }

    #[test]
    fn a_null_that_follows_clears_only_what_coho_set() {
        let rendered = rendered(&[("email", Rendering::Null(NullPolicy::Follow))]);
        assert_eq!(paths(&diff_fields(&rendered, &Sent::new())), Vec::<String>::new());
        let cleared = diff_fields(&rendered, &sent(&[("email", Value::text("a@b.c"))]));
        assert_eq!(paths(&cleared), ["email"]);
        assert_eq!(paths(&diff_fields(&rendered, &cleared.would_send)), Vec::<String>::new());
    }

    #[test]
    fn an_omitted_null_keeps_what_was_sent() {
        let rendered = rendered(&[("email", Rendering::Null(NullPolicy::Omit))]);
        let field_diff = diff_fields(&rendered, &sent(&[("email", Value::text("a@b.c"))]));
        assert_eq!(paths(&field_diff), Vec::<String>::new());
        assert_eq!(field_diff.would_send, sent(&[("email", Value::text("a@b.c"))]));
    }

    #[test]
    fn a_clearing_null_is_sent_once() {
        let rendered = rendered(&[("email", Rendering::Null(NullPolicy::Clear))]);
        let first = diff_fields(&rendered, &Sent::new());
        assert_eq!(paths(&first), ["email"]);
        assert_eq!(paths(&diff_fields(&rendered, &first.would_send)), Vec::<String>::new());
    }

    #[test]
    fn a_field_that_is_no_longer_mapped_is_forgotten() {
        let field_diff = diff_fields(&rendered(&[]), &sent(&[("name", Value::text("Acme"))]));
        assert_eq!(field_diff, FieldDiff::default());
    }

    #[test]
    fn references_grow_and_never_shrink() {
        let ids = |ids: &[&str]| -> BTreeSet<ExternalId> {
            ids.iter().map(|id| ExternalId::parse(id).unwrap()).collect()
        };
        let rendered =
            rendered(&[("accountIds", Rendering::Set(FieldValue::References(Object::Account, ids(&["b"]))))]);
        let before = Value::Array(vec![Value::text("a"), Value::text("b")]);
        assert_eq!(paths(&diff_fields(&rendered, &sent(&[("accountIds", before)]))), Vec::<String>::new());
        let grown = diff_fields(&rendered, &sent(&[("accountIds", Value::Array(vec![Value::text("a")]))]));
        assert_eq!(grown.differences[0].after, Value::Array(vec![Value::text("a"), Value::text("b")]));
    }

    #[test]
    fn a_link_that_the_row_no_longer_names_is_remembered_and_not_sent() {
        let ids = |ids: &[&str]| -> BTreeSet<ExternalId> {
            ids.iter().map(|id| ExternalId::parse(id).unwrap()).collect()
        };
        let accounts = |names: &[&str]| FieldValue::References(Object::Account, ids(names));
        let path = FieldPath::new("accountIds");
        let remembered = sent(&[("accountIds", Value::Array(vec![Value::text("a")]))]);
        let moved = diff_fields(&rendered(&[("accountIds", Rendering::Set(accounts(&["b"])))]), &remembered);
        assert_eq!(moved.complete.get(&path), Some(&accounts(&["b"])));
        assert_eq!(
            moved.would_send.get(&path),
            Some(&Value::Array(vec![Value::text("a"), Value::text("b")]))
        );
        let nobody = diff_fields(&rendered(&[("accountIds", Rendering::Set(accounts(&[])))]), &remembered);
        assert_eq!((nobody.complete.get(&path), &nobody.would_send), (None, &remembered));
        let nothing = diff_fields(&rendered(&[("accountIds", Rendering::Set(accounts(&[])))]), &Sent::new());
        assert_eq!(nothing.complete.get(&path), Some(&accounts(&[])));
    }

    #[test]
    fn ids_of_vitallys_read_back_as_such() {
        let kind = Some(FieldKind::References(Object::Account));
        let ids = FieldValue::Ids(
            Object::Account,
            BTreeSet::from([VitallyId::new("0b5c"), VitallyId::new("1d2e")]),
        );
        assert_eq!(FieldValue::reference_in(kind, &ids.to_value()), Some(ids.clone()));
        let before = Value::Array(vec![id_value(&VitallyId::new("9f00"))]);
        let grown = grown(&ids, Some(&before));
        assert_eq!(grown, crate::json::parse(r#"[{"id":"0b5c"},{"id":"1d2e"},{"id":"9f00"}]"#).unwrap());
    }

    #[test]
    fn exact_references_are_what_the_row_says() {
        let only_b = BTreeSet::from([ExternalId::parse("b").unwrap()]);
        let mut rendered =
            rendered(&[("accountIds", Rendering::Set(FieldValue::References(Object::Account, only_b)))]);
        rendered.associations = Associations::Exact;
        let before = Value::Array(vec![Value::text("a"), Value::text("b")]);
        let field_diff = diff_fields(&rendered, &sent(&[("accountIds", before)]));
        assert_eq!(field_diff.differences[0].after, Value::Array(vec![Value::text("b")]));
    }

    #[test]
    fn a_trait_that_left_the_whole_object_is_a_null() {
        let mut rendered = rendered(&[("traits.a", set(Value::Int(1)))]);
        rendered.absent_traits = Some(NullPolicy::Follow);
        let field_diff =
            diff_fields(&rendered, &sent(&[("traits.a", Value::Int(1)), ("traits.b", Value::Int(2))]));
        assert_eq!(paths(&field_diff), ["traits.b"]);
    }

    fn renderings() -> impl Strategy<Value = BTreeMap<FieldPath, Rendering>> {
        let rendering = prop_oneof![
            any::<i64>().prop_map(|number| set(Value::Int(number))),
            prop::sample::select(NullPolicy::ALL.to_vec()).prop_map(Rendering::Null),
        ];
        let path =
            prop::sample::select(vec!["name", "email", "traits.a", "traits.b"]).prop_map(FieldPath::new);
        prop::collection::btree_map(path, rendering, 0..4)
    }

    proptest! {
        /// Law 3, for one record: what was acknowledged is not sent again.
        #[test]
        fn nothing_new_nothing_sent(first in renderings(), second in renderings()) {
            let rendered = |fields| Rendered {
                target: ExternalId::parse("acme").unwrap(), fields, absent_traits: Some(NullPolicy::Follow),
                associations: Associations::Add,
            };
            let after_first = diff_fields(&rendered(first), &Sent::new()).would_send;
            let after_second = diff_fields(&rendered(second.clone()), &after_first).would_send;
            prop_assert!(diff_fields(&rendered(second), &after_second).differences.is_empty());
        }
    }
}
