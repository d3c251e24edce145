//! Retention: how long rows by status and calls are kept, and how large the ledger may become. What was delivered, and statuses that
//! still stand, are never deleted.
//!
//! A run loses first the rows that did not fail, with their calls; then those that failed; at last its counts. Age decides, and
//! where the file is too large, the oldest run goes first, whatever its age. Each transaction is small, so that no other writer
//! waits long; a process that is killed in between leaves a run of which less is kept than it says, and the next one goes on.

use std::time::Duration;

use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::counted;
use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored};
use crate::run::{Kept, RunRecord};
use crate::shape::unused;

/// Rows that are deleted in one transaction.
const STATUSES_AT_ONCE: i64 = 20_000;

/// Calls that are deleted in one transaction: each may have been made for a hundred rows.
const CALLS_AT_ONCE: i64 = 2_000;

/// Runs that are deleted in one transaction.
const RUNS_AT_ONCE: i64 = 500;

/// Free pages that are given back in one transaction.
const PAGES_AT_ONCE: i64 = 2_000;

const DAY: Duration = Duration::from_secs(86_400);

/// How long what is kept is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Rows that did not fail, and their calls.
    pub keep: Duration,
    /// Rows that failed, and their calls. What is shorter than `keep` is taken for that.
    pub failures: Duration,
    /// Runs with their counts. What is shorter than `failures` is taken for that.
    pub runs: Duration,
    /// How many bytes the ledger may have.
    pub max_size: u64,
}

/// Until when what is still kept of a run is kept, unless the ledger becomes too large before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptUntil {
    /// Rows that did not fail, and their calls; absent where they are gone.
    pub all: Option<Time>,
    /// Rows that failed, and their calls; absent where they are gone.
    pub failures: Option<Time>,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Rows.
    pub statuses: u64,
    /// Calls.
    pub calls: u64,
    /// Runs.
    pub runs: u64,
}

impl Retention {
    fn failures(&self) -> Duration {
        self.failures.max(self.keep)
    }

    fn runs(&self) -> Duration {
        self.runs.max(self.failures())
    }

    /// Until when what is still kept of a run is kept.
    pub fn until(&self, run: &RunRecord) -> KeptUntil {
        let after = |length: Duration| {
            chrono::TimeDelta::from_std(length).ok().and_then(|length| run.started.checked_add_signed(length))
        };
        KeptUntil {
            all: (run.kept == Kept::All).then(|| after(self.keep)).flatten(),
            failures: (run.kept != Kept::Counts).then(|| after(self.failures())).flatten(),
        }
    }
}

impl Ledger {
    /// Deletes what is kept no longer. The newest run is never too large.
    pub fn retain(&self, lease: &Lease, retention: &Retention, now: Time) -> Result<Pruned, LedgerError> {
        let before = |length: Duration| micros(now).saturating_sub(stored(length.as_micros()));
        let mut pruned = Pruned::default();
        for (to, limit) in [(Kept::Failures, retention.keep), (Kept::Counts, retention.failures())] {
            while let Some(run) = self.oldest(to, Some(before(limit)))? {
                self.shrink(lease, run, to, &mut pruned)?;
            }
        }
        self.fit(lease, retention.max_size, &mut pruned)?;
        pruned.runs = self.forget_runs(lease, before(retention.runs()))?;
        self.forget_causes(lease, before(retention.failures()))?;
        self.prune_forgotten(lease, before(retention.runs()))?;
        self.forget_unused_shapes(lease, before(retention.failures().max(DAY)), now)?;
        self.free_pages(lease, retention.max_size)?;
        Ok(pruned)
    }

