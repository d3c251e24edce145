//! Approved plans: a run sends what a person agreed to, and nothing else.

use coho_core::event::{Event, Listener, Silence};
use coho_core::failure::Failure as _;
use coho_engine::approved::{ApprovedPlan, ApprovedPlanError, WriteError};
use coho_engine::context::Engine;
use coho_engine::plan::{Planned, TableError};
use coho_engine::run::{Options, Outlook};
use coho_engine::stop::Stop;
use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, Failure, Ran, Stage, USERS};

/// Three delivered accounts; one changed, one left, one is new.
async fn stage() -> Result<Stage, Failure> {
    let stage = Stage::accounts().await?;
    stage.many_accounts(1, 4)?;
    stage.run().await?;
    stage.sql("UPDATE accounts SET seats = 10 WHERE id = 1; DELETE FROM accounts WHERE id = 3")?;
    stage.many_accounts(4, 5)?;
    Ok(stage)
}

/// Whether an approved plan is not written to its end where somebody asks for that, if there is anything to write.
fn stopped(engine: &Engine<'_>, plans: &[&Planned]) -> bool {
    let stop = Stop::new();
    stop.ask();
    let written = engine.write_approved_plan(&mut Vec::new(), plans, &stop);
    let is_empty = plans.iter().all(|planned| planned.plan.counts.planned() == 0);
    is_empty || matches!(written, Err(WriteError::Table(TableError::Interrupted)))
}

/// The text of an approved plan of all that is planned.
async fn plan_file(stage: &Stage) -> Result<String, Failure> {
    let project = stage.project()?;
    let engine = stage.engine(&project);
    let outlooks = engine.plan(&engine.select(&[])?, &Options::default(), &Silence).await?;
    let mut plans = Vec::new();
    for outlook in &outlooks {
        match outlook {
            Outlook::Plan(planned) => plans.push(&**planned),
            Outlook::Failed { problems, .. } => return Err(format!("{problems:?}").into()),
        }
    }
    let mut text = Vec::new();
    assert!(stopped(&engine, &plans), "who asks to end is heard");
    engine.write_approved_plan(&mut text, &plans, &Stop::new())?;
    Ok(String::from_utf8(text)?)
}

fn read(stage: &Stage, text: &str) -> Result<ApprovedPlan, ApprovedPlanError> {
    let project = stage.project().unwrap();
    stage.engine(&project).read_approved_plan(text.as_bytes(), &Stop::new())
}

fn under(stage: &Stage, text: &str) -> Options {
    Options { approved: Some(read(stage, text).unwrap()), ..Options::default() }
}

async fn run(stage: &Stage, text: &str) -> Ran {
    stage.run_with(&under(stage, text)).await.unwrap()
}

