//! The exchange of probe: what became of a write whose row is gone, or waits for something. It only looks, and nothing is
//! written. A path that says that there is no such record is believed once it is known to take external ids. What the write was
//! to set and the record does not show is lost: the write did not arrive.
//!
//! | look-up | it was to write | it was to delete |
//! |---|---|---|
//! | found | Applied: it is there | Applied: it still is there |
//! | missing | Missing | Gone |

use coho_core::fields::{Fields, Sent};
use coho_core::json;
use coho_core::object::{FieldKind, Object};
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::plan::Calls;
use coho_core::row_state::{Origin, Verb};
use coho_core::value::Value;
use coho_core::verdict::Verdict;

use crate::ask::Ask;
use crate::exchange::origin::Reached;
use crate::exchange::{Exchange, links};
use crate::wire::record::Record;

/// Looks whether a record is there.
pub(crate) async fn probe<A: Ask>(
    exchange: &mut Exchange<'_, A>,
    verb: Verb,
    would_send: &Sent,
) -> Result<Verdict, Verdict> {
    let looks = exchange.subject.looks_probed(verb);
    let Some(record) = exchange.find(looks).await? else {
        return Ok(match verb {
            Verb::Write => Verdict::Missing,
            Verb::Remove => Verdict::Gone,
        });
    };
    let subject = &exchange.subject;
    let is_remembered = subject.id.is_none() || subject.id == record.id;
    let reached = if is_remembered { Reached::Remembered } else { Reached::Anew };
    let moment = exchange.asked.moment;
    let origin = moment.map_or(Origin::Found, |moment| moment.origin(&subject.known, reached, &record));
    let mut lost = links::missing(would_send, &Fields::new(), &record);
    let fields = would_send.iter().filter(|(path, value)| is_lost(subject.object, path, value, &record));
    lost.extend(fields.map(|(path, value)| (path.clone(), value.clone())));
    Ok(Verdict::Applied { id: record.id, origin, notes: Vec::new(), lost })
}

/// Whether a record shows another value of a field than the one that was to be set. What refers to others it shows otherwise.
fn is_lost(object: Object, path: &FieldPath, value: &Value, record: &Record) -> bool {
    let kind = path.as_field().and_then(|name| object.field(name)).map(|field| field.kind);
    if matches!(kind, Some(FieldKind::Reference(_) | FieldKind::References(_))) {
        return false;
    }
    let is_absent = matches!(path, FieldPath::Trait(key) if record.lacks_trait(key));
    let shown = record.value(path).or(is_absent.then_some(Value::Null));
    shown.is_some_and(|shown| !json::is_same(&shown, value))
}

/// The fewest and the most calls.
pub(crate) fn cost() -> Calls {
    Calls { least: 1, most: 4 }
}

/// The calls of an operation, where a look may take its place: an earlier write is unclear, and what the operation refers to may
/// be missing. Where an update would not name all of that, only a record that is gone needs it, and the look comes after.
pub(crate) fn cost_instead(operation: &Operation, calls: Calls) -> Calls {
    let (Action::Write { complete, changed, .. }, Known::Unclear { .. }) =
        (&operation.action, &operation.known)
    else {
        return calls;
    };
    let mut refers = complete.iter().filter(|(_, value)| !value.references().is_empty()).peekable();
    if refers.peek().is_none() {
        return calls;
    }
    let all_change = refers.all(|(path, _)| changed.iter().any(|change| change.path == *path));
    let look = cost();
    let most = if all_change { calls.most.max(look.most) } else { calls.most + look.most };
    Calls { least: calls.least.min(look.least), most }
}
