//! What a person should know of a plan besides its numbers.

use coho_core::code::Code;
use coho_core::decide::{Change, Reason, RunKind};
use coho_core::object::Object;
use coho_core::plan::RemovalOrigins;
use coho_core::sync::{Api, Associations};

use crate::dependents;
use crate::evaluate::Passed;
use crate::failure::PlanError;
use crate::job::Job;
use crate::sums::Sums;
use crate::table::{Table, TableError};

/// One sentence each.
pub(crate) fn notes(
    job: &Job<'_>,
    table: &Table,
    sums: &Sums,
    passed: &mut Passed,
) -> Result<Vec<String>, PlanError> {
    let planned = sums.counts.planned() > 0;
    let notes = [
        passed.renamed.take(),
        taken_along(job, table, sums.removals)?,
        differing(table)?,
        missing(job, sums),
        exact(job, planned),
        odd(passed.odd_times),
        cut(passed.cut_times),
        accepted(job, planned),
    ];
    Ok(notes.into_iter().flatten().collect())
}

/// How many of the planned removals would take users along that a sync holds now.
fn taken_along(job: &Job<'_>, table: &Table, removals: RemovalOrigins) -> Result<Option<String>, PlanError> {
    if removals == RemovalOrigins::default() {
        return Ok(None);
    }
    let number = dependents::count(table, job.sync.object)?;
    let noun = if number == 1 { "removal is" } else { "removals are" };
    let code = Code::TAKES_USERS_ALONG;
    Ok((number > 0).then(|| {
        format!("{number} {noun} left out, unless the users that would be deleted too leave in the same run [{code}]")
    }))
}

/// Records that are adopted though Vitally holds something else than the row says.
fn differing(table: &Table) -> Result<Option<String>, TableError> {
    let sql = "SELECT count(*) FROM differing CROSS JOIN plan USING (seq) WHERE status = 'learned'";
    let number = table.number(sql, [])?;
    let noun = if number == 1 { "record differs" } else { "records differ" };
    Ok((number > 0)
        .then(|| format!("{number} {noun} from what Vitally holds: the next run sends what differs")))
}

fn missing(job: &Job<'_>, sums: &Sums) -> Option<String> {
    let missing = sums.changes.get(&(Change::Hold, Reason::Waiting(Code::NOT_FOUND))).copied()?;
    let rows = if missing == 1 { "row has" } else { "rows have" };
    (job.run_kind == RunKind::Adopt).then(|| {
        format!("{missing} {rows} no record in Vitally, or more than one: the next run sends what is missing")
    })
}

fn exact(job: &Job<'_>, planned: bool) -> Option<String> {
    let note =
        "exact links: what Vitally shows beyond the row is unlinked too, each account with a call of its own";
    (job.sync.associations == Associations::Exact && planned).then(|| note.to_owned())
}

fn odd(number: u64) -> Option<String> {
    let noun = if number == 1 { "event has a time" } else { "events have a time" };
    (number > 0).then(|| format!("{number} {noun} before the year 2000 or more than a day ahead"))
}

fn cut(number: u64) -> Option<String> {
    let noun = if number == 1 { "row has a time" } else { "rows have times" };
    (number > 0).then(|| {
        format!("{number} {noun} with digits behind the millisecond: Vitally takes none, so they are cut off")
    })
}

fn accepted(job: &Job<'_>, planned: bool) -> Option<String> {
    let events = job.sync.api == Api::Analytics && job.sync.object == Object::Event;
    let note = "events of churned or ignored customers are taken and not kept; Vitally does not say which";
    (events && planned).then(|| note.to_owned())
}
