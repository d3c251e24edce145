//! Opening a model: its columns against mapping and primary key, and what is remembered of its rows.

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::failure::Failure as _;
use coho_core::key::KeyError;
use coho_core::lineage::Lineage;
use coho_core::model::{Model, Relation};
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::row::Columns;
use coho_ledger::row_state::{RowStates, Surveyed};
use coho_mapping::{Mapping, Specification};
use coho_source::{ReadScope, Reading, SourceError};

use crate::compare::KnownRows;
use crate::failure::PlanError;
use crate::job::Job;
use crate::types::Types;

/// What helps where a database refuses to read a model of dbt.
const DBT_HELP: &str = "check that the source is the database that dbt builds in, and run `dbt build`";

/// A model that is open, with what its rows are read by.
pub(crate) struct Opened {
    pub(crate) reading: Reading,
    pub(crate) mapping: Mapping,
    pub(crate) key: Vec<(usize, String)>,
    pub(crate) lineage: Lineage,
    pub(crate) types: Types,
}

/// Opens the model.
pub(crate) async fn open(job: &Job<'_>) -> Result<Opened, PlanError> {
    let scope = job.filter.limit.map_or(ReadScope::All, ReadScope::First);
    let read = unless_stopped(job, coho_source::read(job.connection, job.model, scope)).await?;
    let reading = read.map_err(|error| failed(job, &error))?;
    let mapping = Mapping::compile(&Specification::of(job.sync).filters(job.filters), reading.columns());
    let key = key_columns(job.model, reading.columns());
    let (mapping, key) = match (mapping, key) {
        (Ok(mapping), Ok(key)) => (mapping, key),
        (mapping, key) => {
            let problems = key.err().into_iter().chain(mapping.err()).flatten().collect();
            return Err(job.failed(problems));
        }
    };
    let lineage = mapping.lineage(reading.columns());
    let types = Types::of(job, reading.outline(), &mapping)?;
    Ok(Opened { reading, mapping, key, lineage, types })
}

pub(crate) fn failed(job: &Job<'_>, error: &SourceError) -> PlanError {
    job.failed(vec![source_problem(error, job.model)])
}

/// What is remembered, and which rows need no look if they come again as they were. Where not all rows are read, or all of
/// them are looked at, none is known.
pub(crate) fn remembered(job: &Job<'_>, mapping: &Mapping) -> Result<(RowStates, KnownRows), PlanError> {
    let Some(scope) = job.scope else { return Ok((RowStates::none(), KnownRows::default())) };
    let is_whole = job.filter.key.is_none() && job.filter.limit.is_none();
    match job.run_kind {
        RunKind::Sync if is_whole => {
            let mut row_states = job.ledger.row_states_surveyed(scope, Surveyed::FromBothEnds)?;
            let known = KnownRows::of(&mut row_states, mapping.digest(), job.stop)?;
            Ok((row_states, known))
        }
        RunKind::Sync | RunKind::Baseline | RunKind::Adopt | RunKind::Resend | RunKind::ResendEvents => {
            Ok((job.ledger.row_states(scope)?, KnownRows::default()))
        }
    }
}

/// A source may work for long before it gives anything: who asks to end does not wait for it.
pub(crate) async fn unless_stopped<T>(job: &Job<'_>, work: impl Future<Output = T>) -> Result<T, PlanError> {
    job.stop.until().first(work).await.ok_or(PlanError::Interrupted)
}

/// The places of the columns that a sync reads: what is wrong in the others is nobody's trouble.
pub fn needed(mapping: &Mapping, key: &[(usize, String)]) -> Vec<usize> {
    mapping.reads().iter().copied().chain(key.iter().map(|(at, _)| *at)).collect()
}

/// What is wrong with a key, as a problem of its row.
pub fn key_problem(error: &KeyError) -> Problem {
    let code = match error {
        KeyError::Null { .. } => Code::NULL_KEY,
        KeyError::Type { .. } => Code::KEY_TYPE,
        KeyError::Long { .. } => Code::KEY_LENGTH,
    };
    Problem { help: code.help(), ..Problem::new(code, error.to_string()) }
}

/// The places and names of a model's primary key.
pub fn key_columns(model: &Model, columns: &Columns) -> Result<Vec<(usize, String)>, Vec<Problem>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for name in &model.key {
        match columns.index(name) {
            Some(at) => found.push((at, name.clone())),
            None => problems.push(unknown_column("primary key column", name, model, columns)),
        }
    }
    // A name that is misspelled would hide nothing.
    let unknown = model.masked.iter().filter(|name| columns.index(name).is_none());
    problems.extend(unknown.map(|name| unknown_column("masked column", name, model, columns)));
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn unknown_column(what: &str, name: &str, model: &Model, columns: &Columns) -> Problem {
    let message = format!("the model has no column `{name}` (the {what})");
    let help = match nearest(name, columns.names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the columns are {}", columns.names().collect::<Vec<_>>().join(", ")),
    };
    Problem::new(Code::UNKNOWN_COLUMN, message).at(&model.place).help(help)
}

/// Where the model's SQL is wrong, if its database said that; else the model.
fn place(error: &SourceError, model: &Model) -> Place {
    let position = error.position();
    let place = match &model.relation {
        Relation::Sql(sql) => position.and_then(|(line, column)| sql.place_of(line, column)),
        Relation::Dbt(dbt) => Some(dbt.place.clone()),
        Relation::Table(_) | Relation::File { .. } => None,
    };
    place.unwrap_or_else(|| model.place.clone())
}

/// A source's error as a problem of its model.
pub fn source_problem(error: &SourceError, model: &Model) -> Problem {
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
    let help = match &model.relation {
        // What databases say of a query is of no use where the project has none.
        Relation::Dbt(_) if error.is_of_query() => Some(DBT_HELP.to_owned()),
        Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_) | Relation::File { .. } => error.help(),
    };
    Problem { help, ..Problem::new(error.code(), message).at(&place(error, model)) }
}
