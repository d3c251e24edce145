//! Prints how many operations the ledger takes to be under way: `under_way FILE`. `cargo xtask torture` asks so after each kill, as
//! no more than these may be sent again.

use std::error::Error;
use std::io::Write as _;

use rusqlite::Connection;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("expected the path of the file")?;
    let ledger = Connection::open(path)?;
    let rows = counted(&ledger, "memory", "SELECT count(*) FROM memory WHERE pending = 'open'")?;
    let batches = "SELECT coalesce(sum(json_array_length(writes)), 0) FROM batches";
    let messages = counted(&ledger, "batches", batches)?;
    Ok(writeln!(std::io::stdout(), "{}", rows + messages)?)
}

/// What a query of a table counts; nothing where a ledger that is not yet made, or an older one, has no such table.
fn counted(ledger: &Connection, table: &str, query: &str) -> rusqlite::Result<i64> {
    let known = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    match ledger.query_row(known, [table], |row| row.get(0))? {
        0_i64 => Ok(0),
        _ => ledger.query_row(query, [], |row| row.get(0)),
    }
}
