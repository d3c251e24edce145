//! Records that are spared: whose row is still there in some form is not removed.

use coho_core::failure::Failure as _;

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::event::Silence;
use coho_engine::lost::OnLost;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

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
