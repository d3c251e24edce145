//! Keys that meet at one record: all of them are invalid, and a record that another key holds is never removed.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::plan::{ProblemCounts, count_problems};
use coho_core::problem::Problem;
use rusqlite::{OptionalExtension as _, params};

use crate::failure::PlanError;
use crate::job::Job;
use crate::table::contents::Kind;
use crate::table::read::key;
use crate::table::{Table, TableError};

/// What finds keys that the model does not have.
const OF_GONE: &str = "CREATE INDEX gone_by_key ON gone (key, departure)";

/// What finds the keys that hold a record, where any does.
const OF_HOLDERS: &str = "
    CREATE INDEX IF NOT EXISTS plan_elsewhere ON plan (key) WHERE side = 0 AND holds <> 1;
    CREATE INDEX IF NOT EXISTS plan_returned ON plan (key) WHERE returned = 1;";

/// Makes the writes of keys that meet invalid, in a table that has all rows of the model.
pub(crate) fn separate(job: &Job<'_>, table: &Table, problems: &mut ProblemCounts) -> Result<(), PlanError> {
    table.batch(OF_GONE)?;
    let mut invalid = 0;
    if job.sync.matching.email().is_some() {
        invalid += shared_addresses(table)?;
    }
    let what = id_of(job.sync.object);
    if table.contents().may_share() {
        invalid += shared_targets(job, table, what)?;
    }
    let remembers = "SELECT count(*) FROM (SELECT 1 FROM temp.remembered LIMIT 1)";
    if !job.learns() && table.number(remembers, [])? > 0 {
        invalid += taken_targets(table, what)?;
    }
    if invalid > 0 {
        count(table, what, problems)?;
    }
    Ok(())
}

/// What two rows may not have both.
fn id_of(object: Object) -> &'static str {
    match object {
        Object::Organization | Object::Account | Object::User => "external id",
        Object::Event => "message id",
    }
}

/// Rows of one e-mail address, in any case of letters, would be one record. Gives how many.
fn shared_addresses(table: &Table) -> Result<u64, TableError> {
    table.batch(
        "CREATE TABLE shared (digest BLOB PRIMARY KEY) WITHOUT ROWID;
         INSERT INTO shared SELECT digest FROM matches GROUP BY digest HAVING count(*) > 1 ORDER BY digest;",
    )?;
    let message = also_used("the e-mail address", "address");
    let shared = "side = 0 AND status <> 'invalid' AND match IN (SELECT digest FROM shared)";
    table.change(&invalidate(&message, shared), [])
}

/// The one text, in SQL, for a value in this column that only one row may have.
fn also_used(what: &str, column: &str) -> String {
    format!("'{what} `' || preview({column}) || '` is also used by another row of the model'")
}

/// Rows that are written, or remembered, as one record. Gives how many.
fn shared_targets(job: &Job<'_>, table: &Table, what: &str) -> Result<u64, TableError> {
    table.index_targets()?;
    // Of rows that are only remembered all count that have the id: nobody looks at them again.
    let counts = if job.learns() { "status IN ('learned', 'held', 'invalid')" } else { "status = 'planned'" };
    let ends = if job.learns() { "status IN ('learned', 'held')" } else { "status = 'planned'" };
    let message = also_used(what, "target");
    let shared = format!(
        "side = 0 AND {ends} AND target IN (SELECT target FROM plan WHERE side = 0 AND target IS NOT NULL AND {counts}
           GROUP BY target HAVING count(*) > 1)"
    );
    table.change(&invalidate(&message, &shared), [])
}

