//! The exchange of insert.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | | look-up: the external id; matched by e-mail, the address |
//! | look-up | missing, and only a path said so that may not take external ids | look-up without it |
//! | | found; an earlier write is unclear, and it was born after that | Applied: it was ours |
//! | | found | Exists |
//! | | missing | POST |
//! | POST | the answer shows the record, which was born by it | Applied |
//! | | the answer shows an older record: Vitally made the insert an update | Applied as found, with a note |
//! | | refused, may exist | look-up once more, and once without the path; found: as above; missing: Rejected |

use std::time::Duration;

use coho_core::operation::Operation;
use coho_core::plan::Calls;
use coho_core::row_state::Origin;
use coho_core::verdict::Verdict;

use crate::ask::Ask;
use crate::exchange::Exchange;
use crate::exchange::find::Look;
use crate::exchange::origin::Reached;
use crate::exchange::subject::{Bodies, applied};
use crate::exchange::write::{Birth, Posted, Written};
use crate::wire::record::Record;

/// How long the look after a refusal waits for Vitally to see the record.
const WAIT: Duration = Duration::from_millis(250);

/// Creates a record, unless it is there.
pub(crate) async fn insert<A: Ask>(
    exchange: &mut Exchange<'_, A>,
    bodies: &Bodies,
) -> Result<Verdict, Verdict> {
    let subject = &exchange.subject;
    // Whether a record is ours is told by the clocks, and only an answer has Vitally's.
    let mut looks = if subject.is_unclear() { subject.unfound().looks() } else { subject.looks() };
    if subject.email.is_none() {
        looks.push(Look::TargetUnlessShown);
    }
    if let Some(record) = exchange.find(looks).await? {
        return Ok(seen(exchange, record));
    }
    let (certainty, refusal) = match exchange.post(bodies).await? {
        Posted::Written(written) => return Ok(created(*written)),
        Posted::Exists { certainty, refusal } => (certainty, refusal),
    };
    let again = exchange.find_after(WAIT, exchange.subject.looks_again()).await?;
    let found = match again {
        Some(record) => Some(record),
        None => exchange.find_against_the_path(certainty).await?,
    };
    found.map(|record| seen(exchange, record)).ok_or(refusal)
}

/// The verdict on a record that was found.
fn seen<A>(exchange: &Exchange<'_, A>, record: Record) -> Verdict {
    let known = &exchange.subject.known;
    match exchange.asked.moment.map(|moment| moment.origin(known, Reached::Anew, &record)) {
        Some(Origin::Created) => applied(record, Origin::Created, Vec::new()),
        Some(Origin::Found) | None => Verdict::Exists,
    }
}

fn created(written: Written) -> Verdict {
    let Written { record, birth, mut notes, .. } = written;
    let origin = if birth == Birth::Proven { Origin::Created } else { Origin::Found };
    if origin == Origin::Found && record.created_at.is_some() {
        notes.push("the record existed already, and Vitally made the insert an update".to_owned());
    }
    applied(record, origin, notes)
}

/// The fewest and the most calls.
pub(crate) fn cost(operation: &Operation) -> Calls {
    // Who is found is left as it is.
    Calls { least: 1, most: if operation.searches() { 4 } else { 2 } }
}
