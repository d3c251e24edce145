//! A ledger in a bucket, as moto serves it: runs that keep no disk, kills, copies, and what is told.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/running.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod running;

#[path = "stage/elsewhere.rs"]
mod elsewhere;

use std::fs;
use std::time::Duration;

use elsewhere::{a_kill_is_made_good, coho, is_remembered};
use running::{ROWS, many_rows};
use stage::{Failure, Stage};

const ADDRESS: &str = "s3://ledgers/acme/ledger.db";

/// The key that the stage has for the bucket. It is in nothing that Coho says.
const SECRET: &str = "secret-of-the-stage";

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

fn ends_with(stage: &Stage, line: &str, code: i32) -> String {
    elsewhere::ends_with(stage, line, code, SECRET)
}

#[test]
fn runs_without_a_disk_remember_what_was_delivered() {
    let Some(stage) = stage_with_bucket("runs_without_a_disk").unwrap() else { return };
    is_remembered(&stage, ADDRESS, "a bucket", SECRET);
}

#[test]
fn a_killed_run_makes_no_second_record_and_is_gone_at_once_for_this_machine() {
    let Some(stage) = stage_with_bucket("a_killed_run_makes_no_second_record").unwrap() else { return };
    a_kill_is_made_good(&stage, SECRET);
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
    let not_a_ledger = format!("`{ADDRESS}` is not a ledger");
    assert!(told.contains(&not_a_ledger), "{told}");
    assert_eq!(stage.vitally.calls().len(), 0);
    let told = ends_with(&stage, "check", 6);
    assert_eq!(told.matches(&not_a_ledger).count(), 1, "{told}");
}
