//! Look-ups of references: one by one, or by listing, whichever costs fewer calls.

use coho_simulator::{LifecycleStage, RecordKind, Seed, SimulatorTime};

use crate::stage::{ACCOUNTS, Failure, START, Stage, USERS};

/// Users only: their accounts are Vitally's own.
async fn stage(accounts: usize) -> Result<Stage, Failure> {
    let stage = Stage::with(&[("users", USERS)]).await?;
    for number in 0..accounts {
        // Each made at another moment, as in life: the list goes by that.
        let made = SimulatorTime::from_millis(START - 1_000_000_000 + i64::try_from(number)?);
        stage.vitally.seed(Seed::account(&format!("v-{number:05}")).made_at(made))?;
    }
    Ok(stage)
}

/// So many users, the n-th in the account that `of` gives.
fn users(stage: &Stage, count: usize, of: impl Fn(usize) -> usize) -> Result<(), Failure> {
    let row = |number| format!("({number}, 'u-{number:05}', 'User {number}', 'v-{:05}', NULL)", of(number));
    let rows: Vec<_> = (0..count).map(row).collect();
    stage.sql(&format!("INSERT INTO users VALUES {}", rows.join(", ")))
}

fn look_ups(calls: &[String]) -> usize {
    calls.iter().filter(|call| call.starts_with("GET /accounts")).count()
}

#[tokio::test]
async fn many_accounts_are_found_by_listing() {
    let stage = stage(2_000).await.unwrap();
    users(&stage, 600, |number| number % 200 * 10).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 600 delivered");
    assert_eq!((look_ups(&ran.calls), ran.calls.len()), (20, 620), "pages, not accounts");
    // What was found is remembered.
    stage.sql("UPDATE users SET name = 'Another' WHERE id < 50").unwrap();
    assert_eq!(look_ups(&stage.run().await.unwrap().calls), 0);
}

#[tokio::test]
async fn few_accounts_of_a_large_workspace_are_not_worth_a_long_list() {
    let stage = stage(3_000).await.unwrap();
    // The list begins at one end: these are spread, so that a page has hardly any.
    users(&stage, 30, |number| number * 100).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 30 delivered");
    let unknown = 30;
    assert!(look_ups(&ran.calls) <= unknown + unknown / 20 + 2, "{}", look_ups(&ran.calls));
}

#[tokio::test]
async fn accounts_at_the_far_end_of_the_list_cost_a_few_calls_more_than_look_ups() {
    for far in [0, 2_970] {
        let stage = stage(3_000).await.unwrap();
        users(&stage, 30, |number| far + number).unwrap();
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told("users"), "completed: 30 delivered");
        assert!(look_ups(&ran.calls) <= 30 + 1 + 2, "{}", look_ups(&ran.calls));
    }
}

#[tokio::test]
async fn an_account_that_is_missing_defers_its_rows_until_it_is_there() {
    let mut stage = stage(50).await.unwrap();
    users(&stage, 40, |number| number).unwrap();
    stage.sql("UPDATE users SET account = 'a-001' WHERE id >= 38").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed-with-errors: 38 delivered, 2 deferred");
    assert!(look_ups(&ran.calls) <= 2, "a page, and one look-up of the missing one: {:#?}", ran.calls);
    let problem = ran.report.syncs[0].problems.values().next().unwrap();
    assert_eq!(problem.first.code.to_string(), "reference-missing");
    assert_eq!(problem.first.message, "account `a-001` is not in Vitally yet");
    stage.sync("accounts", ACCOUNTS);
    stage.many_accounts(1, 2).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 2 delivered, 38 unchanged");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn churned_and_ignored_accounts_are_found() {
    let stage = stage(50).await.unwrap();
    for number in 0..20 {
        let lifecycle = if number % 2 == 0 { LifecycleStage::Churned } else { LifecycleStage::Ignored };
        stage
            .vitally
            .mark(coho_simulator::RecordKind::Account, &format!("v-{number:05}"), lifecycle)
            .unwrap();
    }
    users(&stage, 30, |number| number).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 30 delivered", "{:#?}", ran.report.syncs[0].problems);
    assert_eq!(stage.vitally.count(RecordKind::User), 30);
}

#[tokio::test]
async fn a_list_that_fails_is_no_reason_to_fail() {
    use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
    let stage = stage(50).await.unwrap();
    users(&stage, 20, |number| number).unwrap();
    let answer =
        FaultAnswer { body: Some("{\"error\":\"no lists today\"}".to_owned()), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("GET", "/resources/accounts"));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed: 20 delivered", "{:#?}", ran.calls);
    assert_eq!(look_ups(&ran.calls), 21);
}
