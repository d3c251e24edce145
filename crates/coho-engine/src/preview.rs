//! Preview: rows as they would be sent, and their problems. Nothing is sent, compared or remembered.

use coho_core::event::Silence;
use coho_core::key::{Key, KeyError};
use coho_core::model::Model;
use coho_core::object::Object;
use coho_core::private::HIDDEN;
use coho_core::problem::Problem;
use coho_core::row::{Column, ColumnType, Columns, RowBuf};
use coho_core::sync::Sync;
use coho_core::value::Value;
use coho_mapping::record::record;
use coho_mapping::{Facts, Mapping};
use coho_plan::failure::PlanError;
use coho_plan::job::Filter;
use coho_plan::read::{key_columns, key_problem, needed, source_problem};
use coho_plan::stop::Stop;
use coho_source::ReadScope;

use crate::context::{Engine, EngineError};

/// What templates read as the run's id.
const PREVIEW: &str = "preview";

/// A row as it would be sent.
#[derive(Clone, Debug)]
pub struct PreviewRow {
    /// The primary key; `None` where it cannot be one.
    pub key: Option<Key>,
    /// The row's columns, as they were read.
    pub row: Value,
    /// The record, references as external ids; `None` where the row has problems.
    pub record: Option<Value>,
    /// What is wrong with the row.
    pub problems: Vec<Problem>,
}

/// Rows of a model as its source gives them.
#[derive(Clone, Debug)]
pub struct ModelSample {
    /// Its columns.
    pub columns: Columns,
    /// The first rows.
    pub rows: Vec<Value>,
}

impl Engine<'_> {
    /// Reads the first rows of a model. Columns that it masks are texts that show nothing.
    pub async fn sample(&self, model: &Model, most: u64) -> Result<ModelSample, EngineError> {
        let connection = self.connection(model)?;
        let failed = |problem| {
            EngineError::Plan(PlanError::Problems { sync: model.name.clone(), problems: vec![problem] })
        };
        let resolved = self.resolve(model).await.map_err(failed)?;
        let model = &*resolved.model;
        let failing = |error: coho_source::SourceError| failed(source_problem(&error, model));
        let mut reading =
            coho_source::read(&connection, model, ReadScope::First(most)).await.map_err(failing)?;
        let columns = reading.columns().clone();
        let mut rows = Vec::new();
        while let Some(batch) = reading.next().await.map_err(failing)? {
            rows.extend(batch.iter().map(|row| cells(row, &columns)));
        }
        for row in &mut rows {
            hide(row, &model.masked);
        }
        Ok(ModelSample { columns: hidden(&columns, &model.masked), rows })
    }

    /// What templates of a sync may know besides the row while nothing runs.
    pub fn facts_of_preview(&self, sync: &Sync) -> Facts {
        self.facts(sync, PREVIEW, self.setup.clock.now())
    }

    /// Renders the first rows of a sync's model, or the row with one key, until somebody asks to end.
    pub async fn preview(
        &self,
        sync: &Sync,
        filter: &Filter,
        stop: &Stop,
    ) -> Result<Vec<PreviewRow>, EngineError> {
        let resolved = self.resolved_model(sync).await?;
        let model = &*resolved.model;
        let connection = self.connection(model)?;
        let failed =
            |problems| EngineError::Plan(PlanError::Problems { sync: sync.id.to_string(), problems });
        let failing = |error: coho_source::SourceError| failed(vec![source_problem(&error, model)]);
        let scope = match (&filter.key, filter.limit) {
            (None, Some(limit)) => ReadScope::First(limit),
            (Some(_), _) | (None, None) => ReadScope::All,
        };
        // A source may work for long before it gives anything.
        let until = stop.until();
        let read = until.first(coho_source::read(&connection, model, scope)).await;
        let mut reading = read.ok_or(PlanError::Interrupted)?.map_err(failing)?;
        let columns = reading.columns().clone();
        let mapping = Mapping::compile(&self.specification(sync), &columns).map_err(failed)?;
        let key = key_columns(model, &columns).map_err(failed)?;
        reading.need(&needed(&mapping, &key)).map_err(failing)?;
        let facts = self.facts_of_preview(sync);
        let mut rows = Vec::new();
        while let Some(batch) =
            until.first(reading.next()).await.ok_or(PlanError::Interrupted)?.map_err(failing)?
        {
            for row in batch {
                if stop.is_asked() {
                    return Err(PlanError::Interrupted.into());
                }
                let found = Key::of(&row, &key);
                if filter.key.is_none() || filter.key.as_ref() == found.as_ref().ok() {
                    rows.push(preview(found, &row, &columns, (sync.object, &mapping), &facts));
                }
            }
        }
        Ok(rows)
    }

    /// What is wrong with syncs, their sources and their destinations, all of it.
    pub async fn check(&self, syncs: &[&Sync]) -> crate::check::Checked {
        crate::check::check(self, syncs, &Silence).await
    }
}

/// The row without the values of columns that are masked: that there is none is no secret.
fn hide(row: &mut Value, masked: &[String]) {
    let Value::Object(members) = row else { return };
    for (name, value) in members {
        if masked.contains(name) && *value != Value::Null {
            *value = Value::text(HIDDEN);
        }
    }
}

/// The columns, those that are masked as texts.
fn hidden(columns: &Columns, masked: &[String]) -> Columns {
    let shown = |column: &Column| {
        let kind = if masked.contains(&column.name) { ColumnType::Text } else { column.kind };
        Column { kind, ..column.clone() }
    };
    // The names are those that were there, each once.
    Columns::new(columns.iter().map(shown).collect()).unwrap_or_else(|_| columns.clone())
}

fn cells(row: &RowBuf, columns: &Columns) -> Value {
    let cells = columns.names().zip(row.cells()).map(|(name, cell)| (name.to_owned(), cell.to_value()));
    Value::Object(cells.collect())
}

fn preview(
    key: Result<Key, KeyError>,
    row: &RowBuf,
    columns: &Columns,
    (object, mapping): (Object, &Mapping),
    facts: &Facts,
) -> PreviewRow {
    let cells = cells(row, columns);
    let key = match key {
        Ok(key) => Some(key),
        Err(error) => {
            let problems = vec![key_problem(&error)];
            return PreviewRow { key: None, row: cells, record: None, problems };
        }
    };
    match mapping.render_row(key.as_ref(), row, facts) {
        Ok(rendered) => {
            PreviewRow { key, row: cells, record: Some(record(object, &rendered)), problems: Vec::new() }
        }
        Err(problems) => PreviewRow { key, row: cells, record: None, problems },
    }
}
