//! Whole histories of a sync, as data: `fixtures/runs/TOPIC/*.yaml` in, and what came of each run (`*.snap` beside it).
//!
//! [`case`] says what a case can tell, and `cargo xtask case new TOPIC NAME` writes one that says so too. For each run the snapshot has
//! how each sync ended, the problems of its rows, the guards that held something, and the calls; with `shows: texts` also what
//! people read of plan and run.

#[path = "runs/case.rs"]
mod case;
#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

use std::fmt::{self, Write as _};
use std::path::Path;

use coho_core::event::Silence;
use coho_core::plan::SyncPlan;
use coho_engine::stop::Stop;
use coho_report::style::Style;
use coho_report::text;

use case::{Case, Kind, Shows, Step};
use stage::{Failure, Ran, Stage, told};

fn runs(path: &Path) -> datatest_stable::Result<()> {
    let case: Case = serde_saphyr::from_str(&std::fs::read_to_string(path)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    snapshot(path, &runtime.block_on(play(&case))?)
}

/// What a case did wrong, in words: the harness prints errors as `Debug` does.
struct Mistake(String);

impl Mistake {
    fn of_run(at: usize, error: &dyn std::error::Error) -> Self {
        Self(format!("run {}: {error}", at + 1))
    }
}

impl fmt::Debug for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistake {}

async fn play(case: &Case) -> Result<String, Failure> {
    let mut stage = case.stage().await?;
    let mut out = String::new();
    for (at, step) in case.runs.iter().enumerate() {
        let heading = if step.run == Kind::Sync { String::new() } else { format!(": {}", step.run.name()) };
        writeln!(out, "== run {}{heading}", at + 1)?;
        let done = carry_out(step, &mut stage, case.shows, &mut out).await;
        done.map_err(|error| Mistake::of_run(at, error.as_ref()))?;
    }
    Ok(out)
}

async fn carry_out(step: &Step, stage: &mut Stage, shows: Shows, out: &mut String) -> Result<(), Failure> {
    step.prepare(stage)?;
    perform(step, stage, shows, out).await?;
    after(step, stage, out)
}

async fn perform(step: &Step, stage: &Stage, shows: Shows, out: &mut String) -> Result<(), Failure> {
    let options = step.options();
    match step.run {
        Kind::None => Ok(()),
        Kind::Plan => {
            let plans = stage.plan_with(&options).await?;
            show_guards(
                plans
                    .iter()
                    .flat_map(|plan| &plan.guards)
                    .map(|guard| (guard.code.as_str(), guard.message.as_str())),
                out,
            )?;
            write!(out, "-- plan\n{}", text::plan(&plans, &Style::default()))?;
            Ok(())
        }
        Kind::Sync | Kind::Baseline | Kind::Adopt | Kind::Resend | Kind::ResendEvents if step.unplanned => {
            show(&stage.try_run(&options, &Silence, &Stop::new()).await??, shows, out)
        }
        Kind::Sync | Kind::Baseline | Kind::Adopt | Kind::Resend | Kind::ResendEvents => {
            show(&stage.run_with(&options).await?, shows, out)
        }
    }
}

fn show(ran: &Ran, shows: Shows, out: &mut String) -> Result<(), Failure> {
    if shows == Shows::Texts {
        show_plan(&ran.plans, out)?;
    }
    for summary in &ran.report.syncs {
        writeln!(out, "{}  {}", summary.sync, told::summary(summary))?;
    }
    for summary in &ran.report.syncs {
        for problem in summary.problems.values() {
            writeln!(out, "  problem  {}", problem.first)?;
        }
    }
    let guards = ran.report.syncs.iter().flat_map(|summary| &summary.guards);
    show_guards(guards.map(|guard| (guard.code.as_str(), guard.message.as_str())), out)?;
    let calls = if ran.calls.is_empty() { "none".to_owned() } else { ran.calls.join("\n") };
    writeln!(out, "-- calls\n{calls}")?;
    if shows == Shows::Texts {
        write!(out, "-- run\n{}", text::run(&ran.report.syncs, &Style::default()))?;
    }
    Ok(())
}

fn show_plan(plans: &[SyncPlan], out: &mut String) -> Result<(), Failure> {
    write!(out, "-- plan\n{}", text::plan(plans, &Style::default()))?;
    Ok(())
}

fn show_guards<'g>(
    guards: impl Iterator<Item = (&'g str, &'g str)>,
    out: &mut String,
) -> Result<(), Failure> {
    for (code, message) in guards {
        writeln!(out, "  guard  {code}: {message}")?;
    }
    Ok(())
}

/// What a case asks for after a run.
fn after(step: &Step, stage: &Stage, out: &mut String) -> Result<(), Failure> {
    if step.records {
        writeln!(out, "-- records\n{}", lines(&stage.records()))?;
    }
    if step.events {
        writeln!(out, "-- events\n{}", lines(&told::events(&stage.vitally)))?;
    }
    for sql in &step.ledger {
        writeln!(out, "-- ledger: {}\n{}", sql.trim(), lines(&stage.ask_ledger(sql)?))?;
    }
    Ok(())
}

fn lines(lines: &[String]) -> String {
    if lines.is_empty() { "none".to_owned() } else { lines.join("\n") }
}

fn snapshot(path: &Path, text: &str) -> datatest_stable::Result<()> {
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let folder = path.parent().ok_or("a fixture without a folder")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
    Ok(())
}

datatest_stable::harness! {
    { test = runs, root = "fixtures/runs", pattern = r"\.yaml$" },
}
