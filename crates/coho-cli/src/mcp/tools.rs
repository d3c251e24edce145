//! The tools: each asks what a verb asks, and gives the document that the verb gives with `--json`.

use anyhow::anyhow;
use coho_core::json::{Json, to_serde};
use coho_core::key::Key;
use coho_engine::plan::Filter;
use coho_engine::preview::PreviewRow;
use coho_engine::run::Outlook;
use coho_engine::stop::Stop;
use coho_ledger::run::RunId;
use coho_report::json;
use coho_report::line::RunLine;
use serde_json::{Map, json};

use crate::args::{Global, RowsFormat};
use crate::project::Loaded;
use crate::verb::{failures, plan, rows, runs};
use crate::{engine, key, project};

/// How many runs are listed, and rows shown, where the call does not say.
const SOME: u64 = 20;

/// The most of either.
const MOST: u64 = 200;

/// A tool as it is described.
pub(super) struct Described {
    /// Its name.
    pub(super) name: &'static str,
    /// What it answers.
    pub(super) about: &'static str,
    /// Its arguments: name, type, what it is, whether it must be there.
    arguments: &'static [(&'static str, &'static str, &'static str, bool)],
}

const SYNC: (&str, &str, &str, bool) = ("sync", "string", "The sync's id", true);
const KEY: (&str, &str, &str, bool) =
    ("key", "string", "The row's primary key; for several columns, the values separated by commas", true);
const LIMIT: (&str, &str, &str, bool) =
    ("limit", "integer", "The number of entries to return: 20 by default, at most 200", false);

/// All tools.
pub(super) const ALL: [Described; 6] = [
    Described {
        name: "list_syncs",
        about: "The project's syncs: what each reads and writes, and how its last run ended",
        arguments: &[],
    },
    Described {
        name: "list_runs",
        about: "The last runs, the newest first: one entry for each sync, with counts by status",
        arguments: &[LIMIT],
    },
    Described {
        name: "explain_run",
        about: "One run: counts, stages, waits, and why rows failed, each cause once with its number of rows and example keys",
        arguments: &[("run", "string", "The run's id; by default the newest run", false)],
    },
    Described {
        name: "explain_row",
        about: "One row across all runs: what became of it, why, which fields changed, and the calls for it",
        arguments: &[SYNC, KEY],
    },
    Described {
        name: "plan",
        about: "What a run would send now: counts by change and reason, guards that would hold something, and the least time. Reads the source",
        arguments: &[("sync", "string", "The sync's id; by default all syncs", false)],
    },
    Described {
        name: "preview",
        about: "Rows as they would be sent, and their problems. Reads the source",
        arguments: &[SYNC, ("key", "string", "Only the row with this primary key", false), LIMIT],
    },
];

impl Described {
    /// The JSON Schema of its arguments.
    pub(super) fn schema(&self) -> Json {
        let properties = self.arguments.iter().map(|(name, kind, about, _)| {
            ((*name).to_owned(), json!({ "type": kind, "description": about }))
        });
        let required = self.arguments.iter().filter(|(.., must)| *must).map(|(name, ..)| *name);
        json!({
            "type": "object",
            "properties": properties.collect::<Map<_, _>>(),
            "required": required.collect::<Vec<_>>(),
            "additionalProperties": false,
        })
    }
}

/// What a call asks for.
struct Asked<'a>(&'a Map<String, Json>);

impl Asked<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Json::as_str)
    }

    fn must(&self, name: &str) -> anyhow::Result<&str> {
        self.text(name).ok_or_else(|| anyhow!("expected `{name}`, a text"))
    }

    fn limit(&self) -> u64 {
        self.0.get("limit").and_then(Json::as_u64).unwrap_or(SOME).min(MOST)
    }
}

/// The answer of a tool.
pub(super) async fn answer(
    global: &Global,
    tool: &str,
    arguments: &Map<String, Json>,
) -> anyhow::Result<Json> {
    let asked = Asked(arguments);
    let loaded = project::open(global)?;
    match tool {
        "list_syncs" => list_syncs(&loaded),
        "list_runs" => Ok(json::runs(&last(&loaded, asked.limit())?)),
        "explain_run" => explain_run(&loaded, asked.text("run")),
        "explain_row" => explain_row(global, asked.must("sync")?, asked.must("key")?),
        "plan" => planned(&loaded, asked.text("sync")).await,
        "preview" => preview(&loaded, &asked).await,
        other => Err(anyhow!("there is no tool `{other}`")),
    }
}

