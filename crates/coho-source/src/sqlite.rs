//! SQLite: a model's query on a file that is opened read-only, in one transaction.
//!
//! Every cell has a type of its own there. A column's declared type is a hint for checks: a text in an `INTEGER` column stays
//! text. Dates, JSON and decimals are what the column stores, text or numbers, and their columns are mixed.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coho_core::jinja;
use coho_core::model::Relation;
use coho_core::row::{Cell, ColumnType, RowBuf};
use coho_core::value::Float;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Statement};

use crate::outline::{Found, Layout, Needed};
use crate::quiet;
use crate::read::{SourceError, unnamed};
use crate::reading::{ReadScope, Reading, Sink, spawn};
use crate::table::{identifier, select_all};
use crate::unsafe_type::{Remedy, UnsafeValue};

/// How long to wait for a program that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// After how many steps of its machine SQLite asks whether to go on.
const PROGRESS: i32 = 10_000;

/// Why a SQLite file gave no rows.
#[derive(Debug, thiserror::Error)]
pub enum SqliteError {
    /// The file cannot be opened as a database.
    #[error("cannot open the SQLite file `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// There is no such file; Coho makes none.
    #[error("the SQLite file `{}` does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Another program writes to it, and does not let it be read.
    #[error("the SQLite file `{}` is locked by another program", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refused the query.
    #[error("SQLite refused the model's SQL: {message}")]
    Refused {
        /// SQLite's message.
        message: String,
        /// Line and column in the model's SQL, from 1, where SQLite says it.
        position: Option<(usize, usize)>,
        /// What to do about Jinja in it, where there is some.
        jinja: Option<String>,
    },
    /// The query cannot be run.
    #[error("cannot run the model's SQL")]
    Query(#[source] rusqlite::Error),
    /// The file could not be read to the last row.
    #[error("cannot read row {row} from SQLite")]
    Row {
        /// The row, from 1.
        row: u64,
        /// Why.
        source: rusqlite::Error,
    },
    /// More than one statement.
    #[error("the model's SQL has more than one statement")]
    ManyStatements,
    /// The statement writes.
    #[error("the model's SQL would modify the database")]
    Writes,
    /// The statement is not a query, or is empty.
    #[error("the model's SQL returns no columns")]
    NoColumns,
    /// The statement has `?` or the like.
    #[error("the model's SQL has a parameter such as `?` or `:name`")]
    Parameter,
}

impl SqliteError {
    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::Open { .. } => "check that it is an SQLite database and that you have permission to read it",
                Self::Missing { .. } => "check the source's `path`, which is relative to the project",
                Self::Locked { .. } => {
                    "run again when that program has written what it writes, or read a copy of the file; with \
                     `PRAGMA journal_mode = WAL`, set once on the database, others can read meanwhile"
                }
                Self::ManyStatements => "keep one query in the model",
                Self::Writes | Self::NoColumns => "write the model as one query: `SELECT … FROM …`",
                Self::Parameter => "write the value itself: models have no parameters",
                Self::Refused { jinja: Some(help), .. } => help,
                Self::Refused { .. } => "check the names in it against the database",
                Self::Query(_) | Self::Row { .. } => return None,
            }
            .to_owned(),
        )
    }
}

/// Whether SQLite could not even read the query.
fn is_syntax(message: &str) -> bool {
    message.contains("syntax error") || message.contains("unrecognized token")
}

/// Line and column of an offset in bytes; SQLite says -1 where it knows none.
fn position(sql: &str, offset: i32) -> Option<(usize, usize)> {
    let before = sql.get(..usize::try_from(offset).ok()?)?;
    let last = before.rsplit('\n').next().unwrap_or_default();
    Some((before.matches('\n').count() + 1, last.chars().count() + 1))
}

