//! Reading with the help of the source's buckets: only the rows of those are moved that may have changed, each with its marks,
//! so that the next reading knows what their sums stand for.

use coho_core::decide::Completeness;
use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_ledger::buckets::BucketBasis;
use coho_ledger::row_state::RowStates;
use coho_source::buckets::{CompareQuery, SourceSums, Wanted};
use coho_source::cache::CacheTable;

use crate::buckets::learn::{Learner, Misplaced};
use crate::buckets::sums::finest;
use crate::buckets::survey::Survey;
use crate::buckets::{self, Difference, words};
use crate::compare::KnownRows;
use crate::failure::PlanError;
use crate::intake::{Intake, Read, Taught};
use crate::job::{Comparing, Job, Waiting};
use crate::opening::{Opened, failed, needed, open, remembered, unless_stopped};
use crate::progress::Step;
use crate::table::Table;

/// Why all rows are read.
const NOT_YET: &str = "Coho has not compared this model before";
const OTHER_BASIS: &str = "the columns, their types or Coho's version changed";
const MANY: &str = "more than half of the rows are in buckets that differ";
const LARGE: &str = "the ledger remembers too many rows to sum them up";
const GROWN: &str = "the model has grown and needs more buckets";
pub(super) const MISPLACED: &str = "the source and Coho format a primary key differently";

/// Which rows are read, and what is known of the others.
struct Choice {
    wanted: Wanted,
    row_states: RowStates,
    known: KnownRows,
    difference: Option<Difference>,
    /// Why all rows are read, where they are.
    why: &'static str,
    /// How many buckets are learned of, as a power of two, where that is settled.
    bits: Option<u8>,
}

/// The source cannot help: all rows must be read in the usual way.
pub(super) struct Unhelped {
    pub(super) why: String,
    /// The model, where it is open already and gives all rows.
    pub(super) opened: Option<Box<Opened>>,
}

impl Unhelped {
    pub(super) fn unopened(why: &str) -> Self {
        Self { why: why.to_owned(), opened: None }
    }
}

/// Reads what the source's buckets do not show to be as it was.
pub(super) async fn read(job: &Job<'_>, table: &Table) -> Result<Result<Read, Unhelped>, PlanError> {
    let why = buckets::why_all(job);
    let before = match (why, job.scope) {
        (None, Some(scope)) => job.ledger.bucket_basis(scope)?,
        _ => None,
    };
    let learns = learns(job);
    if before.is_none() && !learns {
        return Ok(Err(Unhelped::unopened(why.unwrap_or(NOT_YET))));
    }
    let Asked { opened, told, basis } = match ask(job, before.as_ref(), None).await? {
        Ok(asked) => asked,
        Err(unhelped) => return Ok(Err(unhelped)),
    };
    let before = before.filter(|before| before.basis == basis);
    let choice = choose(job, &opened, &told, before, why, learns)?;
    take(job, table, opened, choice, (told.by, learns.then_some(basis))).await
}

/// Whether what is learned of the source is remembered: of all rows, and of nothing less.
pub(super) fn learns(job: &Job<'_>) -> bool {
    job.comparing == Comparing::InSourceLearning
        && job.filter.completeness() == Completeness::Complete
        && job.filter.waiting == Waiting::Too
        && job.sync.matching.email().is_none()
}

/// What a source that was asked says of a model.
pub(super) struct Asked {
    pub(super) opened: Opened,
    pub(super) told: SourceSums,
    /// Stands for the columns, and for what was told.
    pub(super) basis: Digest,
}

