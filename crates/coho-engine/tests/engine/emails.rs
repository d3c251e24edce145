//! Users matched by e-mail: found once, then known by Vitally's id.

use std::time::Duration;

use coho_core::decide::RunKind;
use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{FaultAnswer, RecordId, RecordKind, ScriptedFault, Seed, SimulatorTime, Trouble};

use crate::stage::{ACCOUNTS, Failure, START, Stage};

/// Users by e-mail; their account is there.
const CONTACTS: &str = "
id: contacts
model: users
to: vitally
object: user
match: { email: email, externalId: external }
fields:
  name: name
  accountIds: { column: account, lookup: account.externalId }
removed: delete
";

const ADA: &str = "INSERT INTO users VALUES (1, 'u-1', 'Ada', 'acme', 'ada@acme.example')";

async fn stage() -> Result<Stage, Failure> {
    with(CONTACTS).await
}

/// The account is delivered, and so its id known: the calls of a run are those of its users.
async fn with(sync: &str) -> Result<Stage, Failure> {
    let stage = Stage::with(&[("accounts", ACCOUNTS), ("contacts", sync)]).await?;
    stage.sql("INSERT INTO accounts VALUES (1, 'acme', 'Acme', NULL, 1, 0)")?;
    stage.run().await?;
    Ok(stage)
}

fn long_ago() -> SimulatorTime {
    SimulatorTime::from_millis(START - 1_000_000_000)
}

/// A user of Vitally's own.
fn user(external_id: Option<&str>, email: &str) -> Seed {
    Seed::new(RecordKind::User, external_id).email(email).account_link("acme").made_at(long_ago())
}

fn users(stage: &Stage) -> Vec<String> {
    stage.records().into_iter().filter(|line| line.starts_with("user")).collect()
}

