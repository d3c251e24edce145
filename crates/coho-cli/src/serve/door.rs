//! What the server answers: whether it lives and is ready, and Hightouch's trigger API for whoever has a token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use chrono::Utc;
use coho_core::sync::Sync;
use coho_engine::context::Engine;
use coho_ledger::Ledger;
use coho_ledger::request::Request;
use coho_ledger::token::TokenScope;
use coho_schedule::Cause;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use crate::serve::digest::digest;
use crate::serve::house::House;
use crate::serve::refusal::Refusal;
use crate::serve::{body, metrics, shape};
use crate::{engine, print};

/// The longest body that is read.
const LONGEST: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many runs one answer has at most.
const MOST: usize = 100;

type Asks = BTreeMap<String, String>;

/// Answers until it is aborted.
pub(crate) async fn answer(listener: TcpListener, house: Arc<House>) {
    let router = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .route("/api/v1/syncs", get(syncs))
        .route("/api/v1/syncs/trigger", post(trigger_named))
        .route("/api/v1/syncs/{id}", get(sync))
        .route("/api/v1/syncs/{id}/trigger", post(trigger))
        .route("/api/v1/syncs/{id}/runs", get(runs))
        .route("/api/v1/destinations/{id}", get(destination))
        .with_state(house);
    if let Err(error) = axum::serve(listener, router).await {
        print::talk(&format!("nothing is answered any more: {error}"));
    }
}

async fn ready(State(house): State<Arc<House>>) -> Response {
    let reasons = house.reasons(Utc::now());
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // Whoever asks need not be known, so what is wrong with the files stands in the log only.
    let project =
        if house.fault().is_some() { "its new files are wrong, and the old ones in force" } else { "right" };
    let document = json!({ "ready": reasons.is_empty(), "reasons": reasons, "project": project });
    (status, Answer(document)).into_response()
}

/// Does the work of a request on a thread that may block, for whoever has a token with the scope.
async fn within<T: Send + 'static>(
    house: Arc<House>,
    headers: &HeaderMap,
    scope: TokenScope,
    work: impl FnOnce(&Engine<'_>, &Ledger) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        authorization.and_then(|value| value.strip_prefix("Bearer ")).map(|token| digest(token.trim()));
    let done = tokio::task::spawn_blocking(move || -> Result<T, Refusal> {
        let loaded = house.loaded();
        let engine = engine::of(&loaded);
        let ledger = engine.ledger_to_ask()?;
        let may = token.map(|token| ledger.token(&token)).transpose()?.flatten();
        match may {
            None => Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                "send a token of `coho token new` as `Authorization: Bearer TOKEN`",
            )),
            Some(may) if may < scope => {
                Err(Refusal::new(StatusCode::FORBIDDEN, "Forbidden", "this token may only read"))
            }
            Some(_) => work(&engine, &ledger),
        }
    });
    let failed =
        |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "the request broke off");
    done.await.map_err(failed)?
}

async fn measured(State(house): State<Arc<House>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let text = within(house, &headers, TokenScope::Read, metrics::text).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn syncs(
    State(house): State<Arc<House>>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
) -> Result<Answer<Json>, Refusal> {
    within(house, &headers, TokenScope::Read, move |engine, ledger| {
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
    .map(Answer)
}

async fn sync(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer<Json>, Refusal> {
    within(house, &headers, TokenScope::Read, move |engine, ledger| shown(engine, ledger, find(engine, &id)?))
        .await
        .map(Answer)
}

async fn runs(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
    Query(asks): Query<Asks>,
    headers: HeaderMap,
) -> Result<Answer<Json>, Refusal> {
    within(house, &headers, TokenScope::Read, move |engine, ledger| {
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
    .map(Answer)
}

async fn destination(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer<Json>, Refusal> {
    within(house, &headers, TokenScope::Read, move |engine, _| {
        let syncs = engine.select(&[])?;
        let found = syncs.iter().find(|sync| shape::named_id("destination", &sync.destination) == id);
        found
            .map(|sync| shape::destination(&sync.destination))
            .ok_or_else(|| Refusal::missing("destination", &id))
    })
    .await
    .map(Answer)
}

async fn trigger(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer<Json>, Refusal> {
    ask(house, headers, body, Some(id)).await
}

async fn trigger_named(
    State(house): State<Arc<House>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer<Json>, Refusal> {
    ask(house, headers, body, None).await
}

/// Asks for a run. It is in the ledger before this answers.
async fn ask(
    house: Arc<House>,
    headers: HeaderMap,
    body: Body,
    id: Option<String>,
) -> Result<Answer<Json>, Refusal> {
    let bytes = bytes(body).await?;
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
    let woken = house.clone();
    let answer = within(house, &headers, TokenScope::Trigger, move |engine, ledger| {
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
        Ok(json!({ "id": engine.ask(ledger, sync, Cause::Api)?.to_string() }))
    })
    .await?;
    woken.woken.notify_one();
    Ok(Answer(answer))
}

async fn bytes(body: Body) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(PATIENCE, to_bytes(body, LONGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large", "a body has at most 64 KiB"))
        }
        Err(_) => {
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "Request timeout", "the body did not arrive"))
        }
    }
}

fn shown(engine: &Engine<'_>, ledger: &Ledger, sync: &Sync) -> Result<Json, Refusal> {
    let name = engine.scope_name(sync);
    let newest: Vec<Request> = ledger.requests(&name, 1)?;
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
