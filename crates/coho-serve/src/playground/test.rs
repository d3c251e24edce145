//! What was tried as a test file: written with no answers, loaded as the project's own tests are, run, and blessed with what came.

use coho_core::case::{CaseEnding, SuiteReport, SuiteSubject};
use coho_core::json;
use coho_core::sync::Sync;
use coho_core::value::Value;
use coho_mapping::cases::{run, run_template};
use coho_project::{Blessing, File, Project, bless, load_offline};

use super::declared::declared;
use super::rows::Rows;

/// Where it stands while it is made.
const FILE: &str = "tests/playground.yaml";

/// A test of a template.
pub(super) fn of_template(text: &str, rows: &Rows, files: &[File]) -> Option<String> {
    let quoted = json::write(&Value::text(text));
    let written = written(&format!("template: {quoted}\n"), rows, "value: null");
    let project = load_offline(&with(files, &written), None).ok()?;
    let suite = project.tests.iter().find(|suite| *suite.file == *FILE)?;
    let SuiteSubject::Template(template) = &suite.subject else { return None };
    blessed(&written, &run_template(suite, template))
}

/// A test of a sync's mapping.
pub(super) fn of_sync(sync: &Sync, rows: &Rows, files: &[File], target: Option<&str>) -> Option<String> {
    let written = written(&format!("sync: {}\n", sync.id), rows, "record: {}");
    let project: Project = load_offline(&with(files, &written), target).ok()?;
    let suite = project.tests.iter().find(|suite| *suite.file == *FILE)?;
    let sync = project.sync(&sync.id)?;
    blessed(&written, &run(suite, sync, &declared(&project, sync)))
}

fn with(files: &[File], text: &str) -> Vec<File> {
    let mut files: Vec<_> = files.iter().filter(|file| !file.path.starts_with("tests/")).cloned().collect();
    files.push(File::text(FILE, text));
    files
}

/// The file with nothing expected yet. JSON is YAML, and keeps every digit.
fn written(subject: &str, rows: &Rows, expected: &str) -> String {
    let mut text = subject.to_owned();
    let types = rows.types_text();
    if !types.is_empty() {
        text.extend(["columns: ", &types, "\n"]);
    }
    text += "\ntests:\n";
    for (at, row) in rows.rows.iter().enumerate() {
        let number = (at + 1).to_string();
        text.extend(["  - name: row ", &number, "\n    row: ", &json::write(row), "\n    ", expected, "\n"]);
    }
    text
}

/// The file with what came. A row that cannot be is no test.
fn blessed(text: &str, report: &SuiteReport) -> Option<String> {
    let mut blessings = Vec::new();
    for case in &report.cases {
        match &case.ending {
            CaseEnding::Passed => {}
            CaseEnding::Failed { got, .. } => {
                blessings.push(Blessing { name: &case.name, at: &case.expected_at, answer: got });
            }
            CaseEnding::Broken(_) => return None,
        }
    }
    let blessed = bless(text, &blessings);
    blessed.refused.is_empty().then_some(blessed.text)
}
