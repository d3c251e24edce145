//! Records that are spared: whose row is still there in some form is not removed.

use std::time::Duration;

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::event::Silence;
use coho_engine::lost::OnLost;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Stage};

const DELETING: &str = "removed: delete";

fn deleting(more: &str) -> String {
    format!("{}{more}", ACCOUNTS.replace("removed: delete-created", DELETING))
}

async fn stage(more: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &deleting(more));
    stage
}

#[tokio::test]
async fn a_record_whose_new_one_is_held_by_a_guard_stays() {
    let mut stage = stage("").await;
    let clearing = deleting("guards: { max_nulled: { share: 1%, floor: 1 } }\n");
    let clearing = clearing.replace("plan: plan", "plan: { column: plan, null: clear }");
    stage.sync("accounts", &clearing);
    stage.many_accounts(1, 5).unwrap();
    stage.run().await.unwrap();
    let before = stage.records();
    // All rows become other records, and one of their fields is cleared: that is held.
    stage.sql("UPDATE accounts SET external = 'b-' || external, plan = NULL").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().starts_with("held (max-nulled)"), "{}", ran.told_all());
    assert_eq!(stage.records(), before);
    // Where that is meant, each record takes the place of its old one.
    stage.sync("accounts", &clearing.replace("floor: 1", "floor: 10"));
    stage.run().await.unwrap();
    assert!(stage.records().iter().all(|line| line.starts_with("account b-")), "{:?}", stage.records());
    assert_eq!(stage.vitally.count(RecordKind::Account), 4);
}

#[tokio::test]
async fn a_record_whose_new_one_is_refused_stays_until_that_is_there() {
    let stage = stage("").await;
    stage.many_accounts(1, 2).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET external = 'b-001'").unwrap();
    let body = Some(r#"{"error":"this is no name"}"#.to_owned());
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(FaultAnswer { body, ..FaultAnswer::status(400) })));
    stage.run().await.unwrap();
    assert_eq!(stage.vitally.count(RecordKind::Account), 1, "{:?}", stage.records());
    assert!(stage.records()[0].starts_with("account a-001"), "{:?}", stage.records());
    stage.advance(Duration::from_secs(3_600));
    stage.run().await.unwrap();
    assert!(stage.records()[0].starts_with("account b-001"), "{:?}", stage.records());
    assert_eq!(stage.vitally.count(RecordKind::Account), 1);
}

#[tokio::test]
async fn a_record_whose_renamed_row_is_invalid_stays() {
    let mut stage = stage("").await;
    let casting = deleting("").replace("seats: seats", "seats: { column: seats, as: number }");
    stage.sync("accounts", &casting);
    stage.many_accounts(1, 2).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET id = 11, seats = 'many'").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().contains("1 invalid"), "{}", ran.told_all());
    assert_eq!(stage.vitally.count(RecordKind::Account), 1);
}

#[tokio::test]
async fn rows_that_are_only_remembered_share_no_record() {
    let stage = stage("").await;
    stage.many_accounts(1, 3).unwrap();
    stage.sql("UPDATE accounts SET external = 'same'").unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    let ran = stage.run_with(&baseline).await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 2 invalid");
}

#[tokio::test]
async fn a_row_that_is_remembered_as_another_record_lets_the_old_one_go_on() {
    let stage = stage("").await;
    stage.many_accounts(1, 2).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET external = 'b-001'").unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    assert_eq!(stage.run_with(&baseline).await.unwrap().told_all(), "completed: 1 learned");
    let targets = stage.ask_ledger("SELECT target || ' ' || standing FROM memory ORDER BY target").unwrap();
    assert_eq!(targets, ["a-001 delivered", "b-001 assumed"]);
}

#[tokio::test]
async fn an_adoption_that_breaks_off_hides_no_lost_ledger() {
    let stage = stage("").await;
    stage.many_accounts(1, 3).unwrap();
    stage.run().await.unwrap();
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        drop(std::fs::remove_file(stage.ledger().with_file_name(file)));
    }
    let adopt = Options { run_kind: RunKind::Adopt, on_lost: OnLost::BeginAnew, ..Options::default() };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(FaultAnswer::status(403))));
    drop(stage.try_run(&adopt, &Silence, &Stop::new()).await.unwrap());
    let lost = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap_err();
    assert_eq!(lost.code(), Code::LEDGER_LOST);
}