#[tokio::test]
async fn a_run_under_an_approved_plan_sends_what_the_approved_plan_has() {
    let stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(!text.contains("Account"), "no value of a row: {text}");
    let ran = run(&stage, &text).await;
    assert_eq!(ran.told_all(), "completed: 2 delivered, 1 removed, 1 unchanged");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn what_changed_since_and_what_is_new_is_stale_and_not_sent() {
    let stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    stage.sql("UPDATE accounts SET seats = 11 WHERE id = 1").unwrap();
    stage.many_accounts(5, 6).unwrap();
    let ran = run(&stage, &text).await;
    assert!(ran.told_all().ends_with("1 delivered, 1 removed, 1 unchanged, 2 stale"), "{}", ran.told_all());
    assert_eq!(ran.calls.len(), 2, "{:#?}", ran.calls);
    assert!(ran.calls[0].starts_with(r#"POST /accounts {"externalId":"a-004""#), "{:#?}", ran.calls);
    assert_eq!(ran.calls[1], "DELETE /accounts/<a-003>");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 delivered, 2 unchanged, 1 kept");
}

#[tokio::test]
async fn a_second_run_under_an_approved_plan_sends_nothing_more() {
    let stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    run(&stage, &text).await;
    assert_eq!(run(&stage, &text).await.calls, [""; 0]);
}

#[tokio::test]
async fn a_row_that_came_back_since_is_not_removed() {
    let stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    stage.sql("INSERT INTO accounts VALUES (3, 'a-003', 'Account 3', 'free', 3, 0)").unwrap();
    let ran = run(&stage, &text).await;
    assert_eq!(ran.told_all(), "completed: 2 delivered, 2 unchanged");
    assert_eq!(stage.vitally.count(RecordKind::Account), 4);
}

#[tokio::test]
async fn a_record_that_got_a_row_of_another_key_since_is_not_removed() {
    let stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    let before = stage.vitally.record(RecordKind::Account, "a-003").unwrap().id;
    // The primary key of the row that left was renamed, as the source tells a moment later.
    stage.sql("INSERT INTO accounts VALUES (33, 'a-003', 'Account 3', 'free', 33, 0)").unwrap();
    let ran = run(&stage, &text).await;
    assert!(!ran.calls.iter().any(|call| call.starts_with("DELETE")), "{} {:#?}", ran.told_all(), ran.calls);
    stage.run().await.unwrap();
    assert_eq!(stage.vitally.record(RecordKind::Account, "a-003").map(|record| record.id), Some(before));
}

/// Asks for the end after so many settlements.
struct EndsAfter(std::sync::atomic::AtomicUsize, Stop);

impl Listener for EndsAfter {
    fn on(&self, event: &Event) {
        if let Event::Settled { .. } = event
            && self.0.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1
        {
            self.1.ask();
        }
    }
}

#[tokio::test]
async fn a_run_that_was_interrupted_goes_on_under_the_same_approved_plan() {
    let mut stage = stage().await.unwrap();
    stage.many_accounts(10, 30).unwrap();
    stage.sql("UPDATE accounts SET seats = 12 WHERE id = 2").unwrap();
    let text = plan_file(&stage).await.unwrap();
    for settled_at_once in ["10000000/min", "60/min"] {
        let coho = crate::stage::destination(&stage.vitally.url(), 1, crate::stage::FAST);
        stage.file("coho.yaml", &coho.replace("10000000/min", settled_at_once));
        let stop = Stop::new();
        let listener = EndsAfter(2.into(), stop.clone());
        let ran = stage.try_run(&under(&stage, &text), &listener, &stop).await.unwrap().unwrap();
        assert!(
            ran.told_all().starts_with("interrupted") || ran.told_all().starts_with("completed"),
            "{}",
            ran.told_all()
        );
    }
    let ran = run(&stage, &text).await;
    assert!(!ran.told_all().contains("stale"), "{}", ran.told_all());
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert_eq!(stage.vitally.count(RecordKind::Account), 23);
}

#[tokio::test]
async fn updates_that_were_not_attempted_are_still_approved() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 21).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = seats + 100").unwrap();
    let text = plan_file(&stage).await.unwrap();
    stage.vitally.script(
        coho_simulator::ScriptedFault::once(coho_simulator::Trouble::Answer(
            coho_simulator::FaultAnswer::status(401),
        ))
        .after(5)
        .times(100),
    );
    let ran = stage.try_run(&under(&stage, &text), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "halted (unauthorized): 5 delivered, 15 not-attempted");
    stage.vitally.clear_script();
    let ran = run(&stage, &text).await;
    assert_eq!(ran.told_all(), "completed: 15 delivered, 5 unchanged");
}

#[tokio::test]
async fn plan_files_that_are_cut_short_or_of_elsewhere_are_refused() {
    let mut stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    let whole: Vec<_> = text.lines().collect();
    let short = whole[..whole.len() - 1].join("\n");
    let error = read(&stage, &short).unwrap_err();
    assert_eq!(error.to_string(), "the approved plan ends after 2 of 3 operations");
    assert_eq!(error.code().to_string(), "permit-unusable");
    let cut: String = text.chars().take(text.len() - 20).collect();
    assert!(matches!(read(&stage, &cut).unwrap_err(), ApprovedPlanError::Line { line: 4 }));
    assert!(matches!(read(&stage, "").unwrap_err(), ApprovedPlanError::Line { line: 1 }));
    let newer = read(&stage, &text.replacen("\"permit\":1", "\"permit\":2", 1)).unwrap_err();
    assert!(matches!(newer, ApprovedPlanError::Version { found: 2 }));
    let coho = crate::stage::destination(&stage.vitally.url(), 1, crate::stage::FAST);
    stage.file("coho.yaml", &coho.replace("project: stage", "project: another"));
    let elsewhere = read(&stage, &text).unwrap_err();
    assert_eq!(elsewhere.to_string(), "the approved plan is for `stage`, but this is `another`");
}

#[tokio::test]
async fn an_approved_plan_of_other_rules_is_stale() {
    let mut stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap();
    stage.many_accounts(1, 2).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    let text = plan_file(&stage).await.unwrap();
    stage.sync("users", &format!("{USERS}associations: exact\n"));
    let ran = run(&stage, &text).await;
    assert_eq!(ran.told("accounts"), "completed: 1 delivered");
    assert!(ran.told("users").ends_with(": 1 stale"), "{}", ran.told("users"));
}

#[tokio::test]
async fn an_approved_plan_of_another_address_of_the_destination_is_stale() {
    let mut stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    let other = coho_simulator::Simulator::start(coho_simulator::SimulatorSettings::new(crate::stage::TOKEN))
        .await
        .unwrap();
    stage.file("coho.yaml", &crate::stage::destination(&other.url(), 1, crate::stage::FAST));
    stage.try_run(&under(&stage, &text), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert!(other.calls().is_empty(), "{:#?}", other.records(RecordKind::Account));
}

#[tokio::test]
async fn a_sync_that_the_approved_plan_does_not_have_sends_nothing() {
    let mut stage = stage().await.unwrap();
    let text = plan_file(&stage).await.unwrap();
    stage.sync("users", USERS);
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    let ran = run(&stage, &text).await;
    assert!(ran.told("users").ends_with(": 1 stale"), "{}", ran.told("users"));
    assert_eq!(stage.vitally.count(RecordKind::User), 0);
}
#[tokio::test]
async fn a_template_that_names_the_run_does_not_make_an_approved_plan_stale() {
    let mut stage = stage().await.unwrap();
    let sync = ACCOUNTS
        .replace("seats: seats }", "seats: seats, run: { template: \"{{ run.id }} {{ run.startedAt }}\" } }");
    stage.sync("accounts", &sync);
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 77 WHERE id = 1").unwrap();
    let text = plan_file(&stage).await.unwrap();
    let ran = run(&stage, &text).await;
    assert!(ran.told_all().starts_with("completed: 1 delivered"), "{}", ran.told_all());
}
