//! A reading as text: the columns with their types, each row, and the error with its help where there is one.

use std::fmt::Write as _;
use std::path::Path;

use coho_core::model::Model;
use coho_core::row::{Cell, Columns, RowBuf};
use coho_source::{Connection, Inferred, Misfit, ReadScope, SourceError};

/// Reads a model and shows it.
#[allow(dead_code, reason = "some tests need the other")]
pub(crate) async fn shown(connection: &Connection, model: &Model, scope: ReadScope) -> String {
    only(connection, model, scope, None).await
}

/// Reads a model of which only these columns are needed, and shows it.
pub(crate) async fn only(
    connection: &Connection,
    model: &Model,
    scope: ReadScope,
    needed: Option<&[&str]>,
) -> String {
    let mut out = String::new();
    if let Err(error) = rows(connection, model, scope, needed, &mut out).await {
        out += &failure(&error);
    }
    out
}

async fn rows(
    connection: &Connection,
    model: &Model,
    scope: ReadScope,
    needed: Option<&[&str]>,
    out: &mut String,
) -> Result<(), SourceError> {
    let mut reading = coho_source::read(connection, model, scope).await?;
    *out += &columns(reading.columns());
    if let Some(needed) = needed {
        let places: Vec<usize> = needed.iter().filter_map(|name| reading.columns().index(name)).collect();
        reading.need(&places)?;
    }
    while let Some(rows) = reading.next().await? {
        *out += &rows.iter().map(row).collect::<String>();
    }
    Ok(())
}

fn columns(columns: &Columns) -> String {
    let shown: Vec<String> =
        columns.iter().map(|column| format!("{} ({})", column.name, column.kind.name())).collect();
    format!("{}\n", shown.join(" | "))
}

/// What is told of the columns whose types were found out: the first value that is not of each narrower type.
#[allow(dead_code, reason = "only files have such columns")]
pub(crate) async fn inferred(connection: &Connection, model: &Model) -> Result<String, SourceError> {
    let outline = coho_source::outline(connection, model).await?;
    Ok(outline.inferred().iter().map(misfits).collect())
}

fn misfits(inferred: &Inferred) -> String {
    let misfit =
        |misfit: &Misfit| format!("  no {}: {} `{}`\n", misfit.kind.name(), misfit.place, misfit.preview);
    let misfits: String = inferred.misfits.iter().map(misfit).collect();
    format!("{}: {}\n{misfits}", inferred.column, inferred.kind.name())
}

fn row(row: &RowBuf) -> String {
    let cells: Vec<String> = row.cells().map(cell).collect();
    format!("{}\n", cells.join(" | "))
}

/// Text is quoted; a cell that is not of its column's type can be told apart.
fn cell(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Bool(flag) => flag.to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::Float(number) => format!("{:?}f", number.get()),
        Cell::Decimal(digits) => format!("{digits}d"),
        Cell::Text(text) => format!("{text:?}"),
        Cell::Timestamp(_) | Cell::LocalTimestamp(_) | Cell::Date(_) => {
            cell.to_value().scalar_text().unwrap_or_default()
        }
        Cell::Json(text) => format!("json {text}"),
    }
}

/// The error with its causes, its code and its help.
pub(crate) fn failure(error: &SourceError) -> String {
    let mut out = format!("error [{}]: {error}\n", error.code());
    if let Some((line, column)) = error.position() {
        writeln!(out, "at {line}:{column}").unwrap_or_default();
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        writeln!(out, "cause: {error}").unwrap_or_default();
        cause = error.source();
    }
    for line in error.help().unwrap_or_default().lines() {
        writeln!(out, "help: {line}").unwrap_or_default();
    }
    out
}

/// Compares with `case.snap` beside the fixture.
pub(crate) fn snapshot(fixture: &Path, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture).parent().map(Path::to_owned);
    let case = fixture.file_stem().and_then(|stem| stem.to_str()).ok_or("the fixture has no name")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder.ok_or("the fixture has no folder")?);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
    Ok(())
}
