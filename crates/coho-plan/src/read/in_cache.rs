//! Reading with the help of a cache in the source: only rows come that it does not have as they are, and the rows of those buckets of
//! which memory says something else than when the cache was published. [`crate::cache`] says why that is enough.

use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_ledger::buckets::BucketBasis;
use coho_ledger::row_state::RowStates;
use coho_source::buckets::{Changed, GoneKey, MarkedRow, SourceSums, Wanted, key_digest};
use coho_source::cache::CacheTable;

use super::in_source::{Asked, MISPLACED, Unhelped, ask, learns};
use crate::buckets::survey::Survey;
use crate::buckets::{self, words};
use crate::cache::book::Book;
use crate::cache::{self, Basis, Marks, Publication};
use crate::compare::KnownRows;
use crate::failure::PlanError;
use crate::intake::{Intake, Read, Taught};
use crate::job::Job;
use crate::opening::{Opened, failed, remembered, unless_stopped};
use crate::progress::Step;
use crate::table::Table;

/// Why all rows are read.
const NOT_YET: &str = "Coho has not written this model's cache yet";
const GONE: &str = "the cache is gone";
const OTHER: &str = "the cache was written for other columns, or not by this ledger's last run";
const MANY: &str = "the ledger changed for more than half of the rows since the cache was written";
const LARGE: &str = "the ledger remembers too many rows to sum them up";
const TWINS: &str = "several rows have the same primary key";

/// Which rows are read, and what is known of the others.
struct Choice {
    row_states: RowStates,
    known: KnownRows,
    /// The name of the cache and what is believed of it, or why nothing is.
    book: Result<(Digest, Book), String>,
}

/// What comes of the rows that are read.
struct Taking<'a> {
    intake: Intake<'a>,
    /// What the run is to leave behind, where it is to.
    marks: Option<Marks>,
    book: Option<Book>,
    /// How many rows with a key came.
    named: u64,
}

/// What an attempt came to.
enum Attempt {
    Read(Box<Read>),
    /// Some rows are among those that did not come, and should not be.
    Twins,
    Unhelped(Unhelped),
}

/// Reads what the cache does not show to be as it was.
pub(super) async fn read(
    job: &Job<'_>,
    table: &Table,
    cache: &CacheTable,
) -> Result<Result<Read, Unhelped>, PlanError> {
    let mut why = buckets::why_all(job);
    loop {
        match Box::pin(attempt(job, table, cache, why)).await? {
            Attempt::Read(read) => return Ok(Ok(*read)),
            Attempt::Unhelped(unhelped) => return Ok(Err(unhelped)),
            // What was read until then is forgotten. Of all rows, the next cache is told which ones are not in it.
            Attempt::Twins => why = Some(TWINS),
        }
    }
}

/// Reads, and all rows where there is a reason for it.
async fn attempt(
    job: &Job<'_>,
    table: &Table,
    cache: &CacheTable,
    why: Option<&'static str>,
) -> Result<Attempt, PlanError> {
    let before = match (why, job.scope) {
        (None, Some(scope)) => job.ledger.bucket_basis(scope)?,
        (Some(_), _) | (None, None) => None,
    };
    if before.is_none() && !learns(job) {
        return Ok(Attempt::Unhelped(Unhelped::unopened(why.unwrap_or(NOT_YET))));
    }
    let Asked { opened, told, basis: columns } = match ask(job, None, Some(cache)).await? {
        Ok(asked) => asked,
        Err(unhelped) => return Ok(Attempt::Unhelped(unhelped)),
    };
    let choice = choose(job, &opened, &told, before.as_ref(), (why, columns))?;
    let basis = Basis { table: cache.clone(), columns, mapping: opened.mapping.digest() };
    take(job, table, opened, choice, (told.by, basis)).await
}

