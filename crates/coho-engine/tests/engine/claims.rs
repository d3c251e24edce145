//! Claims: records that two syncs hold, in runs in which both their rows change. [`crate::stage::Stage::run`] holds each plan
//! against its run.

use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, Failure, Stage};

/// Two syncs of the accounts 1 and 2 that delete what left, the second one from the table `organizations`. They send fields of
/// their own, and run in the order of their ids.
async fn stage() -> Result<Stage, Failure> {
    let usage =
        ACCOUNTS.replace("id: accounts", "id: usage").replace("model: accounts", "model: organizations");
    let usage = usage.replace("  traits: { plan: plan, seats: seats }\n", "");
    let mut stage = Stage::accounts().await?;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.sync("usage", &usage.replace("delete-created", "delete"));
    stage.many_accounts(1, 3)?;
    stage.sql("INSERT INTO organizations VALUES (1, 'a-001', 'Account 1'), (2, 'a-002', 'Account 2')")?;
    stage.run().await?;
    Ok(stage)
}

#[tokio::test]
async fn a_record_that_both_syncs_leave_at_once_is_deleted_as_planned() {
    let stage = stage().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1; DELETE FROM organizations WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), "completed: 1 unchanged, 1 released");
    assert_eq!(ran.told("usage"), "completed: 1 removed, 1 unchanged");
    assert_eq!(ran.calls, ["DELETE /accounts/<a-001>"]);
    assert_eq!(ran.plans[1].counts.removals, 1, "what is deleted was announced");
}

#[tokio::test]
async fn a_record_that_one_sync_leaves_and_another_takes_up_at_once_is_let_be_as_planned() {
    let stage = stage().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    // Only the second sync has it. It leaves that one, and comes back to the first.
    stage.many_accounts(1, 2).unwrap();
    stage.sql("UPDATE accounts SET seats = 77 WHERE id = 1; DELETE FROM organizations WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("usage"), "completed: 1 unchanged, 1 released", "{:#?}", ran.calls);
    assert!(stage.vitally.record(RecordKind::Account, "a-001").is_some());
}

#[tokio::test]
async fn a_record_that_another_sync_deleted_meanwhile_is_made_again_for_a_row_that_returns() {
    let stage = stage().await.unwrap();
    let before = stage.records();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM organizations WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /accounts/<a-001>"]);
    stage.many_accounts(1, 2).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), "completed: 1 delivered, 1 unchanged", "{:#?}", ran.calls);
    assert_eq!(stage.records(), before);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_row_that_returns_while_another_sync_takes_up_its_record_is_planned_as_it_is_run() {
    let mut stage = Stage::accounts().await.unwrap();
    let usage =
        ACCOUNTS.replace("id: accounts", "id: usage").replace("model: accounts", "model: organizations");
    let usage = usage.replace("  traits: { plan: plan, seats: seats }\n", "");
    stage.sync("usage", &usage.replace("delete-created", "keep"));
    let row = "INSERT INTO organizations VALUES (1, 'a-001', 'Account 1')";
    stage.sql(row).unwrap();
    stage.sql("INSERT INTO organizations VALUES (9, 'a-009', 'Account 9')").unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM organizations WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told("usage"), "completed: 1 unchanged, 1 released");
    stage.sql(row).unwrap();
    stage.many_accounts(1, 2).unwrap();
    assert_eq!(stage.run().await.unwrap().told("usage"), "completed: 1 delivered, 1 unchanged");
}
