//! Guards: what looks like an accident is held, and the rest is sent.

use coho_core::code::Code;
use coho_core::decide::Completeness;
use coho_core::object::Object;
use coho_core::plan::GuardHit;
use coho_core::sync::{EmptySource, Limit, OnGuard};
use rusqlite::{OptionalExtension as _, params};

use crate::evaluate::Passed;
use crate::failure::PlanError;
use crate::job::Job;
use crate::table::{Table, TableError};

/// Applies all guards of a sync. Gives those that hold something.
pub(crate) fn guard(job: &Job<'_>, table: &Table, passed: &Passed) -> Result<Vec<GuardHit>, PlanError> {
    let mut guards =
        Guards { table, hits: Vec::new(), delivered: passed.standings.delivered, known: known(passed) };
    guards.empty_source(job, passed)?;
    guards.max_removed(job)?;
    guards.max_changed(job)?;
    guards.max_nulled(job)?;
    if let (OnGuard::Stop, Some(first)) = (job.sync.guards.on_guard, guards.hits.first().map(|hit| hit.code))
    {
        guards.hold(first, "TRUE")?;
    }
    Ok(guards.hits)
}

/// The records that a run may change: those that were delivered, and those that are taken to be there.
pub(crate) fn known(passed: &Passed) -> u64 {
    passed.standings.delivered + passed.standings.assumed
}

struct Guards<'a> {
    table: &'a Table,
    hits: Vec<GuardHit>,
    /// Records that may be removed: those that were delivered.
    delivered: u64,
    /// Records that may be changed: what is only taken to be there may be too.
    known: u64,
}

/// What a limit is about.
struct Limited<'a> {
    limit: Limit,
    /// Of how many records.
    of: u64,
    code: Code,
    /// What would happen to them.
    what: &'a str,
    /// The limit's key.
    key: &'a str,
}

impl Guards<'_> {
    fn empty_source(&mut self, job: &Job<'_>, passed: &Passed) -> Result<(), TableError> {
        // Models of events often show only the newest ones, and no event is ever removed.
        let removes = job.sync.object != Object::Event;
        let empty = removes && passed.given == 0 && self.delivered > 0;
        let complete = job.filter.completeness() == Completeness::Complete;
        if !empty || !complete || job.sync.guards.empty_source == EmptySource::Allow {
            return Ok(());
        }
        let records = if self.delivered == 1 { "record was" } else { "records were" };
        let message = format!("the model has no rows, and {} {records} delivered from it", self.delivered);
        self.trip(Code::EMPTY_SOURCE, message, "empty_source: allow", REMOVALS)
    }

    fn max_removed(&mut self, job: &Job<'_>) -> Result<(), TableError> {
        let Some(limit) = job.sync.guards.max_removed else { return Ok(()) };
        let (of, code) = (self.delivered, Code::MAX_REMOVED);
        let limited = Limited { limit, of, code, what: "be removed", key: "max_removed" };
        self.exceed(&limited, REMOVALS)
    }

    fn max_changed(&mut self, job: &Job<'_>) -> Result<(), TableError> {
        let Some(limit) = job.sync.guards.max_changed else { return Ok(()) };
        let (of, code) = (self.known, Code::MAX_CHANGED);
        let limited = Limited { limit, of, code, what: "change", key: "max_changed" };
        self.exceed(&limited, "change = 'update'")
    }

    /// The field that most operations clear is looked at first: what is held for it does not count for the next one.
    fn max_nulled(&mut self, job: &Job<'_>) -> Result<(), TableError> {
        let Some(limit) = job.sync.guards.max_nulled else { return Ok(()) };
        while let Some(path) = self.most_nulled(limit.allows(self.known))? {
            let what = format!("have `{path}` cleared");
            let (of, code) = (self.known, Code::MAX_NULLED);
            let limited = Limited { limit, of, code, what: &what, key: "max_nulled" };
            let text = path.replace('\'', "''");
            self.exceed(&limited, &format!("seq IN (SELECT seq FROM nulled WHERE path = '{text}')"))?;
        }
        Ok(())
    }

    /// The field that most operations clear, if more than so many do.
    fn most_nulled(&self, allowed: u64) -> Result<Option<String>, TableError> {
        let allowed = i64::try_from(allowed).unwrap_or(i64::MAX);
        self.table.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT path FROM nulled CROSS JOIN plan USING (seq) WHERE status = 'planned'
                 GROUP BY path HAVING count(*) > ?1 ORDER BY count(*) DESC, path LIMIT 1",
            )?;
            statement.query_row(params![allowed], |row| row.get(0)).optional()
        })
    }

    fn exceed(&mut self, limited: &Limited<'_>, which: &str) -> Result<(), TableError> {
        let Limited { limit, of, code, what, key } = *limited;
        let count =
            self.table.number(&format!("SELECT count(*) FROM plan WHERE {PLANNED} AND {which}"), [])?;
        let allowed = limit.allows(of);
        if count <= allowed {
            return Ok(());
        }
        let are = if allowed == 1 { "is" } else { "are" };
        let message = format!("{count} of {of} records would {what}, {allowed} {are} allowed");
        self.trip(code, message, &format!("{key}: {{ share: 100% }}"), which)
    }

    fn trip(&mut self, code: Code, message: String, allow: &str, which: &str) -> Result<(), TableError> {
        let help = format!("check the model; where this is meant, set `guards: {{ {allow} }}` in the sync");
        let operations = self.hold(code, which)?;
        self.hits.push(GuardHit { code, message, help, held: operations });
        Ok(())
    }

    fn hold(&self, code: Code, which: &str) -> Result<u64, TableError> {
        self.table.change(
            &format!(
                "UPDATE plan SET status = 'held', change = 'hold', effect = NULL, code = ?1, message = 'held by a guard'
                 WHERE {PLANNED} AND {which}"
            ),
            [code.as_str()],
        )
    }
}

const PLANNED: &str = "status = 'planned'";

const REMOVALS: &str = "phase = 3";
