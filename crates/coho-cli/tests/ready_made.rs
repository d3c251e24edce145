//! The files of `coho init --with`: each is held against the program that reads it, where that is on the machine.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::fs;
use std::process::{Command, Output};

use stage::{Failure, Stage};

const ALL: &str = "github,systemd,container,cron,airflow,dagster,prefect";

/// A stage whose project has all files.
fn stage() -> Result<Stage, Failure> {
    let stage = Stage::new()?;
    let output = stage.coho(["init", "--with", ALL]).output()?;
    if output.status.success() { Ok(stage) } else { Err(text(&output).into()) }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Whether a program is there; says that a test is left out if it is not.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to see what was left out")]
fn has(program: &str, test: &str) -> bool {
    let is_there =
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: there is no {program} ({test})");
    }
    is_there
}

#[test]
fn files_that_are_there_are_left_as_they_are() {
    let stage = stage().unwrap();
    let path = "deploy/cron/coho.cron";
    stage.write(path, "mine").unwrap();
    let project = fs::read(stage.project().join("coho.yaml")).unwrap();
    let output = stage.coho(["init", "--with", "cron,github"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("deploy/cron/coho.cron already exists: not changed"), "{}", text(&output));
    assert_eq!(fs::read_to_string(stage.project().join(path)).unwrap(), "mine");
    assert_eq!(fs::read(stage.project().join("coho.yaml")).unwrap(), project);
}

#[test]
fn an_empty_folder_gets_a_project_too() {
    let stage = Stage::new().unwrap();
    let output = stage.coho(["init", "fresh", "--with", "dagster"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let assets = fs::read_to_string(stage.project().join("fresh/deploy/dagster/definitions.py")).unwrap();
    assert!(assets.contains(r#"SYNCS = ["organizations", "accounts", "users", "invoices"]"#), "{assets}");
    let check = stage.coho(["check", "--offline", "--project", "fresh"]).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));
}

#[test]
fn systemd_takes_its_units() {
    if !has("systemd-analyze", "systemd_takes_its_units") {
        return;
    }
    let stage = stage().unwrap();
    for unit in ["coho.service", "coho.timer", "coho-serve.service"] {
        let path = stage.project().join("deploy/systemd").join(unit);
        // The user is made when the unit is installed.
        let unit_text = fs::read_to_string(&path).unwrap().replace("User=coho\n", "");
        fs::write(&path, unit_text).unwrap();
        let output = Command::new("systemd-analyze").arg("verify").arg(&path).output().unwrap();
        let complaints: Vec<_> =
            text(&output).lines().filter(|line| line.contains("coho")).map(str::to_owned).collect();
        assert_eq!(complaints, [""; 0], "{unit}");
        assert!(output.status.success(), "{unit}: {}", text(&output));
    }
}

#[test]
fn hadolint_takes_the_containerfile() {
    if !has("hadolint", "hadolint_takes_the_containerfile") {
        return;
    }
    let stage = stage().unwrap();
    let output = Command::new("hadolint").arg(stage.project().join("Containerfile")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

/// Docker reads no other file, and Podman reads this one too.
#[test]
fn neither_secrets_nor_the_ledger_come_into_an_image() {
    let stage = stage().unwrap();
    let left_out = fs::read_to_string(stage.project().join(".dockerignore")).unwrap();
    for wanted in [".env", "*.env", ".coho", ".git"] {
        assert!(left_out.lines().any(|line| line == wanted), "{wanted}");
    }
    assert!(!stage.project().join(".containerignore").exists(), "Podman would read it in place of the other");
}

#[test]
fn python_takes_its_files() {
    if !has("python3", "python_takes_its_files") {
        return;
    }
    let stage = stage().unwrap();
    for file in ["airflow/coho_dag.py", "dagster/definitions.py", "prefect/coho_flow.py"] {
        let path = stage.project().join("deploy").join(file);
        let output = Command::new("python3").args(["-m", "py_compile"]).arg(path).output().unwrap();
        assert!(output.status.success(), "{file}: {}", text(&output));
    }
}

/// cron's environment is bare, its user may write no log of root's, and the shell says nothing to anybody.
#[test]
fn the_line_of_cron_runs_the_project() {
    let stage = stage().unwrap();
    let cron = fs::read_to_string(stage.project().join("deploy/cron/coho.cron")).unwrap();
    let line = cron.lines().find_map(|line| line.strip_prefix("*/15 * * * * coho ")).unwrap();
    assert!(!line.contains("/var/log") && !line.contains('%'), "{line}");
    // What is not on this machine: the file of secrets, and perhaps the system's log.
    let line = line.replace("--env-file /etc/coho/coho.env", "").replace("| logger -t coho", "| cat");
    let output = stage.shell(&line).env("PATH", "/usr/bin:/bin").current_dir("/").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("3 rows read = 3 delivered"), "{}", text(&output));
}

/// The script of a step of the action.
fn step(stage: &Stage, name: &str) -> Option<String> {
    let action = fs::read_to_string(stage.project().join(".github/actions/coho/action.yml")).ok()?;
    let step = action.split("    - name: ").find(|step| step.starts_with(name))?;
    let (_, script) = step.split_once("      run: |\n")?;
    Some(script.lines().map(|line| line.trim_start().to_owned() + "\n").collect())
}

/// A pull request is told of a plan that a guard holds, and the rest of that plan can be sent.
#[test]
fn the_action_keeps_a_plan_that_a_guard_holds() {
    let stage = stage().unwrap();
    stage.write("plan.sh", step(&stage, "Plan").unwrap()).unwrap();
    let plan = || {
        let mut bash = stage.shell("bash --noprofile --norc -eo pipefail plan.sh");
        bash.env("RUNNER_TEMP", stage.folder()).output().unwrap()
    };
    let kept = |name: &str| fs::read_to_string(stage.folder().join(name)).unwrap();
    assert!(stage.coho(["run"]).status().unwrap().success());
    let accounts = fs::read_to_string(stage.project().join("data/accounts.csv")).unwrap();
    stage.write("data/accounts.csv", accounts.lines().next().unwrap()).unwrap();
    let held = plan();
    assert_eq!(held.status.code(), Some(0), "{}", text(&held));
    assert!(kept("coho-plan.txt").contains("empty-source"), "{}", kept("coho-plan.txt"));
    assert!(!kept("coho-plan.json").is_empty());
    fs::remove_file(stage.project().join("data/accounts.csv")).unwrap();
    let failed = plan();
    assert_eq!(failed.status.code(), Some(3), "{}", text(&failed));
}

/// What Prefect gives a flow, as far as the flow uses it.
const PREFECT: &str = r"
import logging

def task(**options):
    return lambda function: function

flow = task

def get_run_logger():
    logging.basicConfig(level=logging.INFO)
    return logging.getLogger()
";

#[test]
fn the_flow_of_prefect_reads_what_a_run_prints() {
    if !has("python3", "the_flow_of_prefect_reads_what_a_run_prints") {
        return;
    }
    let stage = stage().unwrap();
    stage.write("deploy/prefect/prefect.py", PREFECT).unwrap();
    let mut python = stage.shell("python3 deploy/prefect/coho_flow.py");
    let output = python.env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("accounts: completed, {'delivered': 3}"), "{}", text(&output));
}
