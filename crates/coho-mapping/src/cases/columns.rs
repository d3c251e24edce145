//! From what a test file writes to columns and rows as a source gives them.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use coho_core::case::{Case, Given, Suite};
use coho_core::code::Code;
use coho_core::decimal::Decimal;
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf, days_from_date};
use coho_core::sync::{Cast, Expression, FieldSpec, Matching, Sync};
use coho_core::value::{Float, Value};

use super::Declared;
use coho_liquid::cast::cast;

/// The columns of all rows of a file, in the order of their names: those that are declared, those that a case names, and
/// those that the mapping reads.
pub(super) fn columns(suite: &Suite, sync: &Sync, declared: &Declared<'_>) -> Result<Columns, Vec<Problem>> {
    let mut read = read(sync);
    read.extend(made_of(sync, declared).iter().map(String::as_str));
    typed_columns(suite, &read, declared.types)
}

/// The places and names of the key's columns, where a `messageId` is made of them.
pub(super) fn key(sync: &Sync, declared: &Declared<'_>, columns: &Columns) -> Vec<(usize, String)> {
    let place = |name: &String| columns.index(name).map(|place| (place, name.clone()));
    made_of(sync, declared).iter().filter_map(place).collect()
}

fn made_of<'a>(sync: &Sync, declared: &Declared<'a>) -> &'a [String] {
    match sync.matching {
        Matching::Message(None) => declared.key,
        Matching::ExternalId(_) | Matching::Email { .. } | Matching::Message(Some(_)) => &[],
    }
}

/// The columns of all rows of a file: those that it declares, and those that a case names.
pub(super) fn of_rows(suite: &Suite) -> Result<Columns, Vec<Problem>> {
    typed_columns(suite, &[], &[])
}

fn typed_columns(
    suite: &Suite,
    read: &[&str],
    declared: &[(String, ColumnType)],
) -> Result<Columns, Vec<Problem>> {
    let mut types: BTreeMap<&str, Option<ColumnType>> = BTreeMap::new();
    for name in read {
        types.insert(name, None);
    }
    for given in suite.cases.iter().flat_map(|case| &case.row) {
        let known = types.entry(&given.column).or_default();
        *known = joined(*known, inferred(&given.value));
    }
    for (name, kind) in declared.iter().chain(&suite.columns) {
        types.insert(name, Some(*kind));
    }
    let column = |(name, kind): (&str, Option<ColumnType>)| Column {
        name: name.to_owned(),
        // Nothing but nulls: they fit everywhere, as in a column whose cells have types of their own.
        kind: kind.unwrap_or(ColumnType::Mixed),
    };
    Columns::new(types.into_iter().map(column).collect()).map_err(|error| {
        vec![Problem::new(Code::WRONG_VALUE, error.to_string()).at(&Place::file(suite.file.clone()))]
    })
}

/// The names of the columns that a sync's mapping reads.
fn read(sync: &Sync) -> Vec<&str> {
    let columns = sync.matching.target().into_iter().chain(sync.matching.email());
    let mut names: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
    sync.fields.iter().for_each(|FieldSpec { from, .. }| named(from, &mut names));
    names
}

fn named<'a>(from: &'a Expression, names: &mut Vec<&'a str>) {
    match from {
        Expression::Column { column, .. } | Expression::Lookup { column, .. } => names.push(&column.name),
        // A template's columns are those that the rows and `columns` name.
        Expression::Static(_) | Expression::Template { .. } => {}
        Expression::Object(members) => members.iter().for_each(|(_, member)| named(member, names)),
        Expression::Array(items) => items.iter().for_each(|item| named(item, names)),
    }
}

/// The type of a column that holds this value; `None` of a null.
fn inferred(value: &Value) -> Option<ColumnType> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => ColumnType::Bool,
        Value::Int(_) => ColumnType::Int,
        Value::Decimal(_) => ColumnType::Decimal,
        Value::Float(_) => ColumnType::Float,
        Value::Text(_) => ColumnType::Text,
        Value::Timestamp(_) => ColumnType::Timestamp,
        Value::LocalTimestamp(_) => ColumnType::LocalTimestamp,
        Value::Date(_) => ColumnType::Date,
        Value::Array(_) | Value::Object(_) => ColumnType::Json,
    })
}

/// The type that holds values of both.
fn joined(one: Option<ColumnType>, other: Option<ColumnType>) -> Option<ColumnType> {
    match (one, other) {
        (None, kind) | (kind, None) => kind,
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(ColumnType::Int), Some(ColumnType::Decimal))
        | (Some(ColumnType::Decimal), Some(ColumnType::Int)) => Some(ColumnType::Decimal),
        (Some(_), Some(_)) => Some(ColumnType::Mixed),
    }
}

/// A case's row, of which these columns are read. All that does not fit is found, not the first.
pub(super) fn row(case: &Case, columns: &Columns, reads: &[usize]) -> Result<RowBuf, Vec<Problem>> {
    let mut problems: Vec<Problem> =
        case.row.iter().filter_map(|given| mistyped(given, case, columns, reads)).collect();
    let mut row = RowBuf::default();
    for column in columns {
        match case.row.iter().find(|given| given.column == column.name) {
            None => row.push(Cell::Null),
            Some(given) => match typed(&given.value, column.kind) {
                Some(value) => push(&mut row, &value, column.kind),
                None => problems.push(misfit(given, column.kind)),
            },
        }
    }
    problems.sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
    if problems.is_empty() { Ok(row) } else { Err(problems) }
}

