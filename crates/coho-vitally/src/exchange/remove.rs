//! The exchange of remove. Nothing is deleted that was not verified: either its id was acknowledged to us, or its external
//! id, or the e-mail address where that matches, is read first and is the one that was asked for.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | id remembered | DELETE |
//! | | id not remembered | look-up |
//! | look-up | found, with this very external id or address | DELETE by Vitally's id |
//! | | several | Ambiguous |
//! | | missing | Gone; where only a path said so that may not take external ids, a look-up without it |
//! | | anything else | Rejected `wrong-record` |
//! | DELETE | 204, or another success that confirms it; 404, 410 | Gone |
//! | | any other success; a refusal in words of a record that is missing | Unsure |

use coho_core::operation::Operation;
use coho_core::plan::Calls;
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;

use crate::address::Address;
use crate::ask::Ask;
use crate::exchange::Exchange;
use crate::request::Request;
use crate::wire::reading::{self, End, Reading, read, refused};
use crate::wire::record::Record;
use crate::wire::refusal;

/// Deletes a record.
pub(crate) async fn remove<A: Ask>(exchange: &mut Exchange<'_, A>) -> Result<Verdict, Verdict> {
    if let Some(id) = exchange.subject.known.id().cloned() {
        return delete(exchange, &id).await;
    }
    let subject = &exchange.subject;
    let Some(record) = exchange.find(subject.looks_removed()).await? else { return Ok(Verdict::Gone) };
    let subject = &exchange.subject;
    match &record.id {
        // What an address found has that address; anything else must have the external id.
        Some(id) if subject.email.is_some() || subject.has_target(&record) => delete(exchange, id).await,
        Some(_) | None => Err(subject.wrong(&record)),
    }
}

async fn delete<A: Ask>(exchange: &mut Exchange<'_, A>, id: &VitallyId) -> Result<Verdict, Verdict> {
    let address = Address::Id(exchange.subject.object, id.clone());
    let answer = exchange.asked.ask(Request::delete(&address)).await;
    match read(&answer) {
        Reading::Fine(reply) => {
            reading::removed(reply).map_err(End::of_write)?;
            match Record::parse(&reply.body)
                .filter(|record| record.id.as_ref().is_some_and(|other| other != id))
            {
                Some(other) => Err(exchange.subject.written_elsewhere(&other)),
                None => Ok(Verdict::Gone),
            }
        }
        Reading::Absent(_) => Ok(Verdict::Gone),
        Reading::Refused(reply) if reply.status == 410 => Ok(Verdict::Gone),
        // The next run looks before it deletes again.
        Reading::Refused(reply) if refusal::says_missing(reply.status, &reply.body) => {
            Err(Verdict::Unsure { why: refusal::text_or_status(reply.status, &reply.body) })
        }
        Reading::Refused(reply) => Err(refused(reply)),
        Reading::End(end) => Err(end.of_write()),
    }
}

/// The fewest and the most calls.
pub(crate) fn cost(operation: &Operation) -> Calls {
    Calls { least: 1, most: if operation.known.id().is_some() { 1 } else { 4 } }
}
