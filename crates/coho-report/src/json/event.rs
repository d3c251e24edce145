//! Events and calls as documents: the lines of `--log-format json`.

use coho_core::event::Event;
use coho_core::memory::Time;
use coho_core::verdict::{Call, Outcome};
use serde_json::{Map, Value as Json};

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
    outcome.fate().as_str()
}

/// One call with its bodies, for the request log and the debugger. It never has a credential.
///
/// ```json
/// {
///   "version": 1,
///   "at": "2026-11-24T09:00:00.000Z", "micros": 81000,
///   "method": "PUT", "path": "/resources/accounts/acme",
///   "request": "{\"traits\":{\"seats\":45}}",
///   "status": 200, "response": "{\"id\":\"…\"}"
/// }
/// ```
///
/// `request` is left out where there was no body, `status` where no answer arrived; `response` then says what went wrong.
pub fn call(call: &Call) -> Json {
    object([
        ("version", Some(VERSION.into())),
        ("at", Some(moment(call.at))),
        ("micros", Some(call.micros.into())),
        ("method", Some(call.method.into())),
        ("path", Some(call.path.as_str().into())),
        ("request", call.request.as_deref().map(Json::from)),
        ("status", call.status.map(Json::from)),
        ("response", Some(call.response.as_str().into())),
    ])
}
