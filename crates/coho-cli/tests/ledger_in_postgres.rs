//! A ledger in PostgreSQL: runs that keep no disk, kills, a server that is gone, copies, and what is told.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/running.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod running;

#[path = "stage/elsewhere.rs"]
mod elsewhere;

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use elsewhere::{a_kill_is_made_good, coho, is_remembered, posts};
use running::{ROWS, finish, many_rows, slow_stage, start, text, wait_until};
use stage::{Failure, Stage};

/// The password of the role that Coho uses here. It is in nothing that Coho says.
const PASSWORD: &str = "hush-ledger-1";

/// A stage with rows whose ledger is in PostgreSQL, under a role that must give its password. `None` where there is no server.
fn stage_with_postgres(test: &str) -> Result<Option<Stage>, Failure> {
    stage_of(many_rows(Duration::ZERO)?, test)
}

fn stage_of(mut stage: Stage, test: &str) -> Result<Option<Stage>, Failure> {
    let Some(server) = stage.postgres(test)? else { return Ok(None) };
    server.psql(&format!(
        "CREATE ROLE protected LOGIN PASSWORD '{PASSWORD}'; GRANT CREATE ON DATABASE postgres TO protected"
    ))?;
    let port = server.port();
    stage.set("LEDGER_PASSWORD", PASSWORD);
    stage.set("LEDGER_HOST", &format!("127.0.0.1:{port}"));
    let config = fs::read_to_string(stage.project().join("coho.yaml"))?;
    stage.write("coho.yaml", format!("{config}\n{LEDGER}\n"))?;
    Ok(Some(stage))
}

const LEDGER: &str =
    "ledger: postgres://protected:${LEDGER_PASSWORD}@${LEDGER_HOST}/postgres?sslmode=disable&name=acme";

/// How it is shown.
fn shown(stage: &Stage) -> String {
    let host = stage.variable("LEDGER_HOST").unwrap();
    format!("postgres://protected@{host}/postgres?schema=coho&name=acme")
}

fn ends_with(stage: &Stage, line: &str, code: i32) -> String {
    elsewhere::ends_with(stage, line, code, PASSWORD)
}

#[test]
fn runs_without_a_disk_remember_what_was_delivered() {
    let Some(stage) = stage_with_postgres("runs_without_a_disk").unwrap() else { return };
    is_remembered(&stage, &shown(&stage), "PostgreSQL", PASSWORD);
}

#[test]
fn a_killed_run_makes_no_second_record_and_holds_nobody_up() {
    let Some(stage) = stage_with_postgres("a_killed_run_makes_no_second_record").unwrap() else { return };
    a_kill_is_made_good(&stage, PASSWORD);
}

#[test]
fn a_run_goes_on_after_its_server_crashed_and_started_again() {
    let test = "a_run_goes_on_after_its_server_crashed";
    let Some(mut stage) = stage_of(slow_stage().unwrap(), test).unwrap() else { return };
    let run = start(&stage, &["run"]).unwrap();
    wait_until("some calls", || stage.vitally.calls().len() >= 4).unwrap();
    stage.postgres("crash").unwrap().unwrap().crash_and_restart().unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    finish(&stage).unwrap();
    assert_eq!(posts(&stage), ROWS);
}

#[test]
fn a_ledger_moves_between_a_file_and_postgresql_and_plans_stay_the_same() {
    let Some(mut stage) = stage_with_postgres("a_ledger_moves").unwrap() else { return };
    let in_postgres = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    let in_file = |name: &str| in_postgres.replace(LEDGER, &format!("ledger: {name}"));
    stage.set("PGPASSWORD", PASSWORD);
    let address = format!("{}&sslmode=disable", shown(&stage));
    stage.write("coho.yaml", in_file("first.db")).unwrap();
    ends_with(&stage, "run", 0);
    let rows = fs::read_to_string(stage.project().join("data/accounts.csv")).unwrap();
    stage.write("data/accounts.csv", rows.replace("Customer 1\n", "Another\n")).unwrap();
    let (plan, calls) = (coho(&stage, "plan --json").stdout, stage.vitally.calls().len());
    ends_with(&stage, &format!("ledger copy first.db {address}"), 0);
    stage.write("coho.yaml", &in_postgres).unwrap();
    assert_eq!(coho(&stage, "plan --json").stdout, plan);
    let with_password = address.replace("protected@", &format!("protected:{PASSWORD}@"));
    ends_with(&stage, &format!("ledger copy {with_password} second.db"), 0);
    stage.write("coho.yaml", in_file("second.db")).unwrap();
    assert_eq!(coho(&stage, "plan --json").stdout, plan);
    assert_eq!(stage.vitally.calls().len(), calls, "nothing was sent");
    for (from, to) in [("first.db", address.as_str()), (&address, "second.db")] {
        let told = ends_with(&stage, &format!("ledger copy {from} {to}"), 6);
        assert!(told.contains("is there already"), "{told}");
    }
    stage.write("coho.yaml", &in_postgres).unwrap();
    let told = ends_with(&stage, "run", 0);
    assert!(told.contains(&format!("1 delivered + {} unchanged", ROWS - 1)), "{told}");
}

/// What a user reads when something is wrong with the server, the address or the rights.
#[test]
fn what_is_wrong_is_told_and_nothing_is_sent() {
    let Some(mut stage) = stage_with_postgres("what_is_wrong_is_told").unwrap() else { return };
    let config = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    let mut seen = String::new();
    let mut tell = |stage: &Stage, what: &str, ledger: &str, line: &str, code: i32| {
        stage.write("coho.yaml", config.replace(LEDGER, &format!("ledger: {ledger}"))).unwrap();
        let mut told = ends_with(stage, line, code);
        for (name, stands_for) in stage.names() {
            told = told.replace(&name, stands_for);
        }
        write!(seen, "# {what}\n$ coho {line}\n{}\n\n", told.trim_end()).unwrap();
    };
    let url = LEDGER.trim_start_matches("ledger: ").to_owned();
    tell(&stage, "a wrong password", &url.replace("${LEDGER_PASSWORD}", "wrong-2"), "run", 6);
    tell(&stage, "no password", &url.replace(":${LEDGER_PASSWORD}", ""), "run", 6);
    tell(&stage, "no such database", &url.replace("/postgres?", "/elsewhere?"), "run", 6);
    tell(&stage, "the password has an @", &url.replace("${LEDGER_PASSWORD}", "hush@"), "check", 3);
    tell(&stage, "no database in the address", &url.replace("/postgres?", "?"), "check", 3);
    tell(&stage, "a schema that is no word", &format!("{url}&schema=a%20b"), "check", 3);
    let server = stage.postgres("rights").unwrap().unwrap();
    server.psql("REVOKE CREATE ON DATABASE postgres FROM protected").unwrap();
    tell(&stage, "no rights to create the tables, before a run", &url, "check", 6);
    tell(&stage, "no rights to create the tables", &url, "run", 6);
    stage.postgres("gone").unwrap().unwrap().stop().unwrap();
    tell(&stage, "the server is gone", &url, "run", 6);
    insta::assert_snapshot!(seen);
    assert_eq!(stage.vitally.calls().iter().filter(|call| call.method != "GET").count(), 0);
}
