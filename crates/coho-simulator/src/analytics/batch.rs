//! Many messages in one request: an array of at most a hundred, each with its type. `batch_mode` says what becomes of
//! the good ones beside a bad one.

use serde_json::{Map, Value};

use super::read::Draft;
use super::{body, check, read};
use crate::message::{Content, MessageType};
use crate::rest::{Asked, Refused, Turn};
use crate::switches::{BatchMode, BlockedBatch, EmptyBatch};

/// The most messages of a batch.
const MOST: usize = 100;

/// A request that is refused, and the messages of it that are taken all the same.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) refused: Refused,
    pub(super) good: Vec<Draft>,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self { refused, good: Vec::new() }
    }
}

/// An element: its type, and its other members.
type Item = (MessageType, Map<String, Value>);

/// The messages to take.
pub(super) fn read(turn: &Turn<'_>, asked: &Asked) -> Result<Vec<Draft>, Refusal> {
    let items = items(turn, body::array(turn, asked)?)?;
    let mut drafts: Vec<Draft> = Vec::with_capacity(items.len());
    let mut first_bad = None;
    for (place, (kind, members)) in items.into_iter().enumerate() {
        match item(turn, kind, &members, &drafts) {
            Ok(draft) => drafts.push(draft),
            Err(refused) => {
                let text = format!("Message {place}: {}", refused.text);
                first_bad = first_bad.or(Some(Refused { text, ..refused }));
                match turn.switches.batch_mode {
                    BatchMode::StopAtFirst => break,
                    BatchMode::ApplyThenSucceed => drafts.push(Draft::of_bad(kind, &members)),
                    BatchMode::Reject | BatchMode::ApplyThenRefuse => {}
                }
            }
        }
    }
    let Some(refused) = first_bad else { return Ok(drafts) };
    match turn.switches.batch_mode {
        BatchMode::Reject => Err(refused.into()),
        BatchMode::ApplyThenSucceed => Ok(drafts),
        BatchMode::ApplyThenRefuse | BatchMode::StopAtFirst => Err(Refusal { refused, good: drafts }),
    }
}

/// The elements with their types. An element that has none makes no batch of the array, in any mode.
fn items(turn: &Turn<'_>, array: Vec<Value>) -> Result<Vec<Item>, Refused> {
    match (array.len(), turn.switches.empty_batch) {
        (0, EmptyBatch::BadRequest) => return Err(Refused::bad("Batch must not be empty")),
        (0, EmptyBatch::Ok) | (1..=MOST, _) => {}
        (_, _) => return Err(Refused::bad(format!("Batch must not hold more than {MOST} messages"))),
    }
    let items = array.into_iter().enumerate().map(|(place, value)| typed(place, value));
    let items: Vec<Item> = items.collect::<Result<_, _>>()?;
    match turn.switches.blocked_batch {
        BlockedBatch::Whole => items.iter().try_for_each(|(kind, _)| check::blocked(turn, *kind))?,
        BlockedBatch::Item => {}
    }
    Ok(items)
}

fn typed(place: usize, value: Value) -> Result<Item, Refused> {
    let Value::Object(mut members) = value else {
        return Err(Refused::bad(format!("Message {place}: must be a JSON object")));
    };
    let kind = members.shift_remove("type");
    let kind = kind.as_ref().and_then(Value::as_str).and_then(MessageType::from_name);
    kind.map(|kind| (kind, members)).ok_or_else(|| {
        let known = MessageType::ALL.map(MessageType::name).join(", ");
        Refused::bad(format!("Message {place}: type must be one of {known}"))
    })
}

fn item(
    turn: &Turn<'_>,
    kind: MessageType,
    members: &Map<String, Value>,
    before: &[Draft],
) -> Result<Draft, Refused> {
    check::blocked(turn, kind)?;
    let draft = read::message(turn, kind, members)?;
    let before: Vec<&Content> =
        before.iter().filter(|draft| !draft.is_bad).map(|draft| &draft.content).collect();
    check::message(turn, &draft.content, &before)?;
    Ok(draft)
}
