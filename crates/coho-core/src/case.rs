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
    pub subject: Subject,
    /// Types of columns as the source would give them; the others follow from the model or from the values.
    pub columns: Vec<(String, ColumnType)>,
    /// The cases, in the file's order; no two have one name.
    pub cases: Vec<Case>,
}

/// What a file of cases tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The mapping of a sync.
    Sync(SyncId),
    /// A single template.
    Template(TemplateText),
}

impl Subject {
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
    Problems(Vec<Wanted>),
}

/// A problem that a case waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its code.
    pub code: Code,
    /// The field that it concerns; any where absent.
    pub field: Option<FieldPath>,
}

impl Wanted {
    /// Whether a problem is the one.
    pub fn is(&self, problem: &Problem) -> bool {
        self.code == problem.code
            && self.field.as_ref().is_none_or(|field| problem.field.as_ref() == Some(field))
    }
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A record, in the form of [`Expected::Record`].
    Record(Value),
    /// A template's value.
    Value(Value),
    /// Problems; at least one.
    Problems(Vec<Problem>),
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As expected.
    Passed,
    /// Otherwise.
    Failed {
        /// Where what came differs from what was expected; at least one.
        mismatches: Vec<Mismatch>,
        /// What came.
        got: Answer,
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
    Missing(Wanted),
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
    pub ending: Ending,
}

/// How a file of cases ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteReport {
    /// The file.
    pub file: Arc<str>,
    /// What is tested.
    pub subject: Subject,
    /// Why no case could be run: the mapping or template does not compile, or the columns do not fit. Empty if they were run.
    pub problems: Vec<Problem>,
    /// The cases, in the file's order. Where none could be run, each is broken without problems of its own.
    pub cases: Vec<CaseReport>,
    /// What the cases that passed reached of the mapping; nothing for a template.
    pub coverage: Vec<FieldCoverage>,
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

/// The coverage of one sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncCoverage {
    /// The sync.
    pub sync: SyncId,
    /// Its fields, in the order in which they are mapped.
    pub fields: Vec<FieldCoverage>,
}

/// What all files together reached, by sync, in the order in which the syncs first occur. Files of which no case could be run
/// do not count.
pub fn coverage(reports: &[SuiteReport]) -> Vec<SyncCoverage> {
    let mut all: Vec<SyncCoverage> = Vec::new();
    for report in reports.iter().filter(|report| report.problems.is_empty()) {
        let Subject::Sync(sync) = &report.subject else { continue };
        match all.iter_mut().find(|known| known.sync == *sync) {
            Some(known) => known.add(&report.coverage),
            None => all.push(SyncCoverage { sync: sync.clone(), fields: report.coverage.clone() }),
        }
    }
    all
}

impl SyncCoverage {
    fn add(&mut self, more: &[FieldCoverage]) {
        for (known, field) in self.fields.iter_mut().zip(more) {
            known.set = known.set.max(field.set);
            known.null = known.null.max(field.null);
            known.failed = known.failed.max(field.failed);
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
                Ending::Passed => tally.passed += 1,
                Ending::Failed { .. } => tally.failed += 1,
                Ending::Broken(_) => tally.broken += 1,
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
            subject: Subject::Sync(SyncId::new(sync)),
            problems: Vec::new(),
            cases: Vec::new(),
            coverage: vec![field],
        }
    }

    #[test]
    fn two_files_of_one_sync_add_up() {
        let reports = [report("a", Reach::Reached), report("b", Reach::Missed), report("a", Reach::Missed)];
        let all = coverage(&reports);
        let reached: Vec<_> = all.iter().map(|sync| (sync.sync.as_str(), sync.fields[0].set)).collect();
        assert_eq!(reached, [("a", Reach::Reached), ("b", Reach::Missed)]);
        assert_eq!(all[0].fields[0].failed, Reach::Impossible);
    }

    #[test]
    fn a_problem_without_a_field_is_any_of_its_code() {
        let problem = Problem::new(Code::CAST_FAILED, "").field(&FieldPath::new("traits.a"));
        assert!(Wanted { code: Code::CAST_FAILED, field: None }.is(&problem));
        assert!(Wanted { code: Code::CAST_FAILED, field: Some(FieldPath::new("traits.a")) }.is(&problem));
        assert!(!Wanted { code: Code::CAST_FAILED, field: Some(FieldPath::new("name")) }.is(&problem));
        assert!(!Wanted { code: Code::VALUE_TYPE, field: None }.is(&problem));
    }
}
