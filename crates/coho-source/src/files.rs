//! Files of a folder: CSV, NDJSON and Parquet.
//!
//! [`path`] finds the file and notices when it changes, [`csv`], [`ndjson`] and [`parquet`] read one format each, and
//! [`infer`] finds the narrowest type of a CSV column. [`fault`] is what can be wrong, with file and line.

mod path;
mod fault;
mod infer;
mod csv;
mod quotes;
mod ndjson;
mod types;
mod parquet;

use std::path::Path;

use coho_core::model::FileFormat;

pub use fault::{FileError, FileFault};

use crate::read::SourceError;
use crate::reading::{ReadScope, Reading, spawn};
use path::Source;

/// Whether the folder is there and can be listed.
pub(crate) fn test(folder: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::new(&folder.display().to_string(), FileFault::Unreadable(source));
    std::fs::read_dir(folder).map(|_| ()).map_err(failed)
}

/// Begins to read a file.
pub(crate) async fn read(
    folder: &Path,
    path: &str,
    format: &FileFormat,
    scope: ReadScope,
) -> Result<Reading, SourceError> {
    let (folder, path, format) = (folder.to_owned(), path.to_owned(), format.clone());
    let reader = move |sink: &mut crate::reading::Sink| {
        let source = Source::open(&folder, &path)?;
        match &format {
            FileFormat::Csv(settings) => csv::read(source, settings, sink),
            FileFormat::Ndjson { types } => ndjson::read(&source, types, sink),
            FileFormat::Parquet => parquet::read(source, sink),
        }
    };
    spawn(scope, reader).await
}