    /// The oldest run that keeps more than this, of those that began before a moment; where none is given, of all but the
    /// newest.
    fn oldest(&self, to: Kept, before: Option<i64>) -> Result<Option<i64>, LedgerError> {
        let more = match to {
            Kept::Counts => "kept <> 'counts'",
            Kept::All | Kept::Failures => "kept = 'all' AND kept <> 'counts'",
        };
        let old = match before {
            Some(_) => "started_at < ?1",
            None => "?1 IS NULL AND id < (SELECT max(id) FROM runs)",
        };
        let sql = format!(
            "SELECT id FROM runs INDEXED BY runs_kept WHERE {more} AND {old} ORDER BY started_at LIMIT 1"
        );
        self.read("looking for old runs", |connection| {
            Ok(connection.prepare_cached(&sql)?.query_row([before], |row| row.get(0)).optional()?)
        })
    }

    /// Leaves of a run what is to be kept.
    fn shrink(&self, lease: &Lease, run: i64, to: Kept, pruned: &mut Pruned) -> Result<(), LedgerError> {
        let failed = to == Kept::Failures && self.has_failures(run)?;
        let (calls, statuses) =
            if failed { (CALLS_OF_THE_OTHERS, STATUSES_OF_THE_OTHERS) } else { (CALLS, STATUSES) };
        pruned.calls += self.delete(lease, calls, run, CALLS_AT_ONCE)?;
        pruned.statuses += self.delete(lease, statuses, run, STATUSES_AT_ONCE)?;
        let kept = if failed { Kept::Failures } else { Kept::Counts };
        self.write_in(lease, "pruning", |connection| {
            connection
                .prepare_cached("UPDATE runs SET kept = ?2 WHERE id = ?1")?
                .execute(params![run, kept.as_str()])?;
            Ok(())
        })
    }

    fn has_failures(&self, run: i64) -> Result<bool, LedgerError> {
        self.read("looking for failures", |connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM fates INDEXED BY fates_by_run WHERE run = ?1 AND cause IS NOT NULL)";
            Ok(connection.prepare_cached(sql)?.query_row([run], |row| row.get(0))?)
        })
    }

    fn delete(&self, lease: &Lease, sql: &str, run: i64, at_once: i64) -> Result<u64, LedgerError> {
        let mut deleted = 0;
        loop {
            let gone = self.write_in(lease, "pruning", |connection| {
                Ok(stored(connection.prepare_cached(sql)?.execute([run, at_once])?))
            })?;
            deleted += count(gone);
            if gone < at_once {
                return Ok(deleted);
            }
        }
    }

    /// Shrinks the oldest runs until what is used of the file fits.
    fn fit(&self, lease: &Lease, most: u64, pruned: &mut Pruned) -> Result<(), LedgerError> {
        for to in [Kept::Failures, Kept::Counts] {
            while self.sizes()?.used > most {
                let Some(run) = self.oldest(to, None)? else { break };
                self.shrink(lease, run, to, pruned)?;
            }
        }
        Ok(())
    }

    /// Forgets runs of which only counts are kept. One that a status still stands of stays.
    fn forget_runs(&self, lease: &Lease, before: i64) -> Result<u64, LedgerError> {
        let mut forgotten = 0;
        loop {
            let gone = self.write_in(lease, "pruning", |connection| {
                let old: Vec<i64> = connection
                    .prepare_cached(
                        "SELECT id FROM runs WHERE started_at < ?1 AND kept = 'counts'
                           AND NOT EXISTS (SELECT 1 FROM fates WHERE fates.run = runs.id) ORDER BY started_at LIMIT ?2",
                    )?
                    .query_map([before, RUNS_AT_ONCE], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                for run in &old {
                    counted::forget(connection, *run)?;
                    for table in ["stages", "run_syncs"] {
                        connection.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?.execute([run])?;
                    }
                    connection.prepare_cached("DELETE FROM runs WHERE id = ?1")?.execute([run])?;
                }
                Ok(stored(old.len()))
            })?;
            forgotten += count(gone);
            if gone < RUNS_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }

    /// Forgets causes that no row is left of.
    fn forget_causes(&self, lease: &Lease, before: i64) -> Result<(), LedgerError> {
        self.write_in(lease, "pruning", |connection| {
            connection
                .prepare_cached(
                    "DELETE FROM causes WHERE last_at < ?1
                       AND NOT EXISTS (SELECT 1 FROM fates INDEXED BY fates_failed WHERE fates.cause = causes.id)",
                )?
                .execute([before])?;
            Ok(())
        })
    }

    /// What was forgotten on purpose is told as long as runs are.
    fn prune_forgotten(&self, lease: &Lease, before: i64) -> Result<(), LedgerError> {
        self.write_in(lease, "pruning", |connection| {
            connection.prepare_cached("DELETE FROM forgotten WHERE at < ?1")?.execute([before])?;
            Ok(())
        })
    }

    /// Forgets shapes that no text has any more. It is written down seldom that one is in use, so a day is added.
    fn forget_unused_shapes(&self, lease: &Lease, before: i64, now: Time) -> Result<(), LedgerError> {
        let before = before.saturating_sub(stored(DAY.as_micros()));
        if !self.read("looking for old shapes", |connection| unused::is_any_older(connection, before))? {
            return Ok(());
        }
        self.write_shaped(lease, "pruning", |connection, shapes| {
            unused::delete_older(connection, before, micros(now))?;
            shapes.forget();
            Ok(())
        })
    }

    /// Free pages are used again, so that the file stays as large as it ever was. What is beyond its bound is given back.
    fn free_pages(&self, lease: &Lease, most: u64) -> Result<(), LedgerError> {
        loop {
            let sizes = self.sizes()?;
            if sizes.file <= most || sizes.free == 0 || !sizes.can_shrink {
                return Ok(());
            }
            self.write_in(lease, "giving free space back", |connection| {
                let mut statement =
                    connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
                let mut rows = statement.query([])?;
                while rows.next()?.is_some() {}
                Ok(())
            })?;
        }
    }

    fn sizes(&self) -> Result<Sizes, LedgerError> {
        self.read("reading the size", sizes)
    }
}

/// How large the ledger's file is, in bytes.
struct Sizes {
    file: u64,
    used: u64,
    free: u64,
    can_shrink: bool,
}

fn sizes(connection: &Connection) -> Result<Sizes, Fault> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (pages, free, size) = (number("page_count")?, number("freelist_count")?, count(number("page_size")?));
    Ok(Sizes {
        file: count(pages) * size,
        used: count(pages - free) * size,
        free: count(free) * size,
        can_shrink: number("auto_vacuum")? == 2,
    })
}

