//! Departures: a key's row became another record, and the old one is treated like one whose row left, under a departure of
//! the key.
//!
//! This comes after [`crate::targets`]: where the new record turned out to be another row's, the old one stays as it is.

use crate::failure::PlanError;
use crate::job::Job;
use crate::table::Table;
use crate::table::contents::Kind;

/// Lets the old records of all keys that move depart: each gets its number, and is evaluated with the keys that are gone. What
/// was let be or removed of the same record, under an earlier departure, is older than what goes there.
pub(crate) fn depart(job: &Job<'_>, table: &Table) -> Result<(), PlanError> {
    if job.scope.is_none() || !table.has(Kind::Move) {
        return Ok(());
    }
    let moves = "side = 0 AND holds = 2 AND status IN ('planned', 'learned')";
    table.change(
        &format!(
            "UPDATE plan SET splits_to = coalesce(
               (SELECT min(departure) FROM temp.remembered AS there WHERE there.key = plan.key AND there.departure > 0
                  AND there.target = plan.leaves AND there.standing IN ('released', 'removed') AND there.pending = 'none'),
               (SELECT max(departure) FROM temp.remembered AS there WHERE there.key = plan.key) + 1)
             WHERE {moves}"
        ),
        [],
    )?;
    // In a baseline nothing is removed, so what departs is only remembered.
    table.change(
        "INSERT INTO gone (key, departure, source, serial, mover)
         SELECT key, splits_to, 0, 1 + coalesce((SELECT serial FROM temp.remembered AS there
           WHERE there.key = plan.key AND there.departure = plan.splits_to), 0), seq
         FROM plan WHERE side = 0 AND holds = 2 AND status = 'planned' AND splits_to IS NOT NULL ORDER BY seq",
        [],
    )?;
    Ok(())
}

/// A row whose new record is not written after all keeps the old one: that does not depart.
pub(crate) fn stay(table: &Table) -> Result<(), PlanError> {
    if !table.has(Kind::Departure) {
        return Ok(());
    }
    table.change(
        "UPDATE plan SET status = 'kept', change = 'keep', effect = NULL, code = 'stale', message = 'its row keeps it'
         WHERE mover IS NOT NULL AND status NOT IN ('held', 'stale')
           AND mover IN (SELECT seq FROM plan AS row WHERE row.side = 0 AND row.holds = 2 AND row.status <> 'planned')",
        [],
    )?;
    Ok(())
}
