//! `coho plan`: the exact dry run.

use std::path::Path;

use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_core::problem::Problem;
use coho_core::verdict::RowStatus;
use coho_engine::context::Engine;
use coho_engine::lost::OnLost;
use coho_engine::owner::OnForeign;
use coho_engine::plan::Planned;
use coho_engine::plan::{Filter, Waiting};
use coho_engine::run::{Options, Outlook};
use coho_ledger::Ledger;
use coho_report::style::{Color, Style};

use crate::args::{Global, Rows};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::verb::plan_file;
use crate::{engine, failure, print, project};

/// Plans and shows.
pub(crate) async fn plan(
    global: &Global,
    rows: &Rows,
    exit_code: bool,
    output: Option<&Path>,
) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&rows.syncs)?;
    project::has_syncs(&loaded)?;
    let options = options(rows, crate::key::typed(rows.key.as_deref(), &loaded.project, &syncs)?);
    if let Some(ledger) = engine.ledger_to_read()? {
        tell_of_runs(&engine, &ledger)?;
    }
    let outlooks = engine.plan(&syncs, &options, &Progress::new(global)).await?;
    let sorted = Outlook::parted(outlooks);
    let told = document(&sorted);
    let (planned, problems) = sorted;
    let plans: Vec<_> = planned.iter().map(|planned| planned.plan.clone()).collect();
    if global.json {
        print::json(&told)?;
    } else if !plans.is_empty() {
        print::out(&coho_report::text::plan(&plans, &style()))?;
    }
    if problems.is_empty() {
        miss(options.filter.key.as_ref(), plans.iter().map(|plan| plan.counts.read));
    } else {
        let refused = project::report(&problems, &loaded.files);
        // Where a document was asked for, it has the problems already.
        return if global.json { Ok(Exit::Report(failure::code(&refused))) } else { Err(refused) };
    }
    if let Some(path) = output {
        plan_file::write(&engine, &planned.iter().collect::<Vec<_>>(), path)?;
    }
    let held = plans.iter().any(|plan| !plan.guards.is_empty());
    let invalid = plans.iter().any(|plan| plan.counts.status(RowStatus::Invalid) > 0);
    Ok(match coho_report::exit::plan(&plans) {
        coho_report::exit::SOMETHING_TO_SEND if exit_code => Exit::SomethingToSend,
        _ if held => Exit::Report(coho_report::exit::HELD),
        _ if invalid => Exit::Report(coho_report::exit::ROWS),
        _ => Exit::Done,
    })
}

/// Plans as a document, with what is wrong.
pub(crate) fn document((planned, problems): &(Vec<Planned>, Vec<Problem>)) -> serde_json::Value {
    let plans: Vec<_> = planned.iter().map(|planned| planned.plan.clone()).collect();
    let mut document = coho_report::json::plan(&plans);
    if !problems.is_empty() {
        document["problems"] = problems.iter().map(coho_report::json::problem).collect();
    }
    document
}

/// Says so where a run is under way: what it has begun is not known yet.
pub(crate) fn tell_of_runs(engine: &Engine<'_>, ledger: &Ledger) -> anyhow::Result<()> {
    if let Some(under_way) = engine.under_way(ledger)? {
        print::talk(&format!("{under_way}: the results of its writes are not known yet"));
    }
    Ok(())
}

/// Says so where a key was asked for and no model has it: it may be mistyped.
pub(crate) fn miss(key: Option<&Key>, read: impl Iterator<Item = u64>) {
    if let (Some(key), 0) = (key, read.sum::<u64>()) {
        print::talk(&format!("no row has the primary key `{}`", coho_core::value::preview(key.as_str())));
    }
}

/// What the flags ask for.
pub(crate) fn options(rows: &Rows, key: Option<Key>) -> Options {
    Options {
        filter: Filter { limit: rows.limit, key, waiting: Waiting::Too },
        run_kind: match (rows.resend, rows.events) {
            (false, _) => RunKind::Sync,
            (true, false) => RunKind::Resend,
            (true, true) => RunKind::ResendEvents,
        },
        approved: None,
        on_lost: if rows.new_ledger { OnLost::BeginAnew } else { OnLost::Refuse },
        on_foreign: if rows.adopt_ledger { OnForeign::TakeOver } else { OnForeign::Refuse },
        ..Options::default()
    }
}

/// How text on stdout is dressed.
pub(crate) fn style() -> Style {
    let color = if print::colours_out() { Color::Always } else { Color::Never };
    Style { color, ..Style::default() }
}
