//! Events of OpenLineage: that a sync runs, what it reads and what it writes, with columns
//! (<https://github.com/OpenLineage/OpenLineage/blob/main/spec/OpenLineage.md>, read 2026-11-27).

use coho_core::json::Json;
use coho_core::lineage::{FieldLineage, Lineage, Made};
use coho_core::plan::{SyncStatus, SyncSummary};
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use serde_json::{Map, json};

use super::lifecycle::Happened;
use super::{moment, object};

/// Who makes the events.
const PRODUCER: &str = concat!("https://github.com/coho-sync/coho/tree/v", env!("CARGO_PKG_VERSION"));

/// The form of an event.
const EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// Something that is read or written, by the names that all programs give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Where it is: `postgres://host:port`.
    pub namespace: String,
    /// Its name there: `database.schema.table`.
    pub name: String,
}

/// Which job, of which run.
#[derive(Clone, Copy, Debug)]
pub struct LineageFrame<'a> {
    /// The namespace of jobs.
    pub namespace: &'a str,
    /// The job: a sync at a target.
    pub job: &'a str,
    /// The job that it is a part of: the project at a target.
    pub project: &'a str,
    /// The run of the sync: a UUID.
    pub run: &'a str,
    /// The run of the project: a UUID.
    pub project_run: &'a str,
    /// What is read.
    pub input: &'a Dataset,
    /// The query that is read, where it is one.
    pub sql: Option<&'a str>,
    /// What is written.
    pub output: &'a Dataset,
}

/// The event. What is known of columns is left out as long as nothing was read.
pub fn lineage(
    frame: &LineageFrame<'_>,
    happened: &Happened<'_>,
    columns: Option<&Lineage>,
    at: Time,
) -> Json {
    let ended = if let Happened::Ended(summary) = happened { Some(*summary) } else { None };
    json!({
        "eventType": kind(happened),
        "eventTime": moment(at),
        "producer": PRODUCER,
        "schemaURL": EVENT,
        "run": { "runId": frame.run, "facets": run_facets(frame, happened) },
        "job": { "namespace": frame.namespace, "name": frame.job, "facets": job_facets(frame) },
        "inputs": [input(frame.input, ended, columns)],
        "outputs": [output(frame, ended, columns)],
    })
}

fn kind(happened: &Happened<'_>) -> &'static str {
    match happened {
        Happened::Started => "START",
        Happened::Broken(_) => "FAIL",
        Happened::Died => "ABORT",
        Happened::Ended(summary) => match &summary.status {
            SyncStatus::Completed
            | SyncStatus::CompletedWithErrors
            | SyncStatus::Held
            | SyncStatus::TimeUp => "COMPLETE",
            SyncStatus::Failed(_) | SyncStatus::Halted { .. } => "FAIL",
            SyncStatus::Interrupted => "ABORT",
        },
    }
}

fn run_facets(frame: &LineageFrame<'_>, happened: &Happened<'_>) -> Json {
    let parent = json!({
        "run": { "runId": frame.project_run },
        "job": { "namespace": frame.namespace, "name": frame.project },
    });
    let engine = json!({ "version": env!("CARGO_PKG_VERSION"), "name": "coho" });
    let errors = happened.errors();
    let message = json!({ "message": errors.join(", "), "programmingLanguage": "Rust" });
    object([
        ("parent", Some(facet("1-2-0", "ParentRunFacet", parent))),
        ("processing_engine", Some(facet("1-1-1", "ProcessingEngineRunFacet", engine))),
        ("errorMessage", (!errors.is_empty()).then(|| facet("1-0-1", "ErrorMessageRunFacet", message))),
    ])
}

fn job_facets(frame: &LineageFrame<'_>) -> Json {
    let kind = json!({ "processingType": "BATCH", "integration": "COHO", "jobType": "SYNC" });
    let sql = frame.sql.map(|query| facet("1-1-0", "SQLJobFacet", json!({ "query": query })));
    object([("jobType", Some(facet("2-0-4", "JobTypeJobFacet", kind))), ("sql", sql)])
}

fn input(dataset: &Dataset, ended: Option<&SyncSummary>, columns: Option<&Lineage>) -> Json {
    let schema = columns.map(|lineage| {
        let fields = lineage.columns.iter().map(|(name, kind)| json!({ "name": name, "type": kind.name() }));
        schema(&fields.collect::<Vec<_>>())
    });
    let read = ended.map(|summary| {
        let rows = json!({ "rowCount": summary.counts.read });
        object([("inputStatistics", Some(facet("1-0-0", "InputStatisticsInputDatasetFacet", rows)))])
    });
    object([
        ("namespace", Some(dataset.namespace.as_str().into())),
        ("name", Some(dataset.name.as_str().into())),
        ("facets", Some(object([("schema", schema)]))),
        ("inputFacets", read),
    ])
}

fn output(frame: &LineageFrame<'_>, ended: Option<&SyncSummary>, columns: Option<&Lineage>) -> Json {
    let dataset = frame.output;
    let facets = columns.map(|lineage| {
        let fields = lineage.fields.iter().map(|field| json!({ "name": field.field }));
        object([
            ("schema", Some(schema(&fields.collect::<Vec<_>>()))),
            ("columnLineage", Some(column_lineage(frame.input, &lineage.fields))),
        ])
    });
    let written = ended.map(|summary| {
        let rows = [RowStatus::Delivered, RowStatus::Accepted]
            .map(|status| summary.counts.status(status))
            .iter()
            .sum::<u64>();
        let rows = json!({ "rowCount": rows });
        object([("outputStatistics", Some(facet("1-0-2", "OutputStatisticsOutputDatasetFacet", rows)))])
    });
    object([
        ("namespace", Some(dataset.namespace.as_str().into())),
        ("name", Some(dataset.name.as_str().into())),
        ("facets", facets),
        ("outputFacets", written),
    ])
}

fn column_lineage(input: &Dataset, fields: &[FieldLineage]) -> Json {
    let made_of_columns = fields.iter().filter(|field| !field.columns.is_empty());
    let fields: Map<_, _> = made_of_columns
        .map(|field| {
            let how = match field.made {
                Made::AsItIs => "IDENTITY",
                Made::Changed => "TRANSFORMATION",
            };
            let of = field.columns.iter().map(|column| {
                json!({
                    "namespace": input.namespace, "name": input.name, "field": column,
                    "transformations": [{ "type": "DIRECT", "subtype": how }],
                })
            });
            (field.field.clone(), json!({ "inputFields": of.collect::<Vec<_>>() }))
        })
        .collect();
    facet("1-2-0", "ColumnLineageDatasetFacet", json!({ "fields": fields }))
}

fn schema(fields: &[Json]) -> Json {
    facet("1-2-0", "SchemaDatasetFacet", json!({ "fields": fields }))
}

/// A facet says who made it and what its form is.
fn facet(version: &str, name: &str, mut members: Json) -> Json {
    members["_producer"] = PRODUCER.into();
    members["_schemaURL"] =
        format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}").into();
    members
}
