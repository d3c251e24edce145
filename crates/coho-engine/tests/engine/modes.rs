//! Modes and purposes: update, insert, baseline, resend, and runs of a part of the rows.

use coho_simulator::{FaultAnswer, ScriptedFault, Seed, SimulatorTime, Trouble};

use crate::stage::{ACCOUNTS, START, Stage};

async fn stage(mode: &str) -> Stage {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("match:", &format!("mode: {mode}\nmatch:")));
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    stage.vitally.seed(Seed::account("a-001").name("Old").made_at(long_ago)).unwrap();
    stage.many_accounts(1, 3).unwrap();
    stage
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_resolved_though_nothing_but_nulls_is_left_of_it() {
    let mut stage = stage("update").await;
    let only_plan = ACCOUNTS
        .replace("match:", "mode: update\nmatch:")
        .replace("  name: name\n", "")
        .replace("plan: plan, seats: seats", "plan: { column: plan, null: omit }");
    stage.sync("accounts", &only_plan);
    stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
    let another = Some(r#"{"id":"00000000-0000-4000-8000-00000000ffff","externalId":"other"}"#.to_owned());
    let another = Trouble::Answer(FaultAnswer { body: another, ..FaultAnswer::status(200) });
    stage.vitally.script(ScriptedFault::once(another).on("PUT", "/resources/accounts/*"));
    stage.run().await.unwrap();
    let open = "SELECT key FROM memory WHERE pending = 'open'";
    assert_eq!(stage.ask_ledger(open).unwrap(), ["1"]);
    stage.sql("UPDATE accounts SET plan = NULL").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered", "{:#?}", ran.calls);
    assert_eq!(stage.ask_ledger(open).unwrap(), [""; 0]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}
