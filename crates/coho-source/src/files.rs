//! Files of a folder, here or in object storage: CSV, NDJSON and Parquet.
//!
//! [`shelf`] finds the files that a model names, [`pattern`] says which match, [`path`] notices when one changes, and
//! [`contents`] reads its bytes. [`csv`], [`ndjson`] and [`parquet`] read one format each, and [`infer`] finds the narrowest type of a
//! CSV column. [`fault`] is what can be wrong, with file and line.

mod path;
mod contents;
mod pattern;
mod shelf;
mod fault;
mod infer;
mod csv;
mod quotes;
mod ndjson;
mod types;
mod parquet;

use std::path::Path;
use std::sync::Arc;

use coho_core::model::FileFormat;

pub use fault::{FileError, FileFault};

use crate::connection::StorageConnection;
use crate::read::SourceError;
use crate::reading::{ReadScope, Reading, Sink, spawn};
use crate::storage::{self, Bucket, Waiter, Way};
use shelf::Shelf;

/// Whether the folder is there and can be listed.
pub(crate) fn test(folder: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::new(&folder.display().to_string(), FileFault::Unreadable(source));
    std::fs::read_dir(folder).map(|_| ()).map_err(failed)
}

/// Whether the bucket is there and its folder can be listed.
pub(crate) async fn test_storage(connection: &StorageConnection) -> Result<(), FileError> {
    let failed = |fault| FileError::new(&connection.address.to_string(), FileFault::Object(fault));
    storage::test(connection).await.map_err(failed)
}

/// Begins to read the files of a folder that a model names.
pub(crate) async fn read(
    folder: &Path,
    path: &str,
    format: &FileFormat,
    scope: ReadScope,
) -> Result<Reading, SourceError> {
    let (folder, path, format) = (folder.to_owned(), path.to_owned(), format.clone());
    spawn(scope, move |sink| rows(&Shelf::Folder(folder), &path, &format, sink)).await
}

/// Begins to read the objects of a bucket that a model names.
pub(crate) async fn read_storage(
    connection: &StorageConnection,
    path: &str,
    format: &FileFormat,
    scope: ReadScope,
) -> Result<Reading, SourceError> {
    let (connection, path, format) = (connection.clone(), path.to_owned(), format.clone());
    let reader = move |sink: &mut Sink| {
        let failed = |fault| FileError::new(&connection.address.to_string(), FileFault::Object(fault));
        let bucket = Bucket::open(&connection).map_err(failed)?;
        rows(&Shelf::Bucket(Arc::new(bucket), Waiter::new(sink.gone())), &path, &format, sink)
    };
    spawn(scope, reader).await
}

fn rows(shelf: &Shelf, path: &str, format: &FileFormat, sink: &mut Sink) -> Result<(), SourceError> {
    match format {
        FileFormat::Csv(settings) => csv::read(shelf.find(path, Way::InOrder)?, settings, sink),
        FileFormat::Ndjson { types } => ndjson::read(&shelf.find(path, Way::InOrder)?, types, sink),
        FileFormat::Parquet => parquet::read(shelf.find(path, Way::InParts)?, sink),
    }
}
