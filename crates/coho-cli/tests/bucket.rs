//! A ledger in a bucket, as moto serves it: runs that keep no disk, kills, copies, and what is told.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/running.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod running;

use std::fs;
use std::process::Output;
use std::time::Duration;

use coho_simulator::{ScriptedFault, Trouble};
use running::{ROWS, finish, many_rows, start, text, wait_until};
use stage::{Failure, Stage};

const ADDRESS: &str = "s3://ledgers/acme/ledger.db";

/// A stage with rows whose ledger is in a bucket. `None` where moto is not installed.
fn stage_with_bucket(test: &str) -> Result<Option<Stage>, Failure> {
    let mut stage = many_rows(Duration::ZERO)?;
    let Some(server) = stage.s3(test)? else { return Ok(None) };
    server.put("ledgers", b"")?;
    stage.set("AWS_REGION", "us-east-1");
    let config = fs::read_to_string(stage.project().join("coho.yaml"))?;
    stage.write("coho.yaml", format!("{config}\nledger: {ADDRESS}\n"))?;
    Ok(Some(stage))
}

fn coho(stage: &Stage, line: &str) -> Output {
    stage.coho(line.split(' ')).output().unwrap()
}

fn ends_with(stage: &Stage, line: &str, code: i32) -> String {
    let output = coho(stage, line);
    assert_eq!(output.status.code(), Some(code), "{line}: {}", text(&output));
    text(&output)
}

/// As in a container that is made anew: nothing is left of earlier runs but the bucket.
fn forget_disk(stage: &Stage) {
    drop(fs::remove_dir_all(stage.project().join(".coho")));
    drop(fs::remove_file(stage.project().join(".coho-ledger")));
    let left = fs::read_dir(stage.temporary()).unwrap().count();
    assert_eq!(left, 0, "a command leaves nothing behind");
}

#[test]
fn runs_without_a_disk_remember_what_was_delivered() {
    let Some(stage) = stage_with_bucket("runs_without_a_disk").unwrap() else { return };
    let told = ends_with(&stage, "check", 0);
    assert!(
        told.contains(&format!("the ledger {ADDRESS} can be reached; the first run creates it")),
        "{told}"
    );
    let told = ends_with(&stage, "run", 0);
    assert!(told.contains(&format!("{ROWS} rows read = {ROWS} delivered")), "{told}");
    forget_disk(&stage);
    assert!(!stage.project().join(".coho/ledger.db").exists());
    let told = ends_with(&stage, "run", 0);
    assert!(told.contains(&format!("{ROWS} rows read = {ROWS} unchanged")), "{told}");
    forget_disk(&stage);
    let told = ends_with(&stage, "check", 0);
    assert!(told.contains(&format!("the ledger {ADDRESS} can be read")), "{told}");
    assert_eq!(ends_with(&stage, "runs", 0).matches("completed").count(), 2);
    let told = ends_with(&stage, "rows accounts --key acc-01", 0);
    assert!(told.contains("delivered"), "{told}");
    let told = ends_with(&stage, "forget accounts --key acc-01 --yes", 0);
    assert!(told.contains("forgot 1 key"), "{told}");
    ends_with(&stage, "plan --exit-code", 10);
    let told = ends_with(&stage, "serve", 2);
    assert!(told.contains("`coho serve` needs the ledger in a file"), "{told}");
}

#[test]
fn a_killed_run_makes_no_second_record_and_is_gone_at_once_for_this_machine() {
    let Some(stage) = stage_with_bucket("a_killed_run_makes_no_second_record").unwrap() else { return };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts").after(7));
    let mut run = start(&stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 8).unwrap();
    let told = ends_with(&stage, "run", 7);
    assert!(
        told.contains(&format!("another run (process {} on machine) has held the ledger", run.id())),
        "{told}"
    );
    let told = ends_with(&stage, "plan", 0);
    assert!(told.contains("has been under way since"), "{told}");
    run.kill().unwrap();
    run.wait().unwrap();
    finish(&stage).unwrap();
    let posts = stage.vitally.calls().iter().filter(|call| call.method == "POST" && call.committed).count();
    assert_eq!(posts, ROWS, "the record whose answer never came is not posted again");
    forget_disk(&stage);
    let told = ends_with(&stage, "run", 0);
    assert!(told.contains(&format!("{ROWS} rows read = {ROWS} unchanged")), "{told}");
}

#[test]
fn a_ledger_moves_between_a_file_and_a_bucket_and_plans_stay_the_same() {
    let Some(stage) = stage_with_bucket("a_ledger_moves").unwrap() else { return };
    let in_bucket = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    let in_file = |name: &str| in_bucket.replace(ADDRESS, name);
    stage.write("coho.yaml", in_file("first.db")).unwrap();
    ends_with(&stage, "run", 0);
    let rows = fs::read_to_string(stage.project().join("data/accounts.csv")).unwrap();
    stage.write("data/accounts.csv", rows.replace("Customer 1\n", "Another\n")).unwrap();
    let (plan, calls) = (coho(&stage, "plan --json").stdout, stage.vitally.calls().len());
    ends_with(&stage, &format!("ledger copy first.db {ADDRESS}"), 0);
    stage.write("coho.yaml", &in_bucket).unwrap();
    assert_eq!(coho(&stage, "plan --json").stdout, plan);
    ends_with(&stage, &format!("ledger copy {ADDRESS} second.db"), 0);
    stage.write("coho.yaml", in_file("second.db")).unwrap();
    assert_eq!(coho(&stage, "plan --json").stdout, plan);
    assert_eq!(stage.vitally.calls().len(), calls, "nothing was sent");
    for (from, to) in [("first.db", ADDRESS), (ADDRESS, "second.db")] {
        let told = ends_with(&stage, &format!("ledger copy {from} {to}"), 6);
        assert!(told.contains(&format!("`{to}` is there already")), "{told}");
    }
    stage.write("coho.yaml", &in_bucket).unwrap();
    let told = ends_with(&stage, "run", 0);
    assert!(told.contains(&format!("1 delivered + {} unchanged", ROWS - 1)), "{told}");
}

#[test]
fn what_is_wrong_with_the_bucket_is_told_and_nothing_is_sent() {
    let Some(mut stage) = stage_with_bucket("what_is_wrong_with_the_bucket").unwrap() else { return };
    let config = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    stage.write("coho.yaml", config.replace("s3://ledgers/", "s3://elsewhere/")).unwrap();
    let told = ends_with(&stage, "run", 6);
    assert!(told.contains("there is no bucket or container of this name"), "{told}");
    assert!(told.contains("help: check the bucket in `ledger:`"), "{told}");
    stage.write("coho.yaml", config.replace(ADDRESS, "s3://ledgers")).unwrap();
    let told = ends_with(&stage, "run", 3);
    assert!(told.contains("names a bucket, but no object in it"), "{told}");
    let foreign =
        stage.s3("what_is_wrong").unwrap().unwrap().put("ledgers/acme/ledger.db", b"SQLite format 3\0");
    foreign.unwrap();
    stage.write("coho.yaml", &config).unwrap();
    let told = ends_with(&stage, "run", 6);
    assert!(told.contains(&format!("`{ADDRESS}` is not a ledger")), "{told}");
    assert!(!told.contains("secret-of-the-stage"), "{told}");
    assert_eq!(stage.vitally.calls().len(), 0);
}
