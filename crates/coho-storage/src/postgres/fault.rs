//! Why a call of objects in PostgreSQL failed, in words that never contain the password.

use std::io;

use tokio_postgres::error::DbError;

use super::connect::ConnectFault;
use crate::trust;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum PostgresFault {
    /// No connection came about.
    #[error(transparent)]
    Connect(#[from] ConnectFault),
    /// The role may not use the tables, or not make them.
    #[error("the role `{role}` may not {} in the schema `{schema}`: {words}", if *is_missing { "create the ledger's tables" } else { "use the ledger's tables" })]
    NoRights {
        /// The role.
        role: String,
        /// The schema.
        schema: String,
        /// Whether there are no tables yet.
        is_missing: bool,
        /// What an administrator runs.
        statements: String,
        /// The server's words.
        words: String,
    },
    /// The server answered with an error.
    #[error(transparent)]
    Refused(Box<PostgresRefusal>),
    /// The connection broke. Whether a write was made is not known.
    #[error("lost the connection to PostgreSQL at {server}: {why}")]
    Lost {
        /// Host, port and database.
        server: String,
        /// Why.
        why: String,
    },
    /// There was no answer in time.
    #[error("no response in time from PostgreSQL at {server}")]
    TooLong {
        /// Host, port and database.
        server: String,
    },
    /// What the server said to have stored is gone.
    #[error("PostgreSQL at {server} has lost what it had stored: `{name}` is gone")]
    Forgotten {
        /// Host, port and database.
        server: String,
        /// The object.
        name: String,
    },
    /// An object in parts has another length.
    #[error("an object has {arrived} of {length} bytes")]
    Cut {
        /// How many bytes came.
        arrived: u64,
        /// How many there are.
        length: u64,
    },
    /// A file on this machine's disk cannot be written or read.
    #[error("cannot use a temporary file")]
    Disk(#[source] io::Error),
    /// The thread that makes calls is gone.
    #[error("nobody makes calls any more")]
    Abandoned,
}

/// An error that the server sent.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL at {server} refused: {message}")]
pub struct PostgresRefusal {
    /// Host, port and database.
    pub server: String,
    /// The five characters of the SQL standard's error code.
    pub state: String,
    /// The server's message.
    pub message: String,
    /// The server's hint.
    pub hint: Option<String>,
}

impl PostgresFault {
    /// What an error that the server sent means.
    pub(super) fn refused(words: &DbError, server: &str) -> Self {
        Self::Refused(Box::new(PostgresRefusal {
            server: server.to_owned(),
            state: words.code().code().to_owned(),
            message: words.message().to_owned(),
            hint: words.hint().map(str::to_owned),
        }))
    }

    /// Whether the next attempt may go better.
    pub fn passes(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::TooLong { .. } => true,
            Self::Refused(refusal) => is_passing(&refusal.state),
            Self::Connect(_)
            | Self::NoRights { .. }
            | Self::Forgotten { .. }
            | Self::Cut { .. }
            | Self::Disk(_)
            | Self::Abandoned => false,
        }
    }

    /// What helps.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Connect(fault) => connecting(fault),
            Self::NoRights { statements, .. } => {
                return Some(format!("have an administrator of the database run:\n{statements}"));
            }
            Self::Refused(refusal) => return refusal.help(),
            Self::Lost { .. } | Self::TooLong { .. } => {
                "check the server and the network, and run again: nothing is sent before its intent is stored"
            }
            Self::Forgotten { .. } => {
                "the server was restored from a backup, or a standby took over that was behind: run again, and look at the plan first"
            }
            Self::Cut { .. } => "restore a backup of the schema",
            Self::Disk(_) => "free some space where temporary files are, or set TMPDIR to a folder with more",
            Self::Abandoned => return None,
        };
        Some(help.to_owned())
    }
}

impl PostgresRefusal {
    fn help(&self) -> Option<String> {
        let own = match self.state.as_str() {
            "25006" => Some(
                "the address leads to a read-only standby: name the primary, or add `target_session_attrs=read-write`",
            ),
            "53100" => Some("free space on the server's disk"),
            "53300" => Some("the server is out of connections: try again later, or raise `max_connections`"),
            "42703" | "42804" | "42P10" => {
                Some("the tables in this schema are another program's: name another `schema` in the address")
            }
            _ => None,
        };
        let parts: Vec<&str> = self.hint.as_deref().into_iter().chain(own).collect();
        (!parts.is_empty()).then(|| parts.join("\n"))
    }
}

/// What passes by itself: deadlocks and locks, servers that start or stop, too many connections.
pub(super) fn is_passing(state: &str) -> bool {
    matches!(
        state,
        "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "57014" | "25P03" | "53300" | "08006"
    )
}

/// Whether there are no such tables.
pub(super) fn is_missing(fault: &PostgresFault) -> bool {
    matches!(fault, PostgresFault::Refused(refusal) if ["42P01", "3F000"].contains(&refusal.state.as_str()))
}

/// What was asked; `None` where there are no tables.
pub(super) fn unless_missing<T>(asked: Result<T, PostgresFault>) -> Result<Option<T>, PostgresFault> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(fault) if is_missing(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn connecting(fault: &ConnectFault) -> &'static str {
    match fault {
        ConnectFault::Url => "write it as `postgres://USER@HOST:5432/DATABASE?schema=coho`",
        ConnectFault::Password(_) => {
            "characters such as `@`, `:`, `/`, `?`, `#` and `%` in the password are percent-encoded"
        }
        ConnectFault::Tls(_) => "check this machine's certificates",
        ConnectFault::Refused { words, .. } => match words.code().code() {
            "28P01" | "28000" => {
                "check the user in the address, and the password: `postgres://USER:${LEDGER_PASSWORD}@…`, or the variable PGPASSWORD"
            }
            "3D000" => "check the database's name in the address; Coho creates its tables, and no database",
            "53300" => "the server is out of connections: try again later, or raise `max_connections`",
            _ => "check the address, and that the server runs",
        },
        ConnectFault::Unreachable { source, .. } => unreachable(source.as_ref()),
    }
}

fn unreachable(source: &(dyn std::error::Error + 'static)) -> &'static str {
    let words = source.to_string();
    if trust::is_refusal(source) {
        return "the server's certificate must name the host and be signed by an authority that this machine (or the file in SSL_CERT_FILE) trusts; `sslmode=disable` in the address connects without TLS";
    }
    if words.contains("does not support TLS") {
        return "enable TLS on the server, or connect without it: `sslmode=prefer` or `sslmode=disable` in the address";
    }
    if words.contains("password missing") {
        return "the server asks for a password: write `postgres://USER:${LEDGER_PASSWORD}@…`, or set the variable PGPASSWORD";
    }
    "check the host and port in the address, and that this machine can reach the server"
}
