//! Runs that are asked for: by schedules, by two servers on one ledger, by the runs of other syncs, and after a kill.

use std::time::Duration;

use coho_core::event::Silence;
use coho_engine::asked::Agenda;
use coho_engine::run::{Begins, Options};
use coho_engine::stop::Stop;
use coho_project::Project;
use coho_schedule::AskedBy;

use crate::stage::{ACCOUNTS, Failure, ORGANIZATIONS, Stage};

const ROWS: &str = "INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'pro', 5, 0)";

async fn stage(schedule: &str) -> Result<Stage, Failure> {
    let stage = Stage::with(&[("accounts", &format!("{ACCOUNTS}schedule: {schedule}\n"))]).await?;
    stage.sql(ROWS)?;
    Ok(stage)
}

/// What a server sees when it looks.
fn look(stage: &Stage, project: &Project) -> Result<Agenda, Failure> {
    let engine = stage.engine(project);
    Ok(engine.agenda(&engine.ledger_to_ask()?)?)
}

/// A server carries out what it saw. Returns how many syncs ran.
async fn carry_out(stage: &Stage, project: &Project, agenda: &Agenda, stop: &Stop) -> Result<usize, Failure> {
    let names: Vec<_> = agenda.open.iter().map(|request| request.sync.as_str().to_owned()).collect();
    if names.is_empty() {
        return Ok(0);
    }
    let engine = stage.engine(project);
    let options = Options { begins: Begins::IfAsked, ..Options::default() };
    let report = engine.run(&engine.select(&names)?, &options, &Silence, stop).await?;
    Ok(report.syncs.len())
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[tokio::test]
async fn two_servers_on_one_ledger_carry_out_each_time_once() {
    let stage = stage("'*/30 * * * *'").await.unwrap();
    let project = stage.project().unwrap();
    assert_eq!(look(&stage, &project).unwrap().open, []);
    let stop = Stop::new();
    let mut ran = 0;
    for _ in 0..36 {
        stage.advance(minutes(10));
        // Both look before either of them runs.
        let (one, other) = (look(&stage, &project).unwrap(), look(&stage, &project).unwrap());
        ran += carry_out(&stage, &project, &one, &stop).await.unwrap();
        ran += carry_out(&stage, &project, &other, &stop).await.unwrap();
    }
    assert_eq!(ran, 12);
    assert_eq!(stage.ask_ledger("SELECT count(*) || ' runs' FROM runs").unwrap(), ["12 runs"]);
    let ticks = "SELECT count(DISTINCT tick_at) || ' times, ' || sum(missed) || ' missed' FROM requests";
    assert_eq!(stage.ask_ledger(ticks).unwrap(), ["12 times, 0 missed"]);
}

#[tokio::test]
async fn hours_without_a_server_are_made_up_for_by_one_run() {
    let stage = stage("{ every: 30m }").await.unwrap();
    let project = stage.project().unwrap();
    look(&stage, &project).unwrap();
    stage.advance(minutes(5 * 60));
    let agenda = look(&stage, &project).unwrap();
    assert_eq!(agenda.open.iter().map(|request| request.asked.missed).collect::<Vec<_>>(), [9]);
    assert_eq!(carry_out(&stage, &project, &agenda, &Stop::new()).await.unwrap(), 1);
    assert_eq!(look(&stage, &project).unwrap().open, []);
}

#[tokio::test]
async fn syncs_that_are_due_at_the_same_minute_are_one_run() {
    let accounts = format!("{ACCOUNTS}schedule: {{ every: 30m }}\n");
    let organizations = format!("{ORGANIZATIONS}schedule: '30 * * * *'\n");
    let stage = Stage::with(&[("accounts", &accounts), ("organizations", &organizations)]).await.unwrap();
    stage.sql(ROWS).unwrap();
    let project = stage.project().unwrap();
    look(&stage, &project).unwrap();
    // 3:30:05; a server looks every few seconds.
    stage.advance(minutes(26));
    let mut agenda = look(&stage, &project).unwrap();
    for _ in 0..60 {
        if !agenda.open.is_empty() {
            break;
        }
        stage.advance(Duration::from_secs(1));
        agenda = look(&stage, &project).unwrap();
    }
    assert_eq!(carry_out(&stage, &project, &agenda, &Stop::new()).await.unwrap(), 2);
    assert_eq!(stage.ask_ledger("SELECT count(*) || ' runs' FROM runs").unwrap(), ["1 runs"]);
}

#[tokio::test]
async fn a_run_that_was_interrupted_is_carried_out_by_the_next_server() {
    let stage = stage("{ every: 30m }").await.unwrap();
    let project = stage.project().unwrap();
    look(&stage, &project).unwrap();
    stage.advance(minutes(30));
    let agenda = look(&stage, &project).unwrap();
    let stopped = Stop::new();
    stopped.ask();
    drop(carry_out(&stage, &project, &agenda, &stopped).await);
    let agenda = look(&stage, &project).unwrap();
    assert_eq!(agenda.open.len(), 1, "it is still open");
    assert_eq!(carry_out(&stage, &project, &agenda, &Stop::new()).await.unwrap(), 1);
    assert_eq!(look(&stage, &project).unwrap().open, []);
    assert_eq!(stage.records().len(), 1);
}

#[tokio::test]
async fn a_sync_follows_another_one_whoever_ran_that() {
    let accounts = format!("{ACCOUNTS}schedule: {{ after: organizations }}\n");
    let stage = Stage::with(&[("organizations", ORGANIZATIONS), ("accounts", &accounts)]).await.unwrap();
    stage.sql(ROWS).unwrap();
    let project = stage.project().unwrap();
    assert_eq!(look(&stage, &project).unwrap().open, []);
    let engine = stage.engine(&project);
    let organizations = engine.select(&["organizations".to_owned()]).unwrap();
    engine.run(&organizations, &Options::default(), &Silence, &Stop::new()).await.unwrap();
    let agenda = look(&stage, &project).unwrap();
    let asked: Vec<_> =
        agenda.open.iter().map(|request| (request.sync.as_str(), request.asked.cause)).collect();
    assert_eq!(asked, [("accounts", AskedBy::Sequence)]);
    assert_eq!(carry_out(&stage, &project, &agenda, &Stop::new()).await.unwrap(), 1);
    assert_eq!(look(&stage, &project).unwrap().open, []);
}

#[tokio::test]
async fn a_run_of_all_rows_carries_out_what_was_asked_for_and_one_of_some_does_not() {
    let stage = stage("{ every: 1d }").await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let sync = engine.select(&[]).unwrap()[0];
    engine.ask(&engine.ledger_to_ask().unwrap(), sync, AskedBy::Api).unwrap();
    let mut limited = Options::default();
    limited.filter.limit = Some(1);
    stage.run_with(&limited).await.unwrap();
    assert_eq!(look(&stage, &project).unwrap().open.len(), 1);
    stage.run().await.unwrap();
    assert_eq!(look(&stage, &project).unwrap().open, []);
}
