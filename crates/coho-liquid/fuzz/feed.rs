//! What the fuzz target and `tests/corpus.rs` do with an input: a template and, behind a line `---`, the JSON of its row.

use std::time::{Duration, UNIX_EPOCH};

use coho_core::json;
use coho_core::problem::Problem;
use coho_core::row::{Column, ColumnType, Columns};
use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, TemplateSettings, Watch, compile};

/// The row of an input that brings none.
const ROW: &str =
    r#"{ "id": 7, "plan": "pro", "seats": 4.50, "tags": ["a", "b"], "since": "2025-03-31", "none": null }"#;

/// When it is: the beginning of the year 2000, counted from 1970.
const NOW: Duration = Duration::from_secs(946_684_800);

/// Compiles and renders it in every way, and panics where something else than a value or a problem comes of it.
pub(crate) fn feed(input: &str) {
    let (source, row) = input.split_once("\n---\n").unwrap_or((input, ROW));
    let row = json::parse(row).or_else(|_| json::parse(ROW)).unwrap_or(Value::Null);
    for settings in [TemplateSettings::default(), TemplateSettings::lenient()] {
        try_scope(source, &CompileScope::free().settings(settings), &row);
        if let Some(columns) = columns(&row) {
            try_scope(source, &CompileScope::columns(&columns).settings(settings), &row);
        }
    }
}

/// The row's members as a model's columns, where they can be.
fn columns(row: &Value) -> Option<Columns> {
    let Value::Object(members) = row else { return None };
    let column = |(name, _): &(String, Value)| Column { name: name.clone(), kind: ColumnType::Mixed };
    Columns::new(members.iter().map(column).collect()).ok()
}

fn try_scope(source: &str, scope: &CompileScope, row: &Value) {
    match compile(source, scope) {
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in &problems {
                stands_inside(source, problem);
            }
        }
        Ok(template) => {
            let now = UNIX_EPOCH + NOW;
            let context = Context::row_object(row).sync(row).run(row).at(now.into());
            let watch = Watch::default();
            let (value, text) = (template.render(&context.watch(&watch)), template.render_text(&context));
            let branches = template.branches().len();
            assert!(watch.taken().iter().all(|at| *at < branches), "a branch that is not there was taken");
            if !template.is_typed() {
                assert_eq!(value, text.clone().map(Value::Text), "text that is rendered twice differs");
            }
            for problem in [value.err(), text.err()].iter().flatten() {
                stands_inside(source, problem);
            }
        }
    }
}

/// Every problem has a place that an editor could show.
fn stands_inside(source: &str, problem: &Problem) {
    let place = problem.place.as_ref().map(|place| (place.line as usize, place.column as usize));
    let (line, column) = place.unwrap_or_default();
    let lines = source.matches('\n').count() + 1;
    let width = source.split('\n').nth(line.saturating_sub(1)).map_or(0, |line| line.chars().count());
    let inside = (1..=lines).contains(&line) && (1..=width + 1).contains(&column);
    assert!(inside, "{problem} stands at {line}:{column} of {lines} lines");
}
