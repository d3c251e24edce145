//! The file of events: six columns, each value a function of the row's number, so that every machine has the same file.

use std::io::{self, Write};

use crate::accounts::{external_id, pick, scattered};

/// The columns, in the file's order. The first identifies the event.
pub const COLUMNS: [&str; 6] = ["id", "name", "account_id", "happened_at", "page", "seconds"];

const NAMES: [&str; 4] = ["Report opened", "Invoice paid", "Seat added", "Export finished"];
const PAGES: [&str; 5] = ["billing", "home", "reports", "settings", "team"];

/// Writes the header and as many rows as asked for.
///
/// ```
/// let mut file = Vec::new();
/// coho_bench::events::write(1, &mut file)?;
/// let text = String::from_utf8(file)?;
/// assert_eq!(text.lines().next(), Some("id,name,account_id,happened_at,page,seconds"));
/// assert!(text.lines().nth(1).is_some_and(|row| row.starts_with("event-1,")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(rows: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    (1..=rows).try_for_each(|number| row(number, out))
}

fn row(number: u64, out: &mut impl Write) -> io::Result<()> {
    let bits = scattered(number);
    let (name, page, account) =
        (pick(&NAMES, bits), pick(&PAGES, bits >> 8), external_id(1 + (bits >> 16) % 10_000));
    let (day, hour, minute, second) =
        (1 + (bits >> 32) % 28, (bits >> 40) % 24, (bits >> 46) % 60, (bits >> 52) % 60);
    write!(out, "event-{number},{name},{account},2026-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z,")?;
    writeln!(out, "{page},{}", bits % 3_600)
}
