//! The door: a connection and a model give a reading. [`crate::postgres`], [`crate::mysql`], [`crate::sqlite`],
//! [`crate::adbc`] and [`crate::files`] do the work.

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::model::{Model, Relation};
use coho_core::row::DuplicateColumn;

use crate::adbc::{self, AdbcError};
use crate::connection::Connection;
use crate::files::{self, FileError};
use crate::mysql::{self, MysqlError};
use crate::outline::Outline;
use crate::postgres::{self, PostgresError};
use crate::reading::{ReadScope, Reading};
use crate::sqlite::{self, SqliteError};
use crate::table::TableName;
use crate::unsafe_type::{UnsafeTypes, UnsafeValue};

/// Why a model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Columns have types that have no form that keeps their values; nothing was read.
    #[error(transparent)]
    UnsafeTypes(#[from] Box<UnsafeTypes>),
    /// A value has no form that keeps it.
    #[error(transparent)]
    UnsafeValue(#[from] Box<UnsafeValue>),
    /// Two columns have one name.
    #[error(transparent)]
    Columns(#[from] DuplicateColumn),
    /// The model's `table:` is no table name.
    #[error(transparent)]
    Table(#[from] TableName),
    /// PostgreSQL could not be reached, or refused the query.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// MySQL could not be reached, or refused the query.
    #[error(transparent)]
    Mysql(#[from] MysqlError),
    /// The SQLite file could not be opened or read.
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    /// An ADBC driver could not be used, or refused the query.
    #[error(transparent)]
    Adbc(#[from] AdbcError),
    /// A file could not be opened, or is not what the model says.
    #[error(transparent)]
    File(#[from] FileError),
    /// The model reads something that its source does not have.
    #[error("a {connection} source cannot read a model with `{relation}`")]
    Relation {
        /// The key that the model uses: `sql`, `table`, `file` or `dbt`.
        relation: &'static str,
        /// The kind of source.
        connection: &'static str,
    },
    /// The model is one of dbt, and nobody looked up its table in dbt's manifest.
    #[error("dbt's manifest was not read: the table of the model is not known")]
    Unnamed,
    /// The reader ended without reaching the source's end; this is a defect in Coho.
    #[error("the reader stopped before the end of the source")]
    Stopped,
}

impl Failure for SourceError {
    fn code(&self) -> Code {
        match self {
            Self::UnsafeTypes(error) => error.code(),
            Self::UnsafeValue(error) => error.code(),
            Self::Table(error) => error.code(),
            Self::Postgres(error) => error.code(),
            Self::Mysql(error) => error.code(),
            Self::Sqlite(error) => error.code(),
            Self::Adbc(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Relation { .. } | Self::Unnamed => Code::WRONG_VALUE,
            Self::Columns(_) | Self::Stopped => Code::SOURCE_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnsafeTypes(error) => error.help(),
            Self::UnsafeValue(error) => error.help(),
            Self::Columns(_) => Some("give one of them another name, with `AS`".to_owned()),
            Self::Table(error) => error.help(),
            Self::Postgres(error) => error.help(),
            Self::Mysql(error) => error.help(),
            Self::Sqlite(error) => error.help(),
            Self::Adbc(error) => error.help(),
            Self::File(error) => error.help(),
            Self::Relation { connection: "files", .. } => Some("use `file:`".to_owned()),
            Self::Relation { .. } => Some("use `sql:`, `table:` or `dbt:`".to_owned()),
            Self::Unnamed | Self::Stopped => None,
        }
    }
}

impl SourceError {
    /// Whether the database refused the query, not who asks.
    pub fn is_of_query(&self) -> bool {
        let is_refused = matches!(
            self,
            Self::Postgres(PostgresError::Refused(_))
                | Self::Mysql(MysqlError::Refused(_))
                | Self::Sqlite(SqliteError::Refused { .. })
        ) || matches!(self, Self::Adbc(error) if error.is_of_query());
        is_refused && self.code() == Code::SOURCE_FAILED
    }

    /// Line and column in the model's SQL, from 1, where the database says them.
    pub fn position(&self) -> Option<(usize, usize)> {
        match self {
            Self::Postgres(PostgresError::Refused(refusal)) => refusal.position,
            Self::Mysql(MysqlError::Refused(refusal)) => refusal.position,
            Self::Sqlite(SqliteError::Refused { position, .. }) => *position,
            Self::UnsafeTypes(_)
            | Self::UnsafeValue(_)
            | Self::Columns(_)
            | Self::Table(_)
            | Self::Postgres(_)
            | Self::Mysql(_)
            | Self::Sqlite(_)
            | Self::Adbc(_)
            | Self::File(_)
            | Self::Relation { .. }
            | Self::Unnamed
            | Self::Stopped => None,
        }
    }
}

/// Opens the source and begins to read the model's rows. Errors before the first row come from here, later ones from
/// [`Reading::next`].
pub async fn read(connection: &Connection, model: &Model, scope: ReadScope) -> Result<Reading, SourceError> {
    match (connection, &model.relation) {
        (Connection::Postgres(settings), Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)) => {
            postgres::read(settings, model, scope).await
        }
        (Connection::Mysql(settings), Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)) => {
            mysql::read(settings, model, scope).await
        }
        (
            Connection::Sqlite { path },
            relation @ (Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)),
        ) => sqlite::read(path, relation, scope).await,
        (Connection::Adbc(settings), Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)) => {
            adbc::read(settings, model, scope).await
        }
        (Connection::Files { folder }, Relation::File { path, format }) => {
            files::read(folder, path, format, scope).await
        }
        (Connection::Storage(settings), Relation::File { path, format }) => {
            files::read_storage(settings, path, format, scope).await
        }
        (_, relation) => {
            Err(SourceError::Relation { relation: key(relation), connection: connection.kind() })
        }
    }
}

/// What the model's rows will be. PostgreSQL and MySQL are asked without running the query, and whether it may be run; an ADBC
/// driver too, where it can tell; CSV and NDJSON
/// files are read once where their types are not declared.
pub async fn outline(connection: &Connection, model: &Model) -> Result<Outline, SourceError> {
    match (connection, &model.relation) {
        (Connection::Postgres(settings), Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)) => {
            postgres::outline(settings, model).await
        }
        (Connection::Mysql(settings), Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)) => {
            mysql::outline(settings, model).await
        }
        (Connection::Adbc(settings), Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_)) => {
            adbc::outline(settings, model).await
        }
        _ => Ok(read(connection, model, ReadScope::First(0)).await?.outline().clone()),
    }
}

/// Whether the source can be reached: PostgreSQL or MySQL answers, the ADBC driver connects, the SQLite file opens, the folder or the
/// bucket can be listed.
pub async fn test(connection: &Connection) -> Result<(), SourceError> {
    match connection {
        Connection::Postgres(settings) => postgres::test(settings).await,
        Connection::Mysql(settings) => mysql::test(settings).await,
        Connection::Sqlite { path } => sqlite::test(path).await,
        Connection::Adbc(settings) => adbc::test(settings).await,
        Connection::Files { folder } => Ok(files::test(folder)?),
        Connection::Storage(settings) => Ok(files::test_storage(settings).await?),
    }
}

fn key(relation: &Relation) -> &'static str {
    match relation {
        Relation::Sql(_) => "sql",
        Relation::Table(_) => "table",
        Relation::File { .. } => "file",
        Relation::Dbt(_) => "dbt",
    }
}

/// The query of a dbt model. Its table stands in the manifest, which the source does not read.
pub(crate) fn unnamed(sql: Option<String>) -> Result<String, SourceError> {
    sql.ok_or(SourceError::Unnamed)
}
