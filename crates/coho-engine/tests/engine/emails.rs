//! Users matched by e-mail: found once, then known by Vitally's id.

use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Seed, SimulatorTime, Trouble};

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
    let note = "user `ada@acme.example` has the external id `crm-7` in Vitally, not `u-1`, and keeps it";
    assert_eq!(ran.report.syncs[1].notes, [note]);
    assert_eq!(users(&stage), [r#"user crm-7 "Ada" <ada@acme.example> in <acme>"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
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
        "the user with the e-mail address `bea@acme.example` already belongs to the row with key `1`"
    );
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