/// Whether the file opens and is a database.
pub(crate) async fn test(path: &Path) -> Result<(), SourceError> {
    let relation = Relation::Sql("SELECT count(*) AS tables FROM sqlite_master".into());
    read(path, &relation, ReadScope::All).await?;
    Ok(())
}

/// Begins to read a relation.
pub(crate) async fn read(path: &Path, relation: &Relation, scope: ReadScope) -> Result<Reading, SourceError> {
    let sql = match relation {
        Relation::Sql(sql) => sql.text.clone(),
        Relation::Table(name) => select_all(name)?,
        Relation::Dbt(dbt) => unnamed(dbt.select_all())?,
        Relation::File { .. } => {
            return Err(SourceError::Relation { relation: "file", connection: "SQLite" });
        }
    };
    let (path, remedy) = (path.to_owned(), Remedy::of(relation));
    spawn(scope, move |sink| {
        let read = rows(&mut open(&path, BUSY_TIMEOUT)?, &sql, remedy, sink);
        read.map_err(|error| locked(error, &path))
    })
    .await
}

/// An error that only says that somebody else holds the file, as what it is.
fn locked(error: SourceError, path: &Path) -> SourceError {
    let SourceError::Sqlite(SqliteError::Query(source) | SqliteError::Row { source, .. }) = &error else {
        return error;
    };
    match source.sqlite_error_code() {
        Some(code) if is_locked(code) => SqliteError::Locked { path: path.to_owned() }.into(),
        Some(_) | None => error,
    }
}

fn is_locked(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
}

fn open(path: &Path, patience: Duration) -> Result<Connection, SqliteError> {
    if !path.exists() {
        return Err(SqliteError::Missing { path: path.to_owned() });
    }
    let failed = |source| unopened(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(patience).map_err(failed)?;
    // The first read shows whether it is a database at all, and begins the one state that the rows are read from.
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_master;").map_err(failed)?;
    Ok(connection)
}

fn unopened(path: &Path, source: rusqlite::Error) -> SqliteError {
    match source.sqlite_error_code() {
        Some(code) if is_locked(code) => SqliteError::Locked { path: path.to_owned() },
        Some(_) | None => SqliteError::Open { path: path.to_owned(), source },
    }
}

fn rows(connection: &mut Connection, sql: &str, remedy: Remedy, sink: &mut Sink) -> Result<(), SourceError> {
    // A query may work for long before its first row.
    connection.progress_handler(PROGRESS, Some(sink.deaf())).map_err(SqliteError::Query)?;
    let mut statement = prepare(connection, sql)?;
    let layout = layout(&statement, remedy)?;
    let ControlFlow::Continue(needed) = sink.open(layout.outline.clone()) else { return Ok(()) };
    let mut number = 1;
    let mut rows = statement.query([]).map_err(SqliteError::Query)?;
    while let Some(row) = rows.next().map_err(|source| SqliteError::Row { row: number, source })? {
        if sink.row(encode(row, &layout, &needed, number, remedy)?).is_break() {
            return Ok(());
        }
        number += 1;
    }
    Ok(())
}

fn prepare<'a>(connection: &'a Connection, sql: &str) -> Result<Statement<'a>, SqliteError> {
    let statement = connection.prepare(sql).map_err(refused)?;
    if !statement.readonly() {
        return Err(SqliteError::Writes);
    }
    if statement.column_count() == 0 {
        return Err(SqliteError::NoColumns);
    }
    if statement.parameter_count() > 0 {
        return Err(SqliteError::Parameter);
    }
    Ok(statement)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors mean the same: it cannot be run")]
fn refused(error: rusqlite::Error) -> SqliteError {
    match error {
        rusqlite::Error::MultipleStatement => SqliteError::ManyStatements,
        rusqlite::Error::Empty => SqliteError::NoColumns,
        rusqlite::Error::SqlInputError { msg, sql, offset, .. } => {
            let jinja = if is_syntax(&msg) { jinja::advice(&sql) } else { None };
            SqliteError::Refused { message: msg, position: position(&sql, offset), jinja }
        }
        rusqlite::Error::SqliteFailure(failure, Some(message)) if !is_locked(failure.code) => {
            SqliteError::Refused { message, position: None, jinja: None }
        }
        error => SqliteError::Query(error),
    }
}

