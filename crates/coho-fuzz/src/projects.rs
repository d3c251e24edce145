//! The files of a project, and its tests.
//!
//! An input is a text as `crates/coho-project/fixtures` has them: a line `--- PATH` begins a file. Lines before the first one that begin
//! with `@` are left out, and a `coho.yaml` and a model `customers` are added where there are none.

use coho_core::case::{CaseEnding, Suite, SuiteReport, SuiteSubject};
use coho_core::problem::Problem;
use coho_mapping::cases::{self, Declared};
use coho_project::{Blessing, File, FileText, Project, bless, excerpt};

/// Where the text before the first line `---` goes.
const FIRST: &str = "syncs/customers.yaml";

/// The files that a project has at least.
const BASE: [(&str, &str); 2] = [
    (
        "coho.yaml",
        "project: acme\nsources:\n  files: { type: files, path: data }\n  app: { type: sqlite, path: app.db }\ndestinations:\n  \
         sandbox: { type: vitally, base_url: http://127.0.0.1:7700, rest_token: sandbox, analytics_token: sandbox }\n",
    ),
    ("models/customers.yaml", "source: files\nfile: customers.csv\nprimary_key: id\n"),
];

/// The text of problems that say nothing: a panic within the reading of a file.
const PANICKED: &str = "cannot read this";

/// Loads a project: every problem has a place in one of its files.
pub(crate) fn load(input: &[u8]) {
    let files = files(&String::from_utf8_lossy(input));
    if let Err(problems) = coho_project::load(&files, &|_| None, None) {
        assert_told(&problems, &files);
    }
}

/// Runs the tests of a project, and writes their answers into them: they are still the project's tests afterwards.
pub(crate) fn test(input: &[u8]) {
    let files = files(&String::from_utf8_lossy(input));
    let Ok(project) = coho_project::load_offline(&files, None) else { return };
    for suite in &project.tests {
        let Some(report) = run(&project, suite) else { continue };
        let blessings: Vec<Blessing<'_>> = report.cases.iter().filter_map(blessing).collect();
        let Some(text) = text_of(&files, &report.file).filter(|_| !blessings.is_empty()) else { continue };
        let blessed = bless(text, &blessings);
        let others = files.iter().filter(|file| *file.path != *report.file).cloned();
        let mut files: Vec<File> = others.collect();
        files.push(File::text(&*report.file, blessed.text.as_str()));
        let again = coho_project::load_offline(&files, None);
        assert!(again.is_ok(), "what was written is no project any more: {again:?}\n{}", blessed.text);
    }
}

fn run(project: &Project, suite: &Suite) -> Option<SuiteReport> {
    match &suite.subject {
        SuiteSubject::Template(template) => Some(cases::run_template(suite, template)),
        SuiteSubject::Sync(id) => {
            let sync = project.sync(id)?;
            let key = project.model(&sync.model).map_or(&[][..], |model| &model.key);
            let declared = Declared { types: project.declared_types(&sync.model), key, filters: None };
            Some(cases::run(suite, sync, &declared))
        }
    }
}

fn blessing(case: &coho_core::case::CaseReport) -> Option<Blessing<'_>> {
    match &case.ending {
        CaseEnding::Failed { got, .. } => {
            Some(Blessing { name: &case.name, at: &case.expected_at, answer: got })
        }
        CaseEnding::Passed | CaseEnding::Broken(_) => None,
    }
}

/// The files of an input, with those that a project has at least.
fn files(input: &str) -> Vec<File> {
    let mut written: Vec<(String, String)> = vec![(FIRST.to_owned(), String::new())];
    for line in input.split_inclusive('\n') {
        match (line.strip_prefix("--- "), written.last_mut()) {
            (Some(path), _) => {
                written.retain(|(other, _)| other != path.trim());
                written.push((path.trim().to_owned(), String::new()));
            }
            (None, Some((_, text))) if !line.starts_with('@') => text.push_str(line),
            (None, _) => {}
        }
    }
    written.retain(|(_, text)| !text.is_empty());
    let is_written = |path: &str| written.iter().any(|(other, _)| other == path);
    let base = BASE.iter().filter(|(path, _)| !is_written(path));
    let base = base.map(|(path, text)| File::text(*path, *text));
    base.chain(written.iter().map(|(path, text)| File::text(path.clone(), text.clone()))).collect()
}

fn text_of<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    files.iter().find(|file| *file.path == *path).and_then(|file| match &file.text {
        FileText::Utf8(text) => Some(text.as_str()),
        FileText::NotUtf8 { .. } | FileText::Long | FileText::Unreadable(_) => None,
    })
}

/// How many lines a file has: YAML ends one at a carriage return alone, too.
fn lines(text: &str) -> usize {
    text.replace("\r\n", "\n").split(['\r', '\n']).count()
}

fn assert_told(problems: &[Problem], files: &[File]) {
    assert!(!problems.is_empty(), "refused without a problem");
    for problem in problems {
        assert_ne!(problem.message, PANICKED, "{problem:?}");
        assert!(problem.place.is_some(), "a problem without a place: {problem:?}");
        if let Some(place) = &problem.place {
            let lines = text_of(files, &place.file).map_or(1, lines);
            assert!(place.line as usize <= lines, "{place}: {problem:?}");
        }
        assert!(!excerpt(problem, files).is_empty(), "{problem:?}");
    }
}
