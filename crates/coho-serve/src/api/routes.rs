//! What the server answers: whether it lives and is ready, and Hightouch's trigger API for whoever has a token.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use coho_core::json::Json;
use coho_core::sync::Sync;
use coho_engine::context::Engine;
use coho_ledger::Ledger;
use coho_ledger::look::Patience;
use coho_ledger::request::RunRequest;
use coho_ledger::token::TokenScope;
use coho_schedule::AskedBy;
use serde_json::json;

use super::refusal::Refusal;
use super::{body, metrics, shape};
use crate::limited::{self, Unread};
use crate::reader::Reader;
use crate::running::house::House;
use crate::sessions;
use crate::site::Limits;

/// The longest body that is read.
const LONGEST: usize = 64 * 1024;
/// How many runs one answer has at most.
const MOST: usize = 100;

type Asks = BTreeMap<String, String>;

/// What answers are made with.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) house: Arc<House>,
    pub(crate) reader: Arc<Reader>,
    pub(crate) limits: Limits,
}

/// What programs may ask for.
pub(crate) fn of(api: Api) -> Router {
    let add = |router: Router<Api>, (_, path, method)| router.route(path, method);
    table().into_iter().fold(Router::new(), add).with_state(api)
}

/// Method, path, and what answers: all that [`super::openapi`] describes, beside the pages' JSON.
fn table() -> Vec<(&'static str, &'static str, MethodRouter<Api>)> {
    vec![
        ("get", "/livez", get(|| async { "alive\n" })),
        ("get", "/readyz", get(ready)),
        ("get", "/openapi.json", get(super::openapi::answer)),
        ("get", "/metrics", get(measured)),
        ("get", "/api/v1/syncs", get(syncs)),
        ("post", "/api/v1/syncs/trigger", post(trigger_named)),
        ("get", "/api/v1/syncs/{id}", get(sync)),
        ("post", "/api/v1/syncs/{id}/trigger", post(trigger)),
        ("get", "/api/v1/syncs/{id}/runs", get(runs)),
        ("get", "/api/v1/destinations/{id}", get(destination)),
    ]
}

async fn ready(State(api): State<Api>) -> Response {
    let reasons = api.house.reasons();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // Whoever asks need not be known, so what is wrong with the files stands in the log only.
    let project = if api.house.fault().is_some() {
        "the project's new files have mistakes, so the server keeps using the old ones"
    } else {
        "ok"
    };
    let document = json!({ "ready": reasons.is_empty(), "reasons": reasons, "project": project });
    (status, axum::Json(document)).into_response()
}

/// Lets in whoever has a token with the scope.
async fn admit(api: &Api, headers: &HeaderMap, scope: TokenScope) -> Result<(), Refusal> {
    let visitor = match sessions::bearer(headers) {
        Some(token) => sessions::visitor(&api.reader, token).await,
        None => None,
    };
    match visitor {
        None => Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "send a token from `coho token new` as `Authorization: Bearer TOKEN`",
        )),
        Some(visitor) if visitor.may < scope => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "Forbidden", "this token may only read"))
        }
        Some(_) => Ok(()),
    }
}

/// Reads for whoever has a token.
async fn read<T: Send + 'static>(
    api: &Api,
    headers: &HeaderMap,
    work: impl FnOnce(&Engine<'_>, &Ledger) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    admit(api, headers, TokenScope::Read).await?;
    let (house, opened) = (Arc::clone(&api.house), api.house.opened());
    let read = move |ledger: Option<&Ledger>| {
        Ok(match ledger {
            Some(ledger) => work(&house.engine(&opened), ledger),
            None => Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Unavailable",
                "the ledger is missing: restore its file",
            )),
        })
    };
    api.reader.read(Patience::until(|| false), read).await?
}

/// Asks for a run, for whoever has a token that may trigger.
async fn write(
    api: &Api,
    headers: &HeaderMap,
    work: impl FnOnce(&Engine<'_>, &Ledger) -> Result<Json, Refusal> + Send + 'static,
) -> Result<Json, Refusal> {
    admit(api, headers, TokenScope::Trigger).await?;
    let (house, opened) = (Arc::clone(&api.house), api.house.opened());
    let _turn = api.reader.turn().await?;
    let written = tokio::task::spawn_blocking(move || {
        let engine = house.engine(&opened);
        work(&engine, &engine.ledger_to_ask()?)
    });
    let failed =
        |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "the request was aborted");
    written.await.map_err(failed)?
}

