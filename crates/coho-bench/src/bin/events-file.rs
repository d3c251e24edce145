//! `events-file ROWS FILE`: writes [`coho_bench::events`] into a file.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rows, path] = arguments.as_slice() else { return Err("usage: events-file ROWS FILE".into()) };
    let mut file = BufWriter::new(File::create(path)?);
    coho_bench::events::write(rows.parse()?, &mut file)?;
    file.flush()?;
    Ok(())
}
