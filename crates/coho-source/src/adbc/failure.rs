//! What goes wrong between Coho, a driver and its engine, as a user reads it. Values of options are never in a message.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::jinja;
use coho_core::secret::address::login;
use secrecy::{ExposeSecret as _, SecretString};

use super::engine::installation;
use super::frame::{Report, Step};
use crate::database::advice;
use crate::text::bounded;

/// Why an ADBC driver gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum AdbcError {
    /// The process that would hold the driver did not start.
    #[error("cannot start `{}`, which would load the ADBC driver `{driver}`", program.display())]
    Host {
        /// The driver.
        driver: String,
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The process that held the driver ended before it had said everything: the driver crashed.
    #[error("the ADBC driver `{driver}` crashed ({how}){}", after(words))]
    Crashed {
        /// The driver.
        driver: String,
        /// How its process ended: `signal 11, SIGSEGV`.
        how: String,
        /// What it wrote at last on its standard error; empty where that was nothing.
        words: String,
    },
    /// The process that held the driver said something else than it should: the program is not Coho's, or of another version.
    #[error("`{}`, which holds the ADBC driver `{driver}`, gave an unexpected answer", program.display())]
    Answer {
        /// The driver.
        driver: String,
        /// The program.
        program: PathBuf,
    },
    /// The driver was not found.
    #[error("the ADBC driver `{driver}` was not found")]
    Missing {
        /// The driver.
        driver: String,
        /// Where it was looked for.
        places: Vec<String>,
    },
    /// The driver, or the engine behind it, refused.
    #[error(transparent)]
    Refused(Box<AdbcRefusal>),
    /// The query took longer than the source's `statement_timeout`.
    #[error("the query of the ADBC driver `{driver}` was not done after {} s", limit.as_secs_f64())]
    Limit {
        /// The driver.
        driver: String,
        /// The limit.
        limit: Duration,
    },
    /// More than one statement.
    #[error("the model's SQL has more than one statement")]
    ManyStatements,
    /// The statement is not a query.
    #[error("the model's SQL is not a query{}", begins(word))]
    NotAQuery {
        /// Its first word.
        word: String,
    },
    /// The statement gives no columns.
    #[error("the model's SQL returns no columns")]
    NoColumns,
}

/// What a driver said when it refused.
#[derive(Debug, thiserror::Error)]
pub struct AdbcRefusal {
    /// The driver.
    pub driver: String,
    /// During what.
    pub step: AdbcStep,
    /// The driver's message, without the values of secret options.
    pub message: String,
    /// The five characters of the SQL standard's error code; empty where the driver has none.
    pub state: String,
    /// What to do about Jinja in the model's SQL, where there is some.
    pub jinja: Option<String>,
}

/// During what a driver refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdbcStep {
    /// As it was loaded.
    Loading,
    /// As it was given its options, or connected.
    Connection,
    /// As it was told who asks.
    Credentials,
    /// As it was asked the query.
    Query,
    /// As it gave rows.
    Rows,
}

fn after(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

fn begins(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!(": it begins with `{}`", bounded(word)) }
}

impl fmt::Display for AdbcRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver, message, .. } = self;
        match self.step {
            AdbcStep::Loading => write!(f, "cannot load the ADBC driver `{driver}`: {message}"),
            AdbcStep::Connection => write!(f, "the ADBC driver `{driver}` cannot connect: {message}"),
            AdbcStep::Credentials => write!(f, "the ADBC driver `{driver}` was refused: {message}"),
            AdbcStep::Query => write!(f, "the ADBC driver `{driver}` refused the model's query: {message}"),
            AdbcStep::Rows => write!(f, "the ADBC driver `{driver}` failed before the last row: {message}"),
        }
    }
}

impl AdbcError {
    /// Whether the engine refused the query, not who asks.
    pub(crate) fn is_of_query(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.step == AdbcStep::Query)
    }
}

impl Failure for AdbcError {
    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) if refusal.step == AdbcStep::Credentials => Code::SOURCE_REFUSED,
            Self::Host { .. }
            | Self::Crashed { .. }
            | Self::Answer { .. }
            | Self::Missing { .. }
            | Self::Refused(_)
            | Self::Limit { .. }
            | Self::ManyStatements
            | Self::NotAQuery { .. }
            | Self::NoColumns => Code::SOURCE_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Host { .. } | Self::Answer { .. } => {
                "name the program `coho` of this version as the driver's host"
            }
            Self::Crashed { .. } => {
                "run again: Coho used none of the rows that it read; if it crashes again, try another version of the driver"
            }
            Self::Missing { driver, places } => return Some(missing(driver, places)),
            Self::Refused(refusal) => return refusal.help(),
            Self::Limit { .. } => advice::TIME_LIMIT,
            Self::ManyStatements => advice::MANY_STATEMENTS,
            Self::NotAQuery { .. } | Self::NoColumns => advice::NO_COLUMNS,
        };
        Some(help.to_owned())
    }
}

impl AdbcRefusal {
    fn help(&self) -> Option<String> {
        let general = match self.step {
            AdbcStep::Loading => "check that it is the library of an ADBC driver, for this machine",
            AdbcStep::Connection => "check the source's `options` against the driver's documentation",
            AdbcStep::Credentials => "check the user, the password or the key in the source's `options`",
            AdbcStep::Query => return self.jinja.clone(),
            AdbcStep::Rows => advice::LOST,
        };
        Some(general.to_owned())
    }
}

