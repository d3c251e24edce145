//! What MySQL says when it refuses, and what a connection's end means. Messages never contain the URL. [`super::position`] finds
//! the place in the model's SQL.

use std::fmt;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::jinja;
use coho_storage::trust;
use mysql_async::{DriverError, Error, IoError, ServerError, TlsError};

use super::position::{self, Fault};
use crate::database::advice;
use crate::text::bounded;

/// Why MySQL gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum MysqlError {
    /// The URL is not one. Its parts are not shown: they may be parts of a password.
    #[error("cannot read the connection URL")]
    Url,
    /// The password in the URL has a character that ends it where it stands. Neither it nor the URL is shown.
    #[error("the password in the connection URL contains an unencoded `{reserved}`")]
    Password {
        /// The character.
        reserved: char,
    },
    /// Behind `?` stands a setting that Coho does not know.
    #[error("the connection URL contains the unknown setting `{name}`")]
    Setting {
        /// Its name.
        name: String,
    },
    /// A setting has a value that Coho does not know. The value is not shown.
    #[error("the connection URL contains a value of `{name}` that Coho does not know")]
    SettingValue {
        /// The setting.
        name: String,
    },
    /// No connection came about.
    #[error("cannot connect to MySQL at {server}")]
    Connect {
        /// Host, port and database.
        server: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server answered with an error.
    #[error(transparent)]
    Refused(Box<MysqlRefusal>),
    /// The connection broke; how many rows were missing is not known.
    #[error("lost the connection to MySQL before the last row")]
    Lost(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// More than one statement.
    #[error("the model's SQL has more than one statement")]
    ManyStatements,
    /// The statement is not a query.
    #[error("the model's SQL returns no columns")]
    NoColumns,
    /// The statement has `?` or the like.
    #[error("the model's SQL has a parameter such as `?` or `:name`")]
    Parameter,
}

/// An error that the server sent.
#[derive(Debug, thiserror::Error)]
pub struct MysqlRefusal {
    /// Host, port and database.
    pub server: String,
    /// The server's number of the error: 1146.
    pub number: u16,
    /// The server's message.
    pub message: String,
    /// Line and column in the model's SQL, from 1.
    pub position: Option<(usize, usize)>,
    /// What to do about Jinja in the model's SQL, where the server could not read it.
    pub jinja: Option<String>,
    /// The time limit of the query, where that is what ended it.
    pub limit: Option<Duration>,
    /// What was refused.
    pub what: MysqlStep,
}

/// What a server was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MysqlStep {
    /// To let somebody in.
    Connection,
    /// The settings that every query of Coho's runs with.
    Settings,
    /// The model's query.
    Query,
}

/// The server's numbers (<https://mariadb.com/kb/en/mariadb-error-code-reference/>, read 2026-11-28).
const SYNTAX: u16 = 1064;
pub(super) const STATEMENT_TIMEOUTS: [u16; 2] = [1969, 3024];

impl MysqlRefusal {
    /// Whether the server does not accept who asks.
    pub(crate) fn is_of_credentials(&self) -> bool {
        matches!(self.number, 1045 | 1130 | 1698 | 1820 | 1862)
    }

    fn advice(&self) -> Option<&'static str> {
        Some(match self.number {
            1045 | 1698 => {
                "check the user and the password in the source's `url`, which hosts the user may connect from, and whether the user requires TLS"
            }
            1130 => "allow the user to connect from this machine: `CREATE USER name@host …`",
            1820 | 1862 => "the user's password has expired: set a new one on the server",
            1044 => {
                "check the database's name at the end of the source's `url`, and grant the user SELECT on it"
            }
            1049 => advice::DATABASE,
            1046 => "add the database to the source's `url`: `mysql://user:password@host:3306/database`",
            1146 => "check the name, and whether its database must be named: `database.table`",
            1142 | 1143 => "grant the user SELECT on it: GRANT SELECT ON … TO …",
            1792 | 1290 => advice::ONLY_READS,
            1969 | 3024 => advice::TIME_LIMIT,
            1040 | 1203 | 1226 => advice::CONNECTIONS,
            3159 => "the server requires TLS: write `sslmode=require` in the `url`",
            _ => return None,
        })
    }
}

impl Failure for MysqlRefusal {
    fn code(&self) -> Code {
        if self.is_of_credentials() { Code::SOURCE_REFUSED } else { Code::SOURCE_FAILED }
    }

    fn help(&self) -> Option<String> {
        let parts: Vec<&str> = [self.jinja.as_deref(), self.advice()].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("\n"))
    }
}

