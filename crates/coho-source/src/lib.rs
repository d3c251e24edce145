//! Reading a model: PostgreSQL, MySQL, SQLite, engines with an ADBC driver, and files, here or in object storage, as exact rows.
//!
//! **What it is:** [`read`] opens a [`Connection`] and gives a [`Reading`]: batches of rows in Coho's encoding, each cell
//! exactly what the source holds. A type or a value that has no exact form is refused with the cast to write
//! ([`UnsafeTypes`], [`UnsafeValue`]), never guessed. A reading ends with `None` only when the source was read to its end.
//!
//! **What it is not:** it knows nothing of Vitally, mappings, primary keys or ledgers. Databases are read in one read-only transaction; the
//! only thing that is ever written to one is Coho's own table of what was compared, where a project has that ([`cache`]).
//!
//! **Where to begin reading:** `read` (the door), then `reading` (the channel), then one source: `postgres`, `mysql`,
//! `sqlite`, `adbc`, or `files` with `csv`, `ndjson` and `parquet` under it, and `storage` for files in object storage.
//!
//! ```
//! use coho_core::model::{FileFormat, Model, Relation};
//! use coho_core::place::Place;
//! use coho_core::row::{Cell, Row};
//! use coho_source::{Connection, ReadScope, read};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! std::fs::write(folder.join("users.csv"), "id,name\n007,Ada\n")?;
//! let model = Model {
//!     name: "users".to_owned(),
//!     source: "files".to_owned(),
//!     key: vec!["id".to_owned()],
//!     masked: vec![],
//!     relation: Relation::File { path: "users.csv".to_owned(), format: FileFormat::Csv(Default::default()) },
//!     place: Place::default(),
//! };
//! let connection = Connection::Files { folder: folder.to_owned() };
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let mut reading = read(&connection, &model, ReadScope::All).await?;
//! let rows = reading.next().await?.unwrap_or_default();
//! assert_eq!(rows[0].cell(0), Cell::Text("007"));
//! assert!(reading.next().await?.is_none());
//! # Ok::<(), coho_source::SourceError>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod table;
mod cache_table;
pub mod buckets;
pub mod cache;
mod read;
mod reading;
mod outline;
mod inferred;
mod unsafe_type;
mod quiet;
mod digits;
mod text;
mod database;
mod postgres;
mod mysql;
mod sqlite;
mod adbc;
mod storage;
mod files;

#[cfg(feature = "adbc")]
pub use adbc::drive;
pub use adbc::{AdbcError, AdbcRefusal, AdbcStep};
pub use connection::{
    AdbcConnection, Connection, DatabaseServer, DriverHost, MysqlConnection, PostgresConnection,
    StorageConnection,
};
pub use files::{FileError, FileFault};
pub use inferred::{Inferred, Misfit, TypeChange, compare};
pub use mysql::{MysqlError, MysqlRefusal, MysqlStep};
pub use outline::Outline;
pub use postgres::{PostgresError, ServerError};
pub use read::{SourceError, outline, read, test};
pub use reading::{ReadScope, Reading};
pub use sqlite::SqliteError;
pub use storage::StorageFault;
pub use table::TableName;
pub use unsafe_type::{Remedy, UnsafeColumn, UnsafeTypes, UnsafeValue};
