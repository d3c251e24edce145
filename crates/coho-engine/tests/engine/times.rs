//! The least time of a plan, and the order of what a run sends.

use coho_core::plan::LeastTime;
use coho_simulator::Switches;

use crate::stage::{Stage, destination};

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
