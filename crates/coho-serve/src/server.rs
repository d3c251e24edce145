//! The way of a request: who it is from, what it asks for, and what every answer carries.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use coho_ledger::token::TokenScope;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::actions::Actions;
use crate::answers::{failed, forbidden, html, not_found, sent};
use crate::api::routes::Api;
use crate::host::Host;
use crate::markup::frame;
use crate::page::{self, Asked, Found};
use crate::running::desk;
use crate::running::house::House;
use crate::running::queue::Queue;
use crate::sessions::Visitor;
use crate::shared::{Shared, make};
use crate::site::{OpenedProject, Site};
use crate::target::{self, Form, Target};
use crate::{api, assets, export, forms, guard, net, plan_file, sessions, stream};

/// What every answer carries: nothing of it is kept, framed, guessed or told to others, and no script or style runs but ours.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types coho",
    ),
    // Not `no-referrer`: under it a browser sends the forms of our own pages with `Origin: null`.
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Serves pages until `stop` is ready. What is under way then is finished first.
pub async fn serve(
    site: Site,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (end, ending) = watch::channel(false);
    let limits = site.limits;
    let shared = Shared::new(site, None, ending);
    let plans = Arc::clone(&shared.plans);
    let router = pages(shared).layer(map_response(dressed));
    let stop = async move {
        stop.await;
        plans.cancel();
        end.send_replace(true);
    };
    net::serve(listener, router, limits, stop).await;
    Ok(())
}

/// Runs what schedules and others ask for, and serves pages and the API, until `stop` is ready. What is under way then is finished
/// first, however long that takes: whoever gave `stop` may end the process.
pub async fn run(
    site: Site,
    host: Arc<dyn Host>,
    opened: OpenedProject,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (end, ending) = watch::channel(false);
    let limits = site.limits;
    let house = Arc::new(House::new(host, Arc::clone(&site.clock), opened));
    // Runs that pages ask for wait in the same queue as all others.
    let queued = |others| Arc::new(Queue::new(Arc::clone(&house), others)) as Arc<dyn Actions>;
    let actions = site.actions.clone().map(queued);
    let shared = Shared::new(Site { actions, ..site }, Some(Arc::clone(&house)), ending);
    let plans = Arc::clone(&shared.plans);
    let api = Api { house: Arc::clone(&house), reader: Arc::clone(&shared.reader), limits };
    let router = api::routes::of(api).merge(pages(shared)).layer(map_response(dressed));
    let (ended, worked) = oneshot::channel::<()>();
    let answers = tokio::spawn(net::serve(listener, router, limits, worked));
    let asked = Arc::clone(&house);
    let asks = tokio::spawn(async move {
        stop.await;
        plans.cancel();
        asked.end();
    });
    desk::work(&house).await;
    end.send_replace(true);
    // Whoever waits for it may be gone: then nothing is answered any more.
    drop(ended);
    drop(answers.await);
    asks.abort();
}

fn pages(shared: Shared) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    admitted(&shared, request).await
}

