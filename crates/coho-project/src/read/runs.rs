//! What a sync says of its runs: what the first one does, how long one may take, how long events are remembered, and under
//! which ids earlier ones stand.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::{FirstRun, SyncId};

use super::sync::Mapped;
use crate::yaml::{Content, Node};

/// What the first run does. `None` if it cannot be read; the problem is told.
pub(crate) fn first_run(
    root: &Node,
    object: Option<Object>,
    mapped: &Mapped,
    problems: &mut Vec<Problem>,
) -> Option<FirstRun> {
    let Some(node) = root.get("first_run") else {
        return Some(FirstRun::Send);
    };
    let first_run = match &node.content {
        Content::Scalar(_) => match node.text()? {
            "send" => FirstRun::Send,
            "baseline" => FirstRun::Baseline,
            "adopt" => FirstRun::Adopt,
            _ => return None,
        },
        Content::Map(_) => FirstRun::Since(super::instant(node.text_of("since")?)?),
        Content::List(_) | Content::Unresolved => return None,
    };
    if let Some(problem) = object.and_then(|object| refused(first_run, object, mapped)) {
        problems.push(problem.at(&node.place));
    }
    Some(first_run)
}

fn refused(first_run: FirstRun, object: Object, mapped: &Mapped) -> Option<Problem> {
    let has_time = || mapped.names.iter().any(|name| name == "timestamp");
    let (message, help) = match (first_run, object) {
        (FirstRun::Adopt, Object::Event) => (
            "`first_run: adopt` does not work for events: Vitally does not list them",
            "use `send`, `baseline` or `{ since: 2026-01-01 }`",
        ),
        (FirstRun::Since(_), Object::Organization | Object::Account | Object::User) => (
            "`since` is for events: a record has no moment at which it happened",
            "use `send`, `baseline` or `adopt`",
        ),
        (FirstRun::Since(_), Object::Event) if !has_time() => (
            "`since` needs the time of each event, and `timestamp` is not mapped",
            "add `timestamp: …` to `fields`, or use `send` or `baseline`",
        ),
        (FirstRun::Send | FirstRun::Baseline | FirstRun::Adopt | FirstRun::Since(_), _) => return None,
    };
    Some(Problem::new(Code::WRONG_VALUE, message).help(help))
}

/// For how many days an event is remembered.
pub(crate) fn remember_days(root: &Node, object: Option<Object>, problems: &mut Vec<Problem>) -> Option<u32> {
    let entry = root.entry("remember")?;
    if let Some(object) = object.filter(|object| *object != Object::Event) {
        let message = format!(
            "`remember` is for events: {} is remembered as long as Vitally may hold it",
            object.with_article()
        );
        problems.push(Problem::new(Code::WRONG_VALUE, message).at(&entry.at).help("remove it"));
    }
    super::days(entry.value.text()?)
}

/// For how many seconds a run may send.
pub(crate) fn run_seconds(root: &Node) -> Option<u64> {
    super::seconds(root.get("run")?.text_of("for")?)
}

/// The ids that a sync had before, and where each is named.
pub(crate) fn renamed_from(root: &Node) -> Vec<(SyncId, Place)> {
    let Some(node) = root.get("renamed_from") else { return Vec::new() };
    let ids = match &node.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Unresolved => std::slice::from_ref(node),
    };
    ids.iter().filter_map(|id| Some((SyncId::new(id.text()?), id.place.clone()))).collect()
}
