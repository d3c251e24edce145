//! `pages-ledger LEDGER RUNS`: makes so many runs of the only one in the ledger ([`coho_bench::ledger`]), and says how many rows
//! and calls it has then.

use std::error::Error;
use std::io::Write as _;

use rusqlite::Connection;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(path), Some(runs)) = (words.next(), words.next()) else {
        return Err("expected a ledger and a number of runs".into());
    };
    let ledger = Connection::open(path)?;
    coho_bench::ledger::multiply(&ledger, runs.parse()?)?;
    let count = |table: &str| {
        ledger.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
    };
    writeln!(
        std::io::stdout(),
        "{} row results and {} calls over {runs} runs",
        count("fates")?,
        count("calls")?
    )?;
    Ok(())
}
