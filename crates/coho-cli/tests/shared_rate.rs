//! Two processes, one token: together they stay within the rate, because each tells the other what it uses.
//!
//! The simulator counts as Vitally documents it, with a bucket of 1,000 calls that fills in a minute, and says nothing of what is
//! left. A call has just used most of it: what is there is enough for two that share 900 a minute, with what each may
//! send at once when it begins, and too little for two that take 900 each. Its log is what is looked at, not the time.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/running.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod running;

use std::fs;
use std::time::Duration;

use coho_simulator::{Seed, Switches};
use running::{many_rows, start, text, wait_until};
use stage::{Failure, Stage};

/// Rows that the run sends, one call each.
const SENT: usize = 110;

/// Records that the plan reads, one call each, as pages hold one.
const READ: usize = 105;

/// A sync whose plan reads what is there.
const ORGANIZATIONS: &str = "id: organizations\nmodel: organizations\nto: vitally\nobject: organization\n\
    match: { externalId: id }\nfields: { name: name }\nfirst_run: adopt\n";

/// What is left of the bucket's 1,000 units.
const LEFT: u32 = 95;

#[test]
fn two_processes_share_the_rate_of_one_token() {
    let stage = crowded_stage().unwrap();
    let run = start(&stage, &["run", "accounts"]).unwrap();
    wait_until("the first calls", || stage.vitally.calls().len() >= 30).unwrap();
    wait_until("the run's note of its rate", || stage.project().join(".coho/ledger.db.rate").exists())
        .unwrap();
    let plan = stage.coho(["plan", "organizations"]).output().unwrap();
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan));
    let run = run.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", text(&run));
    let calls = stage.vitally.calls();
    let count = |method: &str| calls.iter().filter(|call| call.method == method).count();
    assert_eq!(count("POST"), SENT);
    assert!(count("GET") >= READ, "the plan read {} pages", count("GET"));
    let refused = calls.iter().filter(|call| call.status() == Some(429)).count();
    assert_eq!(refused, 0, "of {} calls", calls.len());
    assert!(!stage.project().join(".coho/ledger.db.rate").exists(), "the last one leaves nothing behind");
}

/// A stage whose run sends accounts and whose plan reads organizations, and most of whose rate is used.
fn crowded_stage() -> Result<Stage, Failure> {
    let stage = many_rows(Duration::ZERO)?;
    let config = fs::read_to_string(stage.project().join("coho.yaml"))?;
    stage.write("coho.yaml", config.replace("concurrency: 1", "concurrency: auto"))?;
    let names: Vec<String> = (1..=READ).map(|number| format!("org-{number:03}")).collect();
    for name in &names {
        stage.vitally.seed(Seed::organization(name).name(name))?;
    }
    let rows: Vec<String> = names.iter().map(|name| format!("{name},{name}\n")).collect();
    stage.write("data/organizations.csv", format!("id,name\n{}", rows.concat()))?;
    stage.write("models/organizations.yaml", "source: files\nfile: organizations.csv\nprimary_key: id\n")?;
    stage.write("syncs/organizations.yaml", ORGANIZATIONS)?;
    let rows: Vec<String> = (0..=SENT).map(|number| format!("acc-{number:03},Account\n")).collect();
    stage.write("data/accounts.csv", format!("id,name\n{}", rows.concat()))?;
    use_up(&stage)?;
    Ok(stage)
}

/// One call that costs all but what is to be left.
fn use_up(stage: &Stage) -> Result<(), Failure> {
    let mut switches = Switches::default();
    switches.set("x_prefix", "none")?;
    switches.set("page", "1")?;
    switches.set("write_cost", &(1_000 - LEFT).to_string())?;
    stage.vitally.set_switches(switches.clone());
    let first = stage.coho(["run", "accounts", "--limit", "1"]).output()?;
    if !first.status.success() {
        return Err(format!("the first run failed: {}", text(&first)).into());
    }
    switches.set("write_cost", "1")?;
    stage.vitally.set_switches(switches);
    stage.vitally.clear_calls();
    Ok(())
}
