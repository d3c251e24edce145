//! Telemetry over OTLP, as a collector receives it: real runs, a real HTTP server, and the protobuf decoded.
#![cfg(feature = "otel")]
#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/server.rs"]
#[expect(dead_code, reason = "other tests need more of the server")]
mod server;
#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::net::TcpListener;
use std::process::Output;

use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::{Arrived, OtlpAttributes, OtlpSample, OtlpSpan, Receiver, otlp_samples, otlp_spans};
use serde_json::Value as Json;
use server::{Server, token};
use stage::{Stage, TOKEN};

/// A stage whose runs are told to this collector. One of its rows will be refused.
fn stage(url: &str) -> Stage {
    let mut stage = Stage::new().unwrap();
    stage.set("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    // Nobody may turn what the whole ledger has into differences.
    stage.set("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta");
    stage.set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20key-of-the-collector");
    stage
}

fn run(stage: &Stage) -> Output {
    stage.coho(["run"]).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The resource, spans and samples of what arrived.
fn decoded(arrived: &[Arrived]) -> (OtlpAttributes, Vec<OtlpSpan>, Vec<OtlpSample>) {
    let (mut resource, mut spans, mut samples) = (OtlpAttributes::new(), Vec::new(), Vec::new());
    for one in arrived {
        assert_eq!(one.headers["content-type"], "application/x-protobuf");
        assert_eq!(one.headers["authorization"], "Bearer key-of-the-collector");
        match one.path.as_str() {
            "/v1/traces" => {
                let (of, found) = otlp_spans(&one.bytes).unwrap();
                resource.extend(of);
                spans.extend(found);
            }
            "/v1/metrics" => {
                let (of, found) = otlp_samples(&one.bytes).unwrap();
                resource.extend(of);
                samples.extend(found);
            }
            other => panic!("{other}"),
        }
    }
    (resource, spans, samples)
}

/// A trace as an outline: each span below its parent, in the order of their times.
fn outline(spans: &[OtlpSpan], parent: &[u8], depth: usize, lines: &mut Vec<String>) {
    let mut children: Vec<_> = spans.iter().filter(|span| span.parent == parent).collect();
    children.sort_by_key(|span| span.time.0);
    for child in children {
        assert!(child.time.0 <= child.time.1, "{child:?}");
        let failed = if child.failed { " (failed)" } else { "" };
        lines.push(format!("{}{}{failed}", "  ".repeat(depth), child.name));
        outline(spans, &child.id, depth + 1, lines);
    }
}

#[test]
fn a_run_is_told_as_a_trace_and_its_measures() {
    let collector = Receiver::start().unwrap();
    let stage = stage(&collector.url());
    let refused = FaultAnswer {
        status: 422,
        body: Some(r#"{"error":"Birch is no good"}"#.to_owned()),
        retry_after: None,
    };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(refused)).on("POST", "/resources/accounts").after(1));
    let busy = FaultAnswer { status: 429, body: None, retry_after: Some(0) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(busy)).on("POST", "/resources/accounts"));
    let output = run(&stage);
    assert_eq!(output.status.code(), Some(5), "{}", said(&output));
    assert!(!said(&output).contains("telemetry"), "{}", said(&output));
    let arrived = collector.take();
    let (resource, spans, samples) = decoded(&arrived);
    assert_eq!(
        (resource["service.name"].as_str(), resource["service.version"].as_str()),
        ("coho", env!("CARGO_PKG_VERSION"))
    );
    let mut lines = Vec::new();
    outline(&spans, &[], 0, &mut lines);
    assert_eq!(lines.len(), spans.len(), "no span is lost from the tree: {lines:#?}");
    insta::assert_snapshot!("trace", lines.join("\n"));
    let attributes: Vec<_> =
        spans.iter().map(|span| format!("{}: {:?}", span.name, names(&span.attributes))).collect();
    let attributes: std::collections::BTreeSet<_> = attributes.into_iter().collect();
    insta::assert_snapshot!("attributes", attributes.into_iter().collect::<Vec<_>>().join("\n"));
    agrees(&stage, &spans, &samples);
    // What identifies a row, what is in one, what Vitally said, and what opens doors is in none of it.
    for secret in ["acc-1", "Alder", "Birch", "growth", "no good", TOKEN, "key-of-the-collector"] {
        for one in &arrived {
            assert!(!one.body.contains(secret), "{secret} in {}", one.path);
        }
    }
}

/// The names of attributes; whether a call waited for the rate is up to the machine.
fn names(attributes: &OtlpAttributes) -> Vec<&str> {
    attributes.keys().map(String::as_str).filter(|name| !name.starts_with("coho.wait.")).collect()
}

