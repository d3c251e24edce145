//! What other programs are told of runs.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coho_core::json::Json;
use coho_simulator::{ScriptedFault, Trouble};
use coho_testkit::Receiver;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::json;
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
    assert_eq!((&counts["read"], &counts["statuses"]), (&json!(2), &json!({ "delivered": 1, "invalid": 1 })));
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
    assert!(said(&output).contains("run_results.json`: "), "{}", said(&output));
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
    stage.vitally.script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts"));
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

/// The events of OpenLineage that arrived since this was asked last.
fn events(receiver: &Receiver) -> Vec<Json> {
    let arrived = receiver.take();
    assert!(arrived.iter().all(|one| one.path == "/api/v1/lineage"), "{arrived:?}");
    assert!(arrived.iter().all(|one| one.headers["authorization"] == "Bearer key-of-lineage"), "{arrived:?}");
    arrived.iter().map(|one| serde_json::from_str(&one.body).unwrap()).collect()
}

fn stage_with_lineage(url: &str) -> Result<Stage, Failure> {
    let mut stage = Stage::new()?;
    stage.set("OPENLINEAGE_URL", url);
    stage.set("OPENLINEAGE_API_KEY", "key-of-lineage");
    Ok(stage)
}

/// What the specification requires of every event and every facet.
fn assert_complete(event: &Json) {
    for member in ["eventType", "eventTime", "producer", "schemaURL", "run", "job"] {
        assert!(!event[member].is_null(), "{member} is missing: {event:#}");
    }
    assert_eq!(event["run"]["runId"].as_str().map(str::len), Some(36), "{event:#}");
    let datasets = ["inputs", "outputs"].map(|side| event[side].as_array().unwrap().clone()).concat();
    let names = std::iter::once(&event["job"]).chain(&datasets);
    assert!(names.clone().all(|one| one["namespace"].is_string() && one["name"].is_string()), "{event:#}");
    let facets =
        names.flat_map(|one| ["facets", "inputFacets", "outputFacets"].map(|kind| one[kind].as_object()));
    for (name, facet) in facets.chain([event["run"]["facets"].as_object()]).flatten().flatten() {
        assert!(facet["_producer"].is_string(), "{name}: {facet:#}");
        let schema = facet["_schemaURL"].as_str().unwrap();
        assert!(schema.starts_with("https://openlineage.io/spec/facets/"), "{name}: {schema}");
    }
}

