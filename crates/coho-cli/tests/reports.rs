//! What other programs are told of runs.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::fs;
use std::process::{Output, Stdio};

use coho_simulator::{Fault, Trouble};
use coho_testkit::Receiver;
use serde_json::{Value as Json, json};
use stage::{Failure, Stage};

fn run(stage: &Stage, arguments: &[&str]) -> Result<Output, Failure> {
    Ok(stage.coho(arguments).output()?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn results(stage: &Stage) -> Result<Json, Failure> {
    Ok(serde_json::from_slice(&fs::read(stage.project().join(".coho/run_results.json"))?)?)
}

#[test]
fn results_are_what_the_run_printed() {
    let stage = Stage::new().unwrap();
    stage
        .write("data/accounts.csv", "id,name,plan,seats\nacc-1,Alder,growth,42\nacc-2,Birch,starter,many\n")
        .unwrap();
    let output = run(&stage, &["run", "--json"]).unwrap();
    let printed: Json = serde_json::from_slice(&output.stdout).unwrap();
    let results = results(&stage).unwrap();
    assert_eq!((output.status.code(), &results["exit_code"]), (Some(5), &json!(5)));
    assert_eq!((&results["version"], &results["syncs"]), (&printed["version"], &printed["syncs"]));
    let counts = &results["syncs"][0]["counts"];
    assert_eq!((&counts["read"], &counts["fates"]), (&json!(2), &json!({ "delivered": 1, "invalid": 1 })));
    let runs: Json = serde_json::from_slice(&run(&stage, &["runs", "--json"]).unwrap().stdout).unwrap();
    assert_eq!(results["run"], runs["runs"][0]["run"]);
    let left = fs::read_dir(stage.project().join(".coho")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left.iter().filter(|name| name.starts_with("run_results")).count(), 1, "{left:?}");
}

#[test]
fn results_of_a_run_that_could_not_begin_say_why() {
    let stage = Stage::new().unwrap();
    assert_eq!(run(&stage, &["run"]).unwrap().status.code(), Some(0));
    fs::remove_file(stage.project().join(".coho/ledger.db")).unwrap();
    let output = run(&stage, &["run", "--json"]).unwrap();
    let printed: Json = serde_json::from_slice(&output.stdout).unwrap();
    let results = results(&stage).unwrap();
    assert_eq!(results["exit_code"], printed["exit_code"]);
    for member in ["code", "message", "help"] {
        assert_eq!(results["error"][member], printed["problems"][0][member], "{member}");
    }
    assert_eq!((&results["syncs"], results.get("run")), (&json!([]), None));
}

#[test]
fn results_that_cannot_be_written_are_a_warning() {
    let stage = Stage::new().unwrap();
    fs::create_dir_all(stage.project().join(".coho/run_results.json/occupied")).unwrap();
    let output = run(&stage, &["run"]).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("run_results.json: "), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("3 rows read = 3 delivered"));
    let left = fs::read_dir(stage.project().join(".coho")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|name| !name.starts_with("run_results.json.")), "{left:?}");
}

#[test]
fn a_sync_whose_process_dies_is_told_as_failed_by_the_next_run() {
    let hook = Receiver::start().unwrap();
    let stage = Stage::new().unwrap();
    let project = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    let webhooks = format!("webhooks: {{ ci: {{ url: \"{}\", events: [sync.failed] }} }}\n", hook.url());
    stage.write("coho.yaml", project + &webhooks).unwrap();
    stage.vitally.script(Fault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts"));
    let mut killed = stage.coho(["run"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while stage.vitally.calls().is_empty() {
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(hook.take(), []);
    let output = run(&stage, &["run"]).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let arrived = hook.take();
    let told: Json = serde_json::from_str(&arrived[0].body).unwrap();
    assert_eq!((arrived.len(), &told["type"]), (1, &json!("sync.failed")));
    let runs: Json = serde_json::from_slice(&run(&stage, &["runs", "--json"]).unwrap().stdout).unwrap();
    assert_eq!(
        (&told["data"]["run"], &runs["runs"][1]["status"]),
        (&runs["runs"][1]["run"], &json!("interrupted"))
    );
    assert_eq!(told["data"]["status"], json!("interrupted"));
}
