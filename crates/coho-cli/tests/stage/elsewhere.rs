//! A ledger that is in no file of this machine: what holds wherever it is.

use std::fs;
use std::process::Output;

use coho_simulator::{ScriptedFault, Trouble};

use crate::running::{ROWS, finish, start, text, wait_until};
use crate::stage::Stage;

pub(crate) fn coho(stage: &Stage, line: &str) -> Output {
    stage.coho(line.split(' ')).output().unwrap()
}

/// Runs a line, which never says these secrets. Gives what it says.
pub(crate) fn ends_with(stage: &Stage, line: &str, code: i32, secret: &str) -> String {
    let output = coho(stage, line);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(code), "{line}: {told}");
    assert!(!told.contains(secret), "{line}: {told}");
    told
}

/// As in a container that is made anew: nothing is left of earlier runs but the store.
fn forget_disk(stage: &Stage) {
    drop(fs::remove_dir_all(stage.project().join(".coho")));
    drop(fs::remove_file(stage.project().join(".coho-ledger")));
    let left = fs::read_dir(stage.temporary()).unwrap().count();
    assert_eq!(left, 0, "a command leaves nothing behind");
}

/// Runs without a disk remember what was delivered. The ledger is shown by this address, and is of this kind.
pub(crate) fn is_remembered(stage: &Stage, shown: &str, kind: &str, secret: &str) {
    let ends_with = |line: &str, code: i32| ends_with(stage, line, code, secret);
    let told = ends_with("check", 0);
    assert!(told.contains(&format!("the ledger {shown} can be reached; the first run creates it")), "{told}");
    let told = ends_with("run", 0);
    assert!(told.contains(&format!("{ROWS} rows read = {ROWS} delivered")), "{told}");
    forget_disk(stage);
    assert!(!stage.project().join(".coho/ledger.db").exists());
    let told = ends_with("run", 0);
    assert!(told.contains(&format!("{ROWS} rows read = {ROWS} unchanged")), "{told}");
    forget_disk(stage);
    let told = ends_with("check", 0);
    assert!(told.contains(&format!("the ledger {shown} can be read")), "{told}");
    assert_eq!(ends_with("runs", 0).matches("completed").count(), 2);
    let told = ends_with("rows accounts --key acc-01", 0);
    assert!(told.contains("delivered"), "{told}");
    let told = ends_with("forget accounts --key acc-01 --yes", 0);
    assert!(told.contains("forgot 1 key"), "{told}");
    ends_with("plan --exit-code", 10);
    let told = ends_with("serve", 2);
    let needs = format!("`coho serve` needs the ledger in a file, and this project's is in {kind}");
    assert!(told.contains(&needs), "{told}");
}

/// A killed run makes no second record, and holds nobody up.
pub(crate) fn a_kill_is_made_good(stage: &Stage, secret: &str) {
    let ends_with = |line: &str, code: i32| ends_with(stage, line, code, secret);
    let hangs = ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts").after(7);
    stage.vitally.script(hangs);
    let mut run = start(stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 8).unwrap();
    let told = ends_with("run", 7);
    let holder = format!("another run (process {} on machine) has held the ledger", run.id());
    assert!(told.contains(&holder), "{told}");
    let told = ends_with("plan", 0);
    assert!(told.contains("has been under way since"), "{told}");
    run.kill().unwrap();
    run.wait().unwrap();
    finish(stage).unwrap();
    assert_eq!(posts(stage), ROWS, "the record whose answer never came is not posted again");
    forget_disk(stage);
    let told = ends_with("run", 0);
    assert!(told.contains(&format!("{ROWS} rows read = {ROWS} unchanged")), "{told}");
}

/// How many records were made.
pub(crate) fn posts(stage: &Stage) -> usize {
    stage.vitally.calls().iter().filter(|call| call.method == "POST" && call.committed).count()
}
