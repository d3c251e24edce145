//! A connection that stays, and comes about anew where it broke.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use coho_core::failure::deepest_cause;
use futures_util::future::join3;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connect::{ConnectFault, server};
use super::fault::{PostgresFault, is_passing};
use super::sql;
use crate::trust;

/// How long the first connection is tried for. A server may start together with whoever asks it.
const FIRST: Duration = Duration::from_secs(5);
/// How long later ones are: servers restart, and others take over.
const LATER: Duration = Duration::from_secs(60);
/// How long to wait before the next try, at first and at most.
const WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a server is reached.
pub(super) struct Way {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    /// Host, port and database, for messages.
    pub(super) server: String,
}

impl Way {
    pub(super) fn new(config: Config, tls: MakeRustlsConnect) -> Self {
        let server = server(&config);
        Self { config, tls, server }
    }

    /// The role that asks.
    pub(super) fn role(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// Connects, and tries for some time.
    async fn connect(&self, patience: Duration) -> Result<Session, PostgresFault> {
        let until = Instant::now() + patience;
        let mut wait = WAIT;
        loop {
            match self.config.connect(self.tls.clone()).await {
                Ok((client, connection)) => {
                    let (client, driver) = (Arc::new(client), Driver(tokio::spawn(connection)));
                    return Ok(Session { client, driver, is_marked: false });
                }
                Err(error) => {
                    let fault = ConnectFault::of(error, self.server.clone());
                    if !may_come(&fault) || Instant::now() + wait > until {
                        return Err(fault.into());
                    }
                }
            }
            sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

/// Whether a server may be reached a moment later.
fn may_come(fault: &ConnectFault) -> bool {
    match fault {
        ConnectFault::Refused { words, .. } => is_passing(words.code().code()),
        ConnectFault::Unreachable { source, .. } => {
            let words = source.to_string();
            !(trust::is_refusal(source.as_ref()) || words.contains("TLS") || words.contains("password"))
        }
        ConnectFault::Url | ConnectFault::Password(_) | ConnectFault::Tls(_) => false,
    }
}

/// An open connection.
struct Session {
    client: Arc<Client>,
    driver: Driver,
    /// Whether it has the mark of the one that writes.
    is_marked: bool,
}

/// What moves the connection's bytes. Dropping it closes the connection at once.
struct Driver(JoinHandle<Result<(), Error>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The connection, where there is one.
#[derive(Default)]
pub(super) struct Line {
    session: Option<Session>,
    was_open: bool,
}

impl Line {
    /// What is asked, and whether it is new: it is made where there is none.
    pub(super) async fn open(&mut self, way: &Way) -> Result<(Arc<Client>, bool), PostgresFault> {
        if let Some(session) = self.session.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok((Arc::clone(&session.client), false));
        }
        self.session = None;
        let session = way.connect(if self.was_open { LATER } else { FIRST }).await?;
        self.was_open = true;
        let client = Arc::clone(&self.session.insert(session).client);
        Ok((client, true))
    }

    /// Whether the connection has the mark of the one that writes.
    pub(super) fn is_marked(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_marked)
    }

    /// Notes whether it has it.
    pub(super) fn note_mark(&mut self, is_marked: bool) {
        if let Some(session) = &mut self.session {
            session.is_marked = is_marked;
        }
    }

    /// What an error means. A connection that broke is given up; its driver knows why it did.
    pub(super) async fn explain(&mut self, error: Error, way: &Way) -> PostgresFault {
        if let Some(words) = error.as_db_error() {
            return PostgresFault::refused(words, &way.server);
        }
        let Some(mut session) = self.session.take() else { return lost(&error, way) };
        let cause = timeout(GOODBYE, &mut session.driver.0).await;
        match cause {
            Ok(Ok(Err(cause))) => match cause.as_db_error() {
                Some(words) => PostgresFault::refused(words, &way.server),
                None => lost(&cause, way),
            },
            Ok(Ok(Ok(())) | Err(_)) | Err(_) => lost(&error, way),
        }
    }

    /// Gives the connection up.
    pub(super) fn hang_up(&mut self) {
        self.session = None;
    }

    /// Ends the connection in order.
    pub(super) async fn close(&mut self) {
        if let Some(Session { client, mut driver, .. }) = self.session.take() {
            // When nobody has it any more, its driver says goodbye.
            drop(client);
            drop(timeout(GOODBYE, &mut driver.0).await);
        }
    }
}

/// Sends a transaction in one go: what begins it, the work, and what ends it. They are sent in this order, since each is sent when it is
/// asked for the first time.
pub(super) async fn in_transaction<T>(
    client: &Client,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let (begun, ended) = (client.batch_execute(sql::BEGIN), client.batch_execute(sql::COMMIT));
    let (begun, done, ended) = join3(begun, work, ended).await;
    begun?;
    let done = done?;
    ended?;
    Ok(done)
}

fn lost(error: &Error, way: &Way) -> PostgresFault {
    let why = deepest_cause(error).unwrap_or_else(|| error.to_string());
    PostgresFault::Lost { server: way.server.clone(), why }
}
