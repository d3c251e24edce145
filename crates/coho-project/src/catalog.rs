//! A sync's fields against the catalog of Vitally's objects: what can be found without the model's columns.

use coho_core::code::Code;
use coho_core::object::{Bag, Editable, FieldKind, Object, Required};
use coho_core::operation::is_plain;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::sync::{Expression, FieldTarget, Mode};
use coho_core::value::{Value, preview};

use crate::read::sync::Mapped;
use crate::read::value::moment;

/// The field by which records are matched.
const EXTERNAL_ID: &str = "externalId";

/// The same of events.
const MESSAGE_ID: &str = "messageId";

/// Whether an object has a field of this name that may stand in `fields`.
pub(crate) fn mappable(object: Object, name: &str) -> Result<(), Problem> {
    let an_object = object.with_article();
    let matched = match object {
        Object::Organization | Object::Account | Object::User => EXTERNAL_ID,
        Object::Event => MESSAGE_ID,
    };
    if name == matched {
        return Err(Problem::new(Code::WRONG_VALUE, format!("`match` already sets `{name}`"))
            .help(format!("remove it here; its column is in `match: {{ {name}: … }}`")));
    }
    if object.field(name).is_some() {
        return Ok(());
    }
    if let Some(field) = object.read_only(name) {
        return Err(Problem::new(Code::READ_ONLY_FIELD, format!("`{name}` of {an_object} is read-only"))
            .help(field.hint.unwrap_or("remove it")));
    }
    let fields =
        || object.catalog().fields.iter().map(|field| field.name).filter(|name| *name != EXTERNAL_ID);
    let all = || fields().collect::<Vec<_>>().join(", ");
    let bag = object.bag().name();
    let help = match nearest(name, fields().chain([bag])) {
        Some(near) => format!("did you mean `{near}`? custom values go under `{bag}`"),
        None => format!("custom values go under `{bag}`; {an_object} has the fields {}", all()),
    };
    Err(Problem::new(Code::UNKNOWN_FIELD, format!("{an_object} has no field `{}`", preview(name))).help(help))
}

/// Custom values under the name that those of other objects have.
pub(crate) fn other_bag(object: Object, bag: Bag) -> Problem {
    let message = format!("{} has no {}", object.with_article(), bag.name());
    Problem::new(Code::UNKNOWN_FIELD, message)
        .help(format!("its custom values go under `{}`", object.bag().name()))
}

/// What a whole sync must map.
pub(crate) fn check(object: Object, mode: Mode, mapped: &Mapped, at: &Place, problems: &mut Vec<Problem>) {
    let is_mapped = |name: &str| mapped.names.iter().any(|mapped| mapped == name);
    let an_object = object.with_article();
    for field in object.catalog().fields.iter().filter(|field| field.name != EXTERNAL_ID) {
        if field.required == Required::OnCreate && mode.creates() && !is_mapped(field.name) {
            problems.push(required(object, field.name).at(at));
        }
        if field.editable == Editable::OnCreate && !mode.creates() && is_mapped(field.name) {
            let message = format!("`{}` can be set only when {an_object} is created", field.name);
            problems.push(Problem::new(Code::READ_ONLY_FIELD, message).at(at).help("remove it"));
        }
    }
    if let Some(owners) = &object.catalog().owners
        && !owners.any_of.iter().any(|name| is_mapped(name))
    {
        let help = match object {
            Object::Organization | Object::Account | Object::User => {
                "add `accountIds: { column: account_ids, lookup: account.externalId }`, or the same for organizationIds"
            }
            Object::Event => {
                "add `accountId: account_id` with the column of the external id, or the same for organizationId or userId"
            }
        };
        problems.push(Problem::new(Code::OWNER_REQUIRED, owners.text).at(at).help(help));
    }
    nulls(object, mode, mapped, problems);
}

/// A field is not mapped that a record is created with.
fn required(object: Object, field: &str) -> Problem {
    let help = match object {
        Object::Organization | Object::Account | Object::User => format!(
            "Vitally needs it to create {}: add `{field}: …` to `fields`, or use `mode: update`",
            object.with_article()
        ),
        Object::Event => format!(
            "add `{field}: {{ static: Order placed }}` to `fields`, or `{field}: …` with the column of its name"
        ),
    };
    Problem::new(Code::REQUIRED_FIELD, format!("Required field: `{field}`")).help(help)
}

/// A required field that is null or blank for every row.
fn nulls(object: Object, mode: Mode, mapped: &Mapped, problems: &mut Vec<Problem>) {
    for spec in mapped.specs.iter().filter(|_| mode.creates()) {
        if let FieldTarget::Path(FieldPath::Field(name)) = &spec.to
            && let Expression::Static(value) = &spec.from
            && let Some(what) = nothing(value)
            && object.field(name).is_some_and(|field| field.required == Required::OnCreate)
        {
            problems.push(
                Problem::new(Code::REQUIRED_FIELD, format!("Required field: `{name}`"))
                    .at(&spec.place)
                    .help(format!("it cannot be {what}")),
            );
        }
    }
}

