//! Users' mapping tests: a row in, a record or problems out.
//!
//! [`run`] makes each case's row as the source would give it (`columns`), renders and seals it as a new record, compares what
//! comes with what is expected (`compare`), and notes what the passed cases reached of the mapping and of the branches of its
//! templates (`coverage`).
//! [`run_template`] does the same with a single template. Nothing is read, sent or remembered, and there is no clock.
//!
//! ```
//! use coho_core::case::{Case, CaseEnding, Expected, Given, SuiteSubject, Suite};
//! use coho_core::json::parse;
//! use coho_core::object::Object;
//! use coho_core::path::FieldPath;
//! use coho_core::place::Place;
//! use coho_core::sync::{Api, Associations, FirstRun, Guards, Matching, Mode, Removal, Sync, SyncId};
//! use coho_core::sync::{ColumnRef, Expression, FieldSpec, FieldTarget, NullPolicy};
//! use coho_mapping::cases::Declared;
//!
//! let at = Place::default;
//! let column = |name: &str| ColumnRef { name: name.into(), place: at() };
//! let name = FieldSpec {
//!     to: FieldTarget::Path(FieldPath::new("name")),
//!     from: Expression::Column { column: column("name"), cast: None },
//!     null: NullPolicy::Follow,
//!     place: at(),
//! };
//! let sync = Sync {
//!     id: SyncId::new("accounts"),
//!     model: "accounts".into(),
//!     destination: "vitally".into(),
//!     object: Object::Account,
//!     renamed_from: vec![],
//!     api: Api::Rest,
//!     mode: Mode::Upsert,
//!     matching: Matching::ExternalId(column("id")),
//!     associations: Associations::Add,
//!     fields: vec![name],
//!     removal: Removal::Keep,
//!     first_run: FirstRun::Send,
//!     remember_days: None,
//!     run_seconds: None,
//!     guards: Guards::default(),
//!     place: at(),
//! };
//! let given = |column: &str, json| -> Result<Given, coho_core::json::JsonError> {
//!     Ok(Given { column: column.into(), value: parse(json)?, place: at() })
//! };
//! let case = Case {
//!     name: "a row becomes an account".into(),
//!     place: at(),
//!     row: vec![given("id", "7")?, given("name", "\"Alder\"")?],
//!     expected: Expected::Record(parse(r#"{ "externalId": "7", "name": "Birch" }"#)?),
//!     expected_at: at(),
//! };
//! let suite = Suite {
//!     file: "tests/accounts.yaml".into(),
//!     subject: SuiteSubject::Sync(sync.id.clone()),
//!     columns: vec![],
//!     cases: vec![case],
//! };
//! let report = coho_mapping::cases::run(&suite, &sync, &Declared::default());
//! assert!(matches!(&report.cases[0].ending, CaseEnding::Failed { mismatches, .. } if mismatches.len() == 1));
//! # Ok::<(), coho_core::json::JsonError>(())
//! ```

mod columns;
mod compare;
mod coverage;

use std::collections::BTreeSet;

use coho_core::case::{Case, CaseEnding, CaseOutcome, CaseReport, Expected, Suite, SuiteReport};
use coho_core::code::Code;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{Rendered, Sent, diff_fields};
use coho_core::key::Key;
use coho_core::operation::{Draft, FoundBy, seal};
use coho_core::problem::Problem;
use coho_core::row::{ColumnType, Columns, RowBuf};
use coho_core::row_state::Seen;
use coho_core::sync::{Matching, Sync, TemplateText};
use coho_core::value::Value;

use crate::record::{MESSAGE_ID, record};
use crate::{Facts, Filters, Mapping, Specification};
use coho_liquid::{Branch, CompileScope, Context, Reads, Start, Template, Watch, compile};
use coverage::{Branches, Reached};

