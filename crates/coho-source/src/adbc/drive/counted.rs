//! Whether all rows came, of drivers that end without a word where rows were lost on their way.
//!
//! BigQuery's driver (1.11) reads rows from streams. Where one breaks for good, such as for a right that was taken back, it ends as after the last
//! row. And it takes a result for empty where an estimate says so. A row that did not come looks like one that was removed. So the
//! query says how many rows there are, and an empty one is counted.

use adbc_core::Statement as _;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{RecordBatch, RecordBatchReader};

use super::session::Session;
use super::{Cancel, refused, watched};
use crate::adbc::engine::Engine;
use crate::adbc::frame::{Report, Request, Step};

/// Whether rows say how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// They do not: the driver tells what goes wrong.
    None,
    /// In one more column behind the others.
    Beside,
}

impl Count {
    pub(super) fn of(engine: Engine) -> Self {
        if engine.loses_rows() { Self::Beside } else { Self::None }
    }

    /// The query, with that column. One statement sees one state, so the number is that of its rows.
    pub(super) fn around(self, sql: &str) -> String {
        match self {
            Self::None => sql.to_owned(),
            Self::Beside => format!(
                "WITH coho_counted AS (\n{sql}\n) SELECT coho_counted.*, coho_number.coho_rows FROM coho_counted \
                 CROSS JOIN (SELECT COUNT(*) AS coho_rows FROM coho_counted) AS coho_number"
            ),
        }
    }

    /// Whether the driver says that there are no rows: then it says no columns either.
    pub(super) fn is_to_be_confirmed(self, reader: &impl RecordBatchReader) -> bool {
        self == Self::Beside && reader.schema().fields().is_empty()
    }

    /// How many rows there are, as each of them says.
    pub(super) fn in_batch(self, batch: &RecordBatch) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Beside => number(batch),
        }
    }

    /// Whether all came.
    pub(super) fn agrees(self, given: u64, number: Option<u64>) -> Result<(), Report> {
        if self == Self::None || number == Some(given) { Ok(()) } else { Err(lost(given, number)) }
    }
}

/// Counts the rows of a query that gave none.
pub(super) fn confirm_empty(
    session: &mut Session,
    request: &Request,
    sql: &str,
    cancel: &Cancel,
) -> Result<(), Report> {
    let count = format!("SELECT COUNT(*) AS coho_rows FROM (\n{sql}\n) AS m");
    let mut statement = session.statement_of(&count, request)?;
    watched(&mut statement, session.engine, cancel);
    let mut reader = statement.execute().map_err(refused)?;
    let number = reader.next().and_then(Result::ok).as_ref().and_then(number);
    if number == Some(0) { Ok(()) } else { Err(lost(0, number)) }
}

fn number(batch: &RecordBatch) -> Option<u64> {
    let numbers = batch.columns().last()?.as_primitive_opt::<Int64Type>()?;
    numbers.iter().next().flatten().and_then(|number| u64::try_from(number).ok())
}

fn lost(given: u64, number: Option<u64>) -> Report {
    let message = match number {
        Some(number) => format!("of {number} rows {given} came, and it does not say why"),
        None => "it does not say why".to_owned(),
    };
    Report { step: Step::Row, message, ..Report::default() }
}