const CALLS: &str =
    "DELETE FROM calls WHERE id IN (SELECT id FROM calls INDEXED BY calls_by_run WHERE run = ?1 LIMIT ?2)";

/// A call for several rows stays as long as one of them does.
const CALLS_OF_THE_OTHERS: &str = "\
    WITH failed AS MATERIALIZED (SELECT scope, key FROM fates WHERE run = ?1 AND cause IS NOT NULL AND key IS NOT NULL) \
    DELETE FROM calls WHERE id IN ( \
      SELECT id FROM calls INDEXED BY calls_by_run WHERE run = ?1 \
        AND (key IS NULL OR (scope, key) NOT IN (SELECT scope, key FROM failed)) \
        AND NOT EXISTS ( \
          SELECT 1 FROM call_keys WHERE call = calls.id AND (calls.scope, call_keys.key) IN (SELECT scope, key FROM failed)) \
      LIMIT ?2)";

const STATUSES: &str = "\
    DELETE FROM fates WHERE id IN ( \
      SELECT id FROM fates INDEXED BY fates_by_run WHERE run = ?1 AND standing = 0 LIMIT ?2)";

/// The calls that are left are of rows that failed. Where such a row was delivered too, they have values that stand there.
const STATUSES_OF_THE_OTHERS: &str = "\
    DELETE FROM fates WHERE id IN ( \
      SELECT id FROM fates INDEXED BY fates_by_run WHERE run = ?1 AND standing = 0 AND cause IS NULL \
        AND id NOT IN (SELECT fate FROM calls INDEXED BY calls_by_run WHERE run = ?1 AND fate IS NOT NULL) LIMIT ?2)";