/// SQLite keeps names and declared types in whatever bytes they were written, and its library panics where they are not UTF-8.
/// Such a declaration promises nothing, and a column of such a name cannot be asked for.
fn layout(statement: &Statement<'_>, remedy: Remedy) -> Result<Layout, SourceError> {
    let kind = |column: rusqlite::Column<'_>| declared(column.decl_type());
    let found = (0..statement.column_count()).map(|at| {
        let name = quiet::attempt(|| statement.column_name(at).unwrap_or_default().to_owned());
        let kind = quiet::attempt(|| statement.columns().nth(at).map(kind)).flatten();
        Found::plain(&name.unwrap_or_default(), kind.unwrap_or(ColumnType::Mixed))
    });
    Ok(Layout::of(found.collect(), remedy, None)?)
}

/// The type that a declaration promises. Computed columns have none.
fn declared(declaration: Option<&str>) -> ColumnType {
    let word =
        declaration.unwrap_or_default().split('(').next().unwrap_or_default().trim().to_ascii_uppercase();
    match word.as_str() {
        "INTEGER" | "INT" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "BIGINT" | "INT2" | "INT8" => {
            ColumnType::Int
        }
        "BOOLEAN" | "BOOL" => ColumnType::Bool,
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" => ColumnType::Float,
        "TEXT" | "VARCHAR" | "CHAR" | "CHARACTER" | "NCHAR" | "NVARCHAR" | "CLOB" => ColumnType::Text,
        _ => ColumnType::Mixed,
    }
}

fn encode(
    row: &Row<'_>,
    layout: &Layout,
    needed: &Needed,
    number: u64,
    remedy: Remedy,
) -> Result<RowBuf, SourceError> {
    let mut buffer = RowBuf::from_bytes(Vec::with_capacity(16 * layout.fields.len()));
    for (at, (column, field)) in layout.columns().enumerate() {
        if needed.leaves_out(at) {
            buffer.push(Cell::Null);
            continue;
        }
        let value = row.get_ref(field).map_err(|source| SqliteError::Row { row: number, source })?;
        match cell(value, column.kind) {
            Ok(cell) => buffer.push(cell),
            Err(_) if !needed.has(at) => buffer.push(Cell::Null),
            Err((what, form)) => {
                let cast = form.replace("{c}", &identifier(&column.name));
                let (column, what) = (column.name.clone(), what.to_owned());
                return Err(Box::new(UnsafeValue { column, row: number, what, cast, remedy }).into());
            }
        }
    }
    Ok(buffer)
}

/// The cell of a value, or what it is and the cast that helps.
fn cell(value: ValueRef<'_>, declared: ColumnType) -> Result<Cell<'_>, (&'static str, &'static str)> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number @ (0 | 1)) if declared == ColumnType::Bool => Cell::Bool(number == 1),
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Real(number) => Cell::Float(Float::new(number).ok_or(("an infinity", "{c} || '' AS {c}"))?),
        ValueRef::Text(bytes) => {
            Cell::Text(std::str::from_utf8(bytes).map_err(|_| ("text that is not UTF-8", "hex({c}) AS {c}"))?)
        }
        ValueRef::Blob(_) => return Err(("a BLOB", "hex({c}) AS {c}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_program_holds_is_told_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("CREATE TABLE t (a); BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)").unwrap();
        let error = open(&path, Duration::ZERO).unwrap_err();
        let told = format!("the SQLite file `{}` is locked by another program", path.display());
        assert_eq!(error.to_string(), told);
        assert!(error.help().unwrap().contains("run again when that program has written"));
    }
}
