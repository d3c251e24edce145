//! Guards: what looks like an accident is held, and the rest is sent.

use coho_core::code::Code;
use coho_core::decide::{Change, Completeness, Reason, RunKind};
use coho_core::object::Object;
use coho_core::plan::GuardHit;
use coho_core::sync::{EmptySource, KeylessRows, Limit, OnGuard};
use coho_core::verdict::RowStatus;
use coho_ledger::scope::SyncScope;
use coho_source::TypeChange;
use rusqlite::{OptionalExtension as _, params};

use crate::evaluate::Passed;
use crate::failure::PlanError;
use crate::job::Job;
use crate::phase::Phase;
use crate::progress::Step;
use crate::repeats::{self, Evidence, Past};
use crate::table::contents::Kind;
use crate::table::{Table, TableError};

/// Applies all guards of a sync. Gives those that hold something.
pub(crate) fn guard(
    job: &Job<'_>,
    table: &Table,
    passed: &mut Passed,
    types: &[TypeChange],
) -> Result<Vec<GuardHit>, PlanError> {
    let mut guards =
        Guards { table, hits: Vec::new(), delivered: passed.counts.delivered, known: known(passed) };
    guards.types(job, types)?;
    guards.new_ids(job, passed)?;
    guards.empty_source(job, passed)?;
    guards.keyless_rows(job, passed)?;
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
    passed.counts.delivered + passed.counts.assumed
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
    /// A file's odd value that makes another type of a column, and so another value of every record. Where nothing would be sent
    /// of it, or where all is only remembered, there is nothing to hold.
    fn types(&mut self, job: &Job<'_>, changes: &[TypeChange]) -> Result<(), TableError> {
        let Some(first) = changes.first().filter(|_| !job.learns()) else { return Ok(()) };
        let held = self.hold(Code::INFERRED_TYPE, "TRUE")?;
        if held > 0 {
            let messages: Vec<_> = changes.iter().map(TypeChange::message).collect();
            let (code, message) = (Code::INFERRED_TYPE, messages.join("; "));
            self.hits.push(GuardHit { code, message, help: first.help(), held });
        }
        Ok(())
    }

    /// Events under new ids are held, and of records it is said that their keys are new. Who asks for all to be sent again, or
    /// for nothing to be sent, has said what these rows are.
    fn new_ids(&mut self, job: &Job<'_>, passed: &mut Passed) -> Result<(), PlanError> {
        if job.run_kind != RunKind::Sync {
            return Ok(());
        }
        let is_event = job.sync.object == Object::Event;
        let (message, remedy) = match (&job.earlier, self.evidence(job, passed)?) {
            (Some(earlier), _) if self.count(WRITES)? > 0 => repeats::renamed_sync(&job.sync.id, earlier),
            (_, Some(evidence)) if is_event && repeats::are_renamed(&evidence) => {
                repeats::renamed_keys(&job.sync.id, &evidence)
            }
            (_, Some(evidence)) if !is_event && repeats::are_all_new(&evidence) => {
                passed.renamed = Some(repeats::renamed_records(&evidence));
                return Ok(());
            }
            (_, Some(_) | None) => return Ok(()),
        };
        let held = self.hold(Code::NEW_EVENT_IDS, WRITES)?;
        self.hits.push(GuardHit { code: Code::NEW_EVENT_IDS, message, help: remedy, held });
        Ok(())
    }

    /// What a plan says of its rows' keys. `None` where some of them are remembered, as is usual.
    fn evidence(&self, job: &Job<'_>, passed: &Passed) -> Result<Option<Evidence>, PlanError> {
        let Some(scope) = job.scope else { return Ok(None) };
        let is_invalid = |(status, ..): &&(RowStatus, Change, Reason)| *status == RowStatus::Invalid;
        let invalid: u64 =
            passed.rows.iter().filter(|(end, _)| is_invalid(end)).map(|(_, number)| number).sum();
        let noted = "SELECT sum(rows) FROM plan WHERE side = 0 AND status = 'invalid'";
        let rows = passed.read.saturating_sub(invalid + self.table.number(noted, [])?);
        let new = self.count("change = 'add' AND reason = 'new-record'")?;
        if rows == 0 || new != rows {
            return Ok(None);
        }
        let twins = if job.sync.object == Object::Event { self.twins(job, scope)? } else { 0 };
        Ok(Some(Evidence { rows, new, twins, remembered: self.known }))
    }

    /// How many planned events look like ones that are remembered under other keys.
    fn twins(&self, job: &Job<'_>, scope: &SyncScope) -> Result<u64, PlanError> {
        if self.known == 0 {
            return Ok(0);
        }
        let past = Past::of(job, scope)?;
        let mut count = 0;
        for phase in Phase::WRITES {
            let mut after = 0;
            loop {
                let operations = self.table.operations(phase, after, AT_ONCE)?;
                let Some((last, _)) = operations.last() else { break };
                after = *last;
                count += operations.iter().filter(|(_, operation)| past.has(operation)).count() as u64;
                job.tell(Step::Evaluating)?;
            }
        }
        Ok(count)
    }

    /// How many planned operations there are of these.
    fn count(&self, which: &str) -> Result<u64, TableError> {
        if !self.table.has(Kind::Operation) {
            return Ok(0);
        }
        self.table.number(&format!("SELECT count(*) FROM plan WHERE {PLANNED} AND {which}"), [])
    }

    fn empty_source(&mut self, job: &Job<'_>, passed: &Passed) -> Result<(), TableError> {
        // Models of events often show only the newest ones, and no event is ever removed.
        let removes = job.sync.object != Object::Event;
        let empty = removes && passed.given == 0 && self.delivered > 0;
        let complete = job.filter.completeness() == Completeness::Complete;
        if !empty || !complete || job.sync.guards.empty_source == EmptySource::Allow {
            return Ok(());
        }
        let records = if self.delivered == 1 { "record was" } else { "records were" };
        let message = format!("the model has no rows, but {} {records} delivered from it", self.delivered);
        self.trip(Code::EMPTY_SOURCE, message, "empty_source: allow", REMOVALS)
    }

    /// A row that lost its key looks like one that left. Which one it is cannot be told, so no removal is believed.
    fn keyless_rows(&mut self, job: &Job<'_>, passed: &Passed) -> Result<(), TableError> {
        let keyless: u64 = passed
            .problems
            .iter()
            .filter(|(kind, _)| has_no_key(kind.code))
            .map(|(_, rows)| rows.count)
            .sum();
        let is_allowed = job.sync.guards.keyless_rows == KeylessRows::Allow;
        let removals = if keyless == 0 || is_allowed { 0 } else { self.count(REMOVALS)? };
        if removals == 0 {
            return Ok(());
        }
        let message = keyless_message(keyless, removals);
        let help = "filter these rows out in the model, or give them a key; if they are none of those that left, set \
                    `guards: { keyless_rows: allow }` in the sync"
            .to_owned();
        let code = Code::KEYLESS_ROWS;
        let operations = self.hold(code, REMOVALS)?;
        self.hits.push(GuardHit { code, message, help, held: operations });
        Ok(())
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
        let count = self.count(which)?;
        let allowed = limit.allows(of);
        if count <= allowed {
            return Ok(());
        }
        let are = if allowed == 1 { "is" } else { "are" };
        let message = format!("{count} of {of} records would {what}; {allowed} {are} allowed");
        self.trip(code, message, &format!("{key}: {{ share: 100% }}"), which)
    }

    fn trip(&mut self, code: Code, message: String, allow: &str, which: &str) -> Result<(), TableError> {
        let help = format!("check the model; if this is intended, set `guards: {{ {allow} }}` in the sync");
        let operations = self.hold(code, which)?;
        self.hits.push(GuardHit { code, message, help, held: operations });
        Ok(())
    }

    fn hold(&self, code: Code, which: &str) -> Result<u64, TableError> {
        self.table.change(
            &format!(
                "UPDATE plan SET status = 'held', change = 'hold', code = ?1, message = 'held by a guard'
                 WHERE {PLANNED} AND {which}"
            ),
            [code.as_str()],
        )
    }
}

/// Whether a row with such a problem has no key that can be read.
fn has_no_key(code: Code) -> bool {
    [Code::NULL_KEY, Code::KEY_TYPE, Code::KEY_LENGTH].contains(&code)
}

fn keyless_message(keyless: u64, removals: u64) -> String {
    let rows = match keyless {
        1 => "1 row has no key that can be read; it".to_owned(),
        rows => format!("{rows} rows have no key that can be read; each"),
    };
    let records = match removals {
        1 => "the record that seems".to_owned(),
        records => format!("one of the {records} records that seem"),
    };
    format!("{rows} may belong to {records} to have left")
}

const PLANNED: &str = "status = 'planned'";

const REMOVALS: &str = "phase = 3";

const WRITES: &str = "phase < 3";

/// How many operations are looked at at once.
const AT_ONCE: usize = 500;
