//! Each `fixtures/mapping/*.json` is a mapping with rows; its `.snap` is what becomes of them.
//!
//! `columns` gives names and types, `match` and `fields` the mapping (a text is a column, an object one of `column`,
//! `static`, `template`, `lookup`, `object`, `array`), `rows` the cells in the columns' order.

use std::path::Path;

use coho_core::fields::Rendering;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
use coho_core::sync::{
    Cast, ColumnRef, Expression, FieldSpec, FieldTarget, NullPolicy, TemplateText, Undefined,
};
use coho_core::value::{Float, Value};
use coho_mapping::{Mapping, Specification};

type Failure = Box<dyn std::error::Error>;

fn case(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let case = coho_core::json::parse(&text)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mapping");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(stem, outcome(&case).unwrap_or_else(|error| error.to_string())));
    Ok(())
}

fn outcome(case: &Value) -> Result<String, Failure> {
    let columns = columns(case)?;
    let fields = members(case.get("fields"))
        .iter()
        .map(|(to, from)| field(to, from))
        .collect::<Result<Vec<_>, Failure>>()?;
    let matching = column(text(case.get("match"))?);
    let object = Object::parse(text(case.get("object"))?).ok_or("an object")?;
    let specification = Specification { object, matching: &matching, fields: &fields };
    match Mapping::compile(&specification, &columns) {
        Err(problems) => Ok(format!("does not compile\n{}", list(&problems))),
        Ok(mapping) => Ok(rows(case, &columns, &mapping)),
    }
}

fn rows(case: &Value, columns: &Columns, mapping: &Mapping) -> String {
    let names: Vec<_> = columns.names().collect();
    let reads: Vec<_> = mapping.reads().iter().map(|at| names[*at]).collect();
    let mut out = format!("reads {}\n", reads.join(", "));
    for row in items(case.get("rows")) {
        let values: Vec<_> =
            items(Some(row)).iter().zip(columns).map(|(value, column)| (value, column.kind)).collect();
        let texts: Vec<String> = values.iter().map(|(value, _)| value.to_string()).collect();
        let cells: Vec<_> =
            values.iter().zip(&texts).map(|((value, kind), text)| cell(value, *kind, text)).collect();
        out.push_str(&match mapping.render(&RowBuf::from_cells(cells)) {
            Ok(rendered) => {
                let fields: Vec<_> = rendered.fields.iter().map(|(path, value)| line(path, value)).collect();
                ["\n→ ", rendered.target.as_str(), "\n", &fields.concat()].concat()
            }
            Err(problems) => ["\n✗\n", &list(&problems)].concat(),
        });
    }
    out
}

fn line(path: &FieldPath, rendering: &Rendering) -> String {
    match rendering {
        Rendering::Set(value) => format!("  {path} = {}\n", value.to_value()),
        Rendering::Null(policy) => format!("  {path} is null, {}\n", policy.name()),
    }
}

fn list(problems: &[Problem]) -> String {
    let mut lines = Vec::new();
    for problem in problems {
        lines.push(format!("  {problem}\n"));
        lines.extend(problem.help.iter().map(|help| format!("    help: {help}\n")));
    }
    lines.concat()
}

fn columns(case: &Value) -> Result<Columns, Failure> {
    let column = |(name, kind): &(String, Value)| -> Result<Column, Failure> {
        let kind = ColumnType::ALL.into_iter().find(|known| Some(known.name()) == kind.as_text());
        Ok(Column { name: name.clone(), kind: kind.ok_or("a type")? })
    };
    let columns = members(case.get("columns")).iter().map(column).collect::<Result<Vec<_>, Failure>>()?;
    Ok(Columns::new(columns)?)
}

fn field(to: &str, from: &Value) -> Result<FieldSpec, Failure> {
    let to = if to == "traits" { FieldTarget::AllTraits } else { FieldTarget::Path(FieldPath::new(to)) };
    let null = from.get("null").and_then(Value::as_text).unwrap_or("follow");
    let null = NullPolicy::ALL.into_iter().find(|policy| policy.name() == null).ok_or("a null policy")?;
    Ok(FieldSpec { to, from: expression(from)?, null, place: Place::default() })
}

fn expression(from: &Value) -> Result<Expression, Failure> {
    if let Some(name) = from.as_text() {
        return Ok(Expression::Column { column: column(name), cast: None });
    }
    if let Some(value) = from.get("static") {
        return Ok(Expression::Static(value.clone()));
    }
    if let Some(object) = from.get("lookup") {
        let object = object.as_text().and_then(Object::parse).ok_or("an object")?;
        return Ok(Expression::Lookup { column: column(text(from.get("column"))?), object });
    }
    if let Some(Value::Object(members)) = from.get("object") {
        let members = members.iter().map(|(name, from)| Ok((name.clone(), expression(from)?)));
        return Ok(Expression::Object(members.collect::<Result<_, Failure>>()?));
    }
    if let Some(Value::Array(items)) = from.get("array") {
        return Ok(Expression::Array(items.iter().map(expression).collect::<Result<_, Failure>>()?));
    }
    let cast = from.get("as").and_then(Value::as_text);
    let cast = cast.and_then(|name| Cast::ALL.into_iter().find(|cast| cast.name() == name));
    if let Some(template) = from.get("template").and_then(Value::as_text) {
        let lenient = from.get("undefined").and_then(Value::as_text) == Some("empty");
        let undefined = if lenient { Undefined::Empty } else { Undefined::Error };
        let place = Place { line: 1, column: 1, ..Place::default() };
        let template = TemplateText { text: template.to_owned(), place, indent: 0, undefined };
        return Ok(Expression::Template { template, cast });
    }
    Ok(Expression::Column { column: column(text(from.get("column"))?), cast })
}

fn cell<'a>(value: &'a Value, kind: ColumnType, json: &'a str) -> Cell<'a> {
    match (kind, value) {
        (_, Value::Null) => Cell::Null,
        (ColumnType::Json, _) => Cell::Json(json),
        (ColumnType::Decimal, _) => Cell::Decimal(json),
        (ColumnType::Float, _) => {
            let number = value.number().and_then(|number| number.as_str().parse().ok());
            number.and_then(Float::new).map_or(Cell::Null, Cell::Float)
        }
        (ColumnType::Timestamp, Value::Int(micros)) => Cell::Timestamp(*micros),
        (ColumnType::LocalTimestamp, Value::Int(micros)) => Cell::LocalTimestamp(*micros),
        (ColumnType::Date, Value::Int(days)) => i32::try_from(*days).map_or(Cell::Null, Cell::Date),
        (_, Value::Bool(flag)) => Cell::Bool(*flag),
        (_, Value::Int(number)) => Cell::Int(*number),
        (_, other) => other.as_text().map_or(Cell::Null, Cell::Text),
    }
}

fn column(name: &str) -> ColumnRef {
    ColumnRef { name: name.to_owned(), place: Place::default() }
}

fn text(value: Option<&Value>) -> Result<&str, Failure> {
    value.and_then(Value::as_text).ok_or_else(|| "a text is missing".into())
}

fn members(value: Option<&Value>) -> &[(String, Value)] {
    if let Some(Value::Object(members)) = value { members } else { &[] }
}

fn items(value: Option<&Value>) -> &[Value] {
    if let Some(Value::Array(items)) = value { items } else { &[] }
}

datatest_stable::harness! { { test = case, root = "fixtures/mapping", pattern = r"^.*\.json$" } }