#[test]
fn lineage_is_told_when_a_sync_starts_and_ends() {
    let receiver = Receiver::start().unwrap();
    let stage = stage_with_lineage(&receiver.url()).unwrap();
    assert_eq!(run(&stage, &["run"]).unwrap().status.code(), Some(0));
    let events = events(&receiver);
    events.iter().for_each(assert_complete);
    let kinds: Vec<_> = events.iter().map(|event| &event["eventType"]).collect();
    assert_eq!(kinds, ["START", "COMPLETE"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert_eq!(events[1]["job"]["name"], json!("acme.accounts"));
    let (input, output) = (&events[1]["inputs"][0], &events[1]["outputs"][0]);
    let file = stage.project().join("data/accounts.csv").canonicalize().unwrap();
    assert_eq!((&input["namespace"], &input["name"]), (&json!("file"), &json!(file.to_str().unwrap())));
    assert_eq!(input["inputFacets"]["inputStatistics"]["rowCount"], json!(3));
    assert_eq!(output["namespace"], json!(format!("vitally://{}", stage.vitally.address())));
    assert_eq!(
        (&output["name"], &output["outputFacets"]["outputStatistics"]["rowCount"]),
        (&json!("accounts"), &json!(3))
    );
    let made = |field: &str| {
        let of = &output["facets"]["columnLineage"]["fields"][field]["inputFields"][0];
        (of["field"].clone(), of["transformations"][0]["subtype"].clone())
    };
    assert_eq!(made("externalId"), (json!("id"), json!("IDENTITY")));
    assert_eq!(made("traits.plan"), (json!("plan"), json!("IDENTITY")));
    assert_eq!(made("traits.seats"), (json!("seats"), json!("TRANSFORMATION")));
    let told = format!("{events:?}");
    assert!(!told.contains("Alder") && !told.contains("acc-1"), "{told}");
}

#[test]
fn lineage_of_a_sync_that_fails_says_so() {
    let receiver = Receiver::start().unwrap();
    let stage = stage_with_lineage(&receiver.url()).unwrap();
    fs::remove_file(stage.project().join("data/accounts.csv")).unwrap();
    assert_eq!(run(&stage, &["run"]).unwrap().status.code(), Some(3));
    let events = events(&receiver);
    events.iter().for_each(assert_complete);
    assert_eq!(events[1]["eventType"], json!("FAIL"));
    assert_eq!(events[1]["run"]["facets"]["errorMessage"]["message"], json!("file-unreadable"));
}

/// Where there is a name that others know it by, a dataset has it. The servers of those in PostgreSQL and MySQL do not exist: what
/// would be read is told before it is.
#[test]
fn lineage_names_tables_as_others_do_and_queries_by_their_model() {
    let receiver = Receiver::start().unwrap();
    let mut stage = stage_with_lineage(&receiver.url()).unwrap();
    stage.set("WAREHOUSE_URL", "postgres://reader:hush-hush@127.0.0.1:1/warehouse?sslmode=disable");
    stage.set("SHOP_URL", "mysql://reader:hush-hush@127.0.0.1:1/shop");
    let table =
        "CREATE TABLE accounts (id, name, plan, seats); INSERT INTO accounts VALUES ('a', 'Alder', 'pro', 1)";
    rusqlite::Connection::open(stage.project().join("app.db")).unwrap().execute_batch(table).unwrap();
    let project = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    let sources = "sources:\n  app: { type: sqlite, path: app.db }\n  warehouse: { type: postgres, url: \"${WAREHOUSE_URL}\" }\n  shop: { type: mysql, url: \"${SHOP_URL}\" }\n";
    stage.write("coho.yaml", project.replace("sources:\n", sources)).unwrap();
    let file = stage.project().join("app.db").canonicalize().unwrap();
    let in_app = format!("sqlite://{}", file.display());
    for (relation, namespace, name) in [
        ("source: app\ntable: accounts", in_app.as_str(), "accounts"),
        ("source: warehouse\ntable: accounts", "postgres://127.0.0.1:1", "warehouse.public.accounts"),
        ("source: warehouse\ntable: crm.accounts", "postgres://127.0.0.1:1", "warehouse.crm.accounts"),
        ("source: shop\ntable: accounts", "mysql://127.0.0.1:1", "shop.accounts"),
        ("source: shop\ntable: crm.accounts", "mysql://127.0.0.1:1", "crm.accounts"),
        ("source: app\nsql: SELECT * FROM accounts", "coho", "acme.models.accounts"),
    ] {
        stage.write("models/accounts.yaml", format!("{relation}\nprimary_key: id\n")).unwrap();
        run(&stage, &["run"]).unwrap();
        let events = events(&receiver);
        let input = &events[0]["inputs"][0];
        assert_eq!((&input["namespace"], &input["name"]), (&json!(namespace), &json!(name)), "{relation}");
        assert_eq!(events[0]["job"]["facets"]["sql"].is_object(), relation.contains("sql"), "{relation}");
        assert!(!format!("{events:?}").contains("hush-hush"));
    }
}

#[test]
fn lineage_that_nobody_takes_is_a_warning() {
    let receiver = Receiver::start().unwrap();
    receiver.answer_next(&[500]);
    let stage = stage_with_lineage(&receiver.url()).unwrap();
    let output = run(&stage, &["run"]).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("cannot report the lineage of this run: http://"), "{}", said(&output));
    assert!(!said(&output).contains("key-of-lineage"), "{}", said(&output));
    assert_eq!(receiver.take().len(), 1, "who did not take one event is not sent another");
    assert_eq!(results(&stage).unwrap()["exit_code"], json!(0));
}

/// As Dagster writes its variables: JSON, compressed, in base64.
fn encoded(value: &Json) -> Result<String, Failure> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(value.to_string().as_bytes())?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// Runs as a process that Dagster started for some assets, and gives what Dagster is told.
fn run_in_dagster(stage: &mut Stage, assets: &Json) -> Result<(Output, Vec<Json>), Failure> {
    let messages = stage.folder().join("messages");
    fs::write(&messages, "")?;
    stage
        .set("DAGSTER_PIPES_CONTEXT", &encoded(&json!({ "data": { "asset_keys": assets, "run_id": "d" } }))?);
    stage.set(
        "DAGSTER_PIPES_MESSAGES",
        &encoded(&json!({ "path": messages, "include_stdio_in_messages": false }))?,
    );
    let output = run(stage, &["run"])?;
    let told = fs::read_to_string(&messages)?;
    let told = told.lines().map(serde_json::from_str).collect::<Result<Vec<Json>, _>>()?;
    assert!(told.iter().all(|message| message["__dagster_pipes_version"] == "0.1"), "{told:?}");
    Ok((output, told))
}

fn methods(told: &[Json]) -> Vec<&str> {
    told.iter().filter_map(|message| message["method"].as_str()).collect()
}

#[test]
fn dagster_is_told_of_its_asset() {
    let mut stage = Stage::new().unwrap();
    let (output, told) = run_in_dagster(&mut stage, &json!(["crm/vitally"])).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(methods(&told), ["opened", "log", "report_asset_materialization", "closed"]);
    assert_eq!(
        told[1]["params"],
        json!({ "level": "INFO", "message": "accounts: completed; 3 rows read = 3 delivered" })
    );
    let asset = &told[2]["params"];
    let value = |name: &str| asset["metadata"][name]["raw_value"].clone();
    assert_eq!(asset["asset_key"], json!("crm/vitally"));
    assert_eq!((value("coho/rows_read"), value("coho/delivered")), (json!(3), json!(3)));
    assert_eq!(value("coho/run"), results(&stage).unwrap()["run"]);
    assert_eq!(told[3]["params"], json!({}));
}

#[test]
fn dagster_is_told_of_syncs_by_the_names_of_assets() {
    let mut stage = Stage::new().unwrap();
    let (_, told) = run_in_dagster(&mut stage, &json!(["vitally/users", "vitally/accounts"])).unwrap();
    let assets: Vec<_> = told.iter().filter_map(|message| message["params"].get("asset_key")).collect();
    assert_eq!(assets, ["vitally/accounts"], "there is no sync of users");
    let (_, told) = run_in_dagster(&mut stage, &Json::Null).unwrap();
    assert_eq!(methods(&told), ["opened", "log", "closed"]);
}

#[test]
fn dagster_is_told_why_a_run_failed() {
    let mut stage = Stage::new().unwrap();
    fs::remove_file(stage.project().join("data/accounts.csv")).unwrap();
    let (output, told) = run_in_dagster(&mut stage, &json!(["accounts"])).unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(methods(&told), ["opened", "log", "closed"]);
    assert_eq!(
        (&told[1]["params"]["level"], &told[2]["params"]["exception"]["name"]),
        (&json!("ERROR"), &json!("file-unreadable"))
    );
}

#[test]
fn variables_of_dagster_that_cannot_be_read_are_a_warning() {
    let mut stage = Stage::new().unwrap();
    stage.set("DAGSTER_PIPES_CONTEXT", "!");
    stage.set("DAGSTER_PIPES_MESSAGES", "!");
    let output = run(&stage, &["run"]).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("cannot report this run to Dagster"), "{}", said(&output));
}
