//! What is written about the server, held against the server: the description of its API, the metrics that rules and dashboard
//! name, and the recipes of the guide for orchestrators.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "documents/schema.rs"]
mod schema;
#[path = "stage/guide.rs"]
mod guide;
#[path = "stage/server.rs"]
#[expect(dead_code, reason = "other tests need more of the server")]
mod server;
#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use coho_core::json::Json;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};
use guide::{document, recipe};
use server::{Server, sync_id, token};
use stage::Stage;

/// A sync that runs by itself, though not soon.
fn scheduled() -> Stage {
    let stage = Stage::new().unwrap();
    let path = stage.project().join("syncs/accounts.yaml");
    let sync = std::fs::read_to_string(path).unwrap();
    stage.write("syncs/accounts.yaml", sync + "\nschedule: { every: 31d }\n").unwrap();
    stage
}

#[test]
fn the_server_answers_as_its_description_says() {
    let stage = scheduled();
    let (reads, may) = (token(&stage, &["reads", "--may", "read"]), token(&stage, &["may"]));
    let server = Server::start(&stage);
    let described = server.send("GET", "/openapi.json", None, "", "").1;
    let check = |method: &str, template: &str, path: &str, token: Option<&str>, body: &str, expected: u16| {
        let (status, answer) = server.send(method, path, token, "", body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
        let operation = &described["paths"][template][method.to_lowercase()];
        let answers = &operation["responses"][status.to_string()];
        assert!(answers.is_object(), "{method} {template} does not say {status}");
        let schema = &answers["content"]["application/json"]["schema"];
        if schema.is_null() {
            assert!(answer.is_null(), "{method} {path}: an answer that is not described: {answer}");
        } else {
            schema::holds(&described, schema, &answer, &format!("{method} {path}"));
        }
        answer
    };
    let read = Some(reads.as_str());
    check("GET", "/readyz", "/readyz", None, "", 200);
    let sync = sync_id(&server, &may);
    check("GET", "/api/v1/syncs", "/api/v1/syncs", read, "", 200);
    check("GET", "/api/v1/syncs", "/api/v1/syncs", None, "", 401);
    let own = format!("/api/v1/syncs/{sync}");
    check("GET", "/api/v1/syncs/{id}", &own, read, "", 200);
    check("GET", "/api/v1/syncs/{id}", "/api/v1/syncs/1", read, "", 404);
    let trigger = "/api/v1/syncs/trigger";
    check("POST", trigger, trigger, None, "", 401);
    check("POST", trigger, trigger, read, "", 403);
    check("POST", trigger, trigger, Some(&may), "", 422);
    check("POST", trigger, trigger, Some(&may), "syncSlug=none", 404);
    check("POST", trigger, trigger, Some(&may), &"x".repeat(70_000), 413);
    let run = check("POST", "/api/v1/syncs/{id}/trigger", &format!("{own}/trigger"), Some(&may), "", 200);
    server.wait_for(&sync, run["id"].as_str().unwrap(), &may);
    check("GET", "/api/v1/syncs/{id}/runs", &format!("{own}/runs"), read, "", 200);
    check("GET", "/api/v1/syncs/{id}/runs", &format!("{own}/runs?runId=x"), read, "", 404);
    let shown = check("GET", "/api/v1/syncs/{id}", &own, read, "", 200);
    let destination = format!("/api/v1/destinations/{}", shown["destinationId"].as_str().unwrap());
    check("GET", "/api/v1/destinations/{id}", &destination, read, "", 200);
    check("GET", "/api/v1/destinations/{id}", "/api/v1/destinations/1", read, "", 404);
    let runs = check("GET", "/runs.json", "/runs.json", read, "", 200);
    let run = runs["runs"][0]["run"].as_str().unwrap();
    for (template, path) in [
        ("/home.json", "/home.json".to_owned()),
        ("/runs/{run}.json", format!("/runs/{run}.json")),
        ("/runs/{run}/rows.json", format!("/runs/{run}/rows.json")),
        ("/runs/{run}/calls.json", format!("/runs/{run}/calls.json")),
        ("/rows.json", "/rows.json?standing=yes".to_owned()),
        ("/rows/{number}.json", "/rows/1.json".to_owned()),
        ("/calls/{number}.json", "/calls/1.json".to_owned()),
        ("/project.json", "/project.json".to_owned()),
        ("/playground.json", "/playground.json?sync=accounts".to_owned()),
    ] {
        check("GET", template, &path, read, "", 200);
        check("GET", template, &path, None, "", 401);
    }
    check("GET", "/runs/{run}.json", "/runs/none.json", read, "", 404);
    check("GET", "/done/{number}.json", "/done/7.json", read, "", 404);
    check("GET", "/plan/file", "/plan/file", read, "", 404);
    for rows in ["/rows".to_owned(), format!("/runs/{run}/rows")] {
        // They are sent in chunks, so the head of the first stands before them.
        let exported = |form: &str| server.text(&format!("{rows}.{form}?standing=yes"), &reads);
        assert!(exported("csv").contains("key,status,"), "{rows}");
        assert!(!exported("ndjson").contains("<html"), "{rows}");
    }
}

#[test]
fn each_metric_that_rules_and_dashboard_name_is_there() {
    let stage = scheduled();
    let coho = std::fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    stage.write("coho.yaml", coho + "\nalerts: { to: { ops: { type: command, run: [cat] } } }\n").unwrap();
    let may = token(&stage, &["prometheus", "--may", "read"]);
    let server = Server::start(&stage);
    // An open alert, calls, and rows that did not get through; and the server has seen the schedule.
    stage.vitally.script(
        ScriptedFault::once(Trouble::Answer(FaultAnswer::status(422))).on("POST", "/resources/accounts"),
    );
    assert!(!stage.coho(["run"]).status().unwrap().success());
    assert!(stage.vitally.count(RecordKind::Account) > 0);
    assert!(stage.coho(["retry", "accounts"]).status().unwrap().success());
    let families = || -> BTreeSet<String> {
        let text = server.text("/metrics", &may);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.filter_map(|line| Some(line.split(['{', ' ']).next()?.to_owned())).collect()
    };
    while !families().contains("coho_sync_expected_by_timestamp_seconds") {}
    let families = families();
    for file in ["guides/metrics/coho-alerts.yml", "guides/metrics/coho-dashboard.json", "guides/metrics.md"]
    {
        let text = document(file);
        let names: BTreeSet<_> = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("coho_"))
            .collect();
        assert!(!names.is_empty(), "{file}");
        for name in names {
            assert!(families.contains(name), "{file} names {name}, and there is\n{families:#?}");
        }
    }
    let guide = document("guides/metrics.md");
    for name in families {
        assert!(guide.contains(&name), "the guide does not say what {name} is");
    }
    let dashboard: Json = serde_json::from_str(&document("guides/metrics/coho-dashboard.json")).unwrap();
    assert_eq!(dashboard["title"], "Coho");
}

