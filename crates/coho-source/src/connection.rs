//! Connections: how a source is reached. The engine builds them from the project; [`crate::read`] uses them.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// How a source is reached.
#[derive(Clone, Debug)]
pub enum Connection {
    /// A PostgreSQL server.
    Postgres(PostgresConnection),
    /// A SQLite file.
    Sqlite {
        /// The file's path.
        path: PathBuf,
    },
    /// A folder with CSV, NDJSON or Parquet files.
    Files {
        /// The folder's path.
        folder: PathBuf,
    },
}

/// How a PostgreSQL server is reached.
///
/// `sslmode` in the URL is `disable`, `prefer` (the default) or `require`. Where TLS is used, the server's certificate and
/// name are always verified against the system's certificates, or those in the file that `SSL_CERT_FILE` names; so
/// `verify-ca` and `verify-full` mean the same as `require`.
#[derive(Clone, Debug)]
pub struct PostgresConnection {
    /// `postgres://user:password@host:port/database?sslmode=require`.
    pub url: SecretString,
    /// How long a query may take until its last row; no limit of Coho's own where this is `None`.
    pub statement_timeout: Option<Duration>,
}

impl Connection {
    /// What kind of source this is, as messages name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Sqlite { .. } => "SQLite",
            Self::Files { .. } => "files",
        }
    }
}
