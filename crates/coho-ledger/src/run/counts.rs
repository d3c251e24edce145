//! A sync's counts as JSON, and the numbers of its adds, changes and removals.

use std::collections::BTreeMap;

use coho_core::counts::Counts;
use coho_core::json::Json;
use coho_core::verdict::{Outcome, RowStatus};
use rusqlite::{Connection, params};
use serde_json::Map;

use crate::failure::Fault;

/// `{"read":3,"absent":0,"writes":1,"removals":0,"rows":{"unchanged":2},"keys":{},"outcomes":{"delivered":1}}`
pub(super) fn write(counts: &Counts) -> String {
    let mut members = Map::new();
    for (name, number) in [
        ("read", counts.read),
        ("absent", counts.absent),
        ("writes", counts.writes),
        ("removals", counts.removals),
    ] {
        members.insert(name.to_owned(), number.into());
    }
    members.insert("rows".to_owned(), by_status(counts.rows.iter().map(|(status, n)| (*status, *n))));
    members.insert("keys".to_owned(), by_status(counts.keys.iter().map(|(status, n)| (*status, *n))));
    let outcomes = counts.outcomes.iter().map(|(outcome, n)| (outcome.status(), *n));
    members.insert("outcomes".to_owned(), by_status(outcomes));
    Json::Object(members).to_string()
}

fn by_status(counts: impl Iterator<Item = (RowStatus, u64)>) -> Json {
    Json::Object(counts.map(|(status, number)| (status.as_str().to_owned(), number.into())).collect())
}

/// Reads what [`write`] wrote.
pub(crate) fn read_counts(text: &str) -> Result<Counts, Fault> {
    let value: Json = serde_json::from_str(text).map_err(|_| wrong())?;
    let number = |name: &str| value.get(name).and_then(Json::as_u64).ok_or_else(wrong);
    let outcome = |status: RowStatus| Outcome::ALL.into_iter().find(|outcome| outcome.status() == status);
    Ok(Counts {
        read: number("read")?,
        absent: number("absent")?,
        writes: number("writes")?,
        removals: number("removals")?,
        rows: map(&value, "rows", Some)?,
        keys: map(&value, "keys", Some)?,
        outcomes: map(&value, "outcomes", outcome)?,
    })
}

fn map<K: Ord>(
    value: &Json,
    name: &str,
    key: impl Fn(RowStatus) -> Option<K>,
) -> Result<BTreeMap<K, u64>, Fault> {
    let members = value.get(name).and_then(Json::as_object).ok_or_else(wrong)?;
    members
        .iter()
        .map(|(status, number)| {
            let key = RowStatus::parse(status).and_then(&key).ok_or_else(wrong)?;
            Ok((key, number.as_u64().ok_or_else(wrong)?))
        })
        .collect()
}

fn wrong() -> Fault {
    Fault::damaged("a run has counts that Coho never writes")
}

/// Counts the operations of a sync by what they were to do and how they ended. Held and stale ones were not planned.
pub(super) fn tally(connection: &Connection, run: i64, scope: i64) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT op_type, count(*), sum(fate <> 'not-attempted'), sum(fate IN ('delivered', 'accepted', 'removed')) FROM fates
         WHERE run = ?1 AND scope = ?2 AND op_type IS NOT NULL
           AND fate IN ('delivered', 'accepted', 'removed', 'skipped', 'rejected', 'deferred', 'not-attempted')
         GROUP BY op_type",
    )?;
    let mut rows = statement.query([run, scope])?;
    while let Some(row) = rows.next()? {
        let (op_type, numbers): (String, [i64; 3]) = (row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?]);
        let name = match op_type.as_str() {
            "added" => "add",
            "changed" => "change",
            _ => "remove",
        };
        let sql = format!(
            "UPDATE run_syncs SET planned_{name} = ?3, attempted_{name} = ?4, succeeded_{name} = ?5
             WHERE run = ?1 AND scope = ?2"
        );
        connection.execute(&sql, params![run, scope, numbers[0], numbers[1], numbers[2]])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_back() {
        let mut counts = Counts { read: 3, absent: 1, writes: 2, removals: 1, ..Counts::default() };
        counts.row(RowStatus::Unchanged);
        counts.key(RowStatus::Kept);
        counts.outcome(Outcome::NotAttempted);
        assert_eq!(read_counts(&write(&counts)).unwrap(), counts);
        assert!(read_counts("{}").is_err());
    }
}
