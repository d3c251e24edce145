//! The inspection API: JSON under `/simulator/` on the same port, without credentials and outside the rate.
//!
//! | call | takes | gives |
//! |---|---|---|
//! | `GET /simulator/state` | | `{"organizations": […], "accounts": […], "users": […], "instances": […], "eventCount": 1, "events": […], "droppedCount": 0, "dropped": […], "pending": 0}`, whole records, oldest first |
//! | `GET /simulator/calls` | `?after=N`: only those with a greater number | `[{number, at, method, path, query, body, ending, status, answer, committed}]` |
//! | `DELETE /simulator/calls` | | 204 |
//! | `GET /simulator/faults` | | what is left of the script, `[fault]` |
//! | `PUT /simulator/faults` | `[fault]`: the new script | 204 |
//! | `POST /simulator/faults` | `fault` or `[fault]`: added to it | 204 |
//! | `GET /simulator/switches` | | `{"dup": "upsert", …}`, every value as text |
//! | `PUT /simulator/switches` | `{"profile": "strict", "dup": "409"}`: a profile first if named, then those switches | as GET |
//! | `POST /simulator/seed` | `{"organizations": […], "accounts": […], "users": […], "customFields": […]}` | the same lists, of Vitally ids |
//! | `GET`, `POST /simulator/clock` | POST: `{"advance_ms": 1000}` | `{"now": "2026-01-02T03:04:05.678Z"}` |
//! | `POST /simulator/flush` | | `{"applied": 1}`: Analytics messages that were waiting |
//! | `PUT /simulator/lifecycle` | `{"accounts": {"acme": "churned"}, "users": {}, "organizations": {}}`, by external id; `active`, `churned` or `ignored` | 204 |
//! | `POST /simulator/reset` | | 204; switches and clock stay |
//!
//! A fault: `{"method": "POST", "path": "/resources/users*", "skip": 3, "times": 2, "fault": …}`, where `fault` is
//! `"drop_before"`, `"drop_after_commit"`, `"hang"`, `"hang_after_commit"`, `"not_json"`, `"list_ends_early"`,
//! `"list_without_next"`, `"list_in_circle"` or `{"status": 503, "body": "text", "retry_after": 1, "after_commit": true}`. All
//! but `fault` may be left out.
//!
//! A seed: `{id, externalId, createdAt, updatedAt, name, email, traits, organizationId, accountIds, organizationIds}`,
//! each optional; parents by Vitally id or external id. A custom field: `{model, path, label, type, options}`.
//!
//! It answers on this machine only, and only to programs: `guard` beside it says who is refused, with 403.
//!
//! What it cannot read it answers with 400 and `{"error": "text"}`.

mod call_form;
mod guard;
mod lifecycle_form;
mod refusal;
mod seed_form;

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::fault::ScriptedFault;
use crate::fault::form::FaultForm;
use crate::message::form::{InstanceForm, dropped, event};
use crate::message::{Dropped, Message, StoredEvent};
use crate::record::RecordKind;
use crate::record::form::RecordForm;
use crate::server::Shared;
use crate::store::Order;
use call_form::CallForm;
pub(crate) use guard::{Peer, guard};
use lifecycle_form::LifecycleForm;
use refusal::Refusal;
use seed_form::SeedsForm;

/// The paths below `/simulator`.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/state", get(state))
        .route("/calls", get(calls).delete(clear_calls))
        .route("/faults", get(faults).put(replace_faults).post(add_faults))
        .route("/switches", get(switches).put(set_switches))
        .route("/seed", post(seed))
        .route("/clock", get(clock).post(advance))
        .route("/flush", post(flush))
        .route("/lifecycle", put(set_lifecycle))
        .route("/reset", post(reset))
}