/// What was told is what `coho runs` says.
fn agrees(stage: &Stage, spans: &[OtlpSpan], samples: &[OtlpSample]) {
    let runs: Json =
        serde_json::from_slice(&stage.coho(["runs", "--json"]).output().unwrap().stdout).unwrap();
    let id = runs["runs"][0]["run"].as_str().unwrap();
    let root = spans.iter().find(|span| span.parent.is_empty()).unwrap();
    assert_eq!(root.attributes["coho.run"], id);
    let trace = uuid::Uuid::from_slice(&root.trace).unwrap();
    assert_eq!(trace.to_string(), id, "the trace has the run's id");
    let value = |name: &str, label: &str, wanted: &str| {
        let found = samples
            .iter()
            .find(|one| one.name == name && one.attributes.get(label).is_some_and(|at| at == wanted));
        found.map(|one| (one.value, one.is_counter))
    };
    assert_eq!(value("coho_rows", "status", "delivered"), Some((2.0, true)));
    assert_eq!(value("coho_rows", "status", "rejected"), Some((1.0, true)));
    assert_eq!(value("coho_calls", "status", "429"), Some((1.0, true)));
    assert_eq!(value("coho_runs", "status", "warning"), Some((1.0, true)));
    // A third of the rows is rejected, and nobody is to be told of it: the alert is open all the same.
    assert_eq!(value("coho_alerts_firing", "level", "critical"), Some((1.0, false)));
    assert!(
        value("coho_run_duration_seconds", "sync", "accounts")
            .is_some_and(|(value, counts)| value > 0.0 && !counts)
    );
    let calls = spans.iter().filter(|span| span.attributes.contains_key("http.request.method")).count();
    assert_eq!(calls, 4, "three rows, and one of them again after a 429");
}

#[test]
fn a_run_is_a_part_of_the_trace_that_started_it_and_variables_name_the_service() {
    let collector = Receiver::start().unwrap();
    let mut stage = stage(&collector.url());
    stage.set("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    stage.set("OTEL_SERVICE_NAME", "crm-sync");
    stage.set("OTEL_METRICS_EXPORTER", "none");
    assert_eq!(run(&stage).status.code(), Some(0));
    let (resource, spans, samples) = decoded(&collector.take());
    assert_eq!((resource["service.name"].as_str(), samples.len()), ("crm-sync", 0));
    let trace =
        [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
    assert!(spans.iter().all(|span| span.trace == trace));
    let parent = [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7];
    let roots: Vec<_> =
        spans.iter().filter(|span| span.parent == parent).map(|span| span.name.as_str()).collect();
    assert_eq!(roots, ["coho run"]);
}

#[test]
fn a_collector_that_refuses_is_gone_or_never_responds_is_one_warning() {
    let refuses = Receiver::start().unwrap();
    refuses.answer_next(&[503, 503, 503]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let nowhere = address(&gone);
    drop(gone);
    for (url, words) in [
        (refuses.url(), "the collector responded with 503"),
        (address(&silent), "the collector did not respond in time"),
        (nowhere, "the collector did not respond: "),
    ] {
        let mut stage = stage(&url);
        stage.set("OTEL_EXPORTER_OTLP_TIMEOUT", "200");
        let output = run(&stage);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(String::from_utf8_lossy(&output.stdout).contains("3 rows read = 3 delivered"));
        let said = said(&output);
        assert_eq!(said.matches("cannot send telemetry").count(), 1, "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains(&url), "an address may have a token in it: {said}");
    }
}

#[test]
fn an_address_that_is_none_is_named_by_its_variable() {
    let mut stage = stage("https://user:key-of-the-collector@host name");
    stage.set("OTEL_EXPORTER_OTLP_TIMEOUT", "200");
    let output = run(&stage);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let said = said(&output);
    assert_eq!(said.matches("cannot send telemetry").count(), 1, "{said}");
    assert!(said.contains("`OTEL_EXPORTER_OTLP_"), "{said}");
    assert!(!said.contains("key-of-the-collector"), "{said}");
}

#[test]
fn a_server_tells_its_measures_at_intervals_and_its_runs() {
    let collector = Receiver::start().unwrap();
    let mut stage = stage(&collector.url());
    stage.set("OTEL_METRIC_EXPORT_INTERVAL", "20");
    let may = token(&stage, &["airflow"]);
    let server = Server::start(&stage);
    let mut arrived = collector.wait_for("/v1/metrics");
    assert_eq!(arrived[0].path, "/v1/metrics", "nothing has run yet");
    server.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
    arrived.extend(collector.wait_for("/v1/traces"));
    assert_eq!(server.end(), Some(0));
    arrived.extend(collector.take());
    let (_, spans, samples) = decoded(&arrived);
    assert_eq!(spans.iter().filter(|span| span.name == "coho run").count(), 1);
    assert!(samples.iter().any(|one| one.name == "coho_rows"
        && one.attributes.get("status").is_some_and(|status| status == "delivered")));
}