/// Opens the model, and asks its source for sums, or for a cache.
pub(super) async fn ask(
    job: &Job<'_>,
    before: Option<&BucketBasis>,
    cache: Option<&CacheTable>,
) -> Result<Result<Asked, Unhelped>, PlanError> {
    let mut opened = open(job).await?;
    let mut reads = needed(&opened.mapping, &opened.key);
    reads.sort_unstable();
    reads.dedup();
    let key = opened.key.iter().map(|(at, _)| *at).collect();
    let ask =
        CompareQuery { key, reads: reads.clone(), bits: before.map(buckets::level), cache: cache.cloned() };
    let told = unless_stopped(job, opened.reading.compare(&reads, ask)).await?;
    let told = match told.map_err(|error| failed(job, &error))? {
        Ok(told) => told,
        Err(why) => return Ok(Err(Unhelped { why, opened: Some(Box::new(opened)) })),
    };
    let names: Vec<_> = opened.reading.columns().names().collect();
    let basis = buckets::basis(told.basis, opened.mapping.reads().iter().filter_map(|at| names.get(*at)));
    Ok(Ok(Asked { opened, told, basis }))
}

/// Chooses the rows that are read.
fn choose(
    job: &Job<'_>,
    opened: &Opened,
    told: &SourceSums,
    before: Option<BucketBasis>,
    why: Option<&'static str>,
    learns: bool,
) -> Result<Choice, PlanError> {
    let all = |why: &'static str, bits: Option<u8>, difference: Option<Difference>| {
        let (row_states, known) = remembered(job, &opened.mapping)?;
        Ok(Choice { wanted: Wanted::All, row_states, known, difference, why, bits })
    };
    let (Some(before), Some(scope)) = (before, job.scope) else {
        return all(why.unwrap_or(if told.sums.is_empty() { NOT_YET } else { OTHER_BASIS }), None, None);
    };
    let mut row_states = job.ledger.row_states(scope)?;
    let level = buckets::level(&before);
    let survey = Survey::of(&mut row_states, opened.mapping.digest(), level, (job.folder, job.stop))?;
    let Some(survey) = survey else { return all(LARGE, None, None) };
    let known = job.ledger.buckets(scope, &before, level)?;
    let difference = Difference::of(told, &known, &survey);
    drop(known);
    let most = Some(finest(difference.rows));
    if difference.is_large() {
        return all(MANY, most, Some(difference));
    }
    if learns && buckets::is_coarse(&before, difference.rows) {
        return all(GROWN, most, Some(difference));
    }
    let wanted = Wanted::Buckets(difference.chosen.clone());
    let known = survey.known(&difference.chosen)?;
    let bits = Some(before.bits);
    Ok(Choice { wanted, row_states, known, difference: Some(difference), why: "", bits })
}

/// Takes the rows that are wanted. Where somebody remembers it, what they teach is given on the basis that stands behind who told.
async fn take(
    job: &Job<'_>,
    table: &Table,
    mut opened: Opened,
    choice: Choice,
    (by, basis): (&'static str, Option<Digest>),
) -> Result<Result<Read, Unhelped>, PlanError> {
    let Choice { wanted, row_states, known, difference, why, bits } = choice;
    let mut learner = Learner::of(bits);
    let mut intake = Intake::of(job, table, &opened.mapping, known);
    let is_all = wanted == Wanted::All;
    opened.reading.want(wanted);
    loop {
        let batch = unless_stopped(job, opened.reading.next_marked()).await?;
        let Some(batch) = batch.map_err(|error| failed(job, &error))? else { break };
        for marked in &batch {
            let key = Key::of(&marked.row, &opened.key);
            let fingerprint = marked.row.fingerprint(opened.mapping.reads());
            if learner.take(key.as_ref(), fingerprint, marked) == Err(Misplaced) {
                return Ok(Err(Unhelped::unopened(MISPLACED)));
            }
            intake.keyed(key, fingerprint, &marked.row)?;
        }
        job.tell(Step::Reading(intake.read))?;
    }
    let moved = opened.reading.moved();
    let changed = difference.as_ref().map_or(0, Difference::changed);
    let (how, unread, taught) = match difference.filter(|_| !is_all) {
        Some(difference) => (
            words::compared(by, &difference, moved),
            difference.rows - difference.to_read,
            basis.map(|basis| learner.some(basis, changed, &difference.chosen)),
        ),
        None => (words::all(moved, why), 0, basis.map(|basis| learner.all(basis, changed))),
    };
    let taught = Taught { how: Some(how), learned: taught, publication: None };
    intake.sorted(job, opened, row_states, unread, taught).map(Ok)
}
