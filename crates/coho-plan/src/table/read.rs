//! Reading: a plan's operations by phase, page by page; its notes; and what a run asks about keys.

use std::ops::RangeInclusive;

use coho_core::decide::Change;
use coho_core::key::Key;
use coho_core::memory::Time;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::target::{ExternalId, VitallyId};
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::Scope;
use coho_ledger::{Ledger, LedgerError};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Table, TableError, wire};
use crate::phase::Phase;

/// A record's external id with Vitally's.
pub type Named = (Object, ExternalId, VitallyId);

impl Table {
    /// The next operations of this phase behind `after`, in the order of their keys.
    pub fn operations(
        &self,
        phase: Phase,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, Operation)>, TableError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found: Vec<(i64, String)> = self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, body FROM plan CROSS JOIN bodies USING (seq)
                 WHERE phase = ?1 AND status = 'planned' AND seq > ?2 ORDER BY seq LIMIT ?3",
            )?;
            let rows = statement
                .query_map(params![phase.number(), after, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        decode(found)
    }

    /// The first operations that were made for this change.
    pub(crate) fn first_of(&self, change: Change, most: usize) -> Result<Vec<(i64, Operation)>, TableError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found: Vec<(i64, String)> = self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT seq, body FROM plan CROSS JOIN bodies USING (seq)
                 WHERE change = ?1 AND status = 'planned' ORDER BY seq LIMIT ?2",
            )?;
            let rows =
                statement.query_map(params![change.name(), most], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        })?;
        decode(found)
    }

    /// How many operations there are of this phase behind `after`, at most so many, and the number of the last of them.
    pub fn left(&self, phase: Phase, after: i64, most: usize) -> Result<(u64, i64), TableError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT count(*), coalesce(max(seq), ?2) FROM
                   (SELECT seq FROM plan WHERE phase = ?1 AND status = 'planned' AND seq > ?2 ORDER BY seq LIMIT ?3)",
            )?;
            statement.query_row(params![phase.number(), after, most], |row| {
                Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
            })
        })
    }

    /// Whether the model does not have this key.
    pub fn is_absent(&self, key: &Key) -> Result<bool, TableError> {
        let sql = "SELECT 1 FROM gone WHERE key = ?1 AND departure = ?2";
        let found: Option<i64> = self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_row(params![key.row(), key.departure()], |row| row.get(0)).optional()
        })?;
        Ok(found.is_some())
    }

    /// The records that operations refer to, without repetition.
    pub fn references(&self, object: Object) -> Result<Vec<ExternalId>, TableError> {
        let ids: Vec<String> = self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT id FROM refs CROSS JOIN plan USING (seq) WHERE object = ?1 AND status = 'planned'
                 ORDER BY id",
            )?;
            statement.query_map([object.name()], |row| row.get(0))?.collect()
        })?;
        ids.iter().map(|id| ExternalId::parse(id).map_err(|_| TableError::Damaged)).collect()
    }

    /// The next ids of adopted records behind `after`, with the number of the last of them.
    pub fn named(&self, after: i64, most: usize) -> Result<(i64, Vec<Named>), TableError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found: Vec<(i64, String, String, String)> = self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT rowid, object, external_id, vitally_id FROM ids WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
            )?;
            let rows = statement.query_map(params![after, most], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.collect()
        })?;
        let last = found.last().map_or(after, |(row, ..)| *row);
        let named = |(_, object, external_id, id): (i64, String, String, String)| {
            let object = Object::parse(&object).ok_or(TableError::Damaged)?;
            let external_id = ExternalId::parse(&external_id).map_err(|_| TableError::Damaged)?;
            Ok((object, external_id, VitallyId::new(id)))
        };
        Ok((last, found.into_iter().map(named).collect::<Result<_, TableError>>()?))
    }

    /// The number of the last row.
    pub fn last(&self) -> Result<i64, TableError> {
        self.with(|connection| {
            connection.query_row("SELECT coalesce(max(seq), 0) FROM plan", [], |row| row.get(0))
        })
    }

    /// Whether anything is remembered without being sent.
    pub fn has_notes(&self) -> Result<bool, TableError> {
        Ok(self.number("SELECT count(*) FROM (SELECT 1 FROM temp.notes LIMIT 1)", [])? > 0)
    }

    /// Remembers what needs no call, of the rows with these numbers.
    pub fn remember(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        scope: &Scope,
        notes: RangeInclusive<i64>,
        now: Time,
    ) -> Result<(), LedgerError> {
        ledger.remember(lease, &self.connection(), scope, notes, now)
    }

    /// Ends what stood of rows of which a plan of all rows says nothing more.
    pub fn lift(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        run: &Run,
        scope: &Scope,
        now: Time,
    ) -> Result<(), LedgerError> {
        ledger.lift(lease, &self.connection(), run, scope, now)
    }

    /// Whether rows or keys end without being sent, besides those that are only counted.
    pub fn has_ends(&self) -> Result<bool, TableError> {
        Ok(self.number("SELECT count(*) FROM (SELECT 1 FROM temp.ends LIMIT 1)", [])? > 0)
    }

    /// Of each fate and reason only so many rows are recorded, the first ones. What is unchanged or kept is only counted.
    pub fn cut(&self, most: i64) -> Result<(), TableError> {
        if self.last()? <= most {
            return Ok(());
        }
        self.change(
            "INSERT INTO cut (fate, reason)
             SELECT status, coalesce(code, reason) FROM plan GROUP BY status, coalesce(code, reason) HAVING count(*) > ?1",
            [most],
        )?;
        let sql = "UPDATE cut SET last = (SELECT seq FROM plan WHERE status = cut.fate AND coalesce(code, reason) = cut.reason
             ORDER BY seq LIMIT 1 OFFSET ?1 - 1)";
        self.change(sql, [most]).map(drop)
    }

    /// Records how the rows and keys with these numbers end that are not sent.
    pub fn record(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        run: &Run,
        scope: &Scope,
        ends: RangeInclusive<i64>,
        now: Time,
    ) -> Result<(), LedgerError> {
        ledger.record_ends(lease, &self.connection(), run, scope, ends, now)
    }
}

