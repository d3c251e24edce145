//! What became of users' mapping tests, as a document.

use coho_core::case::{
    BranchCoverage, CaseEnding, CaseReport, Coverage, Covered, Mismatch, Reach, SuiteReport,
};
use coho_core::case::{Tally, coverage};
use coho_core::json::{Json, to_serde};
use coho_core::sync::SyncId;
use serde_json::json;

use super::problem::members;
use super::{VERSION, object};

/// What `coho test --json` gives:
///
/// ```json
/// {
///   "version": 1,
///   "kind": "tests",
///   "passed": 11, "failed": 1, "broken": 0,
///   "tests": [{
///     "file": "tests/users.yaml", "line": 9, "sync": "users", "name": "a null e-mail is left out", "result": "failed",
///     "differences": [{ "field": "email", "got": null }, { "missing": "cast-failed", "field": "traits.seats" }],
///     "problems": []
///   }],
///   "problems": [{ "…": "why the tests of a whole file are broken" }],
///   "coverage": [{
///     "sync": "users",
///     "fields": [{ "field": "email", "set": true, "null": true }],
///     "branches": [{
///       "branch": "{% if row.seats > 10 %}", "file": "syncs/users.yaml", "line": 12, "column": 24, "reached": false
///     }]
///   }],
///   "untested": ["accounts"]
/// }
/// ```
///
/// Tests of a template have no `sync`, and their differences no `field`. Values of `expected` and `got` are whole: they are
/// the test's own. The one that is not there is left out. In `coverage`, what cannot be is left out: a static value is never
/// null, and only a cast can fail. A template that is tested by itself has its test's `file` in place of a `sync`, no `fields`,
/// and is there only if it has branches.
pub fn cases(reports: &[SuiteReport], untested: &[SyncId]) -> Json {
    let tally = Tally::of(reports.iter().flat_map(|report| &report.cases));
    let tests = reports.iter().flat_map(|report| report.cases.iter().map(|case| test(report, case)));
    let problems = reports.iter().flat_map(|report| report.problems.iter().map(members));
    json!({
        "version": VERSION,
        "kind": "tests",
        "passed": tally.passed,
        "failed": tally.failed,
        "broken": tally.broken,
        "tests": tests.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "coverage": coverage(reports).iter().map(reached).collect::<Vec<_>>(),
        "untested": untested.iter().map(SyncId::as_str).collect::<Vec<_>>(),
    })
}

fn test(report: &SuiteReport, case: &CaseReport) -> Json {
    let (result, differences, problems): (_, Vec<Json>, Vec<Json>) = match &case.ending {
        CaseEnding::Passed => ("passed", Vec::new(), Vec::new()),
        CaseEnding::Failed { mismatches, .. } => {
            let problems = mismatches.iter().filter_map(|mismatch| match mismatch {
                Mismatch::Unexpected(problem) => Some(members(problem)),
                Mismatch::Field { .. } | Mismatch::Value { .. } | Mismatch::Missing(_) => None,
            });
            ("failed", mismatches.iter().filter_map(difference).collect(), problems.collect())
        }
        CaseEnding::Broken(problems) => ("broken", Vec::new(), problems.iter().map(members).collect()),
    };
    object([
        ("file", Some((*report.file).into())),
        ("line", Some(case.place.line.into())),
        ("sync", report.subject.as_sync().map(|sync| sync.as_str().into())),
        ("name", Some(case.name.as_str().into())),
        ("result", Some(result.into())),
        ("differences", Some(differences.into())),
        ("problems", Some(problems.into())),
    ])
}

fn difference(mismatch: &Mismatch) -> Option<Json> {
    Some(match mismatch {
        Mismatch::Field { path, expected, got } => object([
            ("field", Some(path.to_string().into())),
            ("expected", expected.as_ref().map(to_serde)),
            ("got", got.as_ref().map(to_serde)),
        ]),
        Mismatch::Value { expected, got } => {
            json!({ "expected": to_serde(expected), "got": to_serde(got) })
        }
        Mismatch::Missing(wanted) => object([
            ("missing", Some(wanted.code.as_str().into())),
            ("field", wanted.field.as_ref().map(|field| field.to_string().into())),
        ]),
        Mismatch::Unexpected(_) => return None,
    })
}

fn reached(coverage: &Coverage) -> Json {
    let known = |reach: Reach| match reach {
        Reach::Impossible => None,
        Reach::Missed => Some(false.into()),
        Reach::Reached => Some(true.into()),
    };
    let fields = coverage.fields.iter().map(|field| {
        object([
            ("field", Some(field.field.as_str().into())),
            ("set", known(field.set)),
            ("null", known(field.null)),
            ("cast_failed", known(field.failed)),
        ])
    });
    let branches: Vec<Json> = coverage.branches.iter().map(branch).collect();
    match &coverage.of {
        Covered::Sync(sync) => {
            json!({ "sync": sync.as_str(), "fields": fields.collect::<Vec<_>>(), "branches": branches })
        }
        Covered::Template(file) => json!({ "file": **file, "branches": branches }),
    }
}

fn branch(branch: &BranchCoverage) -> Json {
    json!({
        "branch": branch.label,
        "file": *branch.place.file,
        "line": branch.place.line,
        "column": branch.place.column,
        "reached": branch.reached,
    })
}