/// A column that no field reads is no mistake by itself: rows may be pasted as they are. It is one where it looks like a
/// column that is read and that the row does not name.
fn mistyped(given: &Given, case: &Case, columns: &Columns, reads: &[usize]) -> Option<Problem> {
    let read: Vec<&str> =
        columns.names().enumerate().filter(|(at, _)| reads.contains(at)).map(|(_, name)| name).collect();
    if read.contains(&given.column.as_str()) {
        return None;
    }
    let left = read.iter().copied().filter(|name| case.row.iter().all(|given| given.column != *name));
    let meant = nearest(&given.column, left)?;
    let message = format!("the template or mapping does not read the column `{}`", given.column);
    Some(
        Problem::new(Code::UNKNOWN_COLUMN, message).at(&given.place).help(format!("did you mean `{meant}`?")),
    )
}

fn misfit(given: &Given, kind: ColumnType) -> Problem {
    let message = format!(
        "column `{}` is {}, but this is {}: {}",
        given.column,
        kind.name(),
        given.value.kind(),
        given.value.preview()
    );
    let help = match kind {
        ColumnType::Bool => "write `true` or `false`",
        ColumnType::Int => "write a whole number without quotes, or declare another type under `columns`",
        ColumnType::Float | ColumnType::Decimal => "write a number, or declare another type under `columns`",
        ColumnType::Text => "put it in quotes, or declare another type under `columns`",
        ColumnType::Timestamp => "write a moment with its zone, such as `2026-11-24T10:00:00Z`",
        ColumnType::LocalTimestamp => "write a date and a time without a zone, such as `2026-11-24 10:00:00`",
        ColumnType::Date => "write a date such as `2026-11-24`",
        ColumnType::Json | ColumnType::Mixed => "declare another type under `columns`",
    };
    Problem::new(Code::WRONG_VALUE, message).at(&given.place).help(help)
}

/// A value as a column of this type holds it; `None` where it cannot.
fn typed(value: &Value, kind: ColumnType) -> Option<Value> {
    let text = || value.as_text().map(str::trim);
    match kind {
        _ if value.is_null() => Some(Value::Null),
        ColumnType::Json | ColumnType::Mixed => Some(value.clone()),
        ColumnType::Bool => matches!(value, Value::Bool(_)).then(|| value.clone()),
        ColumnType::Int => matches!(value, Value::Int(_)).then(|| value.clone()),
        ColumnType::Text => value.as_text().map(Value::text),
        ColumnType::Decimal => number(value).map(Value::Decimal),
        ColumnType::Float => number(value)?.as_str().parse().ok().and_then(Float::new).map(Value::Float),
        ColumnType::Timestamp => cast(Value::text(text()?), Cast::Timestamp).ok(),
        ColumnType::LocalTimestamp => {
            let spaced = text()?.replacen(' ', "T", 1);
            NaiveDateTime::parse_from_str(&spaced, "%Y-%m-%dT%H:%M:%S%.f").ok().map(Value::LocalTimestamp)
        }
        ColumnType::Date => NaiveDate::parse_from_str(text()?, "%Y-%m-%d").ok().map(Value::Date),
    }
}

fn number(value: &Value) -> Option<Decimal> {
    value.number().or_else(|| Decimal::parse(value.as_text()?.trim()))
}

fn push(row: &mut RowBuf, value: &Value, kind: ColumnType) {
    let cell = match value {
        Value::Null => Cell::Null,
        _ if kind == ColumnType::Json => return row.push(Cell::Json(&coho_core::json::write(value))),
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::Int(number) => Cell::Int(*number),
        Value::Decimal(number) => Cell::Decimal(number.as_str()),
        Value::Float(number) => Cell::Float(*number),
        Value::Text(text) => Cell::Text(text),
        Value::Timestamp(moment) => Cell::Timestamp(moment.timestamp_micros()),
        Value::LocalTimestamp(moment) => Cell::LocalTimestamp(moment.and_utc().timestamp_micros()),
        Value::Date(date) => days_from_date(*date).map_or(Cell::Null, Cell::Date),
        Value::Array(_) | Value::Object(_) => {
            return row.push(Cell::Json(&coho_core::json::write(value)));
        }
    };
    row.push(cell);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_as_the_column_holds_them() {
        for (text, kind) in [
            ("2026-11-24T10:00:00.000Z", ColumnType::Timestamp),
            ("2026-11-24T10:00:00.000", ColumnType::LocalTimestamp),
            ("2026-11-24", ColumnType::Date),
            ("as it is", ColumnType::Text),
            ("as it is", ColumnType::Mixed),
        ] {
            let value = typed(&Value::text(text), kind).unwrap();
            let mut row = RowBuf::default();
            push(&mut row, &value, kind);
            assert_eq!(row.cells().next().unwrap().to_value().scalar_text().as_deref(), Some(text));
        }
    }

    #[test]
    fn decimals_keep_their_digits_and_never_become_text() {
        let value = typed(&Value::text("12400.00"), ColumnType::Decimal).unwrap();
        assert_eq!(value.to_string(), "12400.00");
        assert!(typed(&Value::Int(7), ColumnType::Text).is_none());
        assert!(typed(&Value::text("7"), ColumnType::Int).is_none());
    }

    #[test]
    fn whole_numbers_and_decimals_are_decimals_together() {
        let (int, decimal) = (Some(ColumnType::Int), Some(ColumnType::Decimal));
        assert_eq!(joined(int, decimal), decimal);
        assert_eq!(joined(int, None), int);
        assert_eq!(joined(int, Some(ColumnType::Text)), Some(ColumnType::Mixed));
    }
}
