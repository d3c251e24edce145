//! `accounts-file ROWS FILE [none|half|all]`: writes [`coho_bench::accounts`] into a file, with so many of its rows changed.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use coho_bench::accounts::{self, Changed};

const USAGE: &str = "usage: accounts-file ROWS FILE [none|half|all]";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (rows, path, changed) = match arguments.as_slice() {
        [rows, path] => (rows, path, "none"),
        [rows, path, changed] => (rows, path, changed.as_str()),
        _ => return Err(USAGE.into()),
    };
    let mut file = BufWriter::new(File::create(path)?);
    accounts::write(rows.parse()?, Changed::parse(changed).ok_or(USAGE)?, &mut file)?;
    file.flush()?;
    Ok(())
}
