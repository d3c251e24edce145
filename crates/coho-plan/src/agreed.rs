//! What an approved plan does not have is left out of a plan: it is reported as stale, and never sent.

use crate::failure::PlanError;
use crate::job::Job;
use crate::table::Table;

/// Which operations are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// Those that write.
    Writes,
    /// Removals and probes.
    Rest,
}

/// Takes out of the plan what was not agreed to. Gives how many operations stay.
pub(crate) fn restrict(job: &Job<'_>, table: &Table, of: Of) -> Result<u64, PlanError> {
    if job.approved.is_none() {
        return Ok(0);
    }
    let planned = match of {
        Of::Writes => "status = 'planned' AND phase < 3",
        Of::Rest => "status = 'planned' AND phase >= 3",
    };
    table.change(
        &format!(
            "UPDATE plan SET status = 'stale', change = 'hold', code = 'stale', message = CASE
               WHEN EXISTS (SELECT 1 FROM agreed WHERE agreed.key = {SHOWN})
               THEN 'its row, its record or the mapping changed since the plan that was agreed to'
               ELSE 'the plan that was agreed to does not have this' END
             WHERE {planned} AND NOT EXISTS (SELECT 1 FROM agreed WHERE agreed.key = {SHOWN} AND agreed.verb =
               CASE WHEN phase < 3 THEN 'write' WHEN phase = 3 THEN 'remove' ELSE 'look' END
               AND agreed.digest = plan.digest AND agreed.rules = 1)"
        ),
        [],
    )?;
    Ok(table.number(&format!("SELECT count(*) FROM plan WHERE {planned}"), [])?)
}

/// A key as an approved plan has it.
const SHOWN: &str =
    "CASE plan.departure WHEN 0 THEN plan.key ELSE plan.key || ' (was ' || plan.target || ')' END";
