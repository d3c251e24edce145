//! Failures by cause: what many rows failed of is one line, with how many there are and which they are.

use std::collections::BTreeMap;

use coho_core::cause::Cause;
use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, stored, time};
use crate::run::RunId;
use crate::scope::{SyncScope, of_number};

/// How many keys are given as examples.
pub const EXAMPLES: usize = 3;

/// Whose failures are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailuresOf<'a> {
    /// Those that a run wrote down. A row that failed before and still does is not among them.
    Run(&'a RunId),
    /// Those that no later run healed.
    Now,
}

/// Rows that failed of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureGroup {
    /// The number of the cause in the ledger.
    pub id: u64,
    /// The cause.
    pub cause: Cause,
    /// How many rows.
    pub count: u64,
    /// How they ended.
    pub statuses: BTreeMap<RowStatus, u64>,
    /// The first few of them, in the order in which they were written down; rows without a key are not.
    pub examples: Vec<Key>,
    /// What was said of one of them.
    pub message: Option<String>,
    /// When a row failed of it for the first time, in whatever run.
    pub first: Time,
    /// Since when no row waits with it any more.
    pub healed: Option<Time>,
    /// Whether it had been healed before: it came back in the run that was asked for, or in whichever where none was.
    pub came_back: bool,
}

/// A cause, with what waits because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCause {
    /// The sync and its workspace.
    pub scope: SyncScope,
    /// The cause.
    pub cause: Cause,
    /// How many rows wait for another attempt because of it.
    pub waiting: u64,
}

impl Ledger {
    /// The cause with this number in the ledger.
    pub fn cause(&self, number: i64) -> Result<Option<NamedCause>, LedgerError> {
        self.read("looking for a cause", |connection| {
            let mut statement =
                connection.prepare_cached("SELECT scope, code, message FROM causes WHERE id = ?1")?;
            let read = |row: &Row<'_>| -> rusqlite::Result<(i64, String, String)> {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            };
            let Some((scope, code, message)) = statement.query_row([number], read).optional()? else {
                return Ok(None);
            };
            let waiting: i64 = connection
                .prepare_cached(
                    "SELECT count(*) FROM fates INDEXED BY fates_standing_by_cause
                     WHERE standing = 1 AND cause = ?1 AND fate IN ('rejected', 'skipped', 'deferred')",
                )?
                .query_row([number], |row| row.get(0))?;
            let cause = Cause { code: Code::parse(&code), message };
            Ok(of_number(connection, scope)?.map(|scope| NamedCause {
                scope,
                cause,
                waiting: count(waiting),
            }))
        })
    }

    /// Failures of a sync by cause, those of the most rows first.
    pub fn failures(
        &self,
        scope: &SyncScope,
        of: FailuresOf<'_>,
        limit: usize,
    ) -> Result<Vec<FailureGroup>, LedgerError> {
        self.read("reading failures", |connection| {
            let chosen = Chosen::new(connection, scope, of)?;
            let mut counted: Vec<_> = chosen.counted()?.into_iter().collect();
            counted.sort_by_key(|(cause, statuses)| (std::cmp::Reverse(total(statuses)), *cause));
            counted.truncate(limit);
            counted.into_iter().map(|(cause, statuses)| chosen.group(cause, statuses)).collect()
        })
    }

    /// How many rows of a sync failed and are not well again; of one run, those that it left so.
    pub fn still_failing(&self, scope: &SyncScope, run: Option<&RunId>) -> Result<u64, LedgerError> {
        self.read("counting failures", |connection| {
            let counted: i64 = connection
                .prepare_cached(
                    "SELECT count(*) FROM fates INDEXED BY fates_standing
                     WHERE standing = 1 AND scope = ?1 AND (?2 IS NULL OR run = (SELECT id FROM runs WHERE run = ?2))",
                )?
                .query_row(params![scope.id, run.map(RunId::as_str)], |row| row.get(0))?;
            Ok(count(counted))
        })
    }
}

fn total(statuses: &BTreeMap<RowStatus, u64>) -> u64 {
    statuses.values().sum()
}

/// The failures that are looked at.
struct Chosen<'a> {
    connection: &'a Connection,
    scope: i64,
    /// The run's number; absent where all are looked at that stand. No run has the number 0.
    run: Option<i64>,
}

impl<'a> Chosen<'a> {
    fn new(connection: &'a Connection, scope: &SyncScope, of: FailuresOf<'_>) -> Result<Self, Fault> {
        let run = match of {
            FailuresOf::Now => None,
            FailuresOf::Run(run) => Some(connection.query_row(
                "SELECT coalesce(max(id), 0) FROM runs WHERE run = ?1",
                [run.as_str()],
                |row| row.get(0),
            )?),
        };
        Ok(Self { connection, scope: scope.id, run })
    }

    /// How many rows failed of each cause, and how they ended.
    fn counted(&self) -> Result<BTreeMap<i64, BTreeMap<RowStatus, u64>>, Fault> {
        let (index, which) = match self.run {
            Some(_) => ("fates_by_run", "run = ?2 AND cause IS NOT NULL"),
            None => ("fates_standing", "standing = 1 AND cause IS NOT NULL AND ?2 IS NULL"),
        };
        let sql = format!(
            "SELECT cause, fate, count(*) FROM fates INDEXED BY {index} WHERE scope = ?1 AND {which} GROUP BY cause, fate"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.scope, self.run])?;
        let mut counted: BTreeMap<i64, BTreeMap<RowStatus, u64>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let status = RowStatus::parse(&row.get::<_, String>(1)?).ok_or_else(wrong)?;
            counted.entry(row.get(0)?).or_default().insert(status, count(row.get(2)?));
        }
        Ok(counted)
    }

    fn group(&self, cause: i64, statuses: BTreeMap<RowStatus, u64>) -> Result<FailureGroup, Fault> {
        let (examples, message) = self.examples(cause)?;
        let mut statement = self
            .connection
            .prepare_cached("SELECT code, message, first_at, healed_at, back_in FROM causes WHERE id = ?1")?;
        let read = |row: &Row<'_>| -> rusqlite::Result<_> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        };
        let (code, text, first, healed, back): (String, String, i64, Option<i64>, Option<i64>) =
            statement.query_row([cause], read)?;
        Ok(FailureGroup {
            id: count(cause),
            cause: Cause { code: Code::parse(&code), message: text },
            count: total(&statuses),
            statuses,
            examples,
            message,
            first: time(first)?,
            healed: healed.map(time).transpose()?,
            came_back: back.is_some() && (self.run.is_none() || back == self.run),
        })
    }

    /// The first keys, and what was said of the first row.
    fn examples(&self, cause: i64) -> Result<(Vec<Key>, Option<String>), Fault> {
        let (index, which) = match self.run {
            Some(_) => ("fates_failed", "run = ?2"),
            None => ("fates_standing_by_cause", "standing = 1 AND ?2 IS NULL"),
        };
        let sql = format!(
            "SELECT key, message FROM fates INDEXED BY {index} WHERE cause = ?1 AND {which} ORDER BY fates.id LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![cause, self.run, stored(EXAMPLES)])?;
        let (mut keys, mut message) = (Vec::new(), None);
        while let Some(row) = rows.next()? {
            keys.extend(row.get::<_, Option<String>>(0)?.map(Key::new));
            message = message.or(row.get::<_, Option<String>>(1)?);
        }
        Ok((keys, message))
    }
}

fn wrong() -> Fault {
    Fault::damaged("a row has a status that Coho never writes")
}
