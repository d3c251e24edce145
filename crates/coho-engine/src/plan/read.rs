//! From the source to rows sorted by key.

use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::Purpose;
use coho_core::digest::{Digest, Hasher};
use coho_core::key::{Key, KeyError};
use coho_core::model::Model;
use coho_core::plan::{ProblemCounts, count_problem};
use coho_core::problem::{Problem, nearest};
use coho_core::row::{Columns, RowBuf};
use coho_core::target::ExternalId;
use coho_core::verdict::Fate;
use coho_ledger::sort::{Sorted, Sorter};
use coho_ledger::spool::Spool;
use coho_mapping::{Mapping, Specification};
use coho_source::{Scope, SourceError};

use super::{Job, PlanError};

/// How much memory the rows of one sync may take before they spill to disk.
const SORT_BUDGET: usize = 48 << 20;

/// A model's rows in the order of their keys.
pub(super) struct Read {
    pub(super) mapping: Mapping,
    pub(super) rows: Sorted,
    pub(super) counts: Counts,
    pub(super) problems: ProblemCounts,
    /// Where the plan is put together; it knows already which e-mail addresses occur twice.
    pub(super) spool: Spool,
}

/// Reads the whole model. Rows without a key are counted as invalid here.
pub(super) async fn read(job: &Job<'_>) -> Result<Read, PlanError> {
    let scope = job.filter.limit.map_or(Scope::All, Scope::First);
    let mut reading = coho_source::read(job.connection, job.model, scope)
        .await
        .map_err(|error| failed(job, vec![source_problem(&error, job.model)]))?;
    let mapping = Mapping::compile(&Specification::of(job.sync), reading.columns());
    let key = key_columns(job.model, reading.columns());
    let (mapping, key) = match (mapping, key) {
        (Ok(mapping), Ok(key)) => (mapping, key),
        (mapping, key) => {
            let problems = key.err().into_iter().chain(mapping.err()).flatten().collect();
            return Err(failed(job, problems));
        }
    };
    let mut intake = Intake {
        sorter: Sorter::new(SORT_BUDGET, job.folder),
        counts: Counts::default(),
        problems: ProblemCounts::new(),
        spool: Spool::new(job.folder)?,
    };
    while let Some(batch) =
        reading.next().await.map_err(|error| failed(job, vec![source_problem(&error, job.model)]))?
    {
        for row in &batch {
            intake.take(job, &mapping, &key, row)?;
        }
        (job.progress)(intake.counts.read);
    }
    let Intake { sorter, counts, problems, spool } = intake;
    Ok(Read { mapping, rows: sorter.finish()?, counts, problems, spool })
}

struct Intake {
    sorter: Sorter,
    counts: Counts,
    problems: ProblemCounts,
    spool: Spool,
}

/// Stands for an e-mail address, whatever its case.
pub(super) fn match_digest(email: &str) -> Digest {
    Digest::of(email.to_lowercase().as_bytes())
}

/// Stands for an external id, and for no e-mail address.
pub(super) fn target_digest(target: &ExternalId) -> Digest {
    let mut hasher = Hasher::new();
    hasher.part(b"target");
    hasher.part(target.as_str().as_bytes());
    hasher.finish()
}

impl Intake {
    fn take(
        &mut self,
        job: &Job<'_>,
        mapping: &Mapping,
        columns: &[(usize, String)],
        row: &RowBuf,
    ) -> Result<(), PlanError> {
        let key = Key::of(row, columns);
        if let (Some(wanted), found) = (&job.filter.key, &key)
            && found.as_ref().ok() != Some(wanted)
        {
            return Ok(());
        }
        self.counts.read += 1;
        if job.sync.matching.email().is_some()
            && let Ok(email) = mapping.email(row)
        {
            self.spool.see_match(match_digest(&email))?;
        }
        let learns = matches!(job.purpose, Purpose::Baseline | Purpose::Adopt);
        if let (true, Ok(key)) = (learns, &key)
            && let Ok(target) = mapping.target(Some(key), row)
        {
            self.spool.see_match(target_digest(&target))?;
        }
        match key {
            Ok(key) => self.sorter.push(Some(&key), row.fingerprint(mapping.reads()), row)?,
            Err(error) => {
                self.counts.row(Fate::Invalid);
                count_problem(&mut self.problems, None, &key_problem(&error));
            }
        }
        Ok(())
    }
}

/// What is wrong with a key, as a problem of its row.
pub(crate) fn key_problem(error: &KeyError) -> Problem {
    let code = match error {
        KeyError::Null { .. } => Code::NULL_KEY,
        KeyError::Type { .. } => Code::KEY_TYPE,
        KeyError::Long { .. } => Code::KEY_LENGTH,
    };
    let problem = Problem::new(code, error.to_string());
    match code.entry() {
        Some(entry) => problem.help(entry.help()),
        None => problem,
    }
}

/// The places and names of a model's primary key.
pub(crate) fn key_columns(model: &Model, columns: &Columns) -> Result<Vec<(usize, String)>, Vec<Problem>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for name in &model.key {
        if let Some(at) = columns.index(name) {
            found.push((at, name.clone()));
        } else {
            let message = format!("the primary key column `{name}` is not among the model's columns");
            let help = match nearest(name, columns.names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its columns are {}", columns.names().collect::<Vec<_>>().join(", ")),
            };
            problems.push(Problem::new(Code::UNKNOWN_COLUMN, message).at(&model.place).help(help));
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn failed(job: &Job<'_>, problems: Vec<Problem>) -> PlanError {
    PlanError::Problems { sync: job.sync.id.to_string(), problems }
}

/// A source's error as a problem of its model.
pub(crate) fn source_problem(error: &SourceError, model: &Model) -> Problem {
    let mut message = format!("reading model `{}`: {error}", model.name);
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        // Some libraries say at each level what they said at the one above.
        let is_new = !message.rsplit(": ").next().is_some_and(|last| text.ends_with(last));
        if is_new {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    let problem = Problem::new(error.code(), message).at(&model.place);
    match error.help() {
        Some(help) => problem.help(help),
        None => problem,
    }
}