/// What the project says of a sync's model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Declared<'a> {
    /// The types of columns. Those of the test file win over them, and a column that neither names gets its type from the
    /// values that the cases give it.
    pub types: &'a [(String, ColumnType)],
    /// The columns of the primary key, which an event's `messageId` may be made of.
    pub key: &'a [String],
    /// The filters that templates may call besides those of the dialect.
    pub filters: Option<&'a Filters>,
}

/// Runs the cases of a file.
///
/// A `messageId` that is made of the row's key is compared only where a case names it.
pub fn run(suite: &Suite, sync: &Sync, declared: &Declared<'_>) -> SuiteReport {
    let compiled = mapping(suite, sync, declared);
    let mut reached = Reached::of(sync);
    match compiled {
        Err(problems) => SuiteReport { coverage: reached.into_coverage(), ..not_run(suite, problems) },
        Ok((columns, mapping)) => {
            let key = columns::key(sync, declared, &columns);
            let runner = Runner { sync, columns: &columns, mapping: &mapping, key: &key };
            let mut branches = Branches::of(mapping.branches().to_vec());
            let run = |case| report(case, runner.run(case, &mut reached, &mut branches));
            let cases = suite.cases.iter().map(run).collect();
            let (coverage, branches) = (reached.into_coverage(), branches.into_coverage());
            SuiteReport { coverage, branches, ..ran(suite, cases) }
        }
    }
}

/// A sync's mapping against the columns of a file's rows.
fn mapping(suite: &Suite, sync: &Sync, declared: &Declared<'_>) -> Result<(Columns, Mapping), Vec<Problem>> {
    let columns = columns::columns(suite, sync, declared)?;
    let specification = Specification { filters: declared.filters, ..Specification::of(sync) };
    let mapping = Mapping::compile(&specification, &columns).map_err(explained)?;
    Ok((columns, mapping))
}

fn report(case: &Case, ending: CaseEnding) -> CaseReport {
    CaseReport {
        name: case.name.clone(),
        place: case.place.clone(),
        expected_at: case.expected_at.clone(),
        ending,
    }
}

/// What comes of the rows of a file's cases by a sync's mapping, whatever they expect, as long as `more` says so. Of a row
/// that cannot be made it is told why.
pub fn answers(
    suite: &Suite,
    sync: &Sync,
    declared: &Declared<'_>,
    facts: &Facts,
    more: &dyn Fn() -> bool,
) -> Result<Vec<Answered>, Vec<Problem>> {
    let (columns, mapping) = mapping(suite, sync, declared)?;
    let key = columns::key(sync, declared, &columns);
    let runner = Runner { sync, columns: &columns, mapping: &mapping, key: &key };
    let answer = |case| Ok(runner.made(&runner.row(case)?, facts).answer);
    Ok(suite.cases.iter().take_while(|_| more()).map(answer).collect())
}

/// The same by a single template.
pub fn template_answers(
    suite: &Suite,
    template: &TemplateText,
    facts: &Facts,
    more: &dyn Fn() -> bool,
) -> Result<Vec<Answered>, Vec<Problem>> {
    let (columns, compiled, start) = compiled(suite, template)?;
    let watch = Watch::default();
    let answer = |case| Ok(rendered((&compiled, &start), &row_of(case, &columns, &compiled)?, facts, &watch));
    Ok(suite.cases.iter().take_while(|_| more()).map(answer).collect())
}

/// What came of a row, or why it cannot be made.
pub type Answered = Result<CaseOutcome, Vec<Problem>>;

/// Runs the cases of a file that tests a template.
///
/// The columns are those that the file declares or that a case names; the template may read no others.
pub fn run_template(suite: &Suite, template: &TemplateText) -> SuiteReport {
    match compiled(suite, template) {
        Err(problems) => not_run(suite, problems),
        Ok((columns, compiled, start)) => {
            let shift = |branch: Branch| Branch { place: start.place(&branch.place), ..branch };
            let mut branches = Branches::of(compiled.branches().into_iter().map(shift).collect());
            let run = |case| report(case, render(case, &columns, (&compiled, &start), &mut branches));
            let cases = suite.cases.iter().map(run).collect();
            SuiteReport { branches: branches.into_coverage(), ..ran(suite, cases) }
        }
    }
}

