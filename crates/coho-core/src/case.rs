//! Users' mapping tests: a row in, a record or problems out; and what became of them.
//!
//! `coho-project` reads them from `tests/*.yaml`, `coho-mapping` runs them, `coho-report` tells how they ended. None of the
//! three sees the others, so the nouns live here.

use std::sync::Arc;

use crate::code::Code;
use crate::path::FieldPath;
use crate::place::Place;
use crate::problem::Problem;
use crate::row::ColumnType;
use crate::sync::{SyncId, TemplateText};
use crate::value::Value;

/// A file of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The file, relative to the project.
    pub file: Arc<str>,
    /// What is tested.
    pub subject: SuiteSubject,
    /// Types of columns as the source would give them; the others follow from the model or from the values.
    pub columns: Vec<(String, ColumnType)>,
    /// The cases, in the file's order; no two have one name.
    pub cases: Vec<Case>,
}

/// What a file of cases tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SuiteSubject {
    /// The mapping of a sync.
    Sync(SyncId),
    /// A single template.
    Template(TemplateText),
}

impl SuiteSubject {
    /// The sync, if its mapping is what is tested.
    pub fn as_sync(&self) -> Option<&SyncId> {
        if let Self::Sync(sync) = self { Some(sync) } else { None }
    }
}

/// A row, and what must become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name: a sentence.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// The row. Columns that it does not name are null.
    pub row: Vec<Given>,
    /// What must become of it.
    pub expected: Expected,
    /// Where `record`, `value` or `problems` stands.
    pub expected_at: Place,
}

/// A column of a row, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The column's name.
    pub column: String,
    /// What it holds, as the file writes it: moments are still texts.
    pub value: Value,
    /// Where the column is named.
    pub place: Place,
}

/// What must become of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This record: `externalId`, fields, and traits under `traits`. A null stands where a field is cleared; what is not
    /// named must not be there.
    Record(Value),
    /// This value of a template.
    Value(Value),
    /// These problems and no other, in any order.
    Problems(Vec<ExpectedProblem>),
}

/// A problem that a case waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedProblem {
    /// Its code.
    pub code: Code,
    /// The field that it concerns; any where absent.
    pub field: Option<FieldPath>,
}

impl ExpectedProblem {
    /// Whether a problem is the one.
    pub fn is(&self, problem: &Problem) -> bool {
        self.code == problem.code
            && self.field.as_ref().is_none_or(|field| problem.field.as_ref() == Some(field))
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// A record, in the form of [`Expected::Record`].
    Record(Value),
    /// A template's value.
    Value(Value),
    /// Problems; at least one.
    Problems(Vec<Problem>),
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseEnding {
    /// As expected.
    Passed,
    /// Otherwise.
    Failed {
        /// Where what came differs from what was expected; at least one.
        mismatches: Vec<Mismatch>,
        /// What came.
        got: CaseOutcome,
    },
    /// It could not be run: its row cannot be made. The problems say why.
    Broken(Vec<Problem>),
}

/// One way in which what came differs from what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// A field of the record; at least one of the two is there.
    Field {
        /// The field.
        path: FieldPath,
        /// What the case says; absent where it does not name the field.
        expected: Option<Value>,
        /// What came; absent where the record does not have the field.
        got: Option<Value>,
    },
    /// A template's value.
    Value {
        /// What the case says.
        expected: Value,
        /// What came.
        got: Value,
    },
    /// A problem that did not come.
    Missing(ExpectedProblem),
    /// A problem that came, and that the case does not name.
    Unexpected(Problem),
}

/// How a case ended, with what is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// Where its name stands.
    pub place: Place,
    /// Where `record`, `value` or `problems` stands.
    pub expected_at: Place,
    /// How it ended.
    pub ending: CaseEnding,
}

/// How a file of cases ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteReport {
    /// The file.
    pub file: Arc<str>,
    /// What is tested.
    pub subject: SuiteSubject,
    /// Why no case could be run: the mapping or template does not compile, or the columns do not fit. Empty if they were run.
    pub problems: Vec<Problem>,
    /// The cases, in the file's order. Where none could be run, each is broken without problems of its own.
    pub cases: Vec<CaseReport>,
    /// What the cases that passed reached of the mapping's fields; nothing for a template.
    pub coverage: Vec<FieldCoverage>,
    /// What they reached of the branches of its templates, or of the one that is tested.
    pub branches: Vec<BranchCoverage>,
}

/// What cases reached of one mapped field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCoverage {
    /// The field as it is mapped: `name`, `traits.plan`, or `traits` for all at once.
    pub field: String,
    /// Whether it was ever set to a value.
    pub set: Reach,
    /// Whether it was ever null.
    pub null: Reach,
    /// Whether its cast ever failed.
    pub failed: Reach,
}

/// What cases reached of one branch of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchCoverage {
    /// Its tag, such as `{% if row.seats > 10 %}`.
    pub label: String,
    /// Where the tag stands.
    pub place: Place,
    /// Whether a case took it.
    pub reached: bool,
}

/// Whether cases reached something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// There is nothing to reach.
    Impossible,
    /// No case did.
    Missed,
    /// A case did.
    Reached,
}

