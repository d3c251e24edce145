//! A connection to MySQL with its one read-only transaction, and how it ends.

use std::time::Duration;

use coho_storage::trust;
use mysql_async::prelude::Queryable;
use mysql_async::{
    BinaryProtocol, Conn, DriverError, Error, OptsBuilder, Params, QueryResult, SslOpts, Statement,
};
use mysql_common::named_params::ParsedNamedParams;
use rustls::RootCertStore;
use secrecy::ExposeSecret;

use super::address::{Address, Encryption};
use super::refusal::{Asked, MysqlError, MysqlStep, explain};
use crate::connection::MysqlConnection;
use crate::read::SourceError;

/// Every query sees one state, writes nothing, and says times in UTC. Neither rows nor long lists are cut off behind somebody's
/// back, and a server waits ten minutes where rows are not taken for a while: by default, one.
const SETTINGS: &str = "SET NAMES utf8mb4; \
    SET SESSION time_zone = '+00:00', net_write_timeout = 600, sql_select_limit = 18446744073709551615, \
    group_concat_max_len = 67108864; \
    SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// An open transaction.
pub(super) struct Session {
    connection: Conn,
    options: OptsBuilder,
    itself: Itself,
    patience: Duration,
    asking: Asking,
}

/// What a server says of itself and of a connection: behind one address there may be several servers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Itself {
    version: String,
    host: String,
    port: u64,
    /// The number of the connection.
    number: u64,
}

impl Itself {
    async fn of(connection: &mut Conn) -> Result<Self, Error> {
        let sql = "SELECT VERSION(), @@hostname, @@port, CONNECTION_ID()";
        let told: Option<(String, String, u64, u64)> = connection.query_first(sql).await?;
        let (version, host, port, number) = told.ok_or(DriverError::ConnectionClosed)?;
        Ok(Self { version, host, port, number })
    }

    /// Whether both connections are to one server, as far as can be told.
    fn is_same_server(&self, other: &Self) -> bool {
        (&self.version, &self.host, self.port) == (&other.version, &other.host, other.port)
    }
}

/// What is asked of whom, for messages.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    server: String,
    timeout: Option<Duration>,
}

impl Asking {
    /// What an error of the model's query means.
    pub(super) fn explain(&self, error: Error, sql: &str) -> MysqlError {
        explain(error, Asked { server: &self.server, what: MysqlStep::Query, sql, timeout: self.timeout })
    }
}

impl Session {
    /// Connects and begins the transaction.
    pub(super) async fn open(settings: &MysqlConnection) -> Result<Self, MysqlError> {
        let address = Address::parse(settings.url.expose_secret())?;
        let server = address.name();
        let (mut connection, options) = connect(&address, &server).await?;
        let asked = Asked { server: &server, what: MysqlStep::Settings, sql: "", timeout: None };
        let timeout = settings.statement_timeout;
        let itself = set_up(&mut connection, timeout).await.map_err(|error| explain(error, asked))?;
        Ok(Self {
            connection,
            options,
            itself,
            patience: address.patience,
            asking: Asking { server, timeout },
        })
    }

    /// Has the server parse the model's SQL, and look whether it may be run. `tagged` is the same behind a comment.
    pub(super) async fn prepare(&mut self, tagged: &str, sql: &str) -> Result<Statement, MysqlError> {
        if !ParsedNamedParams::parse(tagged.as_bytes()).is_ok_and(|parsed| parsed.params().is_empty()) {
            return Err(MysqlError::Parameter);
        }
        self.connection.prep(tagged).await.map_err(|error| self.asking.explain(error, sql))
    }

    /// Runs the model's query, or one around it. Rows come as fast as they are taken: the socket holds back the server.
    pub(super) async fn query(
        &mut self,
        statement: &Statement,
        parameters: Params,
    ) -> Result<QueryResult<'_, 'static, BinaryProtocol>, Error> {
        self.connection.exec_iter(statement, parameters).await
    }

    /// Whether one of Coho's own queries gives true.
    pub(super) async fn is_true(&mut self, sql: &str) -> Result<bool, MysqlError> {
        let told: Result<Option<(Option<bool>,)>, Error> = self.connection.query_first(sql).await;
        let told = told.map_err(|error| self.asking.explain(error, ""))?;
        Ok(told.and_then(|(is_true,)| is_true) == Some(true))
    }

    /// What is asked of whom.
    pub(super) fn asking(&self) -> Asking {
        self.asking.clone()
    }

