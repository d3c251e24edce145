//! `templates file ROWS FILE` writes templates and rows for another engine; `templates time ROWS` renders them with Coho's and
//! prints what that took: `{"text": nanoseconds, "typed": nanoseconds, "digest": …}`, in processor time of the one thread.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};

use coho_bench::templates::{Failure, Templates, row, thread_time, write};
use coho_core::row::RowBuf;
use serde_json::json;

/// The rows that are rendered before the clock starts.
const WARM: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["file", rows, file] => {
            let mut out = BufWriter::new(File::create(file)?);
            write(rows.parse()?, &mut out)?;
            out.flush()?;
        }
        ["time", rows] => writeln!(io::stdout(), "{}", time(rows.parse()?)?)?,
        _ => return Err("usage: templates file ROWS FILE | time ROWS".into()),
    }
    Ok(())
}

fn time(rows: u64) -> Result<serde_json::Value, Failure> {
    let templates = Templates::compile()?;
    let rows: Vec<RowBuf> = (1..=rows).map(row).collect();
    let text = timed(&rows, |row| templates.text(row).map(|text| drop(black_box(text))))?;
    let typed = timed(&rows, |row| templates.typed(row, |value| drop(black_box(value))))?;
    Ok(json!({ "text": text, "typed": typed, "digest": templates.digest(&rows)? }))
}

fn timed(rows: &[RowBuf], work: impl Fn(&RowBuf) -> Result<(), Failure>) -> Result<u64, Failure> {
    rows.iter().take(WARM).try_for_each(&work)?;
    let begun = thread_time()?;
    rows.iter().try_for_each(&work)?;
    let taken = thread_time()?.saturating_sub(begun);
    Ok(u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX))
}
