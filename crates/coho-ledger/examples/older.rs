//! Makes a SQLite file from the SQL that it reads: `older FILE < SQL`. `cargo xtask torture` begins lives with ledgers of older
//! schemas so, and needs no SQLite itself.

use std::error::Error;
use std::io::Read as _;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("expected the path of the file")?;
    let mut sql = String::new();
    std::io::stdin().read_to_string(&mut sql)?;
    Ok(rusqlite::Connection::open(path)?.execute_batch(&sql)?)
}
