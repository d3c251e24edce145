//! The clients that orchestrators have for Hightouch, as they are on PyPI, trigger a sync of `coho serve` and see it end.
//!
//! `cargo xtask test --orchestrators` installs them and names their folder; without it these tests are skipped.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;
#[path = "stage/server.rs"]
#[expect(dead_code, reason = "other tests need more of the server")]
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;

use coho_simulator::Object;
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

fn says(command: &mut Command, words: &str) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(words), "{said}");
}

fn script(name: &str) -> PathBuf {
    stage::manifest().join("tests/orchestrators").join(name)
}

#[test]
fn airflows_operator_triggers_a_sync_and_sees_it_end() {
    let Some(python) = python("airflow", "airflows_operator_triggers_a_sync_and_sees_it_end") else { return };
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    let server = Server::start(&stage);
    let (host, port) = server.address.split_once(':').unwrap();
    let connection = format!(
        r#"{{"conn_type": "http", "host": "{host}", "port": {port}, "schema": "http", "password": "{may}"}}"#
    );
    let mut command = Command::new(python);
    command
        .arg(script("trigger_airflow.py"))
        .env("AIRFLOW_HOME", stage.folder().join("airflow"))
        .env("AIRFLOW_CONN_HIGHTOUCH_DEFAULT", connection);
    says(&mut command, "airflow saw the sync end");
    assert!(stage.vitally.count(Object::Account) > 0);
}

#[test]
fn dagsters_resource_triggers_a_sync_and_sees_it_end() {
    let Some(python) = python("dagster", "dagsters_resource_triggers_a_sync_and_sees_it_end") else { return };
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["dagster"]);
    let server = Server::start(&stage);
    let sync = sync_id(&server, &may);
    let mut command = Command::new(python);
    command.arg(script("trigger_dagster.py")).arg(format!("http://{}", server.address)).arg(may).arg(sync);
    says(&mut command, "dagster saw the sync end");
    assert!(stage.vitally.count(Object::Account) > 0);
}