impl fmt::Display for MysqlRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.what, self.position) {
            (MysqlStep::Connection, _) => "the connection",
            (MysqlStep::Settings, _) => "the settings of the session",
            (MysqlStep::Query, Some(_)) => "the model's SQL",
            (MysqlStep::Query, None) => "the model's query",
        };
        write!(f, "MySQL at {} refused {what}: {}", self.server, self.message)?;
        if let Some(limit) = self.limit {
            write!(f, " (after {} s)", limit.as_secs_f64())?;
        }
        Ok(())
    }
}

impl MysqlError {
    /// The same without a place in SQL that nobody wrote.
    pub(super) fn without_position(mut self) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.position = None;
        }
        self
    }

    /// Whether the connection is of no more use.
    pub(super) fn is_of_connection(&self) -> bool {
        match self {
            Self::Lost(_) | Self::Connect { .. } => true,
            Self::Url
            | Self::Password { .. }
            | Self::Setting { .. }
            | Self::SettingValue { .. }
            | Self::Refused(_)
            | Self::ManyStatements
            | Self::NoColumns
            | Self::Parameter => false,
        }
    }
}

impl Failure for MysqlError {
    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Url
            | Self::Password { .. }
            | Self::Setting { .. }
            | Self::SettingValue { .. }
            | Self::Connect { .. }
            | Self::Lost(_)
            | Self::ManyStatements
            | Self::NoColumns
            | Self::Parameter => Code::SOURCE_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Url => return Some(advice::url("mysql://", ":3306")),
            Self::Password { reserved } => return Some(advice::password(*reserved)),
            Self::Setting { .. } => "remove it: Coho knows `sslmode`, `socket` and `connect_timeout`",
            Self::SettingValue { .. } => {
                "`sslmode` is `disable`, `prefer` or `require`, `socket` the path of a socket, `connect_timeout` a number of seconds"
            }
            Self::Connect { source, .. } => connect_help(source.as_ref()),
            Self::Refused(refusal) => return refusal.help(),
            Self::Lost(_) => advice::LOST,
            Self::ManyStatements => advice::MANY_STATEMENTS,
            Self::NoColumns => advice::NO_COLUMNS,
            Self::Parameter => advice::PARAMETER,
        };
        Some(help.to_owned())
    }
}

fn connect_help(source: &(dyn std::error::Error + 'static)) -> &'static str {
    // The library's own error of TLS is that nobody can be trusted.
    if trust::is_refusal(source) || source.is::<TlsError>() {
        return advice::UNTRUSTED;
    }
    if is_without_tls(source) {
        return advice::NO_TLS;
    }
    advice::UNREACHABLE
}

/// Whether the server cannot encrypt.
fn is_without_tls(source: &(dyn std::error::Error + 'static)) -> bool {
    matches!(source.downcast_ref(), Some(DriverError::NoClientSslFlagFromServer))
}

/// Where an error comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// Host, port and database.
    pub(super) server: &'a str,
    /// What was asked for.
    pub(super) what: MysqlStep,
    /// The model's SQL, where it is what was asked.
    pub(super) sql: &'a str,
    /// Its time limit.
    pub(super) timeout: Option<Duration>,
}

/// What an error means.
pub(super) fn explain(error: Error, asked: Asked<'_>) -> MysqlError {
    match error {
        Error::Server(words) => refused(&words, asked),
        Error::Driver(DriverError::MixedParams) => MysqlError::Parameter,
        error @ (Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_)) => {
            let source = connecting(error);
            match asked.what {
                MysqlStep::Connection => MysqlError::Connect { server: asked.server.to_owned(), source },
                MysqlStep::Settings | MysqlStep::Query => MysqlError::Lost(source),
            }
        }
    }
}

/// The error within, without the words that the library puts around it.
fn connecting(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::Io(IoError::Io(error)) => error.into(),
        Error::Io(IoError::Tls(error)) => error.into(),
        Error::Driver(error) => error.into(),
        Error::Other(error) => error,
        error @ (Error::Server(_) | Error::Url(_)) => error.into(),
    }
}

fn refused(words: &ServerError, asked: Asked<'_>) -> MysqlError {
    let is_syntax = words.code == SYNTAX;
    let fault = Fault::of(words.code, &words.message);
    let position = fault.as_ref().and_then(|fault| position::of(asked.sql, fault));
    if is_syntax && position.as_ref().is_some_and(|place| place.is_behind_a_statement) {
        return MysqlError::ManyStatements;
    }
    let message = match fault {
        Some(Fault::Near { text, .. }) if asked.what == MysqlStep::Query => position::told(text),
        _ => bounded(&words.message),
    };
    MysqlError::Refused(Box::new(MysqlRefusal {
        server: asked.server.to_owned(),
        number: words.code,
        message,
        position: position.map(|place| (place.line, place.column)),
        jinja: if is_syntax { jinja::advice(asked.sql) } else { None },
        limit: asked.timeout.filter(|_| STATEMENT_TIMEOUTS.contains(&words.code)),
        what: asked.what,
    }))
}
