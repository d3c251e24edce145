//! What PostgreSQL says when it refuses, and what a connection's end means. Messages never contain the URL.

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::jinja;
use std::fmt;
use std::time::Duration;

use coho_storage::postgres::ConnectFault;
use coho_storage::trust;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::database::advice;
use crate::text::bounded;

/// Why PostgreSQL gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The URL is not one. Its parts are not shown: they may be parts of a password.
    #[error("cannot read the connection URL")]
    Url,
    /// The password in the URL has a character that ends it where it stands. Neither it nor the URL is shown.
    #[error("the password in the connection URL contains an unencoded `{reserved}`")]
    Password {
        /// The character.
        reserved: char,
    },
    /// TLS cannot be set up in this program.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// No connection came about.
    #[error("cannot connect to PostgreSQL at {server}")]
    Connect {
        /// Host, port and database.
        server: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server answered with an error.
    #[error(transparent)]
    Refused(Box<ServerError>),
    /// The connection broke; how many rows were missing is not known.
    #[error("lost the connection to PostgreSQL before the last row")]
    Lost(#[source] tokio_postgres::Error),
    /// More than one statement.
    #[error("the model's SQL has more than one statement")]
    ManyStatements,
    /// The statement is not a query.
    #[error("the model's SQL returns no columns")]
    NoColumns,
    /// The statement has `$1` or the like.
    #[error("the model's SQL has a parameter such as `$1`")]
    Parameter,
}

/// An error that the server sent.
#[derive(Debug, thiserror::Error)]
pub struct ServerError {
    /// Host, port and database.
    pub server: String,
    /// The five characters of the SQL standard's error code: `42P01`.
    pub state: String,
    /// The server's message.
    pub message: String,
    /// The server's detail.
    pub detail: Option<String>,
    /// The server's hint.
    pub hint: Option<String>,
    /// Line and column in the model's SQL, from 1.
    pub position: Option<(usize, usize)>,
    /// What to do about Jinja in the model's SQL, where the server could not read it.
    pub jinja: Option<String>,
    /// The time limit of the query, where that is what ended it.
    pub limit: Option<Duration>,
}

impl ServerError {
    fn new(words: &DbError, sql: &str, server: &str, timeout: Option<Duration>) -> Self {
        let position = match words.position() {
            Some(ErrorPosition::Original(at)) => position(sql, *at),
            Some(ErrorPosition::Internal { .. }) | None => None,
        };
        let limit = timeout.filter(|_| *words.code() == SqlState::QUERY_CANCELED);
        Self {
            server: server.to_owned(),
            state: words.code().code().to_owned(),
            message: bounded(words.message()),
            detail: words.detail().map(bounded),
            hint: words.hint().map(bounded),
            position,
            jinja: if *words.code() == SqlState::SYNTAX_ERROR { jinja::advice(sql) } else { None },
            limit,
        }
    }

    /// Whether the server does not accept who asks.
    pub(crate) fn is_of_credentials(&self) -> bool {
        matches!(self.state.as_str(), "28P01" | "28000")
    }

    fn advice(&self) -> Option<&'static str> {
        Some(match self.state.as_str() {
            "28P01" | "28000" => "check the user and the password in the source's `url`",
            "3D000" => advice::DATABASE,
            "42P01" => "check the name, and whether its schema must be named: `schema.table`",
            "42501" => "grant the role SELECT on it: GRANT SELECT ON … TO …",
            "25006" => advice::ONLY_READS,
            "57014" => advice::TIME_LIMIT,
            "53300" => advice::CONNECTIONS,
            _ => return None,
        })
    }
}

/// Whether the server was given more than one statement to prepare: its code is that of any syntax error, and other languages
/// than English have other words, but only this one has no position.
fn is_many_statements(words: &DbError) -> bool {
    *words.code() == SqlState::SYNTAX_ERROR && words.position().is_none()
}

/// What the server's error means.
pub(super) fn refused(words: &DbError, sql: &str, server: &str, timeout: Option<Duration>) -> PostgresError {
    if is_many_statements(words) {
        return PostgresError::ManyStatements;
    }
    PostgresError::Refused(Box::new(ServerError::new(words, sql, server, timeout)))
}

/// Line and column of the server's position, which counts characters from 1.
fn position(sql: &str, at: u32) -> Option<(usize, usize)> {
    let before: String = sql.chars().take(usize::try_from(at).ok()?.checked_sub(1)?).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (!sql.is_empty()).then_some((line, column))
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL at {} refused", self.server)?;
        let connecting = self.state.starts_with("28") || self.state == "3D000";
        match self.position {
            Some(_) => f.write_str(" the model's SQL")?,
            None => f.write_str(if connecting { " the connection" } else { " the model's query" })?,
        }
        write!(f, ": {}", self.message)?;
        if let Some(limit) = self.limit {
            write!(f, " (after {} s)", limit.as_secs_f64())?;
        }
        Ok(())
    }
}

impl PostgresError {
    /// The same without a place in SQL that nobody wrote.
    pub(super) fn without_position(mut self) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.position = None;
        }
        self
    }
}

impl Failure for PostgresError {
    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Url
            | Self::Password { .. }
            | Self::Tls(_)
            | Self::Connect { .. }
            | Self::Lost(_)
            | Self::ManyStatements
            | Self::NoColumns
            | Self::Parameter => Code::SOURCE_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Url => return Some(advice::url("postgres://", ":5432")),
            Self::Password { reserved } => return Some(advice::password(*reserved)),
            Self::Connect { source, .. } => connect_help(source.as_ref()),
            Self::Refused(refusal) => return refusal.help(),
            Self::Lost(_) => advice::LOST,
            Self::ManyStatements => advice::MANY_STATEMENTS,
            Self::NoColumns => advice::NO_COLUMNS,
            Self::Parameter => advice::PARAMETER,
            Self::Tls(_) => return None,
        };
        Some(help.to_owned())
    }
}

impl Failure for ServerError {
    fn code(&self) -> Code {
        if self.is_of_credentials() { Code::SOURCE_REFUSED } else { Code::SOURCE_FAILED }
    }

    /// The server's detail and hint, and Coho's own advice.
    fn help(&self) -> Option<String> {
        let parts = [self.detail.as_deref(), self.hint.as_deref(), self.jinja.as_deref(), self.advice()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join("\n"))
    }
}

fn connect_help(source: &(dyn std::error::Error + 'static)) -> &'static str {
    if trust::is_refusal(source) {
        return advice::UNTRUSTED;
    }
    if source.to_string().contains("does not support TLS") {
        return advice::NO_TLS;
    }
    advice::UNREACHABLE
}

/// What an error of connecting means.
impl From<ConnectFault> for PostgresError {
    fn from(fault: ConnectFault) -> Self {
        match fault {
            ConnectFault::Url => Self::Url,
            ConnectFault::Password(reserved) => Self::Password { reserved },
            ConnectFault::Tls(source) => Self::Tls(source),
            ConnectFault::Refused { server, words } => refused(&words, "", &server, None),
            ConnectFault::Unreachable { server, source } => Self::Connect { server, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines() {
        assert_eq!(position("SELECT é,\n  x", 13), Some((2, 3)));
        assert_eq!(position("SELECT", 1), Some((1, 1)));
        assert_eq!(position("", 5), None);
    }
}