/// The line that installs a driver, and where it was looked for.
fn missing(driver: &str, places: &[String]) -> String {
    let is_path = driver.contains('/');
    let install = installation(driver).unwrap_or_else(|| {
        let words = if is_path {
            "check the path"
        } else {
            "install it, with `dbc search` to find it (https://docs.columnar.tech/dbc)"
        };
        words.to_owned()
    });
    let write = if is_path { "" } else { ", or write the path of its library as the source's `driver`" };
    let mut help = format!("{install}{write}");
    for place in places {
        help += "\nlooked for ";
        help += place;
    }
    help
}

/// What an error is of.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) driver: &'a str,
    pub(crate) options: &'a [(String, SecretString)],
    /// The model's SQL, where a person wrote it.
    pub(crate) sql: Option<&'a str>,
}

impl Asking<'_> {
    /// What a report means.
    pub(crate) fn explain(&self, report: Report) -> AdbcError {
        let step = match report.step {
            Step::Find => {
                let places = report.places.iter().filter_map(|line| place(line)).collect::<Vec<_>>();
                return AdbcError::Missing { driver: self.driver.to_owned(), places };
            }
            Step::Statements => return AdbcError::ManyStatements,
            Step::Word => return AdbcError::NotAQuery { word: report.message },
            Step::NoColumns => return AdbcError::NoColumns,
            Step::Load => AdbcStep::Loading,
            Step::Connect => AdbcStep::Connection,
            Step::Refuse => AdbcStep::Credentials,
            Step::Query => AdbcStep::Query,
            Step::Row => AdbcStep::Rows,
        };
        let message = self.hidden(&report.message);
        // No two drivers word it alike: where the SQL has Jinja in it, that is what is wrong.
        let jinja = self.sql.filter(|_| step == AdbcStep::Query).and_then(jinja::advice);
        let driver = self.driver.to_owned();
        AdbcError::Refused(Box::new(AdbcRefusal { driver, step, message, state: report.state, jinja }))
    }

    /// Words of a driver, on one line, without what its secret options hold.
    pub(crate) fn hidden(&self, words: &str) -> String {
        // A mark below a place says nothing where the lines are one.
        let lines = words.lines().filter(|line| line.trim() != "^");
        let mut words = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        for (name, value) in self.options {
            let value = value.expose_secret();
            let password = login(value).and_then(|login| login.password);
            let secret = if is_secret(name) { Some(value) } else { None };
            for part in [secret, password].into_iter().flatten().filter(|part| part.len() >= 3) {
                words = words.replace(part, "***");
            }
        }
        bounded(&words)
    }
}

/// Whether an option's name says that its value is secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "password",
        "passwd",
        "passcode",
        "passphrase",
        "secret",
        "token",
        "key",
        "credential",
        "authorization",
        "uri",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// A line of the driver manager's trace as a place, with the reason where it is not that nothing is there.
fn place(line: &str) -> Option<String> {
    let words = line
        .split_once("dynamic library: ")
        .or_else(|| line.split_once(": "))
        .map_or(line, |(_, words)| words);
    let words = words.split(" (sqlstate").next().unwrap_or(words);
    if words.starts_with("Driver not found") {
        return None;
    }
    Some(
        words
            .strip_suffix(": cannot open shared object file: No such file or directory")
            .unwrap_or(words)
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(options: &[(String, SecretString)]) -> Asking<'_> {
        Asking { driver: "snowflake", options, sql: None }
    }

    #[test]
    fn words_of_a_driver_do_not_repeat_secrets() {
        let options = [
            ("uri".to_owned(), SecretString::from("postgres://me:hunter2@db/w")),
            (
                "adbc.snowflake.sql.client_option.jwt_private_key_pkcs8_value".to_owned(),
                "-----BEGIN x".into(),
            ),
            ("adbc.snowflake.sql.account".to_owned(), "acme".into()),
        ];
        let words = "cannot\n reach acme with -----BEGIN x: hunter2 of postgres://me:hunter2@db/w";
        assert_eq!(asking(&options).hidden(words), "cannot reach acme with ***: *** of ***");
    }

    #[test]
    fn a_missing_driver_names_the_line_that_installs_it_and_the_places() {
        let trace = [
            "Internal: Error with dynamic library: /etc/adbc/drivers/libsnowflake.so: cannot open shared object file: No such file or directory (sqlstate: 00000, vendor_code: 0)",
            "NotFound: Driver not found: snowflake (sqlstate: 00000, vendor_code: 0)",
        ];
        let report = Report { places: trace.map(str::to_owned).to_vec(), ..Report::default() };
        let error = asking(&[]).explain(report);
        assert_eq!(error.to_string(), "the ADBC driver `snowflake` was not found");
        let help = error.help().unwrap();
        assert!(help.starts_with("install the driver: `dbc install snowflake`"), "{help}");
        assert!(help.ends_with("\nlooked for /etc/adbc/drivers/libsnowflake.so"), "{help}");
    }
}