#[test]
fn the_recipe_for_prefect_runs_a_sync_and_fails_where_rows_do_not_get_through() {
    let test = "the_recipe_for_prefect_runs_a_sync_and_fails_where_rows_do_not_get_through";
    if Command::new("python3").arg("-V").output().is_err() {
        let line = format!("skipped: there is no python3 ({test})\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        return;
    }
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["prefect"]);
    let server = Server::start(&stage);
    let recipe = recipe("Prefect", "python");
    let calls =
        format!("\nprint(run_sync('http://{}', '{may}', 'accounts', 0)['successfulRows'])\n", server.address);
    let run = || Command::new("python3").args(["-c", &(recipe.clone() + &calls)]).output().unwrap();
    let done = run();
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    let rows = stage.vitally.count(RecordKind::Account);
    assert!(done.status.success() && said.contains(&format!("'addedCount': {rows}")), "{said}");
    std::fs::remove_file(stage.project().join("data/accounts.csv")).unwrap();
    let failed = run();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("RuntimeError: accounts: failed"), "{said}");
}

/// A task of a flow of Kestra's: its members by their names. Those of its tasks follow it in the list.
type Task = BTreeMap<String, String>;

fn tasks(recipe: &str) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    for line in recipe.lines() {
        let Some((key, value)) = line.trim().split_once(": ") else { continue };
        let value = value.trim_matches(['"', '\'']).to_owned();
        if key == "- id" {
            tasks.push(Task::from([("id".to_owned(), value)]));
        } else if let Some(task) = tasks.last_mut() {
            task.insert(key.to_owned(), value);
        }
    }
    tasks
}

