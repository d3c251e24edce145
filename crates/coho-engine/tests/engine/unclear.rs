//! Writes that may have arrived, of users whose account is gone meanwhile: each is looked at before its row waits.

use std::time::Duration;

use coho_core::plan::Calls;
use coho_simulator::{FaultAnswer, ScriptedFault, Seed, Trouble};

use crate::stage::{ACCOUNTS, Failure, Ran, Stage, USERS};

const OPEN: &str = "SELECT key FROM memory WHERE pending = 'open'";

/// What is remembered of the user.
const SENT: &str = "SELECT coalesce(fields, standing) FROM memory LEFT JOIN sync_snapshot ON sync_id = 'users' AND row_id = key
  WHERE target = 'u-1'";

/// An answer of success that shows none, whether what was asked for was done or not.
fn empty_answer(is_done: bool) -> Trouble {
    success("", is_done)
}

/// The same with a record that nobody asked for: a PUT is not repeated after that.
fn foreign_answer(is_done: bool) -> Trouble {
    success(r#"{"id":"00000000-0000-4000-8000-00000000ffff","externalId":"other","name":"Other"}"#, is_done)
}

fn success(body: &str, is_done: bool) -> Trouble {
    let answer = FaultAnswer { body: Some(body.to_owned()), ..FaultAnswer::status(200) };
    if is_done { Trouble::AnswerAfterCommit(answer) } else { Trouble::Answer(answer) }
}

/// Two accounts, and a sync of users.
async fn stage(users: &str) -> Result<Stage, Failure> {
    let accounts = ACCOUNTS.replace("delete-created", "delete");
    let stage = Stage::with(&[("accounts", &accounts), ("users", users)]).await?;
    stage.many_accounts(1, 3)?;
    stage.run().await?;
    Ok(stage)
}

/// A run in which a call of users fails, and the account a-001 leaves at the end.
async fn disturbed(stage: &Stage, users: &str, fault: ScriptedFault) -> Result<(), Failure> {
    stage.sql(&format!("DELETE FROM accounts WHERE id = 1; {users}"))?;
    stage.vitally.script(fault);
    stage.advance(Duration::from_secs(60));
    let ran = stage.run_alone().await?;
    assert_eq!(ran.told("users"), "completed-with-errors: 1 deferred", "{:#?}", ran.calls);
    assert_eq!(stage.ask_ledger(OPEN)?, ["1"]);
    stage.advance(Duration::from_secs(3_600));
    Ok(())
}

/// The look, which the plan has foreseen.
async fn looked(stage: &Stage, calls: &[&str], foreseen: Calls) -> Result<Ran, Failure> {
    let ran = stage.run().await?;
    assert_eq!(ran.told("users"), "completed-with-errors: 1 deferred", "{:#?}", ran.calls);
    assert_eq!(ran.calls, calls);
    assert_eq!(ran.plans[1].calls, foreseen);
    assert_eq!(stage.ask_ledger(OPEN)?, [""; 0]);
    Ok(ran)
}

const NEW: &str = "INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)";

#[tokio::test]
async fn a_new_user_that_went_with_its_account_never_arrived() -> Result<(), Failure> {
    for is_done in [false, true] {
        let stage = stage(USERS).await?;
        disturbed(&stage, NEW, ScriptedFault::once(empty_answer(is_done)).on("POST", "/resources/users"))
            .await?;
        let calls = ["GET /accounts/a-001", "GET /users/u-1", "GET /users?limit=100&sortBy=createdAt"];
        looked(&stage, &calls, Calls { least: 1, most: 5 }).await?;
        assert_eq!(stage.ask_ledger(SENT)?, ["never"], "{is_done}");
        // From now on it waits like any other.
        assert_eq!(stage.run().await?.calls, ["GET /accounts/a-001"]);
        stage.many_accounts(1, 2)?;
        let ran = stage.run().await?;
        assert_eq!(ran.told("users"), "completed: 1 delivered");
        assert_eq!(stage.records()[2], r#"user u-1 "Ada" in <a-001>"#);
        assert_eq!(stage.run().await?.calls, [""; 0]);
    }
    Ok(())
}

#[tokio::test]
async fn a_new_user_that_is_there_is_known_and_ours() -> Result<(), Failure> {
    let mut stage = stage(USERS).await?;
    disturbed(&stage, NEW, ScriptedFault::once(empty_answer(true)).on("POST", "/resources/users")).await?;
    // Somebody put it into another account meanwhile.
    stage.vitally.seed(Seed::user("u-1").name("Ada").account_link("a-002"))?;
    let calls = ["GET /accounts/a-001", "GET /users/u-1"];
    looked(&stage, &calls, Calls { least: 1, most: 5 }).await?;
    assert_eq!(stage.ask_ledger(SENT)?, [r#"{"accountIds":[],"name":"Ada"}"#]);
    stage.sync("users", &USERS.replace("delete-created", "delete"));
    stage.sql("DELETE FROM users; INSERT INTO users VALUES (2, 'u-2', 'Bea', 'a-002', NULL)")?;
    assert_eq!(stage.run().await?.told("users"), "completed: 1 delivered, 1 removed");
    Ok(())
}

#[tokio::test]
async fn of_a_change_that_may_have_arrived_what_the_record_shows_is_remembered() -> Result<(), Failure> {
    for is_done in [false, true] {
        let stage = stage(USERS).await?;
        stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-002', NULL)")?;
        stage.run().await?;
        let fault = ScriptedFault::once(foreign_answer(is_done)).on("PUT", "/resources/users/*");
        disturbed(&stage, "UPDATE users SET name = 'Ada B.', account = 'a-001'", fault).await?;
        let calls = ["GET /accounts/a-001", "GET /users/<u-1>"];
        looked(&stage, &calls, Calls { least: 1, most: 5 }).await?;
        let name = if is_done { "Ada B." } else { "Ada" };
        let sent = format!(r#"{{"accountIds":["a-002"],"name":"{name}"}}"#);
        assert_eq!(stage.ask_ledger(SENT)?, [sent]);
        stage.sql("UPDATE users SET name = 'Ada', account = 'a-002'")?;
        let calls = if is_done { vec![r#"PUT /users/<u-1> {"name":"Ada"}"#] } else { Vec::new() };
        assert_eq!(stage.run().await?.calls, calls);
        assert_eq!(stage.records()[1], r#"user u-1 "Ada" in <a-002>"#);
    }
    Ok(())
}

#[tokio::test]
async fn a_user_of_an_address_is_looked_at_by_it_and_by_its_external_id() -> Result<(), Failure> {
    let users = USERS.replace("externalId: external", "email: email, externalId: external");
    let stage = stage(&users).await?;
    let new = NEW.replace("NULL", "'ada@acme.io'");
    disturbed(&stage, &new, ScriptedFault::once(empty_answer(false)).on("POST", "/resources/users")).await?;
    let calls = [
        "GET /accounts/a-001",
        "GET /users/search?email=ada%40acme.io",
        "GET /users/u-1",
        "GET /users?limit=100&sortBy=createdAt",
    ];
    looked(&stage, &calls, Calls { least: 1, most: 5 }).await?;
    stage.many_accounts(1, 2)?;
    assert_eq!(stage.run().await?.told("users"), "completed: 1 delivered");
    Ok(())
}

#[tokio::test]
async fn an_insert_is_looked_at_once() -> Result<(), Failure> {
    let stage = stage(&format!("{USERS}mode: insert\n")).await?;
    disturbed(&stage, NEW, ScriptedFault::once(empty_answer(false)).on("POST", "/resources/users")).await?;
    let calls = ["GET /accounts/a-001", "GET /users/u-1", "GET /users?limit=100&sortBy=createdAt"];
    looked(&stage, &calls, Calls { least: 1, most: 8 }).await?;
    Ok(())
}

#[tokio::test]
async fn a_look_that_fails_leaves_the_write_unclear() -> Result<(), Failure> {
    let stage = stage(USERS).await?;
    disturbed(&stage, NEW, ScriptedFault::once(empty_answer(false)).on("POST", "/resources/users")).await?;
    let refused = Trouble::Answer(FaultAnswer::status(400));
    stage.vitally.script(ScriptedFault::once(refused).on("GET", "/resources/users/*"));
    let ran = stage.run_alone().await?;
    assert_eq!(ran.told("users"), "completed-with-errors: 1 deferred");
    assert_eq!(stage.ask_ledger(OPEN)?, ["1"]);
    let calls = ["GET /accounts/a-001", "GET /users/u-1", "GET /users?limit=100&sortBy=createdAt"];
    looked(&stage, &calls, Calls { least: 1, most: 5 }).await?;
    Ok(())
}

#[tokio::test]
async fn where_a_reference_cannot_be_found_out_the_write_is_looked_at_too() -> Result<(), Failure> {
    let stage = stage(USERS).await?;
    disturbed(&stage, NEW, ScriptedFault::once(empty_answer(false)).on("POST", "/resources/users")).await?;
    let refused = Trouble::Answer(FaultAnswer::status(400));
    stage.vitally.script(ScriptedFault::once(refused).on("GET", "/resources/accounts/*"));
    let ran = stage.run_alone().await?;
    assert_eq!(ran.told("users"), "completed-with-errors: 1 rejected", "{:#?}", ran.calls);
    assert_eq!(ran.calls.len(), 3, "{:#?}", ran.calls);
    assert_eq!(stage.ask_ledger(SENT)?, ["never"]);
    Ok(())
}