/// What a value is that says nothing.
fn nothing(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => Some("null"),
        Value::Text(text) if text.trim().is_empty() => Some("blank"),
        Value::Text(_)
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Float(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// An expression in the form that a field takes, if it takes it at all.
pub(crate) fn fit(name: &str, kind: FieldKind, from: Expression, at: &Place) -> Result<Expression, Problem> {
    match kind {
        FieldKind::Reference(object) | FieldKind::References(object) => refer(name, object, from, at),
        FieldKind::Text | FieldKind::Bool | FieldKind::Timestamp | FieldKind::ExternalId(_) => match from {
            Expression::Column { .. } | Expression::Template { .. } => Ok(from),
            Expression::Lookup { column, .. } => Err(needless_lookup(name, kind, &column.name, at)),
            Expression::Static(value) => fit_static(name, kind, value, at).map(Expression::Static),
            Expression::Object(_) => Err(misfit(name, kind, "an object", at).help("map one column")),
            Expression::Array(_) => Err(misfit(name, kind, "a list", at).help("map one column")),
        },
    }
}

/// The same for a trait or a property.
pub(crate) fn fit_trait(path: &FieldPath, from: Expression, at: &Place) -> Result<Expression, Problem> {
    match &from {
        Expression::Lookup { column, .. } => {
            Err(needless_lookup(&path.to_string(), FieldKind::Text, &column.name, at))
        }
        Expression::Column { .. } | Expression::Template { .. } => Ok(from),
        Expression::Static(value) if is_plain(value) => Ok(from),
        Expression::Array(items) if items.iter().all(is_plain_item) => Ok(from),
        Expression::Static(_) | Expression::Object(_) | Expression::Array(_) => {
            Err(Problem::new(Code::NESTED_TRAIT, format!("`{path}` cannot hold an object or a nested list"))
                .at(at)
                .help("map its members one by one, each under its own name"))
        }
    }
}

fn is_plain_item(item: &Expression) -> bool {
    match item {
        Expression::Column { .. } | Expression::Template { .. } => true,
        Expression::Static(value) => is_plain(value) && !matches!(value, Value::Array(_)),
        Expression::Lookup { .. } | Expression::Object(_) | Expression::Array(_) => false,
    }
}

fn refer(name: &str, object: Object, from: Expression, at: &Place) -> Result<Expression, Problem> {
    let written =
        |column: &str| format!("write `{name}: {{ column: {column}, lookup: {object}.externalId }}`");
    match &from {
        Expression::Lookup { object: other, .. } if *other == object => Ok(from),
        Expression::Lookup { column, object: other, .. } => {
            let message = format!("`{name}` refers to {object}s, not to {other}s");
            Err(Problem::new(Code::BAD_LOOKUP, message).at(at).help(written(&column.name)))
        }
        Expression::Column { column, .. } => {
            let message = format!("`{name}` refers to {object}s and needs `lookup:`");
            Err(Problem::new(Code::BAD_LOOKUP, message).at(at).help(written(&column.name)))
        }
        Expression::Static(_)
        | Expression::Template { .. }
        | Expression::Object(_)
        | Expression::Array(_) => {
            Err(Problem::new(Code::BAD_LOOKUP, format!("`{name}` must come from a column"))
                .at(at)
                .help(written("…")))
        }
    }
}

fn needless_lookup(name: &str, kind: FieldKind, column: &str, at: &Place) -> Problem {
    let why = match kind {
        FieldKind::ExternalId(_) => "is sent as it is",
        FieldKind::Text
        | FieldKind::Bool
        | FieldKind::Timestamp
        | FieldKind::Reference(_)
        | FieldKind::References(_) => "refers to no record",
    };
    Problem::new(Code::BAD_LOOKUP, format!("`{name}` {why}, so it needs no `lookup:`"))
        .at(at)
        .help(format!("write `{name}: {column}`"))
}

fn fit_static(name: &str, kind: FieldKind, value: Value, at: &Place) -> Result<Value, Problem> {
    match (kind, &value) {
        (_, Value::Null)
        | (FieldKind::Text | FieldKind::ExternalId(_), Value::Text(_))
        | (FieldKind::Bool, Value::Bool(_)) => Ok(value),
        (FieldKind::Timestamp, Value::Text(text)) => {
            moment(text).ok_or_else(|| misfit(name, kind, &format!("`{}`", value.preview()), at))
        }
        _ => Err(misfit(name, kind, &format!("{} `{}`", value.kind(), value.preview()), at)),
    }
}

fn misfit(name: &str, kind: FieldKind, found: &str, at: &Place) -> Problem {
    let (expects, help) = match kind {
        FieldKind::Text => ("text", "put it in quotes"),
        FieldKind::Bool => ("a boolean", "write `true` or `false`"),
        FieldKind::Timestamp => {
            ("a timestamp with zone, or a date", "write `2026-01-31T09:00:00Z` or `2026-01-31`")
        }
        FieldKind::Reference(_) | FieldKind::References(_) => ("external ids", "use a column with `lookup:`"),
        FieldKind::ExternalId(_) => ("an external id", "put it in quotes"),
    };
    Problem::new(Code::TYPE_MISMATCH, format!("`{name}` expects {expects}, not {found}")).at(at).help(help)
}