async fn measured(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    let text = read(&api, &headers, metrics::text).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok()).unwrap_or_default();
    let (kind, text) = if accepts.contains("application/openmetrics-text") {
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", text)
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", metrics::plain(&text))
    };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn syncs(
    State(api): State<Api>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
) -> Result<axum::Json<Json>, Refusal> {
    read(&api, &headers, move |engine, ledger| {
        let slug = asks.get("slug");
        let mut data = Vec::new();
        for sync in
            engine.select(&[])?.into_iter().filter(|sync| slug.is_none_or(|slug| *slug == sync.id.as_str()))
        {
            data.push(shown(engine, ledger, sync)?);
        }
        Ok(json!({ "data": data, "hasMore": false }))
    })
    .await
    .map(axum::Json)
}

async fn sync(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<axum::Json<Json>, Refusal> {
    read(&api, &headers, move |engine, ledger| shown(engine, ledger, find(engine, &id)?))
        .await
        .map(axum::Json)
}

async fn runs(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
) -> Result<axum::Json<Json>, Refusal> {
    read(&api, &headers, move |engine, ledger| {
        let name = engine.scope_name(find(engine, &id)?);
        let number = |key: &str| asks.get(key).and_then(|text| text.parse::<usize>().ok());
        let (limit, offset) = (number("limit").unwrap_or(5).min(MOST), number("offset").unwrap_or(0));
        let data: Vec<Json> = match asks.get("runId") {
            Some(run) => {
                let run = run.parse().map_err(|_| Refusal::missing("run", run))?;
                ledger.request(&name, run)?.iter().map(shape::run).collect()
            }
            None => ledger.requests(&name, offset + limit)?.iter().skip(offset).map(shape::run).collect(),
        };
        Ok(json!({ "data": data, "hasMore": data.len() == limit }))
    })
    .await
    .map(axum::Json)
}

async fn destination(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<axum::Json<Json>, Refusal> {
    read(&api, &headers, move |engine, _| {
        let syncs = engine.select(&[])?;
        let found = syncs.iter().find(|sync| shape::named_id("destination", &sync.destination) == id);
        found
            .map(|sync| shape::destination(&sync.destination))
            .ok_or_else(|| Refusal::missing("destination", &id))
    })
    .await
    .map(axum::Json)
}

async fn trigger(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Json>, Refusal> {
    ask(&api, &headers, body, Some(id)).await
}

async fn trigger_named(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Json>, Refusal> {
    ask(&api, &headers, body, None).await
}

/// Asks for a run. It is in the ledger before this answers.
async fn ask(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
    id: Option<String>,
) -> Result<axum::Json<Json>, Refusal> {
    // Whoever has no token sends nothing that would be read.
    admit(api, headers, TokenScope::Trigger).await?;
    let bytes = limited::body(body, LONGEST, api.limits.body).await.map_err(unread)?;
    let refused =
        |details: &str| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "Validation failed", details);
    let members = body::members(&bytes).ok_or_else(|| refused("the body is neither JSON nor a form"))?;
    for flag in ["fullResync", "resetCDC", "clearAndFill"] {
        if members.get(flag).is_some_and(|value| value == "true") {
            return Err(refused(&format!(
                "`{flag}` is not supported: use `coho run --resend` or `coho baseline`"
            )));
        }
    }
    let answer = write(api, headers, move |engine, ledger| {
        let sync = match (&id, members.get("syncId"), members.get("syncSlug")) {
            (Some(id), _, _) | (None, Some(id), _) => find(engine, id)?,
            (None, None, Some(slug)) => by_slug(engine, slug)?,
            (None, None, None) => {
                return Err(Refusal::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "Validation failed",
                    "`syncId` or `syncSlug` is missing",
                ));
            }
        };
        Ok(json!({ "id": engine.ask(ledger, sync, AskedBy::Api)?.to_string() }))
    })
    .await?;
    api.house.woken.notify_one();
    Ok(axum::Json(answer))
}

fn unread(unread: Unread) -> Refusal {
    match unread {
        Unread::TooLong => {
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large", "the body is larger than 64 KiB")
        }
        Unread::TooSlow => {
            Refusal::new(StatusCode::REQUEST_TIMEOUT, "Request timeout", "the body did not arrive in time")
        }
    }
}

fn shown(engine: &Engine<'_>, ledger: &Ledger, sync: &Sync) -> Result<Json, Refusal> {
    let name = engine.scope_name(sync);
    let newest: Vec<RunRequest> = ledger.requests(&name, 1)?;
    Ok(shape::sync(engine.project(), sync, &name, newest.first()))
}

fn find<'e>(engine: &Engine<'e>, id: &str) -> Result<&'e Sync, Refusal> {
    let found = engine.select(&[])?.into_iter().find(|sync| shape::sync_id(&engine.scope_name(sync)) == id);
    found.ok_or_else(|| Refusal::missing("sync", id))
}

fn by_slug<'e>(engine: &Engine<'e>, slug: &str) -> Result<&'e Sync, Refusal> {
    let found = engine.select(&[])?.into_iter().find(|sync| sync.id.as_str() == slug);
    found.ok_or_else(|| Refusal::missing("sync", slug))
}

#[cfg(test)]
mod tests;