/// What every answer carries, whoever answers.
async fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn admitted(shared: &Shared, request: Request) -> Response {
    let site = &shared.site;
    let (parts, body) = request.into_parts();
    // A token is let in by whatever name: no page elsewhere can know one.
    let is_ours = guard::host(site, &parts.headers);
    if !is_ours && sessions::bearer(&parts.headers).is_none() {
        let text = "unknown host name: use the address that `coho debug` printed\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    if let Some(asset) = assets::answer(parts.uri.path(), &parts.headers) {
        return asset;
    }
    let visitor = shared.visitor(&parts.headers, is_ours).await;
    let is_session = visitor.is_some();
    match (parts.method.clone(), parts.uri.path()) {
        (Method::POST, _) if !guard::origin(&parts.headers) => {
            (StatusCode::FORBIDDEN, "this request does not come from a page of this server\n").into_response()
        }
        (Method::GET, "/session") if is_session => StatusCode::NO_CONTENT.into_response(),
        (Method::POST, "/session") => begin(shared, body).await,
        (Method::GET | Method::HEAD, _) if is_session => get(shared, &parts.uri, &parts.headers).await,
        (Method::GET | Method::HEAD, path) => stranger(shared, path),
        (Method::POST, path) => match &visitor {
            Some(visitor) => post(shared, path, body, visitor).await,
            None => StatusCode::UNAUTHORIZED.into_response(),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// A form of one of our pages. Who may only read does nothing by it.
async fn post(shared: &Shared, path: &str, body: Body, visitor: &Visitor) -> Response {
    let answered = match path {
        "/search" => forms::search(shared, body).await,
        "/plan" => forms::plan(shared, body).await,
        "/plan/cancel" => forms::cancel_plan(shared, body).await,
        path => match target::parse(path) {
            Some((Target::Act { .. }, _)) if visitor.may != TokenScope::Trigger => Ok(forbidden(shared)),
            Some((Target::Act { action }, Form::Html)) => forms::act(shared, action, visitor, body).await,
            Some((Target::Playground, form)) => forms::playground(shared, form, body).await,
            Some(_) | None => Ok(not_found(shared, Form::Html)),
        },
    };
    answered.unwrap_or_else(|refused| refused)
}

/// Takes the token and gives the cookie.
async fn begin(shared: &Shared, body: Body) -> Response {
    let site = &shared.site;
    let fields = match forms::read(shared, body).await {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    let token = fields.get("token").map(|token| token.trim()).unwrap_or_default();
    let Some(cookie) = cookie(shared, token).await else {
        return html(StatusCode::UNAUTHORIZED, door(shared, true));
    };
    let cookie = format!("{}={cookie}; Path=/; HttpOnly; SameSite=Strict", guard::cookie_name(site));
    let (Ok(cookie), place) = (HeaderValue::from_str(&cookie), HeaderValue::from_static("/")) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, place)]).into_response()
}

/// The cookie of whoever shows a token that opens the pages.
async fn cookie(shared: &Shared, token: &str) -> Option<String> {
    let keys = &shared.site.keys;
    if guard::same(token, &keys.token) {
        return Some(keys.cookie.clone());
    }
    shared.house.as_ref()?;
    sessions::begin(&shared.sessions, &shared.reader, token).await
}

fn door(shared: &Shared, is_wrong: bool) -> String {
    let takes = if shared.house.is_some() { frame::Takes::Made } else { frame::Takes::Drawn };
    frame::door(takes, is_wrong).into_string()
}

/// Who has no session sees a door, and nothing behind it.
fn stranger(shared: &Shared, path: &str) -> Response {
    if path.strip_suffix(".json").is_some() {
        let text = "{\"error\":\"show the token: `Authorization: Bearer TOKEN`\"}\n";
        let kind = [(header::CONTENT_TYPE, "application/json")];
        return (StatusCode::UNAUTHORIZED, kind, text).into_response();
    }
    html(StatusCode::UNAUTHORIZED, door(shared, false))
}

async fn get(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Response {
    if uri.path() == page::plan::PLAN_FILE {
        return plan_file::answer(shared).unwrap_or_else(|| not_found(shared, Form::Html));
    }
    let Some((target, form)) = target::parse(uri.path()) else { return not_found(shared, Form::Html) };
    if matches!(target, Target::Act { .. }) && shared.site.actions.is_none() {
        return forbidden(shared);
    }
    let asked = Asked { target, filters: page::fields(uri.query().unwrap_or_default()) };
    let streams = headers.get(header::ACCEPT).is_some_and(|kinds| kinds == "text/event-stream");
    if streams && form == Form::Html {
        return match stream::of(shared.clone(), asked) {
            Some(stream) => stream.into_response(),
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        };
    }
    if matches!(form, Form::Csv | Form::Ndjson) {
        return export::answer(shared, &asked, form);
    }
    match make(shared, asked.clone()).await {
        Ok(Found::Page(shown)) => sent(shared, &asked, &shown, form),
        Ok(Found::Nothing) => not_found(shared, form),
        Err(error) => failed(shared, form, &error),
    }
}
