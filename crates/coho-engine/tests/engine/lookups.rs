//! Look-ups of references: one by one, or by listing, whichever costs fewer calls.

use coho_simulator::{Seed, SimulatorTime};

use crate::stage::{Failure, START, Stage, USERS};

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
async fn accounts_at_the_far_end_of_the_list_cost_a_few_calls_more_than_look_ups() {
    for far in [0, 2_970] {
        let stage = stage(3_000).await.unwrap();
        users(&stage, 30, |number| far + number).unwrap();
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told("users"), "completed: 30 delivered");
        assert!(look_ups(&ran.calls) <= 30 + 1 + 2, "{}", look_ups(&ran.calls));
    }
}
