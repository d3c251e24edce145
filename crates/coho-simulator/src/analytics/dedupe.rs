//! Whether a message came before, by the switch `dedupe`. A message counts from its arrival, also where it is dropped
//! later for another reason.

use crate::clock::SimulatorTime;
use crate::message::MessageType;
use crate::store::Messages;
use crate::switches::Dedupe;

pub(super) fn is_duplicate(
    messages: &Messages,
    dedupe: Dedupe,
    kind: MessageType,
    message_id: &str,
    now: SimulatorTime,
) -> bool {
    let mut seen = messages.seen(message_id).iter();
    match dedupe {
        Dedupe::Forever => seen.next().is_some(),
        Dedupe::PerType => seen.any(|(seen, _)| *seen == kind),
        Dedupe::Within(span) => seen.any(|(_, arrived)| arrived.plus(span.millis()) > now),
        Dedupe::Off => false,
    }
}
