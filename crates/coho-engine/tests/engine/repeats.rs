//! Events under new ids: a sync or its keys were renamed, and Vitally would keep every event twice.

use coho_core::code::Code;

use crate::stage::{Failure, ORDERS, Stage};

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
    assert!(checked(&stage).await.unwrap()[0].contains("`purchases` is the same sync under a new id"));
    stage.sync("orders", &ORDERS.replace("id: orders", "id: purchases\nrenamed_from: orders"));
    assert_eq!(checked(&stage).await.unwrap(), Vec::<String>::new());
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}
