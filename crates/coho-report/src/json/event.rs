//! Events and calls as documents: the lines of `--log-format json`.

use coho_core::call::Headers;
use coho_core::event::Event;
use coho_core::json::Json;
use coho_core::time::Time;
use coho_core::verdict::{Call, Outcome};
use serde_json::Map;

use super::{VERSION, moment, object, plan, run};

/// One event, with the moment at which it was heard. [`super::line`] makes a line of it.
///
/// ```json
/// {"version":1,"at":"2026-11-24T09:00:00.000Z","event":"run-started","run":"0193…"}
/// {"version":1,"at":"…","event":"reading","sync":"accounts","rows":5000}
/// {"version":1,"at":"…","event":"planned","plan":{"sync":"accounts","…":"as in `plan`"}}
/// {"version":1,"at":"…","event":"called","sync":"accounts","key":"7","method":"PUT","path":"/resources/accounts/acme","status":200,"micros":81000}
/// {"version":1,"at":"…","event":"settled","sync":"accounts","key":"7","target":"acme","outcome":"rejected","code":"refused"}
/// {"version":1,"at":"…","event":"ended","summary":{"sync":"accounts","…":"as in `run`"}}
/// ```
///
/// A log never has the bodies of calls: they are values of rows.
pub fn event(event: &Event, at: Time) -> Json {
    let mut document = Map::new();
    document.insert("version".to_owned(), VERSION.into());
    document.insert("at".to_owned(), moment(at));
    if let Json::Object(members) = members(event) {
        document.extend(members);
    }
    Json::Object(document)
}

fn members(event: &Event) -> Json {
    let named = |name: &str| Some(Json::from(name));
    match event {
        Event::RunStarted { run, .. } => {
            object([("event", named("run-started")), ("run", Some(run.as_str().into()))])
        }
        Event::Reading { sync, rows } => object([
            ("event", named("reading")),
            ("sync", Some(sync.as_str().into())),
            ("rows", Some((*rows).into())),
        ]),
        Event::Planned(plan) => object([("event", named("planned")), ("plan", Some(plan::sync(plan)))]),
        Event::Called { sync, key, call } => object([
            ("event", named("called")),
            ("sync", Some(sync.as_str().into())),
            ("key", Some(key.as_str().into())),
            ("method", Some(call.method.into())),
            ("path", Some(call.path.as_str().into())),
            ("status", call.status.map(Json::from)),
            ("micros", Some(call.micros.into())),
        ]),
        Event::Settled { sync, key, target, outcome, code } => object([
            ("event", named("settled")),
            ("sync", Some(sync.as_str().into())),
            ("key", Some(key.as_str().into())),
            ("target", Some(target.as_str().into())),
            ("outcome", Some(outcome_name(*outcome).into())),
            ("code", code.map(|code| code.as_str().into())),
        ]),
        Event::Ended(summary) => object([("event", named("ended")), ("summary", Some(run::sync(summary)))]),
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    outcome.status().as_str()
}

/// One call with its bodies, for the request log and the debugger. It never has a credential.
///
/// ```json
/// {
///   "version": 1,
///   "at": "2026-11-24T09:00:00.000Z", "micros": 81000,
///   "api": "rest", "address": "https://rest.vitally-eu.io",
///   "method": "PUT", "path": "/resources/accounts/acme",
///   "attempt": 2, "waited_micros": 750000, "wait_why": "backoff",
///   "request_headers": { "authorization": "***", "…": "…" },
///   "request": "{\"traits\":{\"seats\":45}}",
///   "status": 200, "response_headers": { "content-type": "application/json" },
///   "response": "{\"id\":\"…\"}", "response_cut": 0
/// }
/// ```
///
/// `request` is left out where there was no body, `status` and `response_headers` where no answer arrived; `response` then says
/// what went wrong. `wait_why` is there where the call waited: `pace`, `429`, `retry-after`, `backoff` or `settle`.
/// `request_cut` and `response_cut` are how many bytes of a body are not kept, and there only where some are not. `api`,
/// `address` and `request_headers` are those of versions that wrote them down.
pub fn call(call: &Call) -> Json {
    let route = call.route.as_deref();
    let cut = |bytes: u64| (bytes > 0).then(|| Json::from(bytes));
    let wait = call.attempt.wait;
    object([
        ("version", Some(VERSION.into())),
        ("at", Some(moment(call.at))),
        ("micros", Some(call.micros.into())),
        ("api", route.map(|route| route.api.name().into())),
        ("address", route.map(|route| route.address.as_str().into())),
        ("method", Some(call.method.into())),
        ("path", Some(call.path.as_str().into())),
        ("attempt", Some(call.attempt.number.into())),
        (
            "waited_micros",
            wait.why.map(|_| u64::try_from(wait.length.as_micros()).unwrap_or(u64::MAX).into()),
        ),
        ("wait_why", wait.why.map(|why| why.as_str().into())),
        ("request_headers", route.map(|route| headers(&route.headers))),
        ("request", call.request.as_deref().map(Json::from)),
        ("request_cut", cut(call.request_cut)),
        ("status", call.status.map(Json::from)),
        ("response_headers", call.status.map(|_| headers(&call.headers))),
        ("response", Some(call.response.as_str().into())),
        ("response_cut", cut(call.response_cut)),
    ])
}

fn headers(headers: &Headers) -> Json {
    headers
        .iter()
        .map(|(name, value)| (name.clone(), Json::from(value.as_str())))
        .collect::<Map<_, _>>()
        .into()
}
