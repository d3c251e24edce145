//! What signals do to a run: Ctrl-C, being asked to end, and a terminal that closes.
//!
//! Each test waits for what it can see, never for time to pass.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/running.rs"]
mod running;

use std::process::{Child, Output, Stdio};
use std::time::Duration;

use coho_simulator::{RecordKind, ScriptedFault, Trouble};
use running::{ROWS, busy_stage, finish, many_rows, signal, slow_stage, start, text, wait_until};
use stage::Failure;

#[test]
fn ctrl_c_finishes_what_is_under_way_and_the_next_run_goes_on() {
    ends_cleanly("INT");
}

#[test]
fn being_asked_to_end_is_the_same_as_ctrl_c() {
    ends_cleanly("TERM");
}

#[test]
fn the_end_of_the_terminal_is_the_same_as_ctrl_c() {
    ends_cleanly("HUP");
}

#[expect(clippy::unwrap_used, reason = "a test that three signals share")]
fn ends_cleanly(name: &str) {
    let stage = slow_stage().unwrap();
    let run = start(&stage, &["run"]).unwrap();
    wait_until("two calls", || stage.vitally.calls().len() >= 2).unwrap();
    signal(&run, name).unwrap();
    let stopped = run.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", text(&stopped));
    assert!(text(&stopped).contains("run again: Coho continues from here"), "{}", text(&stopped));
    assert!(text(&stopped).contains("stopping after the calls under way"), "{}", text(&stopped));
    let before = stage.vitally.count(RecordKind::Account);
    assert!(before < ROWS, "the run was over before the signal came");
    let lines = finish(&stage).unwrap();
    assert!(lines.contains(&format!("{} delivered + {before} unchanged", ROWS - before)), "{lines}");
}

#[test]
fn being_asked_to_end_ends_a_long_wait_at_once() {
    let stage = busy_stage().unwrap();
    let run = start(&stage, &["run"]).unwrap();
    wait_until("a refusal", || !stage.vitally.calls().is_empty()).unwrap();
    signal(&run, "TERM").unwrap();
    let stopped = run.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", text(&stopped));
    assert!(text(&stopped).contains("run again: Coho continues from here"), "{}", text(&stopped));
    stage.vitally.clear_script();
    finish(&stage).unwrap();
}

#[test]
fn ctrl_c_in_a_live_check_removes_what_was_made() {
    let stage = slow_stage().unwrap();
    let check = start(&stage, &["check", "--live", "vitally", "--yes"]).unwrap();
    wait_until("two records", || stage.vitally.count(RecordKind::Account) >= 2).unwrap();
    signal(&check, "INT").unwrap();
    let stopped = check.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", text(&stopped));
    assert!(text(&stopped).contains("stopping after removing the test records"), "{}", text(&stopped));
    for object in RecordKind::ALL {
        assert_eq!(stage.vitally.count(object), 0, "{object:?}");
    }
    assert!(!stage.project().join("workspaces").exists(), "half an answer is not written");
}

#[test]
fn second_ctrl_c_ends_at_once_and_loses_nothing() {
    let stage = many_rows(Duration::ZERO).unwrap();
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts").after(3));
    let run = start(&stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 4).unwrap();
    signal(&run, "INT").unwrap();
    let ended = signal_until_it_ends(run, "INT").unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", text(&ended));
    finish(&stage).unwrap();
}

#[test]
fn a_terminal_that_ends_twice_does_not_end_a_run_at_once() {
    let stage = slow_stage().unwrap();
    let run = start(&stage, &["run"]).unwrap();
    wait_until("two calls", || stage.vitally.calls().len() >= 2).unwrap();
    let stopped = signal_until_it_ends(run, "HUP").unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", text(&stopped));
    assert!(text(&stopped).contains("run again: Coho continues from here"), "{}", text(&stopped));
    finish(&stage).unwrap();
}

#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let stage = slow_stage().unwrap();
    let mut shell = stage.shell("exec nohup coho run");
    let run = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("two calls", || stage.vitally.calls().len() >= 2).unwrap();
    signal(&run, "HUP").unwrap();
    let ended = run.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended));
    assert!(text(&ended).contains(&format!("{ROWS} delivered")), "{}", text(&ended));
}

/// Sends a signal again and again until the process ends.
fn signal_until_it_ends(mut child: Child, name: &str) -> Result<Output, Failure> {
    wait_until("the process to end", || {
        child.try_wait().is_ok_and(|ended| ended.is_some()) || signal(&child, name).is_err()
    })?;
    Ok(child.wait_with_output()?)
}