/// A template against the columns of a file's rows, and where it starts.
fn compiled(suite: &Suite, template: &TemplateText) -> Result<(Columns, Template, Start), Vec<Problem>> {
    let start = Start { place: template.place.clone(), indent: template.indent };
    let columns = columns::of_rows(suite)?;
    let moved = |problems: Vec<Problem>| -> Vec<Problem> {
        problems.into_iter().map(|problem| declarable(start.shift(problem))).collect()
    };
    let settings = crate::compile::settings(template);
    let scope = CompileScope::columns(&columns).settings(settings).snippets(&template.snippets);
    let compiled = compile(&template.text, &scope).map_err(moved)?;
    Ok((columns, compiled, start))
}

fn row_of(case: &Case, columns: &Columns, template: &Template) -> Result<RowBuf, Vec<Problem>> {
    let reads: Vec<usize> = match template.columns() {
        Reads::Columns(reads) => reads.iter().copied().collect(),
        Reads::All => (0..columns.len()).collect(),
    };
    columns::row(case, columns, &reads)
}

fn rendered(
    (template, start): (&Template, &Start),
    row: &RowBuf,
    facts: &Facts,
    watch: &Watch,
) -> CaseOutcome {
    let context = Context::row(row).sync(&facts.sync).run(&facts.run).watch(watch);
    match template.render(&facts.now.map_or(context, |now| context.at(now))) {
        Ok(value) => CaseOutcome::Value(value),
        Err(problem) => CaseOutcome::Problems(vec![start.shift(problem)]),
    }
}

fn render(
    case: &Case,
    columns: &Columns,
    template: (&Template, &Start),
    branches: &mut Branches,
) -> CaseEnding {
    let row = match row_of(case, columns, template.0) {
        Ok(row) => row,
        Err(problems) => return CaseEnding::Broken(problems),
    };
    let watch = Watch::default();
    let got = rendered(template, &row, &Facts::of_tests(Value::Object(Vec::new())), &watch);
    let mismatches = compare::compare(None, &case.expected, &got);
    if !mismatches.is_empty() {
        return CaseEnding::Failed { mismatches, got };
    }
    branches.taken(&watch.taken());
    CaseEnding::Passed
}

fn not_run(suite: &Suite, problems: Vec<Problem>) -> SuiteReport {
    let broken = suite.cases.iter().map(|case| report(case, CaseEnding::Broken(Vec::new())));
    SuiteReport { problems, ..ran(suite, broken.collect()) }
}

fn ran(suite: &Suite, cases: Vec<CaseReport>) -> SuiteReport {
    let (file, subject) = (suite.file.clone(), suite.subject.clone());
    SuiteReport { file, subject, problems: vec![], cases, coverage: vec![], branches: vec![] }
}

/// A column may be missing only because no row happens to name it.
fn declarable(problem: Problem) -> Problem {
    match (problem.code, &problem.help) {
        (Code::UNKNOWN_COLUMN, Some(help)) if !help.starts_with("did you mean") => {
            let help = format!("{help}; or declare it in the test file: `columns: {{ … }}`");
            Problem { help: Some(help), ..problem }
        }
        _ => problem,
    }
}

/// A type that was taken from the values of the tests may not be the source's.
fn explained(problems: Vec<Problem>) -> Vec<Problem> {
    let explain = |problem: Problem| match (problem.code, &problem.help) {
        (Code::TYPE_MISMATCH, Some(help)) => {
            let help =
                format!("{help}; or say in the test file what type the source gives: `columns: {{ … }}`");
            Problem { help: Some(help), ..problem }
        }
        _ => problem,
    };
    problems.into_iter().map(explain).collect()
}

struct Runner<'a> {
    sync: &'a Sync,
    columns: &'a Columns,
    mapping: &'a Mapping,
    /// The columns of the key, where a `messageId` is made of it.
    key: &'a [(usize, String)],
}

