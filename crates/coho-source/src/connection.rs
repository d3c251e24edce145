//! Connections: how a source is reached. The engine builds them from the project; [`crate::read`] uses them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use coho_core::storage::{StorageAddress, StorageOption};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// How a source is reached.
#[derive(Clone, Debug)]
pub enum Connection {
    /// A PostgreSQL server.
    Postgres(PostgresConnection),
    /// A MySQL or MariaDB server.
    Mysql(MysqlConnection),
    /// A SQLite file.
    Sqlite {
        /// The file's path.
        path: PathBuf,
    },
    /// Whatever has an ADBC driver.
    Adbc(AdbcConnection),
    /// A folder with CSV, NDJSON or Parquet files.
    Files {
        /// The folder's path.
        folder: PathBuf,
    },
    /// A folder with such files in object storage.
    Storage(StorageConnection),
}

/// How a folder in object storage is reached.
///
/// What `options` leave open comes from the environment, in the variables that the cloud's own tools read, then from the machine: a
/// web identity, a container's or an instance's role.
#[derive(Clone, Debug)]
pub struct StorageConnection {
    /// The bucket and the folder in it.
    pub address: StorageAddress,
    /// What the source itself says.
    pub options: Vec<(StorageOption, SecretString)>,
    /// The folder where objects are kept while they are read, in files that have no name.
    pub temporary: PathBuf,
    /// How long a call is tried again from its first attempt.
    pub patience: Duration,
}

impl StorageConnection {
    /// How long a call is usually tried again.
    pub const PATIENCE: Duration = coho_storage::Bucket::PATIENCE;
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

/// How a MySQL or MariaDB server is reached.
///
/// `sslmode` in the URL means what it means for [`PostgresConnection`], and MySQL's own words (`ssl-mode=REQUIRED`) are taken too.
#[derive(Clone, Debug)]
pub struct MysqlConnection {
    /// `mysql://user:password@host:port/database?sslmode=require`, or the same with `mariadb://`.
    pub url: SecretString,
    /// How long a query may take until its last row; no limit of Coho's own where this is `None`.
    pub statement_timeout: Option<Duration>,
}

/// How an engine is reached by its ADBC driver.
#[derive(Clone, Debug)]
pub struct AdbcConnection {
    /// The driver: a name that the ADBC driver manager finds, the path of its library, or of its manifest.
    pub driver: String,
    /// The driver's own options. No message repeats a value whose name says that it is secret.
    pub options: Vec<(String, SecretString)>,
    /// How long a query may take until its last row, connecting included; no limit of Coho's own where this is `None`.
    pub statement_timeout: Option<Duration>,
    /// The folder that relative paths in options begin at; the current one where this is `None`.
    pub folder: Option<PathBuf>,
    /// What loads the driver.
    pub host: DriverHost,
    /// Whether a reading may be asked to compare: then no query runs before it is known which one.
    pub compares: bool,
}

/// The program that loads an ADBC driver, so that a driver's crash is not the caller's: it does nothing but call `drive`, which this
/// crate has with its feature `adbc`. `coho adbc-driver` is one, and so is this crate's own program `coho-driver`.
///
/// The default is `coho`: the program that runs now where it has that name, or else the one that the system finds by that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverHost {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Default for DriverHost {
    fn default() -> Self {
        let current = std::env::current_exe().ok();
        let current = current.filter(|program| program.file_stem().is_some_and(|stem| stem == "coho"));
        Self { program: current.unwrap_or_else(|| "coho".into()), arguments: vec!["adbc-driver".into()] }
    }
}

/// Which database an address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseServer {
    /// The first host; the folder of the socket where it is on this machine.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database.
    pub database: String,
}

impl PostgresConnection {
    /// The user in the address.
    pub fn user(&self) -> Option<String> {
        let config: Config = self.without_options().parse().ok()?;
        config.get_user().map(str::to_owned)
    }

    /// The address without what stands behind `?`, which changes how one connects, not where to.
    fn without_options(&self) -> &str {
        let url = self.url.expose_secret();
        url.split_once('?').map_or(url, |(place, _)| place)
    }

    /// Which database the address leads to, if it can be read.
    pub fn server(&self) -> Option<DatabaseServer> {
        let config: Config = self.without_options().parse().ok()?;
        let host = match config.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            Some(Host::Unix(folder)) => folder.display().to_string(),
            None => "localhost".to_owned(),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or_default().to_owned();
        Some(DatabaseServer { host, port, database })
    }
}

impl Connection {
    /// What kind of source this is, as messages name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Mysql(_) => "MySQL",
            Self::Sqlite { .. } => "SQLite",
            Self::Adbc(_) => "ADBC",
            Self::Files { .. } | Self::Storage(_) => "files",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Option<(String, u16, String)> {
        let connection = PostgresConnection { url: url.to_owned().into(), statement_timeout: None };
        connection.server().map(|server| (server.host, server.port, server.database))
    }

    #[test]
    fn an_address_names_its_server_and_its_database() {
        let full = server("postgres://reader:secret@db.example.com:6543/warehouse?sslmode=verify-full");
        assert_eq!(full, Some(("db.example.com".to_owned(), 6543, "warehouse".to_owned())));
        let short = server("postgres://reader@db.example.com");
        assert_eq!(short, Some(("db.example.com".to_owned(), 5432, "reader".to_owned())));
        assert_eq!(server("postgres://db:port/warehouse"), None);
    }
}
