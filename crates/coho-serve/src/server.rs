//! The way of a request: who it is from, what it asks for, and what every answer carries.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::answers::{failed, forbidden, html, not_found, sent};
use crate::markup::frame;
use crate::page::{self, Asked, Found};
use crate::plans::Plans;
use crate::reader::Reader;
use crate::shared::{Shared, make};
use crate::site::Site;
use crate::target::{self, Form, Target};
use crate::{assets, export, forms, guard, permit, stream};

/// How many templates and mappings are tried at once: each has a processor to itself.
const TRIALS: usize = 2;

/// What every answer carries: nothing of it is kept, framed, guessed or told to others, and no script or style runs but ours.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types coho",
    ),
    ("referrer-policy", "no-referrer"),
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
    let reader = Arc::new(Reader::new(site.ledger.clone(), Arc::clone(&site.clock)));
    let plans = Arc::<Plans>::default();
    let shared = Shared {
        site: Arc::new(site),
        reader,
        searches: Arc::default(),
        plans: Arc::clone(&plans),
        trials: Arc::new(Semaphore::new(TRIALS)),
        ending,
    };
    let router = Router::new().fallback(answer).with_state(shared);
    let stop = async move {
        stop.await;
        plans.cancel();
        end.send_replace(true);
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn answer(State(shared): State<Shared>, request: Request) -> Result<Response, Infallible> {
    let mut response = admitted(&shared, request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn admitted(shared: &Shared, request: Request) -> Response {
    let site = &shared.site;
    let (parts, body) = request.into_parts();
    if !guard::host(site, &parts.headers) {
        let text = "this server is not called so: use the address that `coho debug` printed\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    if let Some(asset) = assets::answer(parts.uri.path(), &parts.headers) {
        return asset;
    }
    let is_session = guard::session(site, &parts.headers);
    match (parts.method.clone(), parts.uri.path()) {
        (Method::POST, _) if !guard::origin(&parts.headers) => {
            (StatusCode::FORBIDDEN, "this request does not come from a page of this server\n").into_response()
        }
        (Method::GET, "/session") if is_session => StatusCode::NO_CONTENT.into_response(),
        (Method::POST, "/session") => begin(site, body).await,
        (Method::GET | Method::HEAD, _) if is_session => get(shared, &parts.uri, &parts.headers).await,
        (Method::GET | Method::HEAD, path) => stranger(path),
        (Method::POST, path) if is_session => post(shared, path, body).await,
        (Method::POST, _) => StatusCode::UNAUTHORIZED.into_response(),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// A form of one of our pages.
async fn post(shared: &Shared, path: &str, body: Body) -> Response {
    let answered = match path {
        "/search" => forms::search(shared, body).await,
        "/plan" => forms::plan(shared, body).await,
        "/plan/cancel" => forms::cancel_plan(shared, body).await,
        path => match target::parse(path) {
            Some((Target::Act { deed }, Form::Html)) => forms::act(shared, deed, body).await,
            Some((Target::Playground, form)) => forms::playground(shared, form, body).await,
            Some(_) | None => Ok(not_found(shared, Form::Html)),
        },
    };
    answered.unwrap_or_else(|refused| refused)
}

/// Takes the token and gives the cookie.
async fn begin(site: &Site, body: Body) -> Response {
    let fields = match forms::read(body).await {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    let token = fields.get("token").map(|token| token.trim()).unwrap_or_default();
    if !guard::same(token, &site.keys.token) {
        return html(StatusCode::UNAUTHORIZED, frame::door(frame::Door::WrongToken).into_string());
    }
    let cookie =
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict", guard::cookie_name(site), site.keys.cookie);
    let (Ok(cookie), place) = (HeaderValue::from_str(&cookie), HeaderValue::from_static("/")) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, place)]).into_response()
}

/// Who has no session sees a door, and nothing behind it.
fn stranger(path: &str) -> Response {
    if path.strip_suffix(".json").is_some() {
        let text = "{\"error\":\"show the token: `Authorization: Bearer TOKEN`\"}\n";
        let kind = [(header::CONTENT_TYPE, "application/json")];
        return (StatusCode::UNAUTHORIZED, kind, text).into_response();
    }
    html(StatusCode::UNAUTHORIZED, frame::door(frame::Door::Closed).into_string())
}

async fn get(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Response {
    if uri.path() == page::plan::PERMIT {
        return permit::answer(shared).unwrap_or_else(|| not_found(shared, Form::Html));
    }
    let Some((target, form)) = target::parse(uri.path()) else { return not_found(shared, Form::Html) };
    if matches!(target, Target::Act { .. }) && shared.site.actions.is_none() {
        return forbidden(shared);
    }
    let asked = Asked { target, filters: page::fields(uri.query().unwrap_or_default()) };
    let streams = headers.get(header::ACCEPT).is_some_and(|kinds| kinds == "text/event-stream");
    if streams && form == Form::Html {
        return stream::of(shared.clone(), asked).into_response();
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
