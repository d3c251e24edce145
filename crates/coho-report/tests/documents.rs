//! What programs read: one snapshot of each document in `fixtures/json`, and that colours change no letter.
//!
//! Plans, runs and listings are those of the fixtures that `reports.rs` prints; their shapes are in `reports/wire.rs`.

#[path = "reports/wire.rs"]
mod wire;

use std::error::Error;
use std::path::{Path, PathBuf};

use coho_core::call::{Attempt, Headers};
use coho_core::code::Code;
use coho_core::event::Event;
use coho_core::json::Json;
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::place::Place;
use coho_core::plan::{SyncPlan, SyncSummary};
use coho_core::problem::Problem;
use coho_core::sync::SyncId;
use coho_core::target::ExternalId;
use coho_core::time::Time;
use coho_core::verdict::{Call, Outcome};
use coho_report::style::{Color, Style};
use coho_report::{json, text};

type Failure = Box<dyn Error>;

fn fixture(name: &str) -> Result<Json, Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

fn plans() -> Result<Vec<SyncPlan>, Failure> {
    let plans: Vec<wire::Plan> =
        serde_json::from_value(fixture("plan/all-kinds-of-changes.json")?["syncs"].clone())?;
    plans.into_iter().map(|plan| plan.read(900)).collect()
}

fn runs(name: &str) -> Result<Vec<SyncSummary>, Failure> {
    let runs: Vec<wire::Run> = serde_json::from_value(fixture(name)?)?;
    runs.into_iter().map(wire::Run::read).collect()
}

fn listing(name: &str) -> Result<wire::Listing, Failure> {
    Ok(serde_json::from_value(fixture(name)?)?)
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/json"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn pretty(name: &str, document: &Json) {
    snapshot(name, &format!("{document:#}"));
}

#[test]
fn plan_is_a_document() {
    pretty("plan", &json::plan(&plans().unwrap()));
}

#[test]
fn run_is_a_document() {
    pretty("run", &json::run(&runs("run/guard-held-removals.json").unwrap()));
    pretty("run-that-failed-or-halted", &json::run(&runs("run/halted-and-failed.json").unwrap()));
}

#[test]
fn listings_are_documents() {
    let (runs, _) = listing("listing/runs.json").unwrap().read().unwrap();
    pretty("runs", &json::runs(&runs));
    let (_, rows) = listing("listing/rows-with-what-was-sent.json").unwrap().read().unwrap();
    pretty("rows", &json::rows(&rows));
    snapshot("rows-as-csv", &text::csv(&rows));
}

#[test]
fn problem_is_a_document() {
    let place = Place { file: "syncs/accounts.yaml".into(), line: 9, column: 12, length: 5 };
    let problem = Problem::new(Code::UNKNOWN_COLUMN, "the model has no column `seets`")
        .help("did you mean `seats`?")
        .at(&place)
        .field(&FieldPath::new("traits.seats"));
    pretty("problem", &json::problem(&problem));
}

const NOW: Time = Time::UNIX_EPOCH;