/// Chooses the rows that are read.
fn choose(
    job: &Job<'_>,
    opened: &Opened,
    told: &SourceSums,
    before: Option<&BucketBasis>,
    (why, columns): (Option<&'static str>, Digest),
) -> Result<Choice, PlanError> {
    let all = |why: &str| {
        let (row_states, known) = remembered(job, &opened.mapping)?;
        Ok(Choice { row_states, known, book: Err(why.to_owned()) })
    };
    let name = match (why, &told.published) {
        (Some(why), _) => return all(why),
        (None, Err(refusal)) => return all(&format!("the cache cannot be read: {refusal}")),
        (None, Ok(name)) => *name,
    };
    let (Some(before), Some(scope)) = (before, job.scope) else { return all(NOT_YET) };
    let Some(name) = name.filter(|name| before.basis == cache::basis(columns, *name)) else {
        return all(if name.is_none() { GONE } else { OTHER });
    };
    let mut row_states = job.ledger.row_states(scope)?;
    let survey = Survey::of(&mut row_states, opened.mapping.digest(), before.bits, (job.folder, job.stop))?;
    let Some(survey) = survey else { return all(LARGE) };
    let book = Book::believed(&job.ledger.buckets(scope, before, before.bits)?, &survey.sums);
    if book.rows() < before.rows / 2 {
        return all(MANY);
    }
    let known = survey.known(book.chosen())?.that_come_whole();
    Ok(Choice { row_states, known, book: Ok((name, book)) })
}

/// Takes the rows that are wanted.
async fn take(
    job: &Job<'_>,
    table: &Table,
    mut opened: Opened,
    choice: Choice,
    (by, basis): (&'static str, Basis),
) -> Result<Attempt, PlanError> {
    let Choice { row_states, known, book } = choice;
    let (name, book, why) = match book {
        Ok((name, book)) => (Some(name), Some(book), String::new()),
        Err(why) => (None, None, why),
    };
    opened.reading.want(book.as_ref().map_or(Wanted::All, |book| Wanted::Changed(book.chosen().clone())));
    let intake = Intake::of(job, table, &opened.mapping, known);
    let marks = learns(job).then(|| Marks::in_folder(job.folder));
    let mut taking = Taking { intake, marks, book, named: 0 };
    loop {
        let part = unless_stopped(job, opened.reading.next_changed()).await?;
        let Some(part) = part.map_err(|error| failed(job, &error))? else { break };
        if !taking.part(&opened, part)? {
            return Ok(Attempt::Unhelped(Unhelped::unopened(MISPLACED)));
        }
        job.tell(Step::Reading(taking.intake.read))?;
    }
    let Taking { intake, marks, book, named } = taking;
    let moved = opened.reading.moved();
    let all = opened.reading.counted().unwrap_or(named);
    let same = all.saturating_sub(named);
    let how = match &book {
        Some(book) if !book.is_of(same) => return Ok(Attempt::Twins),
        Some(_) => words::cached(by, all, moved),
        None => words::all(moved, &why),
    };
    let publication = match marks {
        Some(marks) => Publication::of(basis, name.zip(book), marks)?,
        None => None,
    };
    let taught = Taught { how: Some(how), learned: None, publication };
    Ok(Attempt::Read(Box::new(intake.sorted(job, opened, row_states, same, taught)?)))
}

impl Taking<'_> {
    /// Takes some of what comes. False where the source and Coho write keys in different ways.
    fn part(&mut self, opened: &Opened, part: Changed) -> Result<bool, PlanError> {
        match part {
            Changed::Rows(rows) => {
                for row in &rows {
                    if !self.row(opened, row)? {
                        return Ok(false);
                    }
                }
            }
            Changed::Gone(keys) => keys.iter().try_for_each(|key| self.gone(key))?,
        }
        Ok(true)
    }

    fn row(&mut self, opened: &Opened, marked: &MarkedRow) -> Result<bool, PlanError> {
        let key = Key::of(&marked.row, &opened.key);
        let fingerprint = marked.row.fingerprint(opened.mapping.reads());
        self.named += u64::from(marked.key.is_some());
        if let Ok(key) = &key {
            let digest = key_digest(key.row());
            if marked.key != Some(digest) {
                return Ok(false);
            }
            if let Some((book, seen)) = self.book.as_mut().zip(marked.cached) {
                book.take_out(digest, u128::from_be_bytes(seen.to_bytes()));
            }
            if let Some(marks) = &mut self.marks {
                marks.row(key, fingerprint, marked.halves)?;
            }
        }
        self.intake.keyed(key, fingerprint, &marked.row)?;
        Ok(true)
    }

    fn gone(&mut self, gone: &GoneKey) -> Result<(), PlanError> {
        let key = Key::new(&gone.key);
        if let Some(book) = &mut self.book {
            book.take_out(key_digest(&gone.key), u128::from_be_bytes(gone.cached.to_bytes()));
        }
        if let Some(marks) = &mut self.marks {
            marks.gone(&key)?;
        }
        self.intake.gone(&key)
    }
}
