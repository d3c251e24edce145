//! Runs on a stage: rows to send, processes to start and to signal, and what must hold after the next run.

use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};

use crate::stage::{self, Failure, Stage};

/// How many rows these tests send.
pub(crate) const ROWS: usize = 20;

/// A stage whose every call takes long enough for a signal to arrive before the last.
pub(crate) fn slow_stage() -> Result<Stage, Failure> {
    many_rows(Duration::from_millis(100))
}

/// A stage with [`ROWS`] rows that become accounts, one call after the other.
pub(crate) fn many_rows(latency: Duration) -> Result<Stage, Failure> {
    let stage = Stage::empty(latency)?;
    stage.take_project(&stage::manifest().join("tests/stage/project"))?;
    let rows = (1..=ROWS).map(|row| format!("acc-{row:02},Customer {row}\n"));
    stage.write("data/accounts.csv", format!("id,name\n{}", rows.collect::<String>()))?;
    let sync = "id: accounts\nmodel: accounts\nto: vitally\nobject: account\nmatch: { externalId: id }\nfields: { name: name }\nremoved: delete-created\n";
    stage.write("syncs/accounts.yaml", sync)?;
    Ok(stage)
}

/// A stage whose Vitally refuses all and asks to come back in ten minutes.
pub(crate) fn busy_stage() -> Result<Stage, Failure> {
    let stage = many_rows(Duration::ZERO)?;
    let refused = FaultAnswer { retry_after: Some(600), ..FaultAnswer::status(429) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refused)).times(100));
    Ok(stage)
}

/// Starts `coho`.
pub(crate) fn start(stage: &Stage, arguments: &[&str]) -> Result<Child, Failure> {
    Ok(stage.coho(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

/// Everything that a command said.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Looks again and again. The limit is only for a test that has failed already.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<(), Failure> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > Duration::from_secs(60) {
            return Err(format!("waited a minute for {what}").into());
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Sends a signal.
pub(crate) fn signal(child: &Child, name: &str) -> Result<(), Failure> {
    run_checked(Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()))
}

/// Lets a command end well.
pub(crate) fn run_checked(command: &mut Command) -> Result<(), Failure> {
    let status: ExitStatus = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// The next run delivers the rest: every row is in Vitally once, and a third run has nothing to do.
pub(crate) fn finish(stage: &Stage) -> Result<String, Failure> {
    let run = stage.coho(["run"]).output()?;
    if !run.status.success() {
        return Err(format!("the next run failed: {}", text(&run)).into());
    }
    let mut ids: Vec<_> = stage
        .vitally
        .records(RecordKind::Account)
        .into_iter()
        .filter_map(|record| record.external_id)
        .collect();
    ids.sort();
    let expected: Vec<String> = (1..=ROWS).map(|row| format!("acc-{row:02}")).collect();
    if ids != expected {
        return Err(format!("in Vitally: {ids:?}").into());
    }
    let plan = stage.coho(["plan", "--exit-code"]).output()?;
    if !plan.status.success() {
        return Err(format!("something is left to send: {}", text(&plan)).into());
    }
    Ok(text(&run))
}
