//! How many bytes of ledger a row costs, with its history: of a first delivery, and of each later change.

use std::error::Error;

use coho_bench::year::{self, Churn, Year};
use coho_core::time::Time;
use coho_ledger::Ledger;
use tokio::net::TcpListener;

const ROWS: u64 = 2_000;

/// The most bytes of a delivered row of the file of accounts.
const DELIVERED: u64 = 900;

/// The most bytes of a further change of it.
const CHANGED: u64 = 700;

#[tokio::test]
async fn a_row_costs_few_bytes_and_a_change_fewer() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(coho_bench::null::serve(listener));
    year::write_project(folder.path(), &url, "2GB")?;
    let project = year::open(folder.path())?;
    let year = Year::new(folder.path(), &project, Churn { rows: ROWS, changed: ROWS, invalid: 0 });
    // What the tables weigh without rows is not the rows' cost.
    let mut before = std::fs::metadata(Ledger::temporary(Time::UNIX_EPOCH)?.path())?.len();
    for (run, most) in [DELIVERED, CHANGED, CHANGED].into_iter().enumerate() {
        let size = year.run(run as u64).await?.file;
        let cost = (size - before) / ROWS;
        assert!((1..=most).contains(&cost), "run {run} cost {cost} bytes for each row");
        before = size;
    }
    Ok(())
}
