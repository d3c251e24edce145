//! Each `fixtures/{mapping,matching,events}/*.json` is a mapping with rows; its `.snap` is what becomes of them. Each
//! `fixtures/cases/*.json` is one with users' tests, and its `.snap` is how they end.
//!
//! `columns` gives names and types, `match` and `fields` the mapping (a text is a column, an object one of `column`,
//! `static`, `template`, `lookup`, `object`, `array`), `key` the column of the primary key, `rows` the cells in the columns'
//! order.

use std::path::Path;

use coho_core::fields::Rendering;
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::row::{Columns, RowBuf};
use coho_core::value::Value;
use coho_mapping::{Facts, Mapping, Specification};

use read::{cell, columns, items};

#[path = "fixtures/cases.rs"]
mod cases;
#[path = "fixtures/read.rs"]
mod read;

type Failure = Box<dyn std::error::Error>;

fn case(path: &Path) -> datatest_stable::Result<()> {
    snapshot(path, outcome)
}

fn users_tests(path: &Path) -> datatest_stable::Result<()> {
    snapshot(path, cases::outcome)
}

fn snapshot(path: &Path, outcome: fn(&Value) -> Result<String, Failure>) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let case = coho_core::json::parse(&text)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path.parent().ok_or("a folder")?);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(stem, outcome(&case).unwrap_or_else(|error| error.to_string())));
    Ok(())
}

fn outcome(case: &Value) -> Result<String, Failure> {
    let (columns, sync) = (columns(case)?, read::sync(case)?);
    match Mapping::compile(&Specification::of(&sync), &columns) {
        Err(problems) => Ok(format!("does not compile\n{}", list(&problems))),
        Ok(mapping) => Ok(rows(case, &columns, &mapping)),
    }
}

fn rows(case: &Value, columns: &Columns, mapping: &Mapping) -> String {
    let names: Vec<_> = columns.names().collect();
    let reads: Vec<_> = mapping.reads().iter().map(|at| names[*at]).collect();
    let key =
        case.get("key").and_then(Value::as_text).and_then(|name| Some((columns.index(name)?, name.into())));
    let mut out = format!("reads {}\n", reads.join(", "));
    for row in items(case.get("rows")) {
        let values: Vec<_> =
            items(Some(row)).iter().zip(columns).map(|(value, column)| (value, column.kind)).collect();
        let texts: Vec<String> = values.iter().map(|(value, _)| value.to_string()).collect();
        let cells: Vec<_> =
            values.iter().zip(&texts).map(|((value, kind), text)| cell(value, *kind, text)).collect();
        let row = RowBuf::from_cells(cells);
        let key = key.as_ref().and_then(|key| Key::of(&row, std::slice::from_ref(key)).ok());
        let rendered = match key {
            Some(key) => mapping.render_row(&key, &row, &Facts::default()),
            None => mapping.render(&row),
        };
        out.push_str(&match rendered {
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

datatest_stable::harness! {
    { test = case, root = "fixtures/mapping", pattern = r"^.*\.json$" },
    { test = case, root = "fixtures/matching", pattern = r"^.*\.json$" },
    { test = case, root = "fixtures/events", pattern = r"^.*\.json$" },
    { test = users_tests, root = "fixtures/cases", pattern = r"^.*\.json$" },
}
