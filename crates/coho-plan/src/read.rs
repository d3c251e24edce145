//! From the source to rows sorted by key: all of them, or those that the sums of its buckets ([`in_source`]) or a cache ([`in_cache`]) do not
//! show to be as they were. How a model is opened stands in [`crate::opening`], what is done with its rows in [`crate::intake`].

mod in_source;
mod in_cache;

use coho_source::Connection;

use crate::buckets::words;
use crate::failure::PlanError;
pub(crate) use crate::intake::Read;
use crate::intake::{Intake, Taught};
use crate::job::{Comparing, Job};
use crate::opening::{Opened, failed, open, remembered, unless_stopped};
pub use crate::opening::{key_columns, key_problem, needed, source_problem};
use crate::progress::Step;
use crate::read::in_source::Unhelped;
use crate::table::Table;

/// Reads the model. Rows without a key are counted as invalid here.
pub(crate) async fn read(job: &Job<'_>, table: &Table) -> Result<Read, PlanError> {
    if job.comparing == Comparing::Here {
        return all(job, table, None, None).await;
    }
    let read = match job.cache {
        Some(cache) => Box::pin(in_cache::read(job, table, cache)).await?,
        None => Box::pin(in_source::read(job, table)).await?,
    };
    match read {
        Ok(read) => Ok(read),
        // What was read until then is forgotten.
        Err(Unhelped { why, opened }) => all(job, table, opened, Some(&why)).await,
    }
}

/// Reads all rows, since a person wants that, or for the reason that is given; of a model that is open already, or opens it.
async fn all(
    job: &Job<'_>,
    table: &Table,
    opened: Option<Box<Opened>>,
    why: Option<&str>,
) -> Result<Read, PlanError> {
    let mut opened = if let Some(opened) = opened {
        *opened
    } else {
        let mut opened = open(job).await?;
        let needed = needed(&opened.mapping, &opened.key);
        opened.reading.need_only(&needed).map_err(|error| failed(job, &error))?;
        opened
    };
    let (row_states, known) = remembered(job, &opened.mapping)?;
    let mut intake = Intake::of(job, table, &opened.mapping, known);
    loop {
        let batch = unless_stopped(job, opened.reading.next()).await?;
        let Some(batch) = batch.map_err(|error| failed(job, &error))? else { break };
        intake.take(job, &opened, &batch)?;
        job.tell(Step::Reading(intake.read))?;
    }
    let moved = opened.reading.moved();
    let how = match why {
        Some(why) => Some(words::all(moved, why)),
        None => matches!(job.connection, Connection::Adbc(_)).then(|| words::through_driver(moved)),
    };
    intake.sorted(job, opened, row_states, 0, Taught { how, learned: None, publication: None })
}