#[tokio::test]
async fn a_user_that_is_found_is_written_by_its_id_and_never_searched_again() {
    let stage = stage().await.unwrap();
    stage.vitally.seed(user(Some("u-1"), "Ada@Acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed: 1 delivered");
    assert_eq!(ran.calls.len(), 2, "{:#?}", ran.calls);
    assert!(ran.calls[0].starts_with("GET /users/search?email="), "{}", ran.calls[0]);
    assert!(ran.calls[1].starts_with("PUT /users/<u-1> "), "{}", ran.calls[1]);
    assert_eq!(ran.report.syncs[1].notes, [""; 0]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    stage.sql("UPDATE users SET name = 'Ada L.'").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [r#"PUT /users/<u-1> {"name":"Ada L."}"#]);
    assert_eq!(stage.vitally.count(RecordKind::User), 1);
}

#[tokio::test]
async fn a_user_that_is_found_under_another_external_id_keeps_it_and_is_told() {
    let stage = stage().await.unwrap();
    stage.vitally.seed(user(Some("crm-7"), "ada@acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told("contacts").as_str(), ran.calls.len()), ("completed: 1 delivered", 2));
    let note = "user ada@acme.example has the external id crm-7 in Vitally, not u-1: it keeps it";
    assert_eq!(ran.report.syncs[1].notes, [note]);
    assert_eq!(users(&stage), [r#"user crm-7 "Ada" <ada@acme.example> in <acme>"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_user_that_is_not_found_is_created_with_its_external_id() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed: 1 delivered");
    assert!(ran.calls[0].starts_with("GET /users/search?email="), "{:#?}", ran.calls);
    assert!(ran.calls[1].starts_with(r#"POST /users {"externalId":"u-1""#), "{:#?}", ran.calls);
    assert_eq!(ran.calls.len(), 2);
    assert_eq!(users(&stage), [r#"user u-1 "Ada" <ada@acme.example> in <acme>"#]);
    assert_eq!(stage.ask_ledger("SELECT origin FROM memory JOIN scopes ON scopes.id = scope WHERE key = '1' AND object = 'user'").unwrap(), ["created"]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn an_address_that_two_users_have_is_ambiguous() {
    let stage = stage().await.unwrap();
    stage.vitally.seed(user(Some("one"), "ada@acme.example")).unwrap();
    stage.vitally.seed(user(Some("two"), "ADA@acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed-with-errors: 1 rejected");
    let codes: Vec<_> = ran.report.syncs[1].problems.keys().map(ToString::to_string).collect();
    assert_eq!(codes, ["ambiguous-match"]);
    assert_eq!(ran.calls.len(), 1, "nothing is written: {:#?}", ran.calls);
}

#[tokio::test]
async fn two_rows_with_one_address_are_both_invalid_whatever_its_case() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Ada', 'acme', 'ADA@acme.example')").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed-with-errors: 2 invalid");
    let codes: Vec<_> = ran.report.syncs[1].problems.keys().map(ToString::to_string).collect();
    assert_eq!((codes, ran.calls.len()), (vec!["duplicate-target".to_owned()], 0));
}

#[tokio::test]
async fn a_second_row_with_the_address_of_a_delivered_one_is_not_sent() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Ada', 'acme', 'ADA@acme.example')").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [""; 0]);
    assert_eq!(ran.told("contacts"), "completed-with-errors: 1 unchanged, 1 invalid");
    // As soon as the first one changes, it is not sent either: nobody knows which of the two is meant.
    stage.sql("UPDATE users SET name = 'Ada L.' WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told("contacts").as_str(), ran.calls.len()), ("completed-with-errors: 2 invalid", 0));
    // The doublet leaves: the first is sent.
    stage.sql("DELETE FROM users WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /users/<u-1> {"name":"Ada L."}"#]);
}

#[tokio::test]
async fn a_row_whose_record_another_key_holds_is_rejected() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    // Somebody changes the address in Vitally to that of a row to come.
    let held = stage.vitally.record(RecordKind::User, "u-1").unwrap().id;
    let body = format!(
        r#"{{"results":[{{"id":"{held}","externalId":"u-1","email":"bea@acme.example","createdAt":"2020-01-01T00:00:00.000Z"}}]}}"#
    );
    let answer = FaultAnswer { body: Some(body), ..FaultAnswer::status(200) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("GET", "/resources/users/search"));
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'acme', 'bea@acme.example')").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed-with-errors: 1 rejected, 1 unchanged", "{:#?}", ran.calls);
    let problem = ran.report.syncs[1].problems.values().next().unwrap();
    assert_eq!(problem.first.code.to_string(), "duplicate-target");
    assert_eq!(
        problem.first.message,
        "the user with the e-mail address `bea@acme.example` is held by the row with key `1`"
    );
}

#[tokio::test]
async fn an_address_that_changes_is_written_to_the_same_user() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET email = 'ada@new.example'").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.calls[0].starts_with("GET /users/search?email="), "{:#?}", ran.calls);
    assert_eq!(ran.calls[1..], [r#"PUT /users/<u-1> {"email":"ada@new.example"}"#]);
    assert_eq!(users(&stage), [r#"user u-1 "Ada" <ada@new.example> in <acme>"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn an_address_that_changes_to_that_of_another_user_is_rejected() {
    let stage = stage().await.unwrap();
    stage.vitally.seed(user(Some("other"), "ada@new.example")).unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET email = 'ada@new.example'").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told("contacts").as_str(), ran.calls.len()), ("completed-with-errors: 1 rejected", 1));
    let problem = ran.report.syncs[1].problems.values().next().unwrap();
    assert_eq!(problem.first.code.to_string(), "ambiguous-match", "{}", problem.first.message);
    assert_eq!(users(&stage)[1], r#"user u-1 "Ada" <ada@acme.example> in <acme>"#);
}

#[tokio::test]
async fn two_rows_that_exchange_their_addresses_lose_none() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'acme', 'bea@acme.example')").unwrap();
    stage.run().await.unwrap();
    stage
        .sql("UPDATE users SET email = CASE id WHEN 1 THEN 'bea@acme.example' ELSE 'ada@acme.example' END")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(stage.vitally.count(RecordKind::User), 2);
    assert_eq!(ran.told("contacts"), "completed-with-errors: 2 rejected", "{:#?}", ran.calls);
}

#[tokio::test]
async fn another_external_id_of_the_row_is_the_same_user_and_nothing_is_removed() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE users SET external = 'u-9'").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(!ran.calls.iter().any(|call| call.starts_with("DELETE") || call.starts_with("POST")));
    assert_eq!(stage.vitally.count(RecordKind::User), 1);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    stage.sql("UPDATE users SET name = 'Ada L.'").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [r#"PUT /users/<u-1> {"name":"Ada L."}"#]);
}

#[tokio::test]
async fn a_row_that_leaves_under_delete_is_deleted_by_its_id_alone() {
    let stage = with(&format!("{CONTACTS}guards: {{ empty_source: allow }}\n")).await.unwrap();
    stage.vitally.seed(user(Some("crm-7"), "ada@acme.example")).unwrap();
    stage.vitally.seed(user(Some("u-1"), "other@acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM users").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /users/<crm-7>"]);
    assert_eq!(users(&stage), [r#"user u-1 "" <other@acme.example> in <acme>"#]);
}

#[tokio::test]
async fn a_record_that_a_sync_by_external_id_holds_is_not_deleted_by_one_by_address() {
    let mut stage = stage().await.unwrap();
    stage.sql("CREATE TABLE crm (id, external, name, account)").unwrap();
    stage.file("models/crm.yaml", "source: app\ntable: crm\nprimary_key: id\n");
    stage.sync(
        "a-crm",
        "
id: a-crm
model: crm
to: vitally
object: user
match: { externalId: external }
fields: { name: name, accountIds: { column: account, lookup: account.externalId } }
",
    );
    stage.vitally.seed(user(Some("crm-7"), "ada@acme.example")).unwrap();
    stage.sql("INSERT INTO crm VALUES (1, 'crm-7', 'Ada', 'acme')").unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'acme', 'bea@acme.example')").unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [""; 0], "another sync holds the record: {}", ran.told("contacts"));
    assert_eq!(ran.told("contacts"), "completed: 1 unchanged, 1 released");
}

#[tokio::test]
async fn a_null_and_a_blank_address_are_invalid() {
    let stage = stage().await.unwrap();
    stage
        .sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'acme', NULL), (2, 'u-2', 'Bea', 'acme', '  ')")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told("contacts").as_str(), ran.calls.len()), ("completed-with-errors: 2 invalid", 0));
    for problem in ran.report.syncs[1].problems.values() {
        assert!(problem.first.message.contains("mail"), "{}", problem.first.message);
    }
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_makes_no_second_user() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/users"));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(stage.vitally.count(RecordKind::User), 1, "{:#?}", ran.calls);
    stage.vitally.clear_script();
    stage.advance(Duration::from_secs(60));
    let ran = stage.run().await.unwrap();
    assert!(ran.told("contacts").starts_with("completed: 1"), "{} {:#?}", ran.told("contacts"), ran.calls);
    assert_eq!(users(&stage), [r#"user u-1 "Ada" <ada@acme.example> in <acme>"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert_eq!(stage.ask_ledger("SELECT origin FROM memory JOIN scopes ON scopes.id = scope WHERE key = '1' AND object = 'user'").unwrap(), ["created"]);
}

#[tokio::test]
async fn a_user_whose_row_left_while_its_creation_was_unclear_is_sought_by_its_address() {
    let stage = stage().await.unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Grace', 'acme', 'grace@acme.example')").unwrap();
    stage.run().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/users"));
    assert_eq!(stage.run().await.unwrap().told("contacts"), "completed-with-errors: 1 deferred, 1 unchanged");
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    // Once to see whether another row has it, once for Vitally's clock beside the answer.
    assert_eq!(ran.calls, ["GET /users/search?email=ada%40acme.example"; 2]);
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /users/<u-1>"]);
    assert_eq!(users(&stage), [r#"user u-2 "Grace" <grace@acme.example> in <acme>"#]);
}

#[tokio::test]
async fn a_user_whose_deletion_is_unclear_is_sought_by_its_id_whatever_its_external_id() {
    let stage = stage().await.unwrap();
    stage.vitally.seed(user(Some("crm-7"), "ada@acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Grace', 'acme', 'grace@acme.example')").unwrap();
    stage.run().await.unwrap();
    let failing = Trouble::Answer(FaultAnswer::status(503));
    stage.vitally.script(ScriptedFault::once(failing).on("DELETE", "/resources/users/*").times(3));
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    let deferred = "completed-with-errors: 1 deferred, 1 unchanged";
    assert_eq!(stage.run().await.unwrap().told("contacts"), deferred);
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told("contacts").as_str(), ran.calls), (deferred, vec!["GET /users/<crm-7>".to_owned()]));
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /users/<crm-7>"]);
}

#[tokio::test]
async fn an_address_that_changes_after_a_lost_answer_makes_no_second_user() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/users"));
    // Whatever is asked after that gets no answer either: the intent stays open.
    stage.vitally.script(
        ScriptedFault::once(Trouble::Answer(FaultAnswer::status(503)))
            .on("GET", "/resources/users/search")
            .after(1)
            .times(1_000),
    );
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    stage.vitally.clear_script();
    stage.sql("UPDATE users SET email = 'ada@new.example'").unwrap();
    stage.advance(Duration::from_secs(60));
    let ran = stage.run().await.unwrap();
    assert_eq!(users(&stage), [r#"user u-1 "Ada" <ada@new.example> in <acme>"#], "{:#?}", ran.calls);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn update_mode_writes_who_is_found_and_skips_who_is_not() {
    let sync = CONTACTS.replace("removed: delete", "mode: update");
    let stage = with(&sync).await.unwrap();
    stage.vitally.seed(user(Some("u-1"), "ada@acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'acme', 'bea@acme.example')").unwrap();
    let before = stage.vitally.count(RecordKind::User);
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed: 1 delivered, 1 skipped");
    assert_eq!(ran.calls.len(), 3, "{:#?}", ran.calls);
    assert_eq!(stage.vitally.count(RecordKind::User), before);
}

#[tokio::test]
async fn insert_mode_creates_who_is_not_found_and_skips_who_is() {
    let sync = CONTACTS.replace("removed: delete", "mode: insert");
    let stage = with(&sync).await.unwrap();
    stage.vitally.seed(user(Some("u-1"), "ada@acme.example")).unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'acme', 'bea@acme.example')").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed: 1 delivered, 1 skipped");
    assert!(ran.calls.last().unwrap().starts_with(r#"POST /users {"externalId":"u-2""#), "{:#?}", ran.calls);
}

#[tokio::test]
async fn a_user_that_was_deleted_by_hand_is_made_again() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    stage.vitally.reset().unwrap();
    let id = RecordId::parse("00000000-0000-4000-8000-00000000ffff");
    stage.vitally.seed(Seed { id, ..Seed::account("acme") }).unwrap();
    stage.sql("UPDATE users SET name = 'Ada L.'").unwrap();
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told("contacts"), "completed: 1 delivered", "{:#?}", ran.calls);
    assert_eq!(users(&stage), [r#"user u-1 "Ada L." <ada@acme.example> in <acme>"#]);
}

#[tokio::test]
async fn adopted_users_are_found_by_their_address_and_then_written_to_no_other() {
    let stage = with(&format!("{CONTACTS}first_run: adopt\n")).await.unwrap();
    // The first run was one without rows: what follows is what a person asks for.
    stage.vitally.seed(user(Some("crm-7"), "Ada@Acme.example").name("Ada")).unwrap();
    stage.vitally.seed(user(Some("crm-8"), "bea@acme.example").name("Beatrice")).unwrap();
    stage.sql(ADA).unwrap();
    stage.sql("INSERT INTO users VALUES (2, 'u-2', 'Bea', 'acme', 'bea@acme.example')").unwrap();
    let adopt = Options { run_kind: RunKind::Adopt, ..Options::default() };
    assert_eq!(stage.run_with(&adopt).await.unwrap().told("contacts"), "completed: 2 learned");
    // An address is the same whatever its case; the name is not.
    let ran = stage.run().await.unwrap();
    assert!(ran.told("contacts").starts_with("completed"), "{:#?}", ran.calls);
    stage.sql("UPDATE users SET email = 'ada@new.example' WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    assert_eq!(
        users(&stage),
        [
            r#"user crm-7 "Ada" <ada@new.example> in <acme>"#,
            r#"user crm-8 "Bea" <bea@acme.example> in <acme>"#,
        ]
    );
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn an_address_that_changes_after_a_baseline_makes_no_second_user() {
    let stage = stage().await.unwrap();
    stage.vitally.seed(user(Some("crm-7"), "ada@acme.example").name("Ada")).unwrap();
    stage.sql(ADA).unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    assert_eq!(stage.run_with(&baseline).await.unwrap().calls, [""; 0]);
    stage.sql("UPDATE users SET email = 'ada@new.example'").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(users(&stage), [r#"user crm-7 "Ada" <ada@new.example> in <acme>"#], "{:#?}", ran.calls);
}

#[tokio::test]
async fn many_users_are_found_by_listing_or_searched_and_each_once() {
    let stage = stage().await.unwrap();
    for number in 0..30 {
        let address = format!("USER-{number}@acme.example");
        stage.vitally.seed(user(Some(&format!("crm-{number}")), &address)).unwrap();
    }
    // One address is that of two users.
    stage.vitally.seed(user(Some("twin"), "user-7@acme.example")).unwrap();
    for number in 0..40 {
        let row = format!("({number}, 'u-{number}', 'User', 'acme', 'user-{number}@acme.example')");
        stage.sql(&format!("INSERT INTO users VALUES {row}")).unwrap();
    }
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("contacts"), "completed-with-errors: 39 delivered, 1 rejected");
    assert_eq!(stage.vitally.count(RecordKind::User), 41, "ten are new");
    let reads = ran.calls.iter().filter(|call| call.starts_with("GET")).count();
    assert!(reads <= 40 + 5, "{reads}");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn another_external_id_after_a_lost_answer_is_still_the_same_user() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/users"));
    let blind = Trouble::Answer(FaultAnswer::status(503));
    stage
        .vitally
        .script(ScriptedFault::once(blind).on("GET", "/resources/users/search").after(1).times(1_000));
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    stage.vitally.clear_script();
    stage.sql("UPDATE users SET external = 'u-9'").unwrap();
    for _ in 0..3 {
        stage.advance(Duration::from_secs(60));
        stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    }
    assert_eq!(stage.vitally.count(RecordKind::User), 1, "{:#?}", stage.records());
    stage.advance(Duration::from_secs(60));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.calls, [""; 0], "it comes to rest: {}", ran.told("contacts"));
}

#[tokio::test]
async fn a_renamed_key_keeps_the_user_that_its_address_finds() {
    let stage = stage().await.unwrap();
    stage.sql(ADA).unwrap();
    stage.run().await.unwrap();
    let before = users(&stage);
    let ids = |stage: &Stage| -> Vec<_> {
        stage.vitally.records(RecordKind::User).into_iter().map(|record| record.id).collect()
    };
    let id = ids(&stage);
    // Key and external id are new, the address is the same: under `delete` the user must not go with the old key.
    stage.sql("UPDATE users SET id = 7, external = 'u-7'").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told("contacts").contains("1 delivered"), "{}", ran.told("contacts"));
    assert_eq!((users(&stage), ids(&stage)), (before, id));
    let again = stage.run().await.unwrap();
    assert_eq!((again.calls.len(), stage.vitally.count(RecordKind::User)), (0, 1), "{:#?}", again.calls);
}
