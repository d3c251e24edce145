//! The clients that orchestrators have for Hightouch, as they are on PyPI, trigger a sync of `coho serve` and see it end, by the
//! recipes of the guide; and the orchestrators run the files of `coho init --with`.
//!
//! `cargo xtask test --orchestrators` installs them and names their folder; without it these tests are skipped.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/guide.rs"]
mod guide;
#[path = "stage/server.rs"]
#[expect(dead_code, reason = "other tests need more of the server")]
mod server;
#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::path::{Path, PathBuf};
use std::process::Command;

use coho_simulator::RecordKind;
use guide::recipe;
use server::{Server, sync_id, token};
use stage::Stage;

/// The Python of an orchestrator, if they are installed.
fn python(orchestrator: &str, test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("COHO_ORCHESTRATORS");
    let python = folder.map(|folder| Path::new(&folder).join(orchestrator).join("bin/python"));
    if python.is_none() {
        let why = "skipped: orchestrators are installed by `cargo xtask test --orchestrators`";
        std::io::Write::write_all(&mut std::io::stderr(), format!("{why} ({test})\n").as_bytes()).unwrap();
    }
    python
}

/// Runs a recipe, and gives what it says.
fn says(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}

/// Nothing that this machine has of an orchestrator's settings is touched.
fn at_home(command: &mut Command, stage: &Stage) {
    for name in ["HOME", "AIRFLOW_HOME", "DAGSTER_HOME", "PREFECT_HOME"] {
        let folder = stage.folder().join(name.to_lowercase());
        std::fs::create_dir_all(&folder).unwrap();
        command.env(name, folder);
    }
    // Prefect asks a server of its own and nobody else's, and waits for it on a busy machine too.
    command.env("PREFECT_SERVER_ANALYTICS_ENABLED", "false").env("DO_NOT_TRACK", "1");
    command.env("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "300");
}

#[test]
fn airflows_operator_triggers_a_sync_and_sees_it_end() {
    let Some(python) = python("airflow", "airflows_operator_triggers_a_sync_and_sees_it_end") else { return };
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    let server = Server::start(&stage);
    let (_, port) = server.address.split_once(':').unwrap();
    let line = recipe("Airflow", "");
    let connection = line.trim().trim_start_matches("AIRFLOW_CONN_HIGHTOUCH_DEFAULT=").trim_matches('\'');
    let connection = connection.replace("7711", port).replace("coho_…", &may);
    let run = |code: &str| {
        let code = recipe("Airflow", "python").replace("wait_seconds=5", "wait_seconds=0.2") + code;
        let mut command = Command::new(&python);
        at_home(&mut command, &stage);
        says(command.args(["-c", &code]).env("AIRFLOW_CONN_HIGHTOUCH_DEFAULT", &connection))
    };
    let twice = "sync_accounts.execute({})\nsync_accounts.execute({})\nprint('airflow saw both end')\n";
    let (ended, said) = run(twice);
    assert!(ended && said.contains("airflow saw both end"), "{said}");
    assert!(stage.vitally.count(RecordKind::Account) > 0);
    std::fs::remove_file(stage.project().join("data/accounts.csv")).unwrap();
    let (ended, said) = run("sync_accounts.execute({})\n");
    assert!(!ended && said.contains("failed"), "{said}");
}

#[test]
fn dagsters_resource_triggers_a_sync_and_sees_it_end() {
    let Some(python) = python("dagster", "dagsters_resource_triggers_a_sync_and_sees_it_end") else { return };
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["dagster"]);
    let server = Server::start(&stage);
    let code = recipe("Dagster", "python")
        .replace("127.0.0.1:7711", &server.address)
        .replace("coho_…", &may)
        .replace("1234567890", &sync_id(&server, &may))
        .replace("poll_interval=5", "poll_interval=0.2");
    let code = code + "print(output.destination_details['type'])\nprint('dagster saw the sync end')\n";
    let mut command = Command::new(python);
    at_home(&mut command, &stage);
    let (ended, said) = says(command.args(["-c", &code]));
    assert!(ended && said.contains("vitally\ndagster saw the sync end"), "{said}");
    assert!(stage.vitally.count(RecordKind::Account) > 0);
}

#[test]
fn the_recipe_is_a_task_of_prefects() {
    let Some(python) = python("prefect", "the_recipe_is_a_task_of_prefects") else { return };
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["prefect"]);
    let server = Server::start(&stage);
    let flow = format!(
        "\nfrom prefect import flow, task\n\n@flow\ndef nightly():\n    \
         return task(run_sync)('http://{}', '{may}', 'accounts', 0.2)\n\nprint(nightly()['status'])\n",
        server.address
    );
    let mut command = Command::new(python);
    at_home(&mut command, &stage);
    let (ended, said) = says(command.args(["-c", &(recipe("Prefect", "python") + &flow)]));
    assert!(ended && said.contains("success"), "{said}");
    assert!(stage.vitally.count(RecordKind::Account) > 0);
}

/// A command line for the shell in a project that has the ready-made files of an orchestrator.
fn ready_made(stage: &Stage, orchestrator: &str, line: &str) -> Command {
    let made = stage.coho(["init", "--with", orchestrator]).status().unwrap();
    assert!(made.success());
    let mut command = stage.shell(line);
    at_home(&mut command, stage);
    command
}

#[test]
fn the_ready_made_dag_runs_in_airflow() {
    let Some(python) = python("airflow", "the_ready_made_dag_runs_in_airflow") else { return };
    let stage = Stage::new().unwrap();
    let airflow = python.with_file_name("airflow").display().to_string();
    let line = format!("{airflow} db migrate && {airflow} dags test coho");
    let mut command = ready_made(&stage, "airflow", &line);
    command.env("AIRFLOW__CORE__DAGS_FOLDER", stage.project().join("deploy/airflow"));
    command.env("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
    let (ended, said) = says(&mut command);
    assert!(ended && said.contains("3 rows read = 3 delivered"), "{said}");
    assert_eq!(stage.vitally.count(RecordKind::Account), 3);
}

#[test]
fn the_ready_made_assets_are_materialized_in_dagster() {
    let Some(python) = python("dagster", "the_ready_made_assets_are_materialized_in_dagster") else { return };
    let stage = Stage::new().unwrap();
    let line =
        format!("{} -m dagster job execute -f deploy/dagster/definitions.py -j coho", python.display());
    let (ended, said) = says(&mut ready_made(&stage, "dagster", &line));
    assert!(ended && said.contains("Materialized value vitally accounts"), "{said}");
    assert!(said.contains("accounts: completed; 3 rows read = 3 delivered"), "{said}");
    assert_eq!(stage.vitally.count(RecordKind::Account), 3);
}

#[test]
fn the_ready_made_flow_runs_in_prefect() {
    let Some(python) = python("prefect", "the_ready_made_flow_runs_in_prefect") else { return };
    let stage = Stage::new().unwrap();
    let line = format!("{} deploy/prefect/coho_flow.py", python.display());
    let (ended, said) = says(&mut ready_made(&stage, "prefect", &line));
    assert!(ended && said.contains("accounts: completed, {'delivered': 3}"), "{said}");
    assert_eq!(stage.vitally.count(RecordKind::Account), 3);
}