/// What was made of a row.
struct Made {
    rendered: Result<Rendered, Vec<Problem>>,
    /// The branches that templates took.
    taken: BTreeSet<usize>,
    answer: CaseOutcome,
    key: Option<Key>,
}

impl Runner<'_> {
    fn row(&self, case: &Case) -> Result<RowBuf, Vec<Problem>> {
        let key = self.key.iter().map(|(place, _)| *place);
        let reads: Vec<usize> = self.mapping.reads().iter().copied().chain(key).collect();
        columns::row(case, self.columns, &reads)
    }

    fn made(&self, row: &RowBuf, facts: &Facts) -> Made {
        let key = if self.key.is_empty() { None } else { Key::of(row, self.key).ok() };
        let stand_in = Key::new("test");
        let (rendered, taken) =
            self.mapping.render_watched(Some(key.as_ref().unwrap_or(&stand_in)), row, facts);
        let answer = match &rendered {
            Ok(rendered) => self.sealed(rendered, row),
            Err(problems) => CaseOutcome::Problems(problems.clone()),
        };
        Made { rendered, taken, answer, key }
    }

    fn run(&self, case: &Case, reached: &mut Reached<'_>, branches: &mut Branches) -> CaseEnding {
        let row = match self.row(case) {
            Ok(row) => row,
            Err(problems) => return CaseEnding::Broken(problems),
        };
        let id = Value::text(self.sync.id.as_str());
        let facts = Facts::of_tests(Value::Object(vec![("id".to_owned(), id)]));
        let Made { rendered, taken, answer, key } = self.made(&row, &facts);
        let got = self.told(answer, &case.expected, key.as_ref());
        let mismatches = compare::compare(Some(self.sync.object), &case.expected, &got);
        if !mismatches.is_empty() {
            return CaseEnding::Failed { mismatches, got };
        }
        branches.taken(&taken);
        match (&rendered, &got) {
            (Ok(rendered), CaseOutcome::Record(_)) => reached.record(rendered),
            (Ok(rendered), CaseOutcome::Problems(_) | CaseOutcome::Value(_)) => reached.nulls(rendered),
            (Err(problems), _) => reached.problems(problems),
        }
        CaseEnding::Passed
    }

    /// A `messageId` that no column gives says nothing of the mapping: it is told where the case names it, and only if the
    /// row has a key to make it of.
    fn told(&self, answer: CaseOutcome, expected: &Expected, key: Option<&Key>) -> CaseOutcome {
        let made = matches!(self.sync.matching, Matching::Message(None));
        let named = matches!(expected, Expected::Record(record) if record.get(MESSAGE_ID).is_some());
        match answer {
            CaseOutcome::Record(Value::Object(mut members)) if made && !(named && key.is_some()) => {
                members.retain(|(name, _)| name != MESSAGE_ID);
                CaseOutcome::Record(Value::Object(members))
            }
            CaseOutcome::Record(_) | CaseOutcome::Value(_) | CaseOutcome::Problems(_) => answer,
        }
    }

    /// What a new record of this row would be, or what is wrong with it by the object's rules.
    fn sealed(&self, rendered: &Rendered, row: &RowBuf) -> CaseOutcome {
        let draft = Draft {
            key: &Key::new("test"),
            object: self.sync.object,
            mode: self.sync.mode,
            found_by: match self.sync.matching {
                Matching::Email { .. } => FoundBy::Email,
                Matching::ExternalId(_) | Matching::Message(_) => FoundBy::ExternalId,
            },
            rendered,
            field_diff: diff_fields(rendered, &Sent::new()),
            row_state: None,
            change: Change::Add,
            reason: Reason::NewRecord,
            seen: Seen { row: Digest::of(row.as_bytes()), mapping: self.mapping.digest() },
        };
        match seal(draft) {
            Ok(_) => CaseOutcome::Record(record(self.sync.object, rendered)),
            Err(problems) => CaseOutcome::Problems(problems),
        }
    }
}