fn decode(bodies: Vec<(i64, String)>) -> Result<Vec<(i64, Operation)>, TableError> {
    let read = |(seq, body): (i64, String)| Ok((seq, wire::read(&body).ok_or(TableError::Damaged)?));
    bodies.into_iter().map(read).collect()
}

/// A key from three columns: text, departure and target.
pub(crate) fn key(row: &Row<'_>, first: usize) -> rusqlite::Result<Key> {
    let (text, departure): (String, u32) = (row.get(first)?, row.get(first + 1)?);
    let target: Option<String> = row.get(first + 2)?;
    Ok(Key::departed(text, departure, target.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Stop;

    #[test]
    fn of_each_fate_and_reason_only_the_first_rows_are_recorded() {
        let table = Table::new(&std::env::temp_dir(), &Stop::new()).unwrap();
        let rows = [
            ("a", "held", Some("max-changed")),
            ("b", "held", Some("max-changed")),
            ("c", "planned", None),
            ("d", "held", None),
            ("e", "held", Some("max-changed")),
            ("f", "kept", None),
            ("g", "stale", Some("max-changed")),
        ];
        for (key, status, code) in rows {
            let sql = "INSERT INTO plan (key, departure, side, rows, change, reason, status, code)
                VALUES (?1, 0, 0, 1, 'hold', 'row-changed', ?2, ?3)";
            table.change(sql, params![key, status, code]).unwrap();
        }
        let ends = || -> Vec<(String, Option<String>)> {
            let read = |connection: &rusqlite::Connection| {
                let mut statement = connection.prepare("SELECT key, code FROM temp.ends ORDER BY seq")?;
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            };
            table.with(read).unwrap()
        };
        let keys = || ends().into_iter().map(|(key, _)| key).collect::<String>();
        table.cut(7).unwrap();
        assert_eq!(keys(), "abdeg");
        table.cut(2).unwrap();
        assert_eq!(keys(), "abdg");
        let codes: Vec<_> = ends().into_iter().map(|(_, code)| code.is_some()).collect();
        assert_eq!(codes, [true, true, false, true], "a reason that is no code of its own is none");
    }
}
