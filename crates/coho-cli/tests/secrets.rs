//! Secrets of a project, planted in answers, errors and files in every form in which they turn up: neither what `coho` prints
//! nor what it keeps has any of them.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::fs;

use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::Receiver;
use stage::{Failure, Stage, TOKEN};

/// The token in the forms in which servers repeat what they were sent.
fn forms() -> Vec<String> {
    vec![
        TOKEN.to_owned(),
        "Basic dG9rZW4tb2YtdGhlLXN0YWdlOg==".to_owned(),
        "Basic dG9rZW4tb2YtdGhlLXN0YWdl".to_owned(),
        "dXNlcjp0b2tlbi1vZi10aGUtc3RhZ2U=".to_owned(),
        "746f6b656e2d6f662d7468652d7374616765".to_owned(),
    ]
}

/// What must be nowhere: enough of each form to know the token by it.
const PARTS: [&str; 5] =
    ["of-the-stage", "tb2YtdGhlLXN0YWdl", "9rZW4tb2YtdGhl", "d6f662d7468652d", "0b2tlbi1vZi10"];

fn assert_hidden(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for part in PARTS {
        assert!(!text.contains(part), "{what} has `{part}`:\n{text}");
    }
}

/// Everything that is told by all verbs that may tell it, and every byte that is kept.
#[expect(clippy::unwrap_used, reason = "a test that several shares")]
fn assert_kept_nowhere(stage: &Stage) {
    for arguments in [
        &["run", "-vv"][..],
        &["run", "--log-format", "json"],
        &["run", "--json"],
        &["rows", "accounts", "--key", "acc-1"],
        &["rows", "accounts", "--key", "acc-1", "--json"],
        &["rows", "accounts", "--as", "csv"],
        &["runs", "--json"],
        &["check"],
    ] {
        let mut coho = stage.coho(arguments);
        let told = coho.env("RUST_LOG", "trace").output().unwrap();
        let name = arguments.join(" ");
        assert_hidden(&name, &told.stdout);
        assert_hidden(&name, &told.stderr);
    }
    for entry in fs::read_dir(stage.project().join(".coho")).unwrap() {
        let path = entry.unwrap().path();
        assert_hidden(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

/// Every account that is posted is answered so.
fn answers(status: u16, body: String) -> ScriptedFault {
    let answer = FaultAnswer { status, body: Some(body), retry_after: None };
    ScriptedFault::once(Trouble::Answer(answer)).on("POST", "/resources/accounts").times(1_000)
}

#[test]
fn a_server_that_repeats_the_token_does_not_spread_it() {
    for status in [400, 422, 500] {
        let stage = Stage::new().unwrap();
        let body = format!("{{\"error\":\"you sent {}\"}}", forms().join(" and "));
        stage.vitally.script(answers(status, body));
        assert_kept_nowhere(&stage);
        let rows = stage.coho(["rows", "accounts", "--key", "acc-1"]).output().unwrap();
        assert!(String::from_utf8_lossy(&rows.stdout).contains("you sent *** and Basic *** and"), "{rows:?}");
    }
}

#[test]
fn a_channel_that_repeats_its_address_does_not_spread_it() {
    let stage = Stage::new().unwrap();
    let hook = Receiver::start().unwrap();
    let project = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    let alerts = format!(
        "alerts: {{ to: {{ hook: {{ type: webhook, url: \"{}/${{VITALLY_TOKEN}}\", secrets: \"${{VITALLY_TOKEN}}\" }} }} }}",
        hook.url()
    );
    stage.write("coho.yaml", format!("{project}\n{alerts}\n")).unwrap();
    stage.vitally.script(answers(422, "{\"error\":\"no\"}".to_owned()));
    hook.answer_next(&[403; 20]);
    assert_kept_nowhere(&stage);
    let arrived = hook.take();
    assert!(arrived.iter().any(|arrived| arrived.path == format!("/{TOKEN}")), "{arrived:?}");
    let told = stage.coho(["alerts"]).output().unwrap();
    assert_hidden("alerts", &told.stdout);
    assert!(
        String::from_utf8_lossy(&told.stdout).contains("the server responded with 403: you sent ***"),
        "{told:?}"
    );
    hook.answer_next(&[403]);
    let told = stage.coho(["alerts", "test"]).output().unwrap();
    assert_hidden("alerts test", &told.stdout);
    assert!(String::from_utf8_lossy(&told.stdout).contains("you sent ***"), "{told:?}");
}

#[test]
fn a_page_that_repeats_a_part_of_the_token_does_not_spread_it() {
    let stage = Stage::new().unwrap();
    let body = format!("{{\"error\":\"{}{TOKEN}\"}}", "x".repeat(500));
    stage.vitally.script(answers(400, body));
    assert_kept_nowhere(&stage);
}

#[test]
fn a_token_in_any_place_of_a_file_is_not_shown() {
    let places = [
        "destinations: { vitally: { type: vitally, region: us, rest_token: \"${token_of-the-stage}\" } }",
        "destinations: { vitally: { type: vitally, region: us, api_key: token-of-the-stage } }",
        "destinations:\n  vitally:\n    type: vitally\n    auth:\n      token-of-the-stage",
        "destinations: { vitally: { type: vitally, region: us, rest_token: \"${VITALLY_TOKEN}\", region: \"${VITALLY_TOKEN}\" } }",
        "destinations: [ { rest_token: token-of-the-stage",
        "sources: { w: { type: postgres, url: \"postgres://me:token-of-the-stage@@db/w\" } }",
        "sources: { w: { type: mysql, url: \"mysql://me:token-of-the-stage@@db/w\" } }",
    ];
    for place in places {
        let stage = Stage::new().unwrap();
        stage.write("coho.yaml", format!("project: acme\n{place}\n")).unwrap();
        for arguments in [&["check"][..], &["check", "--json"], &["run"]] {
            let told = stage.coho(arguments).output().unwrap();
            assert_hidden(place, &told.stdout);
            assert_hidden(place, &told.stderr);
        }
    }
}

#[test]
fn tests_of_secrets_have_secrets_to_find() -> Result<(), Failure> {
    let stage = Stage::new()?;
    assert_eq!(stage.variable("VITALLY_TOKEN"), Some(TOKEN));
    for form in forms() {
        assert!(PARTS.iter().any(|part| form.contains(part)), "{form}");
    }
    Ok(())
}
