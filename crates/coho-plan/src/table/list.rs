//! Listing: a plan's rows as people look at them, page by page, the planned ones and those that end without being sent.

use coho_core::decide::{Change, Reason};
use coho_core::fields::Difference;
use coho_core::key::Key;
use coho_core::operation::Action;
use coho_core::plan::Calls;
use coho_core::verdict::RowStatus;
use rusqlite::{Row, params};

use super::read::{key, sound};
use super::{Table, TableError, wire};
use crate::phase::Phase;

/// Which rows are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Operations that are planned for this change.
    Planned(Change),
    /// All operations that are planned, except removals.
    PlannedWrites,
    /// Rows and keys that end so, without being sent.
    Ended(RowStatus),
}

/// A row of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRow {
    /// Its number, by which the next page begins behind it.
    pub seq: i64,
    /// The row's key; empty where it is null.
    pub key: Key,
    /// The record, where it is known.
    pub target: Option<String>,
    /// What is done.
    pub change: Change,
    /// Why: a reason, or the code of what keeps it from being sent.
    pub why: String,
    /// More of it, where there is more.
    pub message: Option<String>,
    /// The calls that it takes; none where it is not sent.
    pub calls: Calls,
    /// Whether it is a removal, planned or held.
    pub removes: bool,
    /// Of a removal: whether this sync created the record.
    pub created: Option<bool>,
    /// Before and after of each field that is sent, or would be.
    pub differences: Vec<Difference>,
}

impl Which {
    fn condition(self) -> String {
        match self {
            Self::Planned(change) => format!("status = 'planned' AND change = '{}'", change.name()),
            Self::PlannedWrites => {
                format!("status = 'planned' AND change <> '{}'", Change::Remove.name())
            }
            Self::Ended(status) => format!("status = '{}'", status.as_str()),
        }
    }
}

impl Table {
    /// Makes listing quick, also where few of many rows are listed. For plans that are kept to be looked at.
    pub fn prepare_lists(&self) -> Result<(), TableError> {
        self.batch("CREATE INDEX IF NOT EXISTS plan_listed ON plan (status, change, seq)")
    }

    /// The next rows behind `after`, in the order of the plan, with values that people may not be shown: see
    /// [`Planned::list`](crate::planned::Planned::list).
    pub(crate) fn list(&self, which: Which, after: i64, most: usize) -> Result<Vec<PlanRow>, TableError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT seq, key, departure, target, change, reason, code, message, least, most, created, status,
                CASE WHEN effect IS NULL THEN bodies.body END, differing.body, phase
             FROM plan LEFT JOIN bodies USING (seq) LEFT JOIN differing USING (seq)
             WHERE {} AND seq > ?1 ORDER BY seq LIMIT ?2",
            which.condition()
        );
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params![after, most], listed)?.collect()
        })
    }
}

fn listed(row: &Row<'_>) -> rusqlite::Result<PlanRow> {
    let reason = sound(Reason::parse(row.get_ref(5)?.as_str()?))?;
    let code: Option<String> = row.get(6)?;
    let is_planned = row.get_ref(11)?.as_str()? == "planned";
    let count = |column| -> rusqlite::Result<u64> {
        Ok(row.get::<_, Option<i64>>(column)?.map(i64::unsigned_abs).unwrap_or_default())
    };
    let calls = if is_planned { Calls { least: count(8)?, most: count(9)? } } else { Calls::default() };
    Ok(PlanRow {
        seq: row.get(0)?,
        key: key(row, 1)?,
        target: row.get(3)?,
        change: sound(Change::parse(row.get_ref(4)?.as_str()?))?,
        why: code.unwrap_or_else(|| reason.as_str().to_owned()),
        message: row.get(7)?,
        calls,
        removes: row.get::<_, Option<i64>>(14)? == Some(Phase::Remove.number()),
        created: row.get(10)?,
        differences: differences(row)?,
    })
}

/// What differs, as the operation has it; of what is only remembered, as it was found.
fn differences(row: &Row<'_>) -> rusqlite::Result<Vec<Difference>> {
    if let Some(body) = row.get::<_, Option<String>>(13)? {
        return sound(wire::read_differences(&body));
    }
    let Some(body) = row.get::<_, Option<String>>(12)? else { return Ok(Vec::new()) };
    let operation = sound(wire::read(&body))?;
    Ok(match operation.action {
        Action::Write { changed, .. } => changed,
        Action::Remove | Action::Probe { .. } => Vec::new(),
    })
}
