//! Reading: a plan's operations by phase, page by page; its notes; and what a run asks about keys.

use std::ops::RangeInclusive;

use coho_core::decide::Change;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::SyncScope;
use coho_ledger::{Ledger, LedgerError};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::contents::Kind;
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
        self.page(&format!("phase = {} AND status = 'planned'", phase.number()), after, most)
    }

    /// The first operations that were made for this change.
    pub(crate) fn first_of(&self, change: Change, most: usize) -> Result<Vec<(i64, Operation)>, TableError> {
        self.page(&format!("change = '{}' AND status = 'planned'", change.name()), 0, most)
    }

    /// The next of these operations behind `after`.
    pub(crate) fn page(
        &self,
        which: &str,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, Operation)>, TableError> {
        if !self.has(Kind::Operation) {
            return Ok(Vec::new());
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT seq, body FROM plan CROSS JOIN bodies USING (seq) WHERE {which} AND seq > ?1 ORDER BY seq LIMIT ?2"
        );
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let read = |row: &Row<'_>| Ok((row.get(0)?, sound(wire::read(row.get_ref(1)?.as_blob()?))?));
            statement.query_map(params![after, most], read)?.collect()
        })
    }

    /// How many operations there are of this phase behind `after`, at most so many, and the number of the last of them.
    pub fn left(&self, phase: Phase, after: i64, most: usize) -> Result<(u64, i64), TableError> {
        if !self.has(Kind::Operation) {
            return Ok((0, after));
        }
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

    /// Whether carrying the plan out makes this record a row's, if all goes well, before another sync is planned.
    pub(crate) fn takes(&self, target: &ExternalId) -> Result<bool, TableError> {
        self.index_targets()?;
        let sql = "SELECT count(*) FROM plan WHERE side = 0 AND target = ?1
            AND ((phase = 0 AND status = 'planned') OR effect = 'learned' OR returned = 1)";
        Ok(self.number(sql, [target.as_str()])? > 0)
    }

    /// Whether carrying the plan out lets a record go that a key holds.
    pub(crate) fn lets_go(&self, key: &Key, target: &ExternalId) -> Result<bool, TableError> {
        self.batch("CREATE INDEX IF NOT EXISTS plan_let_go ON plan (key) WHERE side = 1")?;
        let sql = "SELECT count(*) FROM plan WHERE side = 1 AND key = ?1 AND target = ?2
            AND effect IN ('released', 'forgotten')";
        Ok(self.number(sql, [key.row(), target.as_str()])? > 0)
    }

    /// The records that operations refer to, without repetition.
    pub fn references(&self, object: Object) -> Result<Vec<ExternalId>, TableError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT id FROM refs CROSS JOIN plan USING (seq) WHERE object = ?1 AND status = 'planned'
                 ORDER BY id",
            )?;
            statement.query_map([object.name()], |row| external_id(row, 0))?.collect()
        })
    }

    /// The next ids of adopted records behind `after`, each with its number.
    pub fn named(&self, after: i64, most: usize) -> Result<Vec<(i64, Named)>, TableError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let named = |row: &Row<'_>| {
            let object = sound(Object::parse(row.get_ref(1)?.as_str()?))?;
            Ok((row.get(0)?, (object, external_id(row, 2)?, VitallyId::new(row.get::<_, String>(3)?))))
        };
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT rowid, object, external_id, vitally_id FROM ids WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
            )?;
            statement.query_map(params![after, most], named)?.collect()
        })
    }

    /// The number of the last row.
    pub fn last(&self) -> Result<i64, TableError> {
        self.with(|connection| {
            connection.query_row("SELECT coalesce(max(seq), 0) FROM plan", [], |row| row.get(0))
        })
    }

    /// The numbers of the next rows behind `after` of which something is remembered without being sent: from the first to the last
    /// of at most so many.
    pub fn notes(&self, after: i64, most: i64) -> Result<Option<RangeInclusive<i64>>, TableError> {
        self.next_of("notes", after, most)
    }

    /// The same of rows and keys that end without being sent, besides those that are only counted.
    pub fn ends(&self, after: i64, most: i64) -> Result<Option<RangeInclusive<i64>>, TableError> {
        self.next_of("ends", after, most)
    }

    fn next_of(&self, view: &str, after: i64, most: i64) -> Result<Option<RangeInclusive<i64>>, TableError> {
        let sql = format!(
            "SELECT min(seq), max(seq) FROM (SELECT seq FROM temp.{view} WHERE seq > ?1 ORDER BY seq LIMIT ?2)"
        );
        let (first, last): (Option<i64>, Option<i64>) = self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row([after, most], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        Ok(first.zip(last).map(|(first, last)| first..=last))
    }

    /// Remembers what needs no call, of the rows with these numbers.
    pub fn remember(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        scope: &SyncScope,
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
        scope: &SyncScope,
        now: Time,
    ) -> Result<(), LedgerError> {
        ledger.lift(lease, &self.connection(), run, scope, now)
    }

    /// Of each status and reason only so many rows are recorded, the first ones. What is unchanged or kept is only counted.
    pub fn cut(&self, most: i64) -> Result<(), TableError> {
        if self.last()? <= most {
            return Ok(());
        }
        let sql = "INSERT INTO cut (status, reason, last) VALUES (?1, ?2, ?3)";
        let crowded = self.with(|connection| crowded(connection, most))?;
        crowded.iter().try_for_each(|end| {
            let End { status, reason, last, .. } = end;
            self.change(sql, params![status, reason, last]).map(drop)
        })
    }

    /// Records how the rows and keys with these numbers end that are not sent.
    pub fn record(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        ends: RangeInclusive<i64>,
        now: Time,
    ) -> Result<(), LedgerError> {
        ledger.record_ends(lease, &self.connection(), run, scope, ends, now)
    }
}

