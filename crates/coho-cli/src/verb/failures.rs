//! `coho runs RUN --failures`: why rows of a run failed, each cause once.

use coho_ledger::Ledger;
use coho_ledger::look::{FailureGroup, FailuresOf};
use coho_ledger::run::{RunId, RunRecord};
use coho_ledger::scope::SyncScope;
use coho_report::line::FailureLine;

use crate::args::Global;
use crate::exit::Exit;
use crate::verb::plan::{style, tell_of_runs};
use crate::verb::runs::no_run;
use crate::{engine, print, project};

/// The most causes of a sync that are listed.
const MOST: usize = 100;

/// Lists the causes of a run's failures.
pub(crate) fn failures(global: &Global, run: &str) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let Some(ledger) = engine.ledger_to_read()? else { return Err(no_run(run).into()) };
    tell_of_runs(&engine, &ledger)?;
    let Some(record) = ledger.run(&RunId::new(run))? else { return Err(no_run(run).into()) };
    let lines = lines(&ledger, &record)?;
    for sync in &record.syncs {
        if let Some(scope) = ledger.scope_of(&sync.workspace, &sync.sync)? {
            tell_of_earlier(&ledger, &record, &scope)?;
        }
    }
    if global.json {
        print::json(&coho_report::json::failures(&lines))?;
    } else {
        print::out(&coho_report::text::failures(&lines, &style()))?;
    }
    Ok(Exit::Done)
}

/// The causes of a run's failures.
pub(crate) fn lines(ledger: &Ledger, record: &RunRecord) -> anyhow::Result<Vec<FailureLine>> {
    let mut lines = Vec::new();
    for sync in &record.syncs {
        let Some(scope) = ledger.scope_of(&sync.workspace, &sync.sync)? else { continue };
        let groups = ledger.failures(&scope, FailuresOf::Run(&record.id), MOST)?;
        lines.extend(groups.into_iter().map(|group| line(&scope, group)));
    }
    Ok(lines)
}

/// A row that failed before and still does is written down once: it is not among the failures of this run.
fn tell_of_earlier(ledger: &Ledger, record: &RunRecord, scope: &SyncScope) -> anyhow::Result<()> {
    let (all, of_run) = (ledger.still_failing(scope, None)?, ledger.still_failing(scope, Some(&record.id))?);
    if all > of_run {
        let rows = print::counted(all - of_run, "row");
        let verb = if all - of_run == 1 { "fails" } else { "fail" };
        print::talk(&format!(
            "{rows} of {} {verb} since another run: `coho rows {} --still-failing` lists all",
            scope.sync(),
            scope.sync()
        ));
    }
    Ok(())
}

fn line(scope: &SyncScope, group: FailureGroup) -> FailureLine {
    FailureLine {
        sync: scope.sync().clone(),
        cause: group.cause,
        count: group.count,
        statuses: group.statuses,
        examples: group.examples,
        message: group.message,
        first: group.first,
        healed: group.healed,
        came_back: group.came_back,
    }
}
