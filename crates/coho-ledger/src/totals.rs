//! What all runs of each sync came to, for whoever measures: it counts runs of the command and of every server alike.

use std::collections::BTreeMap;

use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::Connection;

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, time};
use crate::request::ScopeName;

/// What the runs of a sync came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The sync.
    pub scope: ScopeName,
    /// Rows by status, over all runs that ended.
    pub rows: BTreeMap<String, u64>,
    /// Runs by how they ended.
    pub runs: BTreeMap<String, u64>,
    /// Calls to Vitally by API and status of the answer, such as `rest 200`; `none` where no answer came. Those of runs that go
    /// on are counted when they end.
    pub calls: BTreeMap<String, u64>,
    /// When the last one that ended began and ended.
    pub last: Option<(Time, Time)>,
    /// When the last one began and ended in which everything was done.
    pub last_good: Option<(Time, Time)>,
}

const ROWS: &str = "\
    SELECT scope, each.key, sum(each.value) FROM run_syncs, json_each(run_syncs.counts, ?1) AS each \
    WHERE counts IS NOT NULL GROUP BY scope, each.key";

impl Ledger {
    /// The totals of all syncs, by workspace and sync.
    pub fn totals(&self) -> Result<Vec<Totals>, LedgerError> {
        self.read("adding up runs", |connection| {
            let mut totals = BTreeMap::new();
            let mut scopes = connection.prepare_cached(
                "SELECT scopes.id, name, sync FROM scopes JOIN workspaces ON workspaces.id = scopes.workspace",
            )?;
            let mut rows = scopes.query([])?;
            while let Some(row) = rows.next()? {
                let scope = ScopeName { workspace: row.get(1)?, sync: SyncId::new(row.get::<_, String>(2)?) };
                totals.insert(row.get::<_, i64>(0)?, empty(scope));
            }
            kept(connection, &mut totals)?;
            statuses(connection, &mut totals)?;
            runs(connection, &mut totals)?;
            let mut totals: Vec<_> = totals.into_values().collect();
            totals.sort_by(|a, b| a.scope.cmp(&b.scope));
            Ok(totals)
        })
    }
}

fn empty(scope: ScopeName) -> Totals {
    let (rows, runs, calls) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    Totals { scope, rows, runs, calls, last: None, last_good: None }
}

/// What is counted already.
fn kept(connection: &Connection, totals: &mut BTreeMap<i64, Totals>) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached("SELECT scope, what, name, number FROM totals")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(total) = totals.get_mut(&row.get::<_, i64>(0)?) else { continue };
        let numbers = match row.get::<_, String>(1)?.as_str() {
            "rows" => &mut total.rows,
            "runs" => &mut total.runs,
            _ => &mut total.calls,
        };
        *numbers.entry(row.get(2)?).or_default() += count(row.get(3)?);
    }
    Ok(())
}

fn statuses(connection: &Connection, totals: &mut BTreeMap<i64, Totals>) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(ROWS)?;
    for part in ["$.rows", "$.outcomes"] {
        let mut rows = statement.query([part])?;
        while let Some(row) = rows.next()? {
            if let Some(total) = totals.get_mut(&row.get::<_, i64>(0)?) {
                *total.rows.entry(row.get(1)?).or_default() += count(row.get(2)?);
            }
        }
    }
    Ok(())
}

fn runs(connection: &Connection, totals: &mut BTreeMap<i64, Totals>) -> Result<(), Fault> {
    // The columns beside a lone max() are those of its row.
    let mut statement = connection.prepare_cached(
        "SELECT scope, status, count(*), max(run), started_at, ended_at FROM run_syncs
         WHERE ended_at IS NOT NULL GROUP BY scope, status ORDER BY max(run)",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Some(total) = totals.get_mut(&row.get::<_, i64>(0)?) else { continue };
        let status: String = row.get(1)?;
        let times = (time(row.get(4)?)?, time(row.get(5)?)?);
        total.last = Some(times);
        if status == "success" {
            total.last_good = Some(times);
        }
        *total.runs.entry(status).or_default() += count(row.get(2)?);
    }
    Ok(())
}
