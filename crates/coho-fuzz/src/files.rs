//! Rows of files: reading ends with rows or an error, and nothing of it panics where nobody catches it.

use std::fs;
use std::sync::OnceLock;

use coho_core::model::{Csv, FileFormat, Model, Relation};
use coho_core::place::Place;
use coho_source::{Connection, ReadScope, SourceError};
use tempfile::TempDir;

/// Reads a CSV file.
pub(crate) fn csv(input: &[u8]) {
    read(input, "input.csv", FileFormat::Csv(Csv::default()));
}

/// Reads a file of JSON lines.
pub(crate) fn ndjson(input: &[u8]) {
    read(input, "input.ndjson", FileFormat::Ndjson { types: Vec::new() });
}

/// Reads a Parquet file.
pub(crate) fn parquet(input: &[u8]) {
    read(input, "input.parquet", FileFormat::Parquet);
}

/// The folder in which files are made, one for the process.
pub(crate) fn folder() -> Option<&'static TempDir> {
    static FOLDER: OnceLock<Option<TempDir>> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().ok()).as_ref()
}

fn read(input: &[u8], name: &str, format: FileFormat) {
    let Some(folder) = folder() else { return };
    if fs::write(folder.path().join(name), input).is_err() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let connection = Connection::Files { folder: folder.path().to_owned() };
    let model = Model {
        name: "input".to_owned(),
        source: "files".to_owned(),
        key: Vec::new(),
        masked: Vec::new(),
        relation: Relation::File { path: name.to_owned(), format },
        place: Place::default(),
    };
    let read: Result<(), SourceError> = runtime.block_on(async {
        let mut reading = coho_source::read(&connection, &model, ReadScope::All).await?;
        let width = reading.columns().len();
        while let Some(batch) = reading.next().await? {
            assert!(
                batch.iter().all(|row| row.cells().count() == width),
                "a row with other columns than the file"
            );
        }
        Ok(())
    });
    // What reads a file in a thread of its own, and stops without a word, has panicked.
    assert!(!matches!(read, Err(SourceError::Stopped)), "the reader stopped");
}
