//! The named alternative: a plain asynchronous client. It reads the file, sends every row and remembers nothing.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Client;
use thiserror::Error;
use tokio::task::JoinSet;

use crate::accounts;

/// What ends a delivery.
#[derive(Debug, Error)]
pub enum PlainError {
    /// The file cannot be read.
    #[error("reading the file of accounts")]
    Read(#[from] csv::Error),
    /// A row has too few columns.
    #[error("a row has fewer than {} columns", accounts::COLUMNS.len())]
    ShortRow,
    /// The server could not be asked.
    #[error("sending an account")]
    Send(#[from] reqwest::Error),
    /// The server refused a row.
    #[error("the server answered {0}")]
    Refused(reqwest::StatusCode),
    /// A connection's task ended early.
    #[error("waiting for a connection")]
    Task(#[from] tokio::task::JoinError),
}

type Rows = Arc<Mutex<csv::StringRecordsIntoIter<File>>>;

/// Sends each row of the file to `{url}/resources/accounts` over so many connections; returns how many it sent.
pub async fn deliver(url: &str, file: &Path, connections: usize) -> Result<u64, PlainError> {
    // The client wants a provider for TLS even where the address is plain; a second one is no harm.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().pool_max_idle_per_host(connections).build()?;
    let rows: Rows = Arc::new(Mutex::new(csv::Reader::from_path(file)?.into_records()));
    let url = format!("{url}/resources/accounts");
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(connection(client.clone(), url.clone(), Arc::clone(&rows)));
    }
    let mut sent = 0;
    while let Some(task) = tasks.join_next().await {
        sent += task??;
    }
    Ok(sent)
}

async fn connection(client: Client, url: String, rows: Rows) -> Result<u64, PlainError> {
    let mut sent = 0;
    while let Some(row) = next(&rows) {
        let payload = accounts::payload(row?.iter()).ok_or(PlainError::ShortRow)?;
        let request =
            client.post(&url).basic_auth("bench", Some("")).header("content-type", "application/json");
        let reply = request.body(payload.to_string()).send().await?;
        let status = reply.status();
        if !status.is_success() {
            return Err(PlainError::Refused(status));
        }
        // The answer is read to its end, so that the connection can be used again.
        drop(reply.bytes().await?);
        sent += 1;
    }
    Ok(sent)
}

fn next(rows: &Rows) -> Option<Result<csv::StringRecord, csv::Error>> {
    rows.lock().unwrap_or_else(PoisonError::into_inner).next()
}