/// What coverage is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covered {
    /// The mapping of a sync, by all files that test it.
    Sync(SyncId),
    /// The template that this file tests.
    Template(Arc<str>),
}

/// The coverage of one sync, or of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// What it is of.
    pub of: Covered,
    /// The sync's fields, in the order in which they are mapped; none of a template.
    pub fields: Vec<FieldCoverage>,
    /// The branches of templates, in the order in which they stand.
    pub branches: Vec<BranchCoverage>,
}

/// What all files together reached, by sync and by template, in the order in which they first occur. Files of which no case
/// could be run do not count, nor do templates without branches.
pub fn coverage(reports: &[SuiteReport]) -> Vec<Coverage> {
    let mut all: Vec<Coverage> = Vec::new();
    for report in reports.iter().filter(|report| report.problems.is_empty()) {
        let of = match &report.subject {
            SuiteSubject::Sync(sync) => Covered::Sync(sync.clone()),
            SuiteSubject::Template(_) if report.branches.is_empty() => continue,
            SuiteSubject::Template(_) => Covered::Template(Arc::clone(&report.file)),
        };
        if let Some(known) = all.iter_mut().find(|known| known.of == of) {
            known.add(report);
        } else {
            let (fields, branches) = (report.coverage.clone(), report.branches.clone());
            all.push(Coverage { of, fields, branches });
        }
    }
    all
}

impl Coverage {
    fn add(&mut self, report: &SuiteReport) {
        for (known, field) in self.fields.iter_mut().zip(&report.coverage) {
            known.set = known.set.max(field.set);
            known.null = known.null.max(field.null);
            known.failed = known.failed.max(field.failed);
        }
        for (known, branch) in self.branches.iter_mut().zip(&report.branches) {
            known.reached |= branch.reached;
        }
    }
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Not run.
    pub broken: usize,
}

impl Tally {
    /// Counts the cases.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a CaseReport>) -> Self {
        let mut tally = Self::default();
        for case in cases {
            match case.ending {
                CaseEnding::Passed => tally.passed += 1,
                CaseEnding::Failed { .. } => tally.failed += 1,
                CaseEnding::Broken(_) => tally.broken += 1,
            }
        }
        tally
    }

    /// All of them.
    pub fn all(self) -> usize {
        self.passed + self.failed + self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sync: &str, set: Reach) -> SuiteReport {
        let field =
            FieldCoverage { field: "name".into(), set, null: Reach::Missed, failed: Reach::Impossible };
        SuiteReport {
            file: "tests/a.yaml".into(),
            subject: SuiteSubject::Sync(SyncId::new(sync)),
            problems: Vec::new(),
            cases: Vec::new(),
            coverage: vec![field],
            branches: vec![branch(set == Reach::Reached), branch(false)],
        }
    }

    fn branch(reached: bool) -> BranchCoverage {
        BranchCoverage { label: "{% else %}".into(), place: Place::default(), reached }
    }

    #[test]
    fn two_files_of_one_sync_add_up() {
        let reports = [report("a", Reach::Reached), report("b", Reach::Missed), report("a", Reach::Missed)];
        let all = coverage(&reports);
        let reached: Vec<_> = all.iter().map(|sync| (&sync.of, sync.fields[0].set)).collect();
        let of = |id| Covered::Sync(SyncId::new(id));
        assert_eq!(reached, [(&of("a"), Reach::Reached), (&of("b"), Reach::Missed)]);
        assert_eq!(all[0].branches, [branch(true), branch(false)]);
        assert_eq!(all[0].fields[0].failed, Reach::Impossible);
    }

    #[test]
    fn a_template_is_covered_by_its_file_alone_and_only_if_it_has_branches() {
        let text = TemplateText {
            text: String::new(),
            place: Place::default(),
            indent: 0,
            undefined: crate::sync::UndefinedPolicy::Error,
            snippets: crate::snippet::Snippets::default(),
            blanks: crate::sync::Blanks::default(),
        };
        let of = |file: &str, branches| SuiteReport {
            file: file.into(),
            subject: SuiteSubject::Template(text.clone()),
            coverage: Vec::new(),
            branches,
            ..report("a", Reach::Missed)
        };
        let reports = [of("tests/a.yaml", vec![branch(true)]), of("tests/b.yaml", Vec::new())];
        let all = coverage(&reports);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].of, Covered::Template("tests/a.yaml".into()));
    }

    #[test]
    fn a_problem_without_a_field_is_any_of_its_code() {
        let problem = Problem::new(Code::CAST_FAILED, "").field(&FieldPath::new("traits.a"));
        assert!(ExpectedProblem { code: Code::CAST_FAILED, field: None }.is(&problem));
        assert!(
            ExpectedProblem { code: Code::CAST_FAILED, field: Some(FieldPath::new("traits.a")) }.is(&problem)
        );
        assert!(
            !ExpectedProblem { code: Code::CAST_FAILED, field: Some(FieldPath::new("name")) }.is(&problem)
        );
        assert!(!ExpectedProblem { code: Code::VALUE_TYPE, field: None }.is(&problem));
    }
}
