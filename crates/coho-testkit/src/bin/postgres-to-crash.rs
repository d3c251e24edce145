//! `postgres-to-crash`: a PostgreSQL of its own on the loopback interface. Prints its address; for each line on its standard input, crashes,
//! starts again with its data, and prints a line. It ends with its standard input.

use std::error::Error;
use std::io::{self, BufRead as _, Write as _};

use coho_testkit::Postgres;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Postgres::start()?.ok_or("PostgreSQL's server programs are not installed")?;
    writeln!(io::stdout(), "{}", server.url())?;
    for line in io::stdin().lock().lines() {
        line?;
        server.crash_and_restart()?;
        writeln!(io::stdout(), "again")?;
    }
    Ok(())
}