/// A status and a reason with which rows end.
struct End {
    status: String,
    reason: String,
    count: i64,
    /// The number of the last row that is recorded.
    last: i64,
}

/// Those of more than so many rows. SQLite would sort all rows to group them, and there are few groups.
fn crowded(connection: &Connection, most: i64) -> rusqlite::Result<Vec<End>> {
    let mut statement =
        connection.prepare("SELECT seq, status, coalesce(code, reason) FROM plan ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut ends: Vec<End> = Vec::new();
    while let Some(row) = rows.next()? {
        let (seq, status, reason) = (row.get(0)?, row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?);
        match ends.iter_mut().find(|end| end.status == status && end.reason == reason) {
            Some(end) => {
                end.count += 1;
                end.last = if end.count <= most { seq } else { end.last };
            }
            None => {
                ends.push(End { status: status.to_owned(), reason: reason.to_owned(), count: 1, last: seq });
            }
        }
    }
    ends.retain(|end| end.count > most);
    Ok(ends)
}

/// What a row holds, unless it is nothing that was ever written: then the file is damaged.
pub(crate) fn sound<T>(read: Option<T>) -> rusqlite::Result<T> {
    read.ok_or(rusqlite::Error::InvalidQuery)
}

/// The external id in a column.
pub(crate) fn external_id(row: &Row<'_>, column: usize) -> rusqlite::Result<ExternalId> {
    sound(ExternalId::parse(row.get_ref(column)?.as_str()?).ok())
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
    fn of_each_status_and_reason_only_the_first_rows_are_recorded() {
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
        let next = |after| table.ends(after, 3).unwrap();
        assert_eq!([next(0), next(4), next(7)], [Some(1..=4), Some(7..=7), None]);
        assert_eq!(table.notes(0, 3).unwrap(), None);
        let codes: Vec<_> = ends().into_iter().map(|(_, code)| code.is_some()).collect();
        assert_eq!(codes, [true, true, false, true], "a reason that is no code of its own is none");
    }
}
