//! `coho preview`: rows as they would be sent.

use coho_core::json::{Json, to_serde};
use coho_core::key::Key;
use coho_core::problem::Problem;
use coho_core::words;
use coho_engine::plan::{Filter, PlanError};
use coho_engine::preview::PreviewRow;
use serde_json::json;

use crate::args::Global;
use crate::exit::Exit;
use crate::{engine, print, project, signal};

/// Renders and shows.
pub(crate) async fn preview(
    global: &Global,
    sync: &str,
    limit: u64,
    key: Option<String>,
) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let key = crate::key::typed(key.as_deref(), &loaded.project, &syncs)?;
    let filter = Filter { limit: Some(limit), key, ..Filter::default() };
    let (stop, _listening) = signal::stop_after_calls();
    let mut all = Vec::new();
    for sync in syncs {
        project::warn(engine.dbt_warning(sync).await.as_slice(), &loaded.files);
        match engine.preview(sync, &filter, &stop).await {
            Ok(rows) => all.extend(rows),
            Err(coho_engine::context::EngineError::Plan(PlanError::Problems { problems, .. })) => {
                return Err(project::report(&problems, &loaded.files));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if global.json {
        let rows: Vec<_> = all.iter().map(document).collect();
        print::json(&json!({ "version": 1, "kind": "preview", "rows": rows }))?;
    } else {
        print::out(&all.iter().map(text).collect::<String>())?;
    }
    match (&filter.key, all.is_empty()) {
        (Some(_), true) => super::plan::miss(filter.key.as_ref(), std::iter::once(0)),
        (None, true) => print::talk("the model has no rows"),
        (_, false) => {}
    }
    let invalid = all.iter().any(|row| row.record.is_none());
    Ok(if invalid { Exit::Report(coho_report::exit::ROWS) } else { Exit::Done })
}

fn document(row: &PreviewRow) -> Json {
    json!({
        "key": row.key.as_ref().map(Key::as_str),
        "row": to_serde(&row.row),
        "record": row.record.as_ref().map(to_serde),
        "problems": row.problems.iter().map(coho_report::json::problem).collect::<Vec<_>>(),
    })
}

fn text(row: &PreviewRow) -> String {
    let key = row.key.as_ref().map_or("(no key)", Key::as_str);
    if let Some(record) = &row.record {
        return format!("{key}\n{:#}\n\n", to_serde(record));
    }
    let problems: Vec<_> = row.problems.iter().map(problem).collect();
    format!("{key} is invalid\n{}\n", problems.concat())
}

fn problem(problem: &Problem) -> String {
    let help = problem.help.as_ref().map(|help| words::help(help) + "\n").unwrap_or_default();
    format!("  {problem}\n{help}")
}
