//! `match`: how a row finds its record, and the field that this sets.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::sync::{ColumnRef, Expression, FieldSpec, FieldTarget, Matching, NullPolicy};
use coho_core::value::preview;

use super::field::column;
use super::sync::Mapped;
use crate::conform::is_missing;
use crate::keys::sync::MATCH;
use crate::yaml::{Content, Entry, Node};

/// How an event is written to be told from others.
const MESSAGE: &str = "write `match: { messageId: … }`, or leave `match` out to derive the id from the sync's id and the row's key";

/// The matching. `None` if it cannot be read; the problem is told.
pub(crate) fn matching(root: &Node, object: Option<Object>, problems: &mut Vec<Problem>) -> Option<Matching> {
    let object = object?;
    let entry = root.entry("match");
    let before = problems.len();
    refuse(object, entry, problems);
    if problems.len() > before {
        return None;
    }
    match object {
        Object::Event => event(entry, problems),
        Object::Organization | Object::Account | Object::User => record(entry?, problems),
    }
}

/// Keys that do not go with the object.
fn refuse(object: Object, entry: Option<&Entry>, problems: &mut Vec<Problem>) {
    let an_object = object.with_article();
    for key in entry.map_or(&[][..], |entry| entry.value.entries()) {
        let (message, help) = match (key.key.as_str(), object) {
            ("externalId" | "email", Object::Event) => {
                (format!("{an_object} has no `{}`: events are identified by `messageId`", key.key), MESSAGE)
            }
            ("messageId", Object::Organization | Object::Account | Object::User) => (
                format!("`messageId` is only for events, not for {an_object}"),
                "write `match: { externalId: … }`",
            ),
            ("email", Object::Organization | Object::Account) => (
                format!("{an_object} has no e-mail address: only users can be matched by e-mail"),
                "write `match: { externalId: … }`",
            ),
            _ => continue,
        };
        problems.push(Problem::new(Code::WRONG_VALUE, message).at(&key.at).help(help));
    }
}

fn event(entry: Option<&Entry>, problems: &mut Vec<Problem>) -> Option<Matching> {
    let Some(entry) = entry else { return Some(Matching::Message(None)) };
    if is_empty(&entry.value) {
        let problem = Problem::new(Code::WRONG_VALUE, "`match` names no column").at(&entry.at);
        problems.push(problem.help(MESSAGE));
        return None;
    }
    column(entry.value.get("messageId")?).map(|column| Matching::Message(Some(column)))
}

fn record(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Matching> {
    let by = &entry.value;
    let email = by.entry("email");
    if let Content::Map(entries) = &by.content
        && is_missing(entries, &MATCH, "externalId")
    {
        problems.push(match email {
            Some(_) => Problem::new(Code::REQUIRED_FIELD, "Required field: `externalId`")
                .at(&entry.at)
                .help("Vitally needs it to create users: write `match: { email: …, externalId: … }`"),
            None => Problem::new(Code::MISSING_KEY, "`externalId` is missing")
                .at(&entry.at)
                .help("write `match: { externalId: id }`"),
        });
    }
    let external_id = column(by.get("externalId")?)?;
    match email {
        None => Some(Matching::ExternalId(external_id)),
        Some(email) => Some(Matching::Email { email: column(&email.value)?, external_id }),
    }
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.content, Content::Map(entries) if entries.is_empty())
}

/// The address that finds a user is sent and remembered like a mapped field; `fields` cannot say something else.
pub(crate) fn address(matching: &Matching, mapped: &mut Mapped, problems: &mut Vec<Problem>) {
    let Some(email) = matching.email() else { return };
    let to = FieldTarget::Path(FieldPath::Field("email".into()));
    match mapped.specs.iter().find(|spec| spec.to == to) {
        None => mapped.specs.push(FieldSpec {
            to,
            from: Expression::Column { column: email.clone(), cast: None },
            null: NullPolicy::default(),
            place: email.place.clone(),
        }),
        Some(spec) if is_of(&spec.from, email) => {}
        Some(spec) => problems.push(
            Problem::new(
                Code::WRONG_VALUE,
                format!("`match` already sets `email`, from `{}`", preview(&email.name)),
            )
            .at(&spec.place)
            .help("remove it here; to match by another address, name its column in `match`"),
        ),
    }
}

fn is_of(from: &Expression, email: &ColumnRef) -> bool {
    matches!(from, Expression::Column { column, cast: None } if column.name == email.name)
}
