//! From the source to rows sorted by key: all of them, or, by [`in_source`], those that its buckets do not show to be as they
//! were. How a model is opened stands in [`crate::opening`], what is done with its rows in [`crate::intake`].

mod in_source;

use crate::buckets::words;
use crate::failure::PlanError;
pub(crate) use crate::intake::Read;
use crate::intake::{Intake, Taught};
use crate::job::{Comparing, Job};
use crate::opening::{failed, open, remembered, unless_stopped};
pub use crate::opening::{key_columns, key_problem, needed, source_problem};
use crate::progress::Step;
use crate::table::Table;

/// Reads the model. Rows without a key are counted as invalid here.
pub(crate) async fn read(job: &Job<'_>, table: &Table) -> Result<Read, PlanError> {
    if job.comparing == Comparing::Here {
        return all(job, table, None).await;
    }
    match in_source::read(job, table).await? {
        Ok(read) => Ok(read),
        // What was read until then is forgotten.
        Err(why) => all(job, table, Some(&why)).await,
    }
}

/// Reads all rows, since a person wants that, or for the reason that is given.
async fn all(job: &Job<'_>, table: &Table, why: Option<&str>) -> Result<Read, PlanError> {
    let mut opened = open(job).await?;
    let needed = needed(&opened.mapping, &opened.key);
    opened.reading.need_only(&needed).map_err(|error| failed(job, &error))?;
    let (row_states, known) = remembered(job, &opened.mapping)?;
    let mut intake = Intake::of(job, table, known);
    loop {
        let batch = unless_stopped(job, opened.reading.next()).await?;
        let Some(batch) = batch.map_err(|error| failed(job, &error))? else { break };
        for row in &batch {
            intake.take(job, &opened, row)?;
        }
        job.tell(Step::Reading(intake.read))?;
    }
    let how = why.map(|why| words::all(opened.reading.moved(), why));
    intake.sorted(job, opened, row_states, 0, Taught { how, learned: None })
}
