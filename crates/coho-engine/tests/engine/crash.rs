//! The end of the process itself, at many points. A child process runs a project; when the simulator has seen so many calls,
//! it answers no more, and the child is killed. Whatever the point, the next run delivers what is missing, once.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{ScriptedFault, Trouble};

use crate::stage::{ACCOUNTS, Failure, Stage, USERS, child};

/// Tells a child which folder holds its project.
const FOLDER: &str = "COHO_TEST_PROJECT";

/// Tells a child what time it is, in milliseconds.
const NOW: &str = "COHO_TEST_NOW";

const UNDER_WAY: usize = 4;

/// The child: does nothing unless the test below starts it in a process of its own.
#[tokio::test]
async fn a_child_runs_the_project_that_it_is_given() {
    let (Ok(folder), Ok(now)) = (std::env::var(FOLDER), std::env::var(NOW)) else { return };
    child::run(&PathBuf::from(folder), now.parse().unwrap()).await.unwrap();
}

/// Something of everything is due: new, changed and removed accounts, and users that refer to them.
async fn stage() -> Result<Stage, Failure> {
    let mut stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await?;
    stage.many_accounts(0, 6)?;
    stage
        .sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-000', NULL), (2, 'u-2', 'Bea', 'a-005', NULL)")?;
    stage.run().await?;
    stage.many_accounts(6, 9)?;
    stage.sql(
        "UPDATE accounts SET seats = 100, plan = NULL WHERE id IN (1, 2);
         DELETE FROM users WHERE id = 2; DELETE FROM accounts WHERE id = 5;
         INSERT INTO users VALUES (3, 'u-3', 'Cleo', 'a-007', NULL), (4, 'u-4', 'Dora', 'a-001', NULL)",
    )?;
    stage.concurrency(UNDER_WAY);
    stage.advance(Duration::from_secs(60));
    Ok(stage)
}

/// Starts a child on the stage's project, and kills it once the simulator answers no more.
pub(crate) async fn crash(stage: &Stage, trouble: Trouble, after: u32) -> Result<(), Failure> {
    stage.vitally.clear_calls();
    stage.vitally.script(ScriptedFault::once(trouble).after(after).times(1_000));
    stage.write_files()?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", "crash::a_child_runs_the_project_that_it_is_given"])
        .env(FOLDER, stage.folder.path())
        .env(NOW, stage.clock.now().millis().to_string())
        .stdout(Stdio::null())
        .spawn()?;
    while stage.vitally.calls().len() <= after as usize {
        if let Some(status) = child.try_wait()? {
            return Err(format!("the child ended by itself: {status}").into());
        }
        tokio::task::yield_now().await;
    }
    child.kill()?;
    child.wait()?;
    stage.vitally.clear_script();
    Ok(())
}

/// What Vitally holds where nothing went wrong.
async fn expected() -> Result<Vec<String>, Failure> {
    let stage = stage().await?;
    let ran = stage.run().await?;
    assert_eq!(ran.calls.len(), 9, "the points below are to lie before the end: {:?}", ran.calls);
    Ok(stage.records())
}

async fn survives(trouble: &Trouble, after: u32, expected: &[String]) -> Result<(), Failure> {
    let stage = stage().await?;
    crash(&stage, trouble.clone(), after).await?;
    stage.advance(Duration::from_secs(60));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await??;
    // A user's deletion that was unclear is looked after first, and repeated by the run after that.
    let again = stage.run().await?;
    assert_eq!(stage.records(), expected, "{after}: {:#?} {:#?}", ran.calls, again.calls);
    assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'")?, [""; 0], "{after}");
    let statuses = stage.ask_ledger("SELECT status FROM runs ORDER BY rowid LIMIT 2")?;
    assert_eq!(statuses, ["success", "interrupted"], "{after}");
    assert_eq!(stage.run().await?.calls, [""; 0], "{after}");
    Ok(())
}

#[tokio::test]
async fn a_run_that_is_killed_before_any_call_arrives_is_made_good() {
    let expected = expected().await.unwrap();
    for after in [0, 1, 2, 4, 6, 8] {
        survives(&Trouble::Hang, after, &expected).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_killed_after_calls_arrived_makes_no_second_record() {
    let expected = expected().await.unwrap();
    for after in [0, 1, 3, 5, 7, 8] {
        survives(&Trouble::HangAfterCommit, after, &expected).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_that_is_killed_twice_still_knows_what_it_created() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 3).unwrap();
    crash(&stage, Trouble::HangAfterCommit, 0).await.unwrap();
    stage.advance(Duration::from_secs(60));
    crash(&stage, Trouble::Hang, 0).await.unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 delivered");
    assert_eq!(stage.ask_ledger("SELECT DISTINCT origin FROM memory").unwrap(), ["created"]);
}