/// Writes of records that another row holds, which does not become another record itself. A row that may not move keeps its
/// record, so that no other row gets it: from each such write it goes on to those that want what it does not leave. Gives how many.
fn taken_targets(table: &Table, what: &str) -> Result<u64, TableError> {
    table.index_targets()?;
    table.batch(OF_HOLDERS)?;
    table.batch(&format!(
        "CREATE TABLE taken (seq INTEGER PRIMARY KEY, holder TEXT NOT NULL);
         INSERT OR IGNORE INTO taken
         WITH RECURSIVE blocked (seq, holder, key, leaves, keeps) AS (
           SELECT * FROM (
             SELECT plan.seq, min(held.key), plan.key, plan.leaves, plan.keeps
             FROM plan CROSS JOIN temp.holders AS held ON held.target = plan.target
             WHERE plan.side = 0 AND plan.holds <> 1 AND plan.status = 'planned' AND {HOLDS} GROUP BY plan.seq)
           UNION
           SELECT plan.seq, blocked.key, plan.key, plan.leaves, plan.keeps
           FROM blocked CROSS JOIN plan ON plan.target = blocked.leaves AND plan.side = 0
           WHERE blocked.keeps = 1 AND plan.holds <> 1 AND plan.status = 'planned' AND plan.key <> blocked.key)
         SELECT seq, min(holder) FROM blocked GROUP BY seq;"
    ))?;
    let message = format!(
        "'{what} `' || preview(target) || '` is also that of the row with key `'
           || preview((SELECT holder FROM taken WHERE taken.seq = plan.seq)) || '`'"
    );
    let taken = table.change(&invalidate(&message, "seq IN (SELECT seq FROM taken)"), [])?;
    table.batch("DROP TABLE taken").map(|()| taken)
}

/// Whether a memory `held` keeps its record for itself, beside the row `plan` that wants it: it is another key's that the
/// model has, that did not let it go, or came back to it, and that does not become another record.
pub(crate) const HOLDS: &str = "\
    (held.key <> plan.key OR held.departure <> plan.departure) \
    AND NOT EXISTS (SELECT 1 FROM gone WHERE gone.key = held.key AND gone.departure = held.departure) \
    AND (held.holds OR EXISTS (SELECT 1 FROM plan AS back WHERE back.key = held.key AND back.returned = 1)) \
    AND NOT EXISTS (SELECT 1 FROM plan AS other WHERE other.key = held.key AND other.side = 0 AND other.holds <> 1 \
      AND other.status = 'planned' AND other.target <> held.target)";

fn invalidate(message: &str, which: &str) -> String {
    format!(
        "UPDATE plan SET status = 'invalid', change = 'invalid', effect = NULL, code = 'duplicate-target', message = {message}
         WHERE {which}"
    )
}

/// Counts what was made invalid here: by what the rows share, with the first of each.
fn count(table: &Table, what: &str, problems: &mut ProblemCounts) -> Result<(), TableError> {
    let sql = "SELECT count(*), min(seq) FROM plan WHERE side = 0 AND status = 'invalid' AND code = 'duplicate-target'";
    let (number, first): (i64, Option<i64>) =
        table.with(|connection| connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))))?;
    let found = table.with(|connection| {
        let sql = "SELECT key, departure, target, message FROM plan WHERE seq = ?1";
        let mut statement = connection.prepare(sql)?;
        statement.query_row(params![first], |row| Ok((key(row, 0)?, row.get::<_, String>(3)?))).optional()
    })?;
    if let Some((key, message)) = found {
        let what = if message.starts_with("the e-mail") { "e-mail address" } else { what };
        let problem = Problem::new(Code::DUPLICATE_TARGET, message)
            .help(format!("make the {what} unique in the model"));
        count_problems(problems, Some(&key), &problem, number.unsigned_abs());
    }
    Ok(())
}

/// Lets be what is to be removed although a row has it: a primary key that was renamed, say. Where that row cannot be sent
/// it may be mended: until then its record waits.
pub(crate) fn spare(table: &Table) -> Result<(), PlanError> {
    if !table.has(Kind::Removal) {
        return Ok(());
    }
    table.index_targets()?;
    table.batch(OF_HOLDERS)?;
    let message = format!("code = 'duplicate-target', message = {}", also_used("external id", "target"));
    let planned = "phase = 3 AND status = 'planned'";
    table.change(
        &format!(
            "UPDATE plan SET status = 'released', change = 'release', effect = 'released', {message}
             WHERE {planned} AND (EXISTS (SELECT 1 FROM plan AS row WHERE row.target = plan.target AND row.side = 0
                 AND row.status = 'planned')
               OR EXISTS (SELECT 1 FROM temp.holders AS held WHERE held.target = plan.target AND {HOLDS}))"
        ),
        [],
    )?;
    table.change(
        &format!(
            "UPDATE plan SET status = 'held', change = 'hold', {message}
             WHERE {planned} AND EXISTS (SELECT 1 FROM plan AS row WHERE row.target = plan.target AND row.side = 0
               AND row.status IN ('invalid', 'stale'))"
        ),
        [],
    )?;
    Ok(())
}
