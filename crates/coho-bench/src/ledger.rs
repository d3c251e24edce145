//! A ledger of many runs, made from that of one: what pages show over a long history.
//!
//! The one run is a real one. Each copy has numbers, ids and times of its own, a share of rows that failed, and the calls of the
//! run; of the last copy the failures still stand.

use rusqlite::{Connection, params};

/// Time between two runs: a quarter of an hour, in microseconds.
const APART: i64 = 900_000_000;

/// One of so many rows of a copy failed.
const FAILED: i64 = 50;

/// So many causes share the failures.
const CAUSES: i64 = 10;

/// What a table's columns become in a copy: `?1` is the number of the copy, `?2` how much later it is.
const TABLES: [(&str, &[(&str, &str)]); 5] = [
    (
        "runs",
        &[
            ("id", "?1"),
            ("run", "substr(run, 1, 30) || printf('%06x', ?1)"),
            ("started_at", "started_at + ?2"),
            ("ended_at", "ended_at + ?2"),
        ],
    ),
    ("run_syncs", &[("run", "?1"), ("started_at", "started_at + ?2"), ("ended_at", "ended_at + ?2")]),
    ("stages", &[("run", "?1"), ("began_at", "began_at + ?2"), ("ended_at", "ended_at + ?2")]),
    (
        "fates",
        &[
            ("id", "id + (?1 - 1) * (SELECT max(id) FROM fates WHERE run = 1)"),
            ("run", "?1"),
            ("at", "at + ?2"),
            ("fate", "CASE WHEN (id + ?1) % ?3 = 0 THEN 'rejected' ELSE fate END"),
            ("code", "CASE WHEN (id + ?1) % ?3 = 0 THEN 'refused' ELSE code END"),
            ("message", "CASE WHEN (id + ?1) % ?3 = 0 THEN 'seats must be at most ' || (id % ?4) END"),
            ("cause", "CASE WHEN (id + ?1) % ?3 = 0 THEN 1 + id % ?4 END"),
            ("standing", "(id + ?1) % ?3 = 0 AND ?1 = ?5"),
        ],
    ),
    (
        "calls",
        &[
            ("id", "id + (?1 - 1) * (SELECT max(id) FROM calls WHERE run = 1)"),
            ("run", "?1"),
            ("at", "at + ?2"),
            ("exchange", "exchange + (?1 - 1) * (SELECT max(id) FROM calls WHERE run = 1)"),
            ("fate", "fate + (?1 - 1) * (SELECT max(id) FROM fates WHERE run = 1)"),
        ],
    ),
];

/// How a ledger could not be multiplied.
pub type MultiplyError = rusqlite::Error;

/// Makes so many runs of the only one that the ledger has.
pub fn multiply(ledger: &Connection, runs: i64) -> Result<(), MultiplyError> {
    ledger.execute_batch("PRAGMA synchronous = off; PRAGMA cache_size = -400000; BEGIN")?;
    age(ledger, runs)?;
    causes(ledger)?;
    for copy in 2..=runs {
        for (table, changed) in TABLES {
            let (columns, values) = columns(ledger, table, changed)?;
            let sql = format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE run = 1");
            let sql = if table == "runs" { sql.replace("WHERE run = 1", "WHERE id = 1") } else { sql };
            // Which of the numbers a table uses differs; SQLite wants to know all that are given.
            let sql = format!("{sql} AND (?1 + ?2 + ?3 + ?4 + ?5) IS NOT NULL");
            ledger.execute(&sql, params![copy, (copy - 1) * APART, FAILED, CAUSES, runs])?;
        }
    }
    ledger.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
}

/// The real run becomes the oldest one: the last copy ends about now.
fn age(ledger: &Connection, runs: i64) -> Result<(), MultiplyError> {
    let by = (runs - 1) * APART;
    for sql in [
        "UPDATE runs SET started_at = started_at - ?1, ended_at = ended_at - ?1",
        "UPDATE run_syncs SET started_at = started_at - ?1, ended_at = ended_at - ?1",
        "UPDATE stages SET began_at = began_at - ?1, ended_at = ended_at - ?1",
        "UPDATE fates SET at = at - ?1",
        "UPDATE calls SET at = at - ?1",
    ] {
        ledger.execute(sql, [by])?;
    }
    Ok(())
}

fn causes(ledger: &Connection) -> Result<(), MultiplyError> {
    for cause in 1..=CAUSES {
        ledger.execute(
            "INSERT INTO causes (id, scope, code, message, first_at, last_at)
             SELECT ?1, scope, 'refused', 'seats must be at most ' || ?1, min(at), max(at) FROM fates WHERE run = 1",
            [cause],
        )?;
    }
    Ok(())
}

/// The columns of a table, and what they are in a copy.
fn columns(
    ledger: &Connection,
    table: &str,
    changed: &[(&str, &str)],
) -> Result<(String, String), MultiplyError> {
    let mut statement = ledger.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let value = |name: &String| {
        let found = changed.iter().find(|(column, _)| column == name);
        found.map_or(name.clone(), |(_, value)| (*value).to_owned())
    };
    let values: Vec<_> = names.iter().map(value).collect();
    Ok((names.join(", "), values.join(", ")))
}
