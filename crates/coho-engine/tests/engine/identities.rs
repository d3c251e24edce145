//! Identities: syncs that are renamed, tokens that change, workspaces that look alike.

use coho_core::code::Code;
use coho_core::event::Silence;
use coho_core::failure::Failure as _;
use coho_engine::context::EngineError;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::amend::Retried;
use coho_simulator::{RecordKind, Seed, Simulator, SimulatorSettings};

use crate::stage::{ACCOUNTS, FAST, Failure, Ran, Stage, destination};

async fn stage() -> Result<Stage, Failure> {
    let stage = Stage::accounts().await?;
    stage.many_accounts(1, 4)?;
    stage.run().await?;
    Ok(stage)
}

fn renamed(id: &str, from: &str) -> String {
    ACCOUNTS.replace("id: accounts", &format!("id: {id}\nrenamed_from: {from}"))
}

#[tokio::test]
async fn a_sync_that_was_renamed_more_than_once_keeps_its_memory() {
    let mut stage = stage().await.unwrap();
    stage.sync("accounts", &renamed("second", "accounts"));
    stage.run().await.unwrap();
    stage.sync("accounts", &renamed("third", "[second, accounts]"));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
    // A colleague's ledger that knows only the first name.
    let mut stage = self::stage().await.unwrap();
    stage.sync("accounts", &renamed("third", "[second, accounts]"));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn a_retry_right_after_renaming_a_sync_does_not_part_it_from_its_memory() {
    let mut stage = stage().await.unwrap();
    stage.sync("accounts", &renamed("customers", "accounts"));
    let project = stage.project().unwrap();
    stage.engine(&project).make_due(&project.syncs[0], &Retried::All).unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

/// Gives the destination another token, which the workspace takes.
fn rotate(stage: &mut Stage, token: &str) {
    let text = destination(&stage.vitally.url(), 1, FAST).replace(crate::stage::TOKEN, token);
    stage.file("coho.yaml", &text);
}

async fn try_run(stage: &Stage) -> Result<Ran, EngineError> {
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap()
}

/// `c2tfbGl2ZV8xOg==` is the header form of the same token: for Coho it is another text.
const SAME: &str = "Basic c2tfbGl2ZV8xOg==";

#[tokio::test]
async fn a_new_token_of_the_same_workspace_takes_one_call_to_be_believed() {
    let mut stage = stage().await.unwrap();
    rotate(&mut stage, &format!("'{SAME}'"));
    let ran = try_run(&stage).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 3 unchanged");
    assert_eq!(ran.calls.len(), 1, "{:#?}", ran.calls);
    assert!(ran.calls[0].starts_with("GET /accounts/<a-"), "{:#?}", ran.calls);
    // From then on it is the token.
    assert_eq!(try_run(&stage).await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_token_of_another_workspace_sends_nothing() {
    let mut stage = stage().await.unwrap();
    // In the EU all workspaces share a host: here another one answers at the same address.
    stage.vitally.reset().unwrap();
    for number in 1..6 {
        stage.vitally.seed(Seed::account(&format!("other-{number}"))).unwrap();
    }
    rotate(&mut stage, &format!("'{SAME}'"));
    stage.sql("UPDATE accounts SET seats = 100").unwrap();
    let error = try_run(&stage).await.unwrap_err();
    assert_eq!(error.code(), Code::OTHER_WORKSPACE);
    assert!(error.to_string().contains("`vitally`"), "{error}");
    assert!(error.help().unwrap().contains("token"));
    assert!(stage.vitally.calls().iter().all(|call| call.method == "GET"), "nothing is sent");
    assert_eq!(stage.vitally.count(RecordKind::Account), 5);
    // The lease is free again, and with the right token all goes on.
    rotate(&mut stage, crate::stage::TOKEN);
    assert!(try_run(&stage).await.is_ok());
}

#[tokio::test]
async fn a_witness_that_was_deleted_by_hand_does_not_stop_the_run() {
    let mut stage = stage().await.unwrap();
    let third = stage.vitally.record(RecordKind::Account, "a-003").unwrap();
    let ids: Vec<_> =
        ["a-001", "a-002"].map(|id| stage.vitally.record(RecordKind::Account, id).unwrap().id).to_vec();
    drop(third);
    stage.vitally.reset().unwrap();
    for (id, name) in ids.into_iter().zip(["a-001", "a-002"]) {
        stage.vitally.seed(Seed { id: Some(id), ..Seed::account(name) }).unwrap();
    }
    rotate(&mut stage, &format!("'{SAME}'"));
    let ran = try_run(&stage).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 3 unchanged", "{:#?}", ran.calls);
}

#[tokio::test]
async fn a_record_of_the_same_external_id_and_another_id_is_no_witness() {
    let mut stage = stage().await.unwrap();
    stage.vitally.reset().unwrap();
    for number in 1..4 {
        let id = format!("00000000-0000-4000-8000-0000000f{number:04}");
        let id = coho_simulator::RecordId::parse(&id);
        stage.vitally.seed(Seed { id, ..Seed::account(&format!("a-{number:03}")) }).unwrap();
    }
    rotate(&mut stage, &format!("'{SAME}'"));
    assert_eq!(try_run(&stage).await.unwrap_err().code(), Code::OTHER_WORKSPACE);
}

#[tokio::test]
async fn users_that_keep_their_own_external_id_are_witnesses_too() {
    let sync = "
id: users
model: users
to: vitally
object: user
match: { email: email, externalId: external }
fields: { name: name, accountIds: { column: account, lookup: account.externalId } }
";
    let mut stage = Stage::with(&[("users", sync)]).await.unwrap();
    stage.vitally.seed(Seed::account("acme")).unwrap();
    stage.vitally.seed(Seed::user("crm-7").email("ada@acme.example").account_link("acme")).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'acme', 'ada@acme.example')").unwrap();
    stage.run().await.unwrap();
    rotate(&mut stage, &format!("'{SAME}'"));
    let ran = try_run(&stage).await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 unchanged", "{:#?}", ran.calls);
}

#[tokio::test]
async fn a_workspace_that_does_not_answer_is_neither_believed_nor_refused() {
    let mut stage = stage().await.unwrap();
    rotate(&mut stage, "another");
    let error = try_run(&stage).await.unwrap_err();
    assert_eq!(error.code(), Code::UNAUTHORIZED, "{error}");
    assert!(error.to_string().contains("`vitally`"), "{error}");
    assert!(error.help().is_some());
}

#[tokio::test]
async fn two_workspaces_of_one_project_are_kept_apart() {
    let mut stage = stage().await.unwrap();
    let other = Simulator::start(SimulatorSettings::new(crate::stage::TOKEN)).await.unwrap();
    let text = destination(&stage.vitally.url(), 1, FAST);
    let second = text.lines().skip(3).take(2).collect::<Vec<_>>().join("\n");
    let second = second.replace("vitally:\n", "staging:\n").replace(&stage.vitally.url(), &other.url());
    let text = text.replace("ledger:", &format!("{second}\nledger:"));
    stage.file("coho.yaml", &text);
    stage.sync(
        "staged",
        &ACCOUNTS.replace("id: accounts", "id: staged").replace("to: vitally", "to: staging"),
    );
    let ran = try_run(&stage).await.unwrap();
    assert_eq!(ran.told("accounts"), "completed: 3 unchanged");
    assert_eq!(ran.told("staged"), "completed: 3 delivered");
    assert_eq!(other.count(RecordKind::Account), 3);
    // A record of one is no reason to let one of the other be.
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    try_run(&stage).await.unwrap();
    assert_eq!((stage.vitally.count(RecordKind::Account), other.count(RecordKind::Account)), (2, 2));
}
