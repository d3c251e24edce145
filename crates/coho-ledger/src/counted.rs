//! What is counted before history forgets it: the calls of runs that end, and all of runs that go. [`crate::totals`] reads it.

use rusqlite::{Connection, params};

use crate::failure::Fault;

/// Adds the calls of a run that ends: they may be pruned before the run is.
pub(crate) fn count_calls(connection: &Connection, run: i64) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO totals (scope, what, name, number)
             SELECT calls.scope, 'calls', coalesce(endpoints.api, 'rest') || ' ' || coalesce(calls.status, 'none'), count(*)
             FROM calls INDEXED BY calls_by_run LEFT JOIN endpoints ON endpoints.id = calls.endpoint
             WHERE calls.run = ?1 GROUP BY 1, 3
             ON CONFLICT DO UPDATE SET number = number + excluded.number",
        )?
        .execute([run])?;
    Ok(())
}

/// Adds what a run came to that is about to be forgotten, so that no total becomes less by it.
pub(crate) fn forget(connection: &Connection, run: i64) -> Result<(), Fault> {
    for part in ["$.rows", "$.outcomes"] {
        connection
            .prepare_cached(
                "INSERT INTO totals (scope, what, name, number)
                 SELECT scope, 'rows', each.key, each.value FROM run_syncs, json_each(run_syncs.counts, ?2) AS each
                 WHERE run = ?1 AND counts IS NOT NULL
                 ON CONFLICT DO UPDATE SET number = number + excluded.number",
            )?
            .execute(params![run, part])?;
    }
    connection
        .prepare_cached(
            "INSERT INTO totals (scope, what, name, number)
             SELECT scope, 'runs', status, 1 FROM run_syncs WHERE run = ?1 AND ended_at IS NOT NULL
             ON CONFLICT DO UPDATE SET number = number + 1",
        )?
        .execute([run])?;
    Ok(())
}
