//! `year-of-runs ROWS CHANGED INVALID DAYS MAX_SIZE`: runs a project every 15 minutes of simulated time ([`coho_bench::year`]), and
//! says how large its ledger is, each 15 days. Sizes are in MiB.

use std::error::Error;
use std::io::{self, Write as _};

use coho_bench::year::{Churn, DAY, Size, Year, line, open, write_project};
use tokio::net::TcpListener;

/// Days between two lines of the table.
const LINE: u64 = 15;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [rows, changed, invalid, days, max_size] = words.as_slice() else {
        return Err("expected ROWS CHANGED INVALID DAYS MAX_SIZE".into());
    };
    let churn = Churn { rows: rows.parse()?, changed: changed.parse()?, invalid: invalid.parse()? };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(coho_bench::null::serve(listener));
    let folder = tempfile::tempdir()?;
    write_project(folder.path(), &url, max_size)?;
    let project = open(folder.path())?;
    let year = Year::new(folder.path(), &project, churn);
    let mut out = io::stdout();
    writeln!(out, "{:>5}{:>12}{:>12}", "day", "ledger", "log")?;
    let (mut size, mut most) = (Size::default(), Size::default());
    for run in 0..days.parse::<u64>()? * DAY {
        size = year.run(run).await?;
        most = Size { file: most.file.max(size.file), log: most.log.max(size.log) };
        if (run + 1).is_multiple_of(DAY * LINE) {
            line((run + 1) / DAY, size, &mut out)?;
        }
    }
    writeln!(
        out,
        "at its end {} MiB, at most {} MiB and a log of {} MiB",
        size.file >> 20,
        most.file >> 20,
        most.log >> 20
    )?;
    Ok(())
}
