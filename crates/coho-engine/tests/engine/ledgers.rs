//! The ledger's file: older ones, half ones, those of other projects; and what a run leaves in it about rows that wait.

use coho_core::failure::Failure as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use coho_core::code::Code;
use coho_core::event::Silence;
use coho_engine::context::{Engine, EngineError, Setup};
use coho_engine::owner::OnForeign;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, FAST, Failure, Stage, destination};

/// Every schema that was ever committed.
pub(crate) const OLDER: [&str; 6] = [
    include_str!("../../../coho-ledger/fixtures/schema/v1-first.sql"),
    include_str!("../../../coho-ledger/fixtures/schema/v1.sql"),
    include_str!("../../../coho-ledger/fixtures/schema/v2-first.sql"),
    include_str!("../../../coho-ledger/fixtures/schema/v2.sql"),
    include_str!("../../../coho-ledger/fixtures/schema/v3.sql"),
    include_str!("../../../coho-ledger/fixtures/schema/v4.sql"),
];

#[tokio::test]
async fn every_older_ledger_is_planned_from_and_run_with() {
    let stage = Stage::accounts().await.unwrap();
    for schema in OLDER {
        stage.clear().unwrap();
        stage.many_accounts(1, 3).unwrap();
        rusqlite::Connection::open(stage.ledger()).unwrap().execute_batch(schema).unwrap();
        assert_eq!(stage.plan().await.unwrap()[0].counts.writes, 2);
        assert_eq!(stage.run_alone().await.unwrap().told_all(), "completed: 2 delivered");
        assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 unchanged");
    }
}

#[tokio::test]
async fn half_a_ledger_is_none_yet() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    fs::write(stage.ledger(), "").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 delivered");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 unchanged");
}

/// A second stage that names the first one's ledger and Vitally, as a project of this name.
async fn neighbour(first: &Stage, name: &str) -> Result<Stage, Failure> {
    let mut second = Stage::with(&[("accounts", &deleting())]).await?;
    let text = destination(&first.vitally.url(), 1, FAST)
        .replace("ledger: ledger.db", &format!("ledger: {}", first.ledger().display()))
        .replace("project: stage", &format!("project: {name}"));
    second.file("coho.yaml", &text);
    // No two runs of a ledger have one id: the stage counts them by its engines.
    let project = second.project()?;
    for _ in 0..100 {
        drop(second.engine(&project));
    }
    second.sql("INSERT INTO accounts VALUES (7, 'b-007', 'Theirs', 'free', 1, 0)")?;
    Ok(second)
}

fn deleting() -> String {
    ACCOUNTS.replace("removed: delete-created", "removed: delete")
}

async fn first() -> Result<Stage, Failure> {
    let first = Stage::with(&[("accounts", &deleting())]).await?;
    first.many_accounts(1, 3)?;
    first.run().await?;
    first.write_files()?;
    Ok(first)
}

async fn refused(stage: &Stage) -> Result<EngineError, Failure> {
    let planned = stage.plan().await;
    assert!(planned.is_err(), "a plan would say what a run does not do");
    match stage.try_run(&Options::default(), &Silence, &Stop::new()).await? {
        Ok(ran) => Err(format!("it ran: {}", ran.told_all()).into()),
        Err(error) => Ok(error),
    }
}

#[tokio::test]
async fn another_project_is_refused_and_deletes_nothing() {
    let first = first().await.unwrap();
    for name in ["other", "stage"] {
        let second = neighbour(&first, name).await.unwrap();
        let error = refused(&second).await.unwrap();
        assert_eq!(error.code(), Code::OTHER_PROJECT);
        assert!(error.to_string().contains("belongs to the project `stage` in "), "{error}");
        assert!(error.help().unwrap().contains("--adopt-ledger"));
        assert_eq!(first.vitally.count(RecordKind::Account), 2);
    }
    assert_eq!(first.run().await.unwrap().told_all(), "completed: 2 unchanged");
}

#[tokio::test]
async fn a_ledger_is_handed_over_on_purpose() {
    let first = first().await.unwrap();
    let second = neighbour(&first, "other").await.unwrap();
    let takes_over = Options { on_foreign: OnForeign::TakeOver, ..Options::default() };
    let ran = second.try_run(&takes_over, &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 2 removed");
    assert_eq!(second.run_alone().await.unwrap().told_all(), "completed: 1 unchanged, 2 kept");
    assert_eq!(refused(&first).await.unwrap().code(), Code::OTHER_PROJECT);
}

#[tokio::test]
async fn another_checkout_of_a_project_goes_on_with_its_ledger() {
    let first = first().await.unwrap();
    let second = neighbour(&first, "stage").await.unwrap();
    let mark = |stage: &Stage| stage.folder.path().join(".coho-ledger");
    fs::copy(mark(&first), mark(&second)).unwrap();
    second.sql("DELETE FROM accounts").unwrap();
    second.many_accounts(1, 3).unwrap();
    assert_eq!(second.run_alone().await.unwrap().told_all(), "completed: 2 unchanged");
    assert_eq!(first.run_alone().await.unwrap().told_all(), "completed: 2 unchanged");
}

#[tokio::test]
async fn a_folder_that_moved_without_its_mark_goes_on_with_its_ledger() {
    let first = first().await.unwrap();
    let second = neighbour(&first, "stage").await.unwrap();
    // As a container that is made anew for each run: the old folder is gone.
    fs::remove_file(first.folder.path().join("coho.yaml")).unwrap();
    second.sql("DELETE FROM accounts").unwrap();
    second.many_accounts(1, 3).unwrap();
    assert_eq!(second.run_alone().await.unwrap().told_all(), "completed: 2 unchanged");
}

#[tokio::test]
async fn a_lost_ledger_is_noticed_though_the_sync_was_renamed() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    stage.run().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("id: accounts", "id: customers\nrenamed_from: accounts"));
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        drop(fs::remove_file(stage.folder.path().join(file)));
    }
    let error = refused(&stage).await.unwrap();
    assert!(matches!(&error, EngineError::LedgerLost { syncs, .. } if syncs.len() == 1), "{error}");
    assert!(!stage.ledger().exists());
}

#[tokio::test]
async fn a_temporary_folder_that_is_not_there_is_named() {
    let stage = Stage::accounts().await.unwrap();
    let project = stage.project().unwrap();
    let folder = stage.folder.path().join("nowhere");
    let setup = |temporary: PathBuf| Setup {
        project: &project,
        root: stage.folder.path().to_owned(),
        temporary,
        clock: Arc::new(coho_core::time::Time::default),
        holder: Holder { id: "a".into(), pid: 1, host: "here".into() },
        run_id: Arc::new(|| "r".to_owned()),
        lineage: None,
    };
    let engine = Engine::new(setup(folder.clone()));
    let syncs = engine.select(&[]).unwrap();
    let told = format!("cannot use the temporary folder `{}`", folder.display());
    let planned = engine.plan(&syncs, &Options::default(), &Silence).await.unwrap_err();
    let ran = engine.run(&syncs, &Options::default(), &Silence, &Stop::new()).await.unwrap_err();
    for error in [planned, ran] {
        assert_eq!(error.to_string(), told);
        assert!(error.help().unwrap().contains("set TMPDIR"));
    }
    // What a killed run left is gone with the next one.
    let left = stage.folder.path().join("coho-plan-left");
    rusqlite::Connection::open(&left).unwrap().execute_batch("CREATE TABLE operations (body TEXT)").unwrap();
    stage.run().await.unwrap();
    assert!(!left.exists());
}
