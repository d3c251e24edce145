//! A connection to PostgreSQL with its one transaction, which is read-only but for Coho's own table. `coho-storage` reads its address and sets up TLS.

use std::pin::Pin;
use std::time::Duration;

use coho_storage::postgres::{ConnectFault, config, connector, server};
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, RowStream, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::refusal::{PostgresError, refused};
use crate::connection::PostgresConnection;

/// How often a query is cancelled that does not end, and how long to wait after each time.
const CANCEL_TRIES: u32 = 20;
const CANCEL_PATIENCE: Duration = Duration::from_millis(500);

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// A model, which nothing changes meanwhile.
    Read,
    /// Coho's own table.
    Write,
}

impl Access {
    fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            // Who holds the table must not hold up a run that has sent all.
            Self::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '10s'",
        }
    }
}

/// An open transaction. Dropping it closes the connection at once.
pub(super) struct Session {
    client: Client,
    driver: JoinHandle<Result<(), tokio_postgres::Error>>,
    tls: MakeRustlsConnect,
    server: String,
    timeout: Option<Duration>,
}

impl Session {
    /// Connects and begins the transaction. The server's lists of its work show it under this name.
    pub(super) async fn open(settings: &PostgresConnection, name: &str) -> Result<Self, PostgresError> {
        Self::open_with(settings, name, Access::Read).await
    }

    /// The same, to read or to write.
    pub(super) async fn open_with(
        settings: &PostgresConnection,
        name: &str,
        access: Access,
    ) -> Result<Self, PostgresError> {
        let mut config = config(settings.url.expose_secret())?;
        config.application_name(name);
        let tls = connector()?;
        let server = server(&config);
        let connected = config.connect(tls.clone()).await;
        let (client, connection) = connected.map_err(|error| ConnectFault::of(error, server.clone()))?;
        let driver = tokio::spawn(connection);
        let timeout = settings.statement_timeout;
        let mut session = Self { client, driver, tls, server, timeout };
        session.execute(access.begin()).await?;
        if let (Access::Read, Some(timeout)) = (access, timeout) {
            // Zero would mean no limit.
            let millis = timeout.as_millis().clamp(1, i32::MAX as u128);
            session.execute(&format!("SET LOCAL statement_timeout = {millis}")).await?;
        }
        Ok(session)
    }

    /// Runs one of Coho's own statements.
    pub(super) async fn execute(&mut self, sql: &str) -> Result<(), PostgresError> {
        match self.client.batch_execute(sql).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explain(error, "").await),
        }
    }

    /// What a query of one row and one column says.
    pub(super) async fn is_true(&mut self, sql: &str) -> Result<bool, PostgresError> {
        match self.client.query_one(sql, &[]).await.and_then(|row| row.try_get(0)) {
            Ok(found) => Ok(found),
            Err(error) => Err(self.explain(error, "").await),
        }
    }

    /// The number that a query of one row and one column gives.
    pub(super) async fn number(&mut self, sql: &str) -> Result<u64, PostgresError> {
        match self.client.query_one(sql, &[]).await.and_then(|row| row.try_get::<_, i64>(0)) {
            Ok(number) => Ok(number.unsigned_abs()),
            Err(error) => Err(self.explain(error, "").await),
        }
    }

    /// A text that a query gives, if it gives a row.
    pub(super) async fn text(&mut self, sql: &str) -> Result<Option<String>, PostgresError> {
        let found = self.client.query_opt(sql, &[]).await;
        match found.and_then(|row| row.map(|row| row.try_get(0)).transpose()) {
            Ok(found) => Ok(found),
            Err(error) => Err(self.explain(error, "").await),
        }
    }

    /// Runs a statement that changes rows. Gives how many.
    pub(super) async fn change(
        &mut self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, PostgresError> {
        match self.client.execute(sql, values).await {
            Ok(changed) => Ok(changed),
            Err(error) => Err(self.explain(error, "").await),
        }
    }

    /// Has the server parse the model's SQL.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<Statement, PostgresError> {
        match self.client.prepare(sql).await {
            Ok(statement) => Ok(statement),
            Err(error) => Err(self.explain(error, sql).await),
        }
    }

    /// Has the server plan the model's query, and so look whether it may be run. What cannot be planned, such as `SHOW`, passes.
    pub(super) async fn explain_plan(&mut self, sql: &str) -> Result<(), PostgresError> {
        match self.client.batch_execute(&format!("EXPLAIN {sql}")).await {
            Err(error) if error.code() != Some(&SqlState::SYNTAX_ERROR) => {
                Err(self.explain(error, sql).await.without_position())
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Runs the model's query. Rows come as fast as they are taken: the socket holds back the server.
    pub(super) async fn query(&self, statement: &Statement) -> Result<RowStream, tokio_postgres::Error> {
        self.client.query_raw(statement, std::iter::empty::<bool>()).await
    }

    /// The same for a statement with one parameter of bytes.
    pub(super) async fn query_with(
        &self,
        statement: &Statement,
        bytes: &[u8],
    ) -> Result<RowStream, tokio_postgres::Error> {
        self.client.query_raw(statement, [bytes]).await
    }

    /// What can cancel this session's query while it is being read.
    pub(super) fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), tls: self.tls.clone() }
    }

    /// What an error means. Where the connection broke, its driver knows why.
    pub(super) async fn explain(&mut self, error: tokio_postgres::Error, sql: &str) -> PostgresError {
        if let Some(words) = error.as_db_error() {
            return refused(words, sql, &self.server, self.timeout);
        }
        let cause = if error.is_closed() { (&mut self.driver).await.ok() } else { None };
        match cause {
            Some(Err(cause)) => match cause.as_db_error() {
                Some(words) => refused(words, sql, &self.server, self.timeout),
                None => PostgresError::Lost(cause),
            },
            Some(Ok(())) | None => PostgresError::Lost(error),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Left alone, the driver would take all remaining rows of the query from the server first.
        self.driver.abort();
    }
}

/// Cancels a session's query.
pub(super) struct Canceller {
    token: CancelToken,
    tls: MakeRustlsConnect,
}

impl Canceller {
    /// Asks the server once; where it cannot be reached, the connection's end says the same.
    pub(super) async fn cancel(&self) {
        self.token.cancel_query(self.tls.clone()).await.unwrap_or_default();
    }

    /// Asks the server until the query has ended: a server that has not begun it yet ignores the first time.
    pub(super) async fn end<T>(&self, mut query: Pin<&mut impl Future<Output = T>>) {
        for _ in 0..CANCEL_TRIES {
            self.cancel().await;
            if tokio::time::timeout(CANCEL_PATIENCE, query.as_mut()).await.is_ok() {
                return;
            }
        }
    }
}