    /// Says good-bye, where nothing is left to be read.
    pub(super) async fn end(self) {
        // Whether the server hears it is its own business.
        let Self { connection, patience, .. } = self;
        tokio::time::timeout(patience, connection.disconnect()).await.unwrap_or(Ok(())).unwrap_or_default();
    }

    /// Ends the query on the server as well: it would not notice a closed connection before it has something to send. Where the
    /// second connection reaches another server, which may have a connection of that number too, nothing is ended there.
    pub(super) async fn abandon(self) {
        let Self { connection, options, itself, patience, .. } = self;
        let kill = async {
            let mut killer = Conn::new(options).await?;
            if Itself::of(&mut killer).await?.is_same_server(&itself) {
                killer.query_drop(format!("KILL CONNECTION {}", itself.number)).await?;
            }
            killer.disconnect().await
        };
        // Where the server cannot be reached, the closed connection says the same, later.
        tokio::time::timeout(patience, kill).await.unwrap_or(Ok(())).unwrap_or_default();
        close(connection);
    }

    /// Leaves the server after an error.
    pub(super) async fn leave(self, error: &SourceError) {
        if let SourceError::Mysql(MysqlError::Refused(_)) = error {
            // The server has ended the statement itself, and nothing is left to be read.
            self.end().await;
        } else if matches!(error, SourceError::Mysql(error) if error.is_of_connection()) {
            close(self.connection);
        } else {
            self.abandon().await;
        }
    }
}

/// Within a runtime, the library would first take all remaining rows of a query from the server.
fn close(connection: Conn) {
    drop(std::thread::Builder::new().spawn(move || drop(connection)));
}

/// A connection, and the options that gave it.
async fn connect(address: &Address, server: &str) -> Result<(Conn, OptsBuilder), MysqlError> {
    let asked = Asked { server, what: MysqlStep::Connection, sql: "", timeout: None };
    let plain = || address.options.clone();
    let encrypted = || plain().ssl_opts(Some(encryption()));
    let options = match address.encryption {
        Encryption::Disable => plain(),
        Encryption::Prefer | Encryption::Require => encrypted(),
    };
    let in_time = |options: OptsBuilder| async {
        let connected = tokio::time::timeout(address.patience, Conn::new(options)).await;
        connected
            .unwrap_or_else(|_| Err(Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut).into())))
    };
    match in_time(options.clone()).await {
        Ok(connection) => Ok((connection, options)),
        Err(Error::Driver(DriverError::NoClientSslFlagFromServer))
            if address.encryption == Encryption::Prefer =>
        {
            let connection = in_time(plain()).await.map_err(|error| explain(error, asked))?;
            Ok((connection, plain()))
        }
        Err(error) => Err(explain(error, asked)),
    }
}

/// Certificates that cannot be read would make every connection fail.
fn encryption() -> SslOpts {
    let is_readable = |der: &_| RootCertStore::empty().add(Clone::clone(der)).is_ok();
    let readable = trust::certificates().into_iter().filter(is_readable);
    let roots = readable.map(|der| der.to_vec().into()).collect();
    SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots)
}

/// Who answers, once the connection is set up.
async fn set_up(connection: &mut Conn, timeout: Option<Duration>) -> Result<Itself, Error> {
    let itself = Itself::of(connection).await?;
    let limit = timeout.map(|timeout| limit(timeout, &itself.version)).unwrap_or_default();
    connection.query_drop(format!("{SETTINGS}; {limit}{BEGIN}")).await?;
    Ok(itself)
}

/// The two servers have different names for the limit, in different units. Zero would mean none.
fn limit(timeout: Duration, version: &str) -> String {
    let millis = timeout.as_millis().clamp(1, 31_536_000_000);
    if version.contains("MariaDB") {
        format!("SET SESSION max_statement_time = {}.{:03}; ", millis / 1_000, millis % 1_000)
    } else {
        format!("SET SESSION max_execution_time = {}; ", millis.min(4_294_967_295))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_its_own_limit() {
        let limit = |millis, version| limit(Duration::from_millis(millis), version);
        assert_eq!(limit(90_050, "10.11.19-MariaDB"), "SET SESSION max_statement_time = 90.050; ");
        assert_eq!(limit(90_050, "8.4.3"), "SET SESSION max_execution_time = 90050; ");
        assert_eq!(limit(0, "8.4.3"), "SET SESSION max_execution_time = 1; ");
    }
}
