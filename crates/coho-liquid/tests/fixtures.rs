//! Fixtures of templates: cases in the conformance formats, and templates with their problems.

#[path = "../examples/conform/dialect.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the harness")]
mod dialect;
#[path = "../examples/conform/differences.rs"]
mod differences;
#[path = "../examples/conform/page.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the harness")]
mod page;
#[path = "../examples/conform/recorded.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the harness")]
mod recorded;
#[path = "../examples/conform/suite.rs"]
mod suite;

use std::path::Path;

use coho_core::problem::Problem;
use coho_core::row::{Column, ColumnType, Columns};
use coho_core::snippet::{Snippet, Snippets};
use coho_liquid::{CompileScope, compile};

fn snapshot(path: &Path, shown: &str) -> datatest_stable::Result<()> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name")?;
    let folder = path.parent().ok_or("a folder")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(stem, shown));
    Ok(())
}

/// All cases of a file pass: the snapshot counts them.
fn cases(path: &Path) -> datatest_stable::Result<()> {
    let report = suite::run(&std::fs::read_to_string(path)?)?;
    let failure = |failure: &suite::Failure| {
        format!(
            "{}\n  {}\n  must be {}\n  but is {}\n",
            failure.name, failure.template, failure.expected, failure.found
        )
    };
    let failures: String = report.failures.iter().map(failure).collect();
    if !failures.is_empty() {
        return Err(failures.into());
    }
    let count = |(class, tally): (&String, &suite::Tally)| format!("{class}: {} passed\n", tally.passed);
    snapshot(path, &report.classes.iter().map(count).collect::<String>())
}

/// A template over the columns `id`, `email`, `seats` and `first name`, with everything that is wrong with it.
fn problems(path: &Path) -> datatest_stable::Result<()> {
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnType::Mixed };
    let columns = Columns::new(["id", "email", "seats", "first name"].map(column).into())?;
    let source = std::fs::read_to_string(path)?;
    let shown = match compile(&source, &CompileScope::columns(&columns).snippets(&snippets())) {
        Ok(template) => format!("reads {:?}, volatile {}\n", template.columns(), template.is_volatile()),
        Err(problems) => problems.iter().map(|problem| show(problem, &source)).collect(),
    };
    snapshot(path, &shown)
}

/// The snippets that the templates may render.
const SNIPPETS: [(&str, &str); 5] = [
    ("greeting", "Hello {{ name | capitalize }}"),
    ("loops", "{% render 'again' %}"),
    ("again", "{% for i in (1..2) %}{% render 'loops' %}{% endfor %}"),
    ("outside", "{{ row.id }}"),
    ("faulty", "{% if n = 2 %}\n  {{ n | upcsae }}{% endif %}"),
];

fn snippets() -> Snippets {
    let snippet = |(name, text): (&str, &str)| {
        let file = format!("templates/{name}.liquid").as_str().into();
        (name.to_owned(), Snippet { text: text.to_owned(), file })
    };
    SNIPPETS.into_iter().map(snippet).collect()
}

/// The text that a problem is of: the template's, or a snippet's.
fn text_of<'s>(file: &str, source: &'s str) -> &'s str {
    let snippet = SNIPPETS.iter().find(|(name, _)| file == format!("templates/{name}.liquid"));
    snippet.map_or(source, |(_, text)| text)
}

fn show(problem: &Problem, source: &str) -> String {
    let place = problem.place.clone().unwrap_or_default();
    let source = text_of(&place.file, source);
    let file = if place.file.is_empty() { String::new() } else { format!("  {}\n", place.file) };
    let line = source.lines().nth(place.line.saturating_sub(1) as usize).unwrap_or_default();
    let marks = format!(
        "{}{}",
        " ".repeat(place.column.saturating_sub(1) as usize),
        "^".repeat(place.length as usize)
    );
    let help = problem.help.as_ref().map(|help| format!("  help: {help}\n")).unwrap_or_default();
    format!("{problem}\n{file}  {line}\n  {marks}\n{help}\n")
}

datatest_stable::harness! {
    { test = cases, root = "fixtures/cases", pattern = r"^.*\.json$" },
    { test = problems, root = "fixtures/problems", pattern = r"^.*\.liquid$" },
}
