//! First runs, and what is done where the ledger is lost.

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::event::{Event, Listener, Silence};
use coho_engine::context::EngineError;
use coho_engine::lost::OnLost;
use coho_engine::plan::Filter;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{RecordKind, Seed, SimulatorTime};

use crate::stage::{ACCOUNTS, Failure, START, Stage};

async fn stage(first_run: &str) -> Result<Stage, Failure> {
    let stage = Stage::with(&[("accounts", &format!("{ACCOUNTS}first_run: {first_run}\n"))]).await?;
    stage.many_accounts(1, 4)?;
    Ok(stage)
}

fn long_ago() -> SimulatorTime {
    SimulatorTime::from_millis(START - 1_000_000_000)
}

/// An account as the rows have it.
fn seed(stage: &Stage, number: u32) -> Seed {
    // Nothing of the stage is needed, but where the account goes reads better so.
    let _: &Stage = stage;
    Seed::account(&format!("a-{number:03}"))
        .name(&format!("Account {number}"))
        .with_trait("plan", "free")
        .with_trait("seats", number)
        .made_at(long_ago())
}

fn for_purpose(run_kind: RunKind) -> Options {
    Options { run_kind, ..Options::default() }
}

#[tokio::test]
async fn a_baseline_sends_nothing_and_the_next_run_only_what_changed() {
    let stage = stage("baseline").await.unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 learned", 0));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
    stage.many_accounts(4, 5).unwrap();
    stage.vitally.seed(seed(&stage, 2)).unwrap();
    stage.sql("UPDATE accounts SET seats = 20 WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered, 2 unchanged");
    assert_eq!(ran.calls[0], r#"PUT /accounts/a-002 {"traits":{"seats":20}}"#);
    assert!(ran.calls[1].starts_with(r#"POST /accounts {"externalId":"a-004""#), "{:#?}", ran.calls);
}

/// Asks the run to end as soon as it begins to read.
struct EndsEarly(Stop);

impl Listener for EndsEarly {
    fn on(&self, event: &Event) {
        if matches!(event, Event::RunStarted { .. } | Event::Reading { .. }) {
            self.0.ask();
        }
    }
}

#[tokio::test]
async fn a_baseline_that_was_interrupted_is_still_one() {
    let stage = stage("baseline").await.unwrap();
    let stop = Stop::new();
    let listener = EndsEarly(stop.clone());
    let ran = stage.try_run(&Options::default(), &listener, &stop).await.unwrap().unwrap();
    assert_eq!(ran.calls, [""; 0]);
    let ran = stage.run().await.unwrap();
    assert!(ran.calls.is_empty(), "{} {:#?}", ran.told_all(), ran.calls);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn part_of_the_rows_does_not_end_the_first_run() {
    let stage = stage("baseline").await.unwrap();
    let some = Options { filter: Filter { limit: Some(2), ..Filter::default() }, ..Options::default() };
    assert_eq!(stage.run_with(&some).await.unwrap().told_all(), "completed: 2 learned");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [""; 0], "{}", ran.told_all());
    stage.many_accounts(4, 5).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 3 unchanged");
}

#[tokio::test]
async fn a_policy_for_the_first_run_is_none_for_a_sync_that_ran() {
    let mut stage = stage("send").await.unwrap();
    stage.run().await.unwrap();
    stage.sync("accounts", &format!("{ACCOUNTS}first_run: baseline\n"));
    stage.many_accounts(4, 5).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 3 unchanged");
}

#[tokio::test]
async fn what_vitally_holds_is_adopted_and_the_next_run_sends_the_difference() {
    let stage = stage("adopt").await.unwrap();
    // The first one as it is, of the second another plan and a trait of somebody's, the third is not there.
    stage.vitally.seed(seed(&stage, 1)).unwrap();
    stage.vitally.seed(seed(&stage, 2).with_trait("plan", "pro").with_trait("note", "by hand")).unwrap();
    stage.sql("UPDATE accounts SET seats = NULL WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls.len(), 1, "one page: {:#?}", ran.calls);
    assert!(ran.calls[0].starts_with("GET /accounts?"), "{:#?}", ran.calls);
    assert_eq!(ran.told_all(), "completed: 2 learned, 1 held");
    assert_eq!(
        ran.plans[0].notes,
        [
            "1 record differs from what Vitally holds: the next run sends what differs",
            "1 row has no record in Vitally, or more than one: the next run sends what is missing"
        ]
    );
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered, 1 unchanged", "{:#?}", ran.calls);
    assert_eq!(ran.calls[0], r#"PUT /accounts/<a-002> {"traits":{"plan":"free"}}"#);
    assert!(ran.calls[1].starts_with(r#"POST /accounts {"externalId":"a-003""#), "{:#?}", ran.calls);
    // What a person typed into a field that the row leaves null is there still.
    assert_eq!(stage.records()[0], r#"account a-001 "Account 1" plan="free" seats=1"#);
    assert!(stage.records()[1].contains(r#"note="by hand""#), "{}", stage.records()[1]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn adopted_records_are_never_removed() {
    let stage = stage("adopt").await.unwrap();
    stage.vitally.seed(seed(&stage, 1)).unwrap();
    stage.run().await.unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 2 unchanged, 1 kept", 0));
}

#[tokio::test]
async fn adopting_lists_a_hundred_records_a_call() {
    let stage = stage("adopt").await.unwrap();
    for number in 1..=250 {
        stage.vitally.seed(seed(&stage, number)).unwrap();
    }
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.calls.len(), ran.told_all().as_str()), (3, "completed: 3 learned"));
    assert_eq!(ran.report.syncs[0].calls, 3);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn adopted_numbers_dates_lists_and_links_compare_by_what_they_mean() {
    let sync = r"
id: users
model: people
to: vitally
object: user
match: { externalId: external }
fields:
  name: name
  joinDate: { column: joined, as: timestamp }
  accountIds: { column: accounts, lookup: account.externalId }
  organizationIds: { column: organizations, lookup: organization.externalId }
  traits:
    score: { column: score, as: number }
    since: { column: since, as: date }
    tags: { column: tags, as: json }
    active: { column: active, as: boolean }
first_run: adopt
";
    let mut stage = Stage::with(&[("users", sync)]).await.unwrap();
    stage.file(
        "models/people.yaml",
        "source: app\nsql: select id, external, name, joined, accounts, organizations, score, since, tags, active from people\nprimary_key: id\n",
    );
    stage
        .sql(
            r#"CREATE TABLE people (id, external, name, joined, accounts, organizations, score, since, tags, active);
            INSERT INTO people VALUES (1, 'u-1', 'Ada', '2024-05-06T07:08:09Z', 'a', 'o', 12.0, '2024-05-06', '["x", "y"]', 1)"#,
        )
        .unwrap();
    for account in ["a", "extra"] {
        stage.vitally.seed(Seed::account(account)).unwrap();
    }
    stage.vitally.seed(Seed::organization("o")).unwrap();
    let user = Seed::user("u-1").name("Ada").with_trait("score", 12).with_trait("since", "2024-05-06");
    let user = user.with_trait("tags", serde_json::json!(["x", "y"])).with_trait("active", true);
    let user = user.account_link("a").account_link("extra").organization_link("o");
    stage.vitally.seed(user.made_at(long_ago())).unwrap();
    let ran = stage.run().await.unwrap();
    let told = (ran.told_all(), ran.plans[0].samples.clone());
    // The seed cannot say since when the user is there: that alone differs; what it is linked to was told by the list.
    assert_eq!(told.0, "completed: 1 learned", "{told:?}");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /users/u-1 {"joinDate":"2024-05-06T07:08:09.000Z"}"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn adopted_organizations_of_accounts_compare_by_external_id() {
    let sync = ACCOUNTS.replace(
        "  traits: { plan: plan, seats: seats }",
        "  organizationId: { column: plan, lookup: organization.externalId }\n  traits: { seats: seats }",
    );
    let stage = Stage::with(&[("accounts", &format!("{sync}first_run: adopt\n"))]).await.unwrap();
    stage.vitally.seed(Seed::organization("north")).unwrap();
    stage.vitally.seed(Seed::organization("south")).unwrap();
    for (id, name) in [("a-1", "One"), ("a-2", "Two")] {
        let account = Seed::account(id).name(name).with_trait("seats", 1).organization_link("north");
        stage.vitally.seed(account.made_at(long_ago())).unwrap();
    }
    stage
        .sql("INSERT INTO accounts VALUES (1, 'a-1', 'One', 'north', 1, 0), (2, 'a-2', 'Two', 'south', 1, 0)")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 2 learned", 2), "{:#?}", ran.calls);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 unchanged");
    assert_eq!(
        ran.calls.last().unwrap(),
        r#"PUT /accounts/<a-2> {"organizationId":"<south>"}"#,
        "{:#?}",
        ran.calls
    );
}

#[tokio::test]
async fn a_sync_that_ran_before_is_taken_as_delivered_when_a_person_asks() {
    let stage = stage("send").await.unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 100").unwrap();
    let ran = stage.run_with(&for_purpose(RunKind::Baseline)).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 learned", 0));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
    // What Vitally holds is another matter.
    let ran = stage.run_with(&for_purpose(RunKind::Adopt)).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 learned", 1));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 3 delivered");
    assert!(
        ran.calls[0].starts_with("PUT /accounts/<a-001> {\"traits\":{\"seats\":100}}"),
        "{:#?}",
        ran.calls
    );
    // They are ours still.
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /accounts/<a-001>"]);
}

fn lose(stage: &Stage) {
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        drop(std::fs::remove_file(stage.folder.path().join(file)));
    }
}

#[tokio::test]
async fn a_lost_ledger_is_noticed_before_anything_is_sent() {
    let stage = stage("send").await.unwrap();
    stage.run().await.unwrap();
    let mark = std::fs::read_to_string(stage.folder.path().join(".coho-ledger")).unwrap();
    let lines: Vec<_> = mark.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines[0].ends_with(" accounts") && lines[1].starts_with("project run-"), "{mark}");
    lose(&stage);
    let lost = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap_err();
    assert_eq!(lost.code(), Code::LEDGER_LOST);
    assert!(lost.to_string().contains("ledger.db"), "{lost}");
    assert!(lost.help().unwrap().contains("coho adopt"));
    assert!(stage.plan().await.is_err());
    assert!(!stage.ledger().exists(), "a refusal makes no ledger");
    assert_eq!(stage.vitally.calls().len(), 0);
    let anew = Options { on_lost: OnLost::BeginAnew, ..Options::default() };
    let ran = stage.run_with(&anew).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 3 delivered");
    assert_eq!(stage.vitally.count(RecordKind::Account), 3);
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn retrying_and_forgetting_do_not_hide_that_the_ledger_is_lost() {
    let stage = stage("send").await.unwrap();
    stage.run().await.unwrap();
    lose(&stage);
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    assert_eq!(engine.make_due(&project.syncs[0], None).unwrap_err().code(), Code::LEDGER_LOST);
    assert_eq!(engine.forget(&project.syncs[0], None).unwrap_err().code(), Code::LEDGER_LOST);
    assert!(!stage.ledger().exists());
}

#[tokio::test]
async fn a_mark_with_the_lines_of_another_system_is_read() {
    let stage = stage("send").await.unwrap();
    stage.run().await.unwrap();
    let path = stage.folder.path().join(".coho-ledger");
    let mark = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, mark.replace('\n', "\r\n")).unwrap();
    lose(&stage);
    let lost = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap();
    assert!(matches!(lost, Err(EngineError::LedgerLost { .. })));
}

#[tokio::test]
async fn after_a_loss_what_is_adopted_is_neither_sent_nor_removed() {
    let stage = stage("send").await.unwrap();
    stage.run().await.unwrap();
    lose(&stage);
    let adopt = Options { on_lost: OnLost::BeginAnew, ..for_purpose(RunKind::Adopt) };
    let ran = stage.run_with(&adopt).await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 learned", 1));
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 unchanged", 0));
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 2 unchanged, 1 kept", 0));
}

#[tokio::test]
async fn a_null_that_clears_is_no_agreement_with_what_vitally_holds() {
    let sync = ACCOUNTS.replace("plan: plan,", "plan: { column: plan, null: clear },");
    let stage = Stage::with(&[("accounts", &format!("{sync}first_run: adopt\n"))]).await.unwrap();
    stage.many_accounts(1, 2).unwrap();
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    stage.vitally.seed(seed(&stage, 1)).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 learned");
    // `null: clear` clears the field whoever set it.
    assert_eq!(stage.run().await.unwrap().calls, [r#"PUT /accounts/<a-001> {"traits":{"plan":null}}"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}
