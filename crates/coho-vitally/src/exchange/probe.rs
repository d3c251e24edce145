//! The exchange of probe: what became of a write whose row is gone. It only looks, and nothing is written. A path that says that
//! there is no such record is believed once it is known to take external ids.
//!
//! | look-up | it was to write | it was to delete |
//! |---|---|---|
//! | found | Applied: it is there | Applied: it still is there |
//! | missing | Missing | Gone |

use coho_core::plan::Calls;
use coho_core::row_state::{Origin, Verb};
use coho_core::verdict::Verdict;

use crate::ask::Ask;
use crate::exchange::Exchange;
use crate::exchange::origin::Reached;
use crate::exchange::subject::applied;

/// Looks whether a record is there.
pub(crate) async fn probe<A: Ask>(exchange: &mut Exchange<'_, A>, verb: Verb) -> Result<Verdict, Verdict> {
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
    Ok(applied(record, origin, Vec::new()))
}

/// The fewest and the most calls.
pub(crate) fn cost() -> Calls {
    Calls { least: 1, most: 4 }
}