fn last(loaded: &Loaded, limit: u64) -> anyhow::Result<Vec<RunLine>> {
    let engine = engine::of(loaded);
    let Some(ledger) = engine.ledger_to_read()? else { return Ok(Vec::new()) };
    let records = ledger.runs(usize::try_from(limit)?)?;
    let retention = engine.retention();
    Ok(records.iter().flat_map(|record| runs::lines(record, &retention)).collect())
}

fn list_syncs(loaded: &Loaded) -> anyhow::Result<Json> {
    let last = last(loaded, MOST)?;
    let syncs = loaded.project.syncs.iter().map(|sync| {
        let last = last.iter().find(|line| line.sync == sync.id);
        let last = last.map(|line| json::runs(std::slice::from_ref(line))["runs"][0].clone());
        json!({
            "sync": sync.id.as_str(), "object": sync.object.name(), "mode": sync.mode.name(), "api": sync.api.name(),
            "model": sync.model, "destination": sync.destination, "last": last,
        })
    });
    Ok(json!({ "version": json::VERSION, "syncs": syncs.collect::<Vec<_>>() }))
}

fn explain_run(loaded: &Loaded, run: Option<&str>) -> anyhow::Result<Json> {
    let engine = engine::of(loaded);
    let Some(ledger) = engine.ledger_to_read()? else { return Err(anyhow!("nothing was run yet")) };
    let record = match run {
        Some(id) => ledger.run(&RunId::new(id))?.ok_or_else(|| runs::no_run(id))?,
        None => ledger.runs(1)?.pop().ok_or_else(|| anyhow!("nothing was run yet"))?,
    };
    let lines = runs::lines(&record, &engine.retention());
    let mut document = json::run_detail(&lines, &runs::details(&ledger, &record)?);
    document["failures"] = json::failures(&failures::lines(&ledger, &record)?)["failures"].clone();
    Ok(document)
}

fn explain_row(global: &Global, sync: &str, key: &str) -> anyhow::Result<Json> {
    rows::document(
        global,
        &rows::Asked {
            sync: sync.to_owned(),
            status: None,
            key: Some(key.to_owned()),
            run: None,
            since: None,
            cause: None,
            still_failing: false,
            limit: 100,
            format: RowsFormat::Json,
        },
    )
}

async fn planned(loaded: &Loaded, sync: Option<&str>) -> anyhow::Result<Json> {
    let engine = engine::of(loaded);
    let names: Vec<String> = sync.into_iter().map(str::to_owned).collect();
    let syncs = engine.select(&names)?;
    let options = coho_engine::run::Options::default();
    let outlooks = engine.plan(&syncs, &options, &coho_core::event::Silence).await?;
    Ok(plan::document(&Outlook::parted(outlooks)))
}

async fn preview(loaded: &Loaded, asked: &Asked<'_>) -> anyhow::Result<Json> {
    let engine = engine::of(loaded);
    let syncs = engine.select(&[asked.must("sync")?.to_owned()])?;
    let key = key::typed(asked.text("key"), &loaded.project, &syncs)?;
    let filter = Filter { limit: Some(asked.limit()), key, ..Filter::default() };
    let mut rows = Vec::new();
    for sync in syncs {
        rows.extend(engine.preview(sync, &filter, &Stop::new()).await?.iter().map(row));
    }
    Ok(json!({ "version": json::VERSION, "rows": rows }))
}

/// A row with the names of its columns and of the fields that are set beside their values.
fn row(row: &PreviewRow) -> Json {
    let names = |value: Option<Json>| {
        value.and_then(|value| Some(value.as_object()?.keys().cloned().collect::<Vec<_>>()))
    };
    let record = row.record.as_ref().map(to_serde);
    json!({
        "key": row.key.as_ref().map(Key::as_str),
        "status": if row.record.is_some() { "valid" } else { "invalid" },
        "columns": names(Some(to_serde(&row.row))),
        "fields": names(record.clone()),
        "row": to_serde(&row.row),
        "record": record,
        "problems": row.problems.iter().map(json::problem).collect::<Vec<_>>(),
    })
}