async fn state(State(shared): State<Shared>) -> Json<Value> {
    let world = shared.lock();
    let list = |object: RecordKind| {
        let mut forms: Vec<RecordForm> =
            world.store.in_order(object, Order::CreatedAt, None).map(RecordForm::from).collect();
        forms.reverse();
        forms
    };
    let events: Vec<StoredEvent> = world.store.messages().all().filter_map(Message::event).collect();
    let silent: Vec<Dropped> = world.store.messages().all().filter_map(Message::dropped).collect();
    Json(json!({
        "organizations": list(RecordKind::Organization),
        "accounts": list(RecordKind::Account),
        "users": list(RecordKind::User),
        "instances": world.store.instances().map(InstanceForm::from).collect::<Vec<_>>(),
        "eventCount": events.len(),
        "events": events.iter().map(event).collect::<Vec<_>>(),
        "droppedCount": silent.len(),
        "dropped": silent.iter().map(dropped).collect::<Vec<_>>(),
        "pending": world.store.messages().pending().len(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallsQuery {
    #[serde(default)]
    after: u64,
}

async fn calls(State(shared): State<Shared>, Query(query): Query<CallsQuery>) -> Json<Vec<CallForm>> {
    Json(shared.lock().log.all().filter(|call| call.number > query.after).map(CallForm::from).collect())
}

async fn clear_calls(State(shared): State<Shared>) -> StatusCode {
    shared.lock().log.clear();
    StatusCode::NO_CONTENT
}

async fn faults(State(shared): State<Shared>) -> Json<Vec<FaultForm>> {
    Json(shared.lock().script.left().iter().map(FaultForm::from).collect())
}

async fn replace_faults(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    let faults = read_faults(&body)?;
    shared.lock().script.replace(faults);
    Ok(StatusCode::NO_CONTENT)
}

async fn add_faults(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    let faults = read_faults(&body)?;
    let mut world = shared.lock();
    for fault in faults {
        world.script.add(fault);
    }
    Ok(StatusCode::NO_CONTENT)
}

fn read_faults(body: &[u8]) -> Result<Vec<ScriptedFault>, Refusal> {
    let form: Value = serde_json::from_slice(body)?;
    let forms: Vec<FaultForm> =
        if form.is_array() { serde_json::from_value(form)? } else { vec![serde_json::from_value(form)?] };
    Ok(forms.into_iter().map(FaultForm::into_fault).collect::<Result<_, _>>()?)
}

async fn switches(State(shared): State<Shared>) -> Json<Map<String, Value>> {
    let entries = shared.lock().switches().entries();
    Json(entries.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect())
}

async fn set_switches(shared: State<Shared>, body: Bytes) -> Result<Json<Map<String, Value>>, Refusal> {
    let mut wanted: Map<String, Value> = serde_json::from_slice(&body)?;
    {
        let mut world = shared.lock();
        let mut switches = world.switches().clone();
        if let Some(profile) = wanted.remove("profile") {
            switches.apply(&plain(&profile))?;
        }
        for (name, value) in &wanted {
            switches.set(name, &plain(value))?;
        }
        world.set_switches(switches);
    }
    Ok(self::switches(shared).await)
}

/// A switch's value may be written as text or as a number.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn seed(State(shared): State<Shared>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let forms: SeedsForm = serde_json::from_slice(&body)?;
    let mut world = shared.lock();
    let now = world.clock.now();
    let planted = forms.plant(&mut world.store, now);
    world.store.flush()?;
    Ok(Json(planted?))
}

async fn clock(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({ "now": shared.lock().clock.now().to_string() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceForm {
    advance_ms: u64,
}

async fn advance(shared: State<Shared>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let form: AdvanceForm = serde_json::from_slice(&body)?;
    shared.lock().clock.advance(Duration::from_millis(form.advance_ms));
    Ok(clock(shared).await)
}

async fn flush(State(shared): State<Shared>) -> Result<Json<Value>, Refusal> {
    let applied = shared.lock().flush_messages()?;
    Ok(Json(json!({ "applied": applied })))
}

async fn set_lifecycle(State(shared): State<Shared>, body: Bytes) -> Result<StatusCode, Refusal> {
    let form: LifecycleForm = serde_json::from_slice(&body)?;
    form.mark(&mut shared.lock())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(State(shared): State<Shared>) -> Result<StatusCode, Refusal> {
    shared.lock().reset()?;
    Ok(StatusCode::NO_CONTENT)
}
