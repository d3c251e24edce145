//! Events under new ids: a sync or its keys were renamed, and Vitally would keep every event twice.

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_engine::run::Options;

use crate::stage::{ACCOUNTS, Failure, ORDERS, Stage};

/// A stage whose three orders were accepted.
async fn sent() -> Result<Stage, Failure> {
    let stage = Stage::with_analytics(&[("orders", ORDERS)]).await?;
    orders(&stage, 1, 4)?;
    assert_eq!(stage.run().await?.told_all(), "completed: 3 accepted");
    Ok(stage)
}

/// Orders of the first days of the year.
fn orders(stage: &Stage, from: usize, to: usize) -> Result<(), Failure> {
    let row = |id| format!("('{id}', 'm', 'k', '2026-01-{id:02}T00:00:00Z', 'a-1', NULL, NULL, {id}, 'n')");
    let rows: Vec<_> = (from..to).map(row).collect();
    stage.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", ")))
}

/// What every run does until a person says which events these are.
async fn is_held(stage: &Stage, says: &str) -> Result<(), Failure> {
    for _ in 0..2 {
        let ran = stage.run().await?;
        assert_eq!(ran.calls, Vec::<String>::new());
        let [guard] = &ran.report.syncs[0].guards[..] else { return Err(ran.told_all().into()) };
        assert_eq!((guard.code, guard.held), (Code::NEW_EVENT_IDS, 3));
        assert!(guard.message.contains(says), "{}", guard.message);
        assert!(
            guard.help.contains("--resend --events") && guard.help.contains("baseline"),
            "{}",
            guard.help
        );
    }
    assert_eq!(stage.vitally.events().len(), 3);
    Ok(())
}

fn resend_events() -> Options {
    Options { run_kind: RunKind::ResendEvents, ..Options::default() }
}

async fn checked(stage: &Stage) -> Result<Vec<String>, Failure> {
    let project = stage.project()?;
    let engine = stage.engine(&project);
    let syncs = engine.select(&[])?;
    let found = engine.check(&syncs).await;
    let ours = found.warnings.iter().filter(|warning| warning.code == Code::NEW_EVENT_IDS);
    Ok(ours.map(|warning| warning.message.clone()).collect())
}

#[tokio::test]
async fn a_sync_of_events_under_another_id_is_held() {
    let mut stage = sent().await.unwrap();
    assert_eq!(checked(&stage).await.unwrap(), Vec::<String>::new());
    stage.sync("orders", &ORDERS.replace("id: orders", "id: purchases"));
    is_held(&stage, "`orders`").await.unwrap();
    assert!(checked(&stage).await.unwrap()[0].contains("`purchases` is that sync under another id"));
    stage.sync("orders", &ORDERS.replace("id: orders", "id: purchases\nrenamed_from: orders"));
    assert_eq!(checked(&stage).await.unwrap(), Vec::<String>::new());
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn a_sync_of_other_events_is_sent_on_purpose() {
    let mut stage = sent().await.unwrap();
    stage.sync("orders", &ORDERS.replace("id: orders", "id: purchases"));
    is_held(&stage, "`orders`").await.unwrap();
    assert_eq!(stage.run_with(&resend_events()).await.unwrap().told_all(), "completed: 3 accepted");
    orders(&stage, 4, 5).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 accepted, 3 unchanged");
}

#[tokio::test]
async fn a_sync_that_takes_its_events_as_sent_goes_on() {
    let mut stage = sent().await.unwrap();
    stage.sync("orders", &ORDERS.replace("id: orders", "id: purchases"));
    is_held(&stage, "`orders`").await.unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    assert_eq!(stage.run_with(&baseline).await.unwrap().told_all(), "completed: 3 learned");
    orders(&stage, 4, 5).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 accepted, 3 unchanged");
}

#[tokio::test]
async fn a_sync_and_its_model_under_other_names_are_held() {
    let mut stage = sent().await.unwrap();
    let renamed = ORDERS.replace("id: orders", "id: purchases").replace("model: orders", "model: purchases");
    stage.remove("models/orders.yaml");
    stage.file("models/purchases.yaml", "source: app\ntable: orders\nprimary_key: id\n");
    stage.sync("orders", &renamed);
    is_held(&stage, "`orders`").await.unwrap();
}

#[tokio::test]
async fn a_second_sync_of_events_beside_the_first_is_sent() {
    let mut stage = sent().await.unwrap();
    stage.sync("more", &ORDERS.replace("id: orders", "id: purchases"));
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().contains("completed: 3 accepted"), "{}", ran.told_all());
}

#[tokio::test]
async fn events_whose_keys_were_all_changed_are_held() {
    let stage = sent().await.unwrap();
    stage.sql("UPDATE orders SET id = 'order-' || id").unwrap();
    is_held(&stage, "no event has a primary key").await.unwrap();
    stage.sql("UPDATE orders SET id = replace(id, 'order-', '')").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn events_that_carry_their_key_are_held_too() {
    let keyed = ORDERS.replace("properties: { total: total }", "properties: { order: id }");
    let stage = Stage::with_analytics(&[("orders", &keyed)]).await.unwrap();
    orders(&stage, 1, 4).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE orders SET id = 'order-' || id").unwrap();
    is_held(&stage, "no event has a primary key").await.unwrap();
}

#[tokio::test]
async fn late_events_of_a_model_of_the_newest_ones_are_sent() {
    let stage = Stage::with_analytics(&[("orders", ORDERS)]).await.unwrap();
    orders(&stage, 4, 7).unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM orders").unwrap();
    orders(&stage, 1, 4).unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().starts_with("completed: 3 accepted"), "{}", ran.told_all());
}

#[tokio::test]
async fn changed_keys_of_events_that_were_only_learned_are_held() {
    let stage = Stage::with_analytics(&[("orders", ORDERS)]).await.unwrap();
    orders(&stage, 1, 2).unwrap();
    let baseline = Options { run_kind: RunKind::Baseline, ..Options::default() };
    stage.run_with(&baseline).await.unwrap();
    stage.sql("UPDATE orders SET id = 'order-' || id").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.report.syncs[0].guards[0].code, Code::NEW_EVENT_IDS);
    assert_eq!(ran.calls, Vec::<String>::new());
}

#[tokio::test]
async fn a_model_of_the_newest_events_only_is_sent() {
    let stage = sent().await.unwrap();
    stage.sql("DELETE FROM orders").unwrap();
    orders(&stage, 4, 7).unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told_all().starts_with("completed: 3 accepted"), "{}", ran.told_all());
    assert_eq!(stage.vitally.events().len(), 6);
}

#[tokio::test]
async fn records_whose_keys_were_all_changed_are_told() {
    let stage = Stage::with(&[("accounts", &ACCOUNTS.replace("delete-created", "keep"))]).await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    assert!(stage.run().await.unwrap().plans[0].notes.is_empty());
    stage.sql("UPDATE accounts SET id = id + 100, external = 'b' || external").unwrap();
    let plans = stage.plan().await.unwrap();
    assert!(
        plans[0].notes.iter().any(|note| note.contains("no row has a primary key")),
        "{:?}",
        plans[0].notes
    );
}
