//! Who writes which record: what [`Spool`] answers about the targets of its operations, and the keys that move between them.
//!
//! Writes are the lanes below three; a plus keeps SQLite from searching by the lane, which nearly all operations share.

use coho_core::key::Key;
use coho_core::target::ExternalId;
use rusqlite::params;

use super::{Entry, Lane, Spool, SpoolError};

impl Spool {
    /// Writes whose target another write has too.
    pub fn shared_targets(&self) -> Result<Vec<Entry>, SpoolError> {
        self.entries(
            "SELECT seq, key, target, lane FROM operations WHERE +lane < 3 AND target IN
                (SELECT target FROM operations WHERE +lane < 3 GROUP BY target HAVING count(*) > 1) ORDER BY seq",
        )
    }

    /// Writes of a target that their key's memory does not hold yet: they may meet another key's record.
    pub fn newcomers(&self) -> Result<Vec<Entry>, SpoolError> {
        self.entries(
            "SELECT seq, key, target, lane FROM operations WHERE +lane < 3 AND holds_target <> 1 ORDER BY seq",
        )
    }

    /// Writes whose key's memory holds another record.
    pub fn movers(&self) -> Result<Vec<Entry>, SpoolError> {
        self.entries(
            "SELECT seq, key, target, lane FROM operations WHERE +lane < 3 AND holds_target = 2 ORDER BY seq",
        )
    }

    /// All removals.
    pub fn removals(&self) -> Result<Vec<Entry>, SpoolError> {
        self.entries("SELECT seq, key, target, lane FROM operations WHERE lane = 3 ORDER BY seq")
    }

    /// Remembers that a key's row came back to a record that needs no write.
    pub fn returns(&self, key: &Key) -> Result<(), SpoolError> {
        self.run("INSERT OR IGNORE INTO returned (key) VALUES (?)", params![key.as_str()])
    }

    /// Whether a key's row came back to a record that needs no write.
    pub fn has_returned(&self, key: &Key) -> Result<bool, SpoolError> {
        self.one("SELECT 1 FROM returned WHERE key = ?", params![key.as_str()])
            .map(|found: Option<i64>| found.is_some())
    }

    /// Remembers that a row that cannot be sent has this target.
    pub fn dispute(&self, target: &ExternalId) -> Result<(), SpoolError> {
        self.run("INSERT OR IGNORE INTO disputed (target) VALUES (?)", params![target.as_str()])
    }

    /// Whether a row that cannot be sent has this target.
    pub fn is_disputed(&self, target: &ExternalId) -> Result<bool, SpoolError> {
        self.one("SELECT 1 FROM disputed WHERE target = ?", params![target.as_str()])
            .map(|found: Option<i64>| found.is_some())
    }

    /// Whether a write of another key has this target.
    pub fn writes_target(&self, target: &ExternalId) -> Result<bool, SpoolError> {
        self.one("SELECT 1 FROM operations WHERE +lane < 3 AND target = ?", params![target.as_str()])
            .map(|found: Option<i64>| found.is_some())
    }

    /// Whether this key is written to another record than this one.
    pub fn moves(&self, key: &Key, target: &ExternalId) -> Result<bool, SpoolError> {
        self.one(
            "SELECT 1 FROM operations WHERE +lane < 3 AND key = ? AND target <> ? LIMIT 1",
            params![key.as_str(), target.as_str()],
        )
        .map(|found: Option<i64>| found.is_some())
    }

    fn entries(&self, sql: &str) -> Result<Vec<Entry>, SpoolError> {
        let mut statement = self.connection.prepare(sql).map_err(|source| self.fail(source))?;
        let rows = statement
            .query_map([], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))
            })
            .map_err(|source| self.fail(source))?;
        rows.map(|row| {
            let (seq, key, target, lane) = row.map_err(|source| self.fail(source))?;
            let target = ExternalId::parse(&target).map_err(|_| SpoolError::Damaged)?;
            let lane = Lane::numbered(lane).ok_or(SpoolError::Damaged)?;
            Ok(Entry { seq, key: Key::new(key), target, lane })
        })
        .collect()
    }
}
