//! The least time of a plan, and the order of what a run sends.

use coho_core::plan::LeastTime;
use coho_engine::run::Options;
use coho_simulator::{FaultAnswer, ScriptedFault, Switches, Trouble};

use crate::stage::{ACCOUNTS, Stage, destination};

async fn time(stage: &Stage) -> LeastTime {
    stage.plan().await.unwrap()[0].time
}

#[tokio::test]
async fn the_least_time_follows_the_rate_and_the_calls() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(0, 300).unwrap();
    for (rate, millis) in [(300, 60_000), (600, 30_000), (900, 20_000)] {
        stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, rate));
        let time = time(&stage).await;
        assert_eq!((time.rate, time.write_price, time.millis), (rate, 1_000, millis));
    }
    // The Analytics API would take a hundred at a time.
    assert!(time(&stage).await.by_analytics.unwrap() < 1_000);
}

#[tokio::test]
async fn nothing_to_send_takes_no_time() {
    let stage = Stage::accounts().await.unwrap();
    assert_eq!(time(&stage).await.millis, 0);
}

/// A Vitally where a write costs five units of a rate that it tells.
async fn dear() -> Stage {
    let stage = Stage::accounts().await.unwrap();
    stage.vitally.set_switches(Switches { write_cost: 5, limit: 2_000, ..Switches::default() });
    stage
}

/// Another value in each row, at 600 calls a minute.
async fn time_of_another(stage: &mut Stage) -> LeastTime {
    stage.sql("UPDATE accounts SET seats = seats + 1000").unwrap();
    stage.file("coho.yaml", &destination(&stage.vitally.url(), 1, 600));
    time(stage).await
}

#[tokio::test]
async fn what_a_write_costs_is_learned_and_remembered() {
    let mut stage = dear().await;
    stage.many_accounts(0, 100).unwrap();
    stage.run().await.unwrap();
    let time = time_of_another(&mut stage).await;
    assert_eq!((time.rate, time.write_price, time.millis), (600, 5_000, 50_000));
}

#[tokio::test]
async fn a_few_calls_teach_nothing() {
    let mut stage = dear().await;
    stage.many_accounts(0, 10).unwrap();
    stage.run().await.unwrap();
    assert_eq!(time_of_another(&mut stage).await.write_price, 1_000);
}

/// Who is written, in the order of the calls.
fn order(calls: &[String]) -> Vec<String> {
    let named = |call: &String| {
        let at = call.find("a-")?;
        call.get(at..at + 5).map(|name| format!("{} {name}", call.split(' ').next().unwrap_or_default()))
    };
    calls.iter().filter_map(named).collect()
}

#[tokio::test]
async fn fresh_rows_come_before_retries_and_a_changed_mapping_after_removals() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 8).unwrap();
    // Two are refused; they are tried again later.
    let refusal = Trouble::Answer(FaultAnswer::status(400));
    stage.vitally.script(ScriptedFault::once(refusal).on("POST", "/resources/accounts").times(2));
    stage.run().await.unwrap();
    stage.advance(std::time::Duration::from_secs(3_600));
    // One row is new, one changed, one left, and what the mapping makes of all rows is another thing.
    stage.many_accounts(8, 9).unwrap();
    stage.sql("UPDATE accounts SET seats = 100 WHERE id = 6; DELETE FROM accounts WHERE id = 7").unwrap();
    let shouting = ACCOUNTS.replace("plan: plan,", "plan: { template: \"{{ plan | upcase }}\" },");
    stage.sync("accounts", &format!("{shouting}run: {{ for: 1h }}\n"));
    let ran = stage.run_with(&Options::default()).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 7 delivered, 1 removed");
    let order = order(&ran.calls);
    let at = |name: &str| order.iter().position(|call| call.ends_with(name)).unwrap();
    let (new, left) = (at("a-008"), at("a-007"));
    let retries = [at("a-001"), at("a-002")];
    let backfill = [at("a-003"), at("a-004"), at("a-005")];
    assert!(new < *retries.iter().min().unwrap(), "{order:?}");
    assert!(left < *backfill.iter().min().unwrap(), "{order:?}");
    // Where the time is bounded, at most a fifth of the calls are retries until all others are through.
    assert!(*backfill.iter().max().unwrap() < *retries.iter().max().unwrap(), "{order:?}");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}