/// Runs the flow of the recipe as Kestra does, as far as it can be done without Kestra: the requests are made, and the conditions
/// are those that Pebble 3.2.4 and 4.1.2 evaluate as is done here. Returns the message of the last task, if that fails the flow.
fn run_flow(server: &Server, may: &str) -> Option<String> {
    let tasks = tasks(&recipe("Kestra", "yaml"));
    let ids: Vec<_> = tasks.iter().map(|task| task["id"].as_str()).collect();
    assert_eq!(ids, ["trigger", "find", "wait", "look", "check"]);
    let ask = |task: &Task, uri: &str| {
        assert_eq!(task["headers"], r#"{ Authorization: "Bearer {{ secret('COHO_TOKEN') }}" }"#);
        let path = uri.strip_prefix("http://127.0.0.1:7711").unwrap();
        let member = |name: &str| task.get(name).map_or("", String::as_str);
        let (status, answer) =
            server.send(&task["method"], path, Some(may), member("contentType"), member("body"));
        assert_eq!(status, 200, "{task:?}: {answer}");
        answer
    };
    let run = ask(&tasks[0], &tasks[0]["uri"])["id"].as_str().unwrap().to_owned();
    let sync = ask(&tasks[1], &tasks[1]["uri"])["data"][0]["id"].as_str().unwrap().to_owned();
    let look = tasks[3]["uri"]
        .replace("{{ fromJson(outputs.find.body).data[0].id }}", &sync)
        .replace("{{ fromJson(outputs.trigger.body).id }}", &run);
    let status = "fromJson(outputs.look.body).data[0].status";
    let ended = format!("{{{{ not (['queued', 'processing'] contains {status}) }}}}");
    assert_eq!(tasks[2]["condition"], ended);
    let found = loop {
        let found = ask(&tasks[3], &look)["data"][0].clone();
        if !["queued", "processing"].contains(&found["status"].as_str().unwrap()) {
            break found;
        }
    };
    assert_eq!(tasks[4]["condition"], format!("{{{{ {status} != 'success' }}}}"));
    // Pebble shows a null as nothing.
    let shown = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let message = tasks[4]["errorMessage"]
        .replace(&format!("{{{{ {status} }}}}"), &shown("status"))
        .replace("{{ fromJson(outputs.look.body).data[0].error }}", &shown("error"));
    (found["status"] != "success").then_some(message)
}

#[test]
fn the_recipe_for_kestra_runs_a_sync_and_fails_where_it_fails() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["kestra"]);
    let server = Server::start(&stage);
    assert_eq!(run_flow(&server, &may), None);
    assert!(stage.vitally.count(RecordKind::Account) > 0);
    std::fs::remove_file(stage.project().join("data/accounts.csv")).unwrap();
    let failed = run_flow(&server, &may).unwrap();
    assert!(failed.starts_with("accounts: failed ") && failed.contains("accounts.csv"), "{failed}");
}

/// The plugin reads ids as whole numbers of 64 bits, sends a body with each GET, and ends only at these states. Its address is built in, so
/// only its requests can be made here.
#[test]
fn the_requests_of_kestras_plugin_for_hightouch_are_answered_as_it_reads_them() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["kestra"]);
    let server = Server::start(&stage);
    let whole = |id: &Json| id.as_str().unwrap().parse::<i64>().unwrap();
    let sync = sync_id(&server, &may).parse::<i64>().unwrap();
    let ask = |method: &str, path: &str, body: &str| {
        let (status, answer) = server.send(method, path, Some(&may), "application/json", body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    };
    let shown = ask("GET", &format!("/api/v1/syncs/{sync}"), "{}");
    assert_eq!((whole(&shown["id"]), &shown["slug"]), (sync, &Json::from("accounts")));
    let triggered = ask("POST", &format!("/api/v1/syncs/{sync}/trigger"), r#"{"fullResync":false}"#);
    let run = whole(&triggered["id"]);
    let ended = loop {
        let runs = ask("GET", &format!("/api/v1/syncs/{sync}/runs?runId={run}"), "{}");
        let found = &runs["data"][0];
        assert_eq!(whole(&found["id"]), run);
        if ["success", "failed", "cancelled"].contains(&found["status"].as_str().unwrap()) {
            break found["status"].clone();
        }
    };
    assert_eq!(ended, "success");
}
