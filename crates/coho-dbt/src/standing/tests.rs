//! What each status, command and age means for a sync.

use super::*;

const MANIFEST: &str = r#"{ "nodes": {
    "model.shop.customers": { "package_name": "shop", "name": "customers", "relation_name": "s.customers" },
    "test.shop.a": { "resource_type": "test", "name": "unique_id", "depends_on": { "nodes": ["model.shop.customers"] } },
    "test.shop.b": { "resource_type": "test", "name": "owner_exists",
        "depends_on": { "nodes": ["model.shop.people", "model.shop.customers"] } },
    "test.shop.c": { "resource_type": "test", "name": "elsewhere", "depends_on": { "nodes": ["model.shop.people"] } }
} }"#;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

/// How the model is after a command with these results, an hour after it ended.
fn after(command: &str, results: &[(&str, &str)], max_age: Option<TimeDelta>) -> Standing {
    let results: Vec<_> = results
        .iter()
        .map(|(id, status)| serde_json::json!({ "unique_id": id, "status": status, "message": "of alder@acme.test" }))
        .collect();
    let document = serde_json::json!({
        "metadata": { "generated_at": "2026-11-28T06:00:00.5Z" }, "args": { "which": command }, "results": results,
    });
    let results = RunResults::read(document.to_string().as_bytes()).unwrap();
    judged(Some(&results), max_age)
}

fn judged(results: Option<&RunResults>, max_age: Option<TimeDelta>) -> Standing {
    let manifest = Manifest::read(MANIFEST.as_bytes()).unwrap();
    let model = manifest.find("customers").unwrap();
    standing(&manifest, &model, results, &AgeLimit { max_age, now: at("2026-11-28T07:00:00Z") })
}

fn refused(standing: Standing) -> (Code, String) {
    let Standing::Refused(problem) = standing else { panic!("not refused: {standing:?}") };
    assert!(problem.help.is_some());
    (problem.code, problem.message)
}

fn unknown(standing: Standing) -> String {
    let Standing::Unknown(problem) = standing else { panic!("known: {standing:?}") };
    assert_eq!(problem.code, Code::DBT_UNKNOWN);
    assert!(problem.help.is_some());
    problem.message
}

const MODEL: &str = "model.shop.customers";

#[test]
fn a_model_that_was_built_and_tested_passes() {
    let passed =
        |built, tests| Standing::Passed(Passed { at: Some(at("2026-11-28T06:00:00.5Z")), built, tests });
    let both = [(MODEL, "success"), ("test.shop.a", "pass"), ("test.shop.b", "warn")];
    assert_eq!(after("build", &both, None), passed(true, 2));
    assert_eq!(after("run", &[(MODEL, "success")], None), passed(true, 0));
    assert_eq!(after("test", &[("test.shop.a", "pass")], None), passed(false, 1));
    assert_eq!(after("build", &[(MODEL, "reused"), ("test.shop.c", "fail")], None), passed(true, 0));
}

#[test]
fn what_failed_or_was_skipped_refuses() {
    for status in ["error", "skipped", "partial success", "runtime error", "Error"] {
        let (code, message) = refused(after("build", &[(MODEL, status)], None));
        assert_eq!(code, Code::DBT_FAILED);
        let expected = format!(
            "dbt's last command, `dbt build`, failed for the model `customers`: the model ({status})"
        );
        assert_eq!(message, expected);
    }
    let tests = [(MODEL, "success"), ("test.shop.a", "fail"), ("test.shop.b", "skipped")];
    assert_eq!(
        refused(after("build", &tests, None)).1,
        "dbt's last command, `dbt build`, failed for the model `customers`: test unique_id (fail), test owner_exists \
         (skipped)"
    );
}

#[test]
fn what_dbt_says_of_rows_is_not_told() {
    assert!(!refused(after("build", &[(MODEL, "error")], None)).1.contains("alder"));
}

#[test]
fn what_the_last_command_did_not_touch_is_unknown() {
    assert_eq!(
        unknown(after("run", &[("model.shop.people", "success")], None)),
        "dbt's last command, `dbt run`, did not build or test the model `customers`"
    );
    assert_eq!(
        unknown(after("generate", &[(MODEL, "success")], None)),
        "dbt's last command, `dbt docs generate`, does not build or test models, so the state of `customers` is unknown"
    );
    assert_eq!(
        unknown(after("build", &[(MODEL, "pondering")], None)),
        "Coho does not know how dbt's last command, `dbt build`, ended for `customers`: the model (pondering)"
    );
    assert_eq!(
        unknown(judged(None, None)),
        "dbt left no run_results.json, so the state of `customers` is unknown"
    );
}

#[test]
fn what_is_older_than_allowed_refuses() {
    let all = [(MODEL, "success")];
    let (code, message) = refused(after("build", &all, Some(TimeDelta::minutes(30))));
    assert_eq!(code, Code::DBT_STALE);
    assert_eq!(
        message,
        "dbt's last command, `dbt build`, ended on 2026-11-28 06:00:00Z, which is longer ago than `max_age: 30m`"
    );
    assert!(matches!(after("build", &all, Some(TimeDelta::hours(1))), Standing::Passed(_)));
    assert_eq!(refused(judged(None, Some(TimeDelta::hours(1)))).0, Code::DBT_STALE);
    let timeless = RunResults::read(&br#"{ "results": [] }"#[..]).unwrap();
    assert_eq!(
        refused(judged(Some(&timeless), Some(TimeDelta::hours(36)))).1,
        "dbt's last command has no end time, so Coho cannot check `max_age`"
    );
}

#[test]
fn a_failure_is_told_before_an_age() {
    let (code, _) = refused(after("build", &[(MODEL, "error")], Some(TimeDelta::minutes(1))));
    assert_eq!(code, Code::DBT_FAILED);
}

#[test]
fn ages_are_told_as_they_are_written() {
    let ages =
        [TimeDelta::days(2), TimeDelta::hours(36), TimeDelta::seconds(90), TimeDelta::milliseconds(250)];
    assert_eq!(ages.map(age), ["2d", "36h", "90s", "250ms"]);
}