fn call() -> Call {
    Call {
        at: NOW,
        micros: 81_000,
        route: None,
        method: "PUT",
        path: "/resources/accounts/acme".to_owned(),
        attempt: Attempt::FIRST,
        request: Some(r#"{"traits":{"seats":45}}"#.to_owned()),
        status: Some(200),
        headers: Headers::new(),
        response: r#"{"id":"v-7"}"#.to_owned(),
        request_cut: 0,
        response_cut: 0,
    }
}

#[test]
fn call_is_a_document() {
    pretty("call", &json::call(&call()));
}

#[test]
fn events_are_lines_of_a_log_without_the_bodies_of_calls() {
    let (sync, key) = (SyncId::new("accounts"), Key::new("7"));
    let target = ExternalId::parse("acme").unwrap();
    let lost = Call { status: None, response: "connection reset".to_owned(), ..call() };
    let summary = runs("run/everything-delivered.json").unwrap().remove(0);
    let mut plan = plans().unwrap().remove(0);
    plan.samples.clear();
    plan.changes.clear();
    plan.problems.clear();
    let (called, settled) = (
        |call: Call| Event::Called { sync: sync.clone(), key: key.clone(), call: Box::new(call) },
        |outcome, code| Event::Settled {
            sync: sync.clone(),
            key: key.clone(),
            target: target.clone(),
            outcome,
            code,
        },
    );
    let events = [
        Event::RunStarted { run: "01939a60-4f10".to_owned(), at: NOW },
        Event::Reading { sync: sync.clone(), rows: 5_000 },
        Event::Planned(Box::new(plan)),
        called(call()),
        called(lost),
        settled(Outcome::Delivered, None),
        settled(Outcome::Rejected, Some(Code::REFUSED)),
        Event::Ended(Box::new(summary)),
    ];
    let lines: String = events.iter().map(|event| json::line(&json::event(event, NOW))).collect();
    assert!(!lines.contains("seats"));
    snapshot("events", &lines);
}

#[test]
fn colours_change_no_letter() {
    let bright = Style { color: Color::Always, ..Style::default() };
    let (plans, runs) = (plans().unwrap(), runs("run/some-rows-failed.json").unwrap());
    let dressed = [text::plan(&plans, &bright), text::run(&runs, &bright)];
    let plain = [text::plan(&plans, &Style::default()), text::run(&runs, &Style::default())];
    for (dressed, plain) in dressed.iter().zip(&plain) {
        assert!(dressed.contains("\u{1b}[32m"));
        assert_eq!(undressed(dressed), *plain);
    }
}

/// The text without its ANSI sequences: from each escape to the `m` that ends it.
fn undressed(text: &str) -> String {
    let parts = text.split('\u{1b}').enumerate();
    parts
        .map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or("", |(_, text)| text) })
        .collect()
}

fn ended(end: Result<&[SyncSummary], json::RunRefusal>) -> json::RunEnd<'_> {
    let at = |text: &str| text.parse().unwrap_or(Time::UNIX_EPOCH);
    json::RunEnd {
        run: end.is_ok().then_some("0193-a"),
        project: "acme",
        target: Some("prod"),
        run_kind: coho_core::decide::RunKind::Sync,
        started: at("2026-11-24T09:00:00Z"),
        ended: at("2026-11-24T09:00:01.500Z"),
        coho: "0.1.0",
        end,
    }
}

fn refused() -> json::RunRefusal {
    json::RunRefusal {
        code: Code::LEDGER_LOST,
        message: "accounts sent before, and the ledger does not know of it".to_owned(),
        help: Some("restore the ledger from a backup".to_owned()),
    }
}

#[test]
fn results_of_a_run_are_a_document() {
    let summaries = runs("run/guard-held-removals.json").unwrap();
    pretty("results", &json::results(&ended(Ok(&summaries))));
    pretty("results-of-a-run-that-could-not-begin", &json::results(&ended(Err(refused()))));
}

#[test]
fn results_say_what_the_run_says() {
    let summaries = runs("run/halted-and-failed.json").unwrap();
    let (results, run) = (json::results(&ended(Ok(&summaries))), json::run(&summaries));
    for member in ["version", "exit_code", "syncs"] {
        assert_eq!(results[member], run[member], "{member}");
    }
}

#[test]
fn results_fit_their_schema() {
    let validator = jsonschema::validator_for(&json::results_schema()).unwrap();
    let complaints = |document: &Json| {
        validator
            .iter_errors(document)
            .map(|error| format!("{} {error}", error.instance_path()))
            .collect::<Vec<_>>()
    };
    for name in ["run/guard-held-removals.json", "run/halted-and-failed.json"] {
        let summaries = runs(name).unwrap();
        assert_eq!(complaints(&json::results(&ended(Ok(&summaries)))), [""; 0], "{name}");
    }
    let mut document = json::results(&ended(Err(refused())));
    assert_eq!(complaints(&document), [""; 0]);
    document["exit_code"] = "5".into();
    document["syncs"] = serde_json::json!([{ "sync": "accounts", "counts": { "statuses": { "lost": 1 } } }]);
    assert!(complaints(&document).len() > 2, "{:?}", complaints(&document));
}
