//! What Prometheus and Grafana read: the metrics, the alert rules and the dashboard, held against promtool where it is on the machine.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;
#[path = "stage/server.rs"]
#[expect(dead_code, reason = "other tests need more of a server")]
mod server;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use coho_core::json::Json;
use server::{Server, token};
use stage::Stage;

/// A file beside the guide.
fn beside(name: &str) -> PathBuf {
    stage::manifest().join("../../docs/guides/metrics").join(name)
}

/// promtool with these words, given a text; what it complains of. `None` where it is not there: the test says that it is skipped.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to see what was left out")]
fn promtool(words: &[&str], given: &str, test: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: there is no promtool, which the package `prometheus` has ({test})");
        return None;
    };
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some(if output.status.success() { String::new() } else { said })
}

#[test]
fn promtool_takes_the_metrics() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["prometheus", "--may", "read"]);
    assert!(stage.coho(["run"]).status().unwrap().success());
    let text = Server::start(&stage).text("/metrics", &may);
    assert!(text.contains("coho_rows_total{"), "{text}");
    if let Some(complaints) = promtool(&["check", "metrics"], &text, "promtool_takes_the_metrics") {
        assert_eq!(complaints, "", "{text}");
    }
}

#[test]
fn promtool_takes_the_alert_rules() {
    let rules = beside("coho-alerts.yml").display().to_string();
    if let Some(complaints) = promtool(&["check", "rules", &rules], "", "promtool_takes_the_alert_rules") {
        assert_eq!(complaints, "");
    }
}

#[test]
fn each_alert_rule_fires_for_what_it_is_about() {
    let rules = beside("coho-alerts.yml").canonicalize().unwrap().display().to_string();
    let folder = Stage::new().unwrap();
    folder.write("rules.yml", include_str!("prometheus/rules.yml").replace("RULES", &rules)).unwrap();
    let path = folder.project().join("rules.yml").display().to_string();
    let test = "each_alert_rule_fires_for_what_it_is_about";
    if let Some(complaints) = promtool(&["test", "rules", &path], "", test) {
        assert_eq!(complaints, "");
    }
}

/// Prometheus sees an increase only where it saw the lower number first.
#[test]
fn what_rules_look_at_is_told_before_it_happens() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["prometheus", "--may", "read"]);
    let server = Server::start(&stage);
    let told = |line: &str| server.text("/metrics", &may).lines().any(|told| told == line);
    for status in ["success", "warning", "failed", "halted", "interrupted"] {
        let line = format!("coho_runs_total{{sync=\"accounts\",status=\"{status}\"}} 0");
        assert!(told(&line), "{line}");
    }
    for status in ["delivered", "accepted", "rejected", "invalid", "deferred"] {
        let line = format!("coho_rows_total{{sync=\"accounts\",status=\"{status}\"}} 0");
        assert!(told(&line), "{line}");
    }
    assert!(stage.coho(["run"]).status().unwrap().success());
    for status in ["429", "500", "502", "503", "504", "none"] {
        let line = format!("coho_calls_total{{sync=\"accounts\",api=\"rest\",status=\"{status}\"}} 0");
        assert!(told(&line), "{line}");
    }
    let once = "coho_runs_total{sync=\"accounts\",status=\"success\"} 1";
    assert!(told(once), "{}", server.text("/metrics", &may));
}

/// Every expression of the dashboard.
fn expressions(dashboard: &Json) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

fn dashboard() -> Json {
    serde_json::from_str(&fs::read_to_string(beside("coho-dashboard.json")).unwrap()).unwrap()
}

#[test]
fn promtool_takes_every_expression_of_the_dashboard() {
    let test = "promtool_takes_every_expression_of_the_dashboard";
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (at, expression) in expressions(&dashboard()).iter().enumerate() {
        writeln!(rules, "      - {{ record: \"panel:{at}\", expr: {} }}", Json::from(expression.as_str()))
            .unwrap();
    }
    let folder = Stage::new().unwrap();
    folder.write("rules.yml", &rules).unwrap();
    let path = folder.project().join("rules.yml").display().to_string();
    if let Some(complaints) = promtool(&["check", "rules", &path], "", test) {
        assert_eq!(complaints, "", "{rules}");
    }
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter| !is_part(letter)).filter(|word| word.starts_with("coho_")).collect()
}

#[test]
fn rules_and_dashboard_ask_only_for_metrics_that_the_guide_tells_of() {
    let guide = fs::read_to_string(beside("../metrics.md")).unwrap();
    let known = names(&guide);
    for asked in
        [fs::read_to_string(beside("coho-alerts.yml")).unwrap(), expressions(&dashboard()).join("\n")]
    {
        let strange: Vec<_> = names(&asked).difference(&known).copied().collect();
        assert!(strange.is_empty() && names(&asked).len() > 3, "{strange:?}");
    }
}

/// What Grafana's documentation of the dashboard's JSON demands, as far as it can be seen without Grafana.
#[test]
fn the_dashboard_has_the_shape_that_grafana_reads() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36));
    assert!(dashboard["uid"].as_str().is_some_and(|uid| uid.len() <= 40) && dashboard["id"].is_null());
    let source = &dashboard["templating"]["list"][0];
    assert_eq!((&source["type"], &source["query"]), (&"datasource".into(), &"prometheus".into()));
    let chosen = format!("${{{}}}", source["name"].as_str().unwrap());
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let kind = panel["type"].as_str().unwrap();
        assert!(["stat", "bargauge", "timeseries", "table", "gauge"].contains(&kind), "{kind}");
        assert!(ids.insert(panel["id"].as_u64().unwrap()) && panel["title"].is_string(), "{panel}");
        assert_eq!(panel["datasource"]["uid"], chosen.as_str());
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{panel}");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "two panels stand in one place: {panel}");
            }
        }
        let targets = panel["targets"].as_array().unwrap();
        let references: BTreeSet<_> =
            targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert!(!targets.is_empty() && references.len() == targets.len(), "{panel}");
        assert!(targets.iter().all(|target| target["datasource"]["uid"] == chosen.as_str()), "{panel}");
    }
}
