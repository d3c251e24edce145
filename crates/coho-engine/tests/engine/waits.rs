//! Waits: a server that asks to be left alone is left alone, and nobody has to wait for the end of that.

use std::time::{Duration, Instant};

use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Stage};

/// Answers one POST by asking to come back in ten minutes.
async fn asked_to_wait(sync: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", sync);
    stage.many_accounts(1, 3).unwrap();
    let later = FaultAnswer { retry_after: Some(600), ..FaultAnswer::status(429) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(later)));
    stage
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_vitallys_rate() {
    let stage = asked_to_wait(ACCOUNTS).await;
    let (stop, began) = (Stop::new(), Instant::now());
    let asker = async {
        while stage.vitally.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.ask();
    };
    let options = Options::default();
    let (ran, ()) = tokio::join!(stage.try_run(&options, &Silence, &stop), asker);
    assert_eq!(ran.unwrap().unwrap().told_all(), "interrupted: 2 not-attempted");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(stage.vitally.count(RecordKind::Account), 0);
}

#[tokio::test]
async fn the_end_of_a_syncs_time_ends_the_wait_for_vitallys_rate() {
    let stage = asked_to_wait(&format!("{ACCOUNTS}run: {{ for: 1s }}\n")).await;
    let began = Instant::now();
    let ran = stage.run_alone().await.unwrap();
    assert!(ran.told_all().ends_with(": 2 not-attempted"), "{}", ran.told_all());
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
