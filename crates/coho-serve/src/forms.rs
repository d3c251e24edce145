//! What is posted: forms of our pages, and nothing else. Each carries the key of this process, except the one that searches,
//! which changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use coho_ledger::look::Patience;
use tokio::runtime::Handle;

use crate::actions::Done;
use crate::fields::{Fields, field};
use crate::limited::Unread;
use crate::page::Asked;
use crate::page::act::{self, DonePage};
use crate::shared::Shared;
use crate::shown::shown;
use crate::target::{self, Form, PageAction, Target};
use crate::{answers, guard, limited, page};

/// The most bytes of a form.
const MOST_BYTES: usize = 1_048_576;

/// The fields of a form, or why they were not read.
pub(crate) async fn read(shared: &Shared, body: Body) -> Result<Fields, Response> {
    let within = shared.site.limits.body;
    let bytes = limited::body(body, MOST_BYTES, within).await.map_err(|unread| match unread {
        Unread::TooLong => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Unread::TooSlow => StatusCode::REQUEST_TIMEOUT.into_response(),
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
    Ok(page::fields(text))
}

/// The same, of a form that shows by its key that a page of this process made it.
pub(crate) async fn read_ours(shared: &Shared, body: Body) -> Result<Fields, Response> {
    let fields = read(shared, body).await?;
    let key = fields.get("form").map(String::as_str).unwrap_or_default();
    if guard::same(key, &shared.site.keys.form) {
        return Ok(fields);
    }
    let text = "this form does not come from a page of this server: load the page anew\n";
    Err((StatusCode::FORBIDDEN, text).into_response())
}

/// Leads to a page.
pub(crate) fn lead_to(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Begins a plan, unless one is being made, and leads to where it is shown.
pub(crate) async fn plan(shared: &Shared, body: Body) -> Result<Response, Response> {
    let fields = read_ours(shared, body).await?;
    let names = field(&fields, "sync").map(str::to_owned).into_iter().collect();
    shared.plans.begin(&shared.site, names);
    Ok(lead_to(&Target::Plan.path()))
}

/// Ends the plan that is being made.
pub(crate) async fn cancel_plan(shared: &Shared, body: Body) -> Result<Response, Response> {
    read_ours(shared, body).await?;
    shared.plans.cancel();
    Ok(lead_to(&Target::Plan.path()))
}

/// Does what a page asked for and somebody confirmed. A run's page shows what becomes of it.
pub(crate) async fn act(shared: &Shared, action: PageAction, body: Body) -> Result<Response, Response> {
    let fields = read_ours(shared, body).await?;
    let Some(actions) = shared.site.actions.clone() else { return Err(answers::forbidden(shared)) };
    let hasty = Patience::until(|| false);
    let wish = shared.reader.read(hasty, move |ledger| Ok(act::wish(ledger, action, &fields)?)).await;
    let wish = match wish {
        Ok(Some(wish)) => wish,
        Ok(None) => return Err(answers::not_found(shared, Form::Html)),
        Err(error) => return Err(answers::failed(shared, Form::Html, &error)),
    };
    let (status, page) = match actions.carry_out(wish).await {
        Ok(Done::Began { run }) => return Ok(lead_to(&target::run(&run).path())),
        Ok(Done::Told(text)) => (StatusCode::OK, DonePage::told(action, text)),
        Err(refused) => (StatusCode::CONFLICT, DonePage::refused(action, refused)),
    };
    Ok(answers::made(shared, status, &page))
}

/// Tries a template or a mapping. What was typed is in the answer, and nowhere else.
pub(crate) async fn playground(shared: &Shared, form: Form, body: Body) -> Result<Response, Response> {
    let fields = read_ours(shared, body).await?;
    let (site, handle) = (Arc::clone(&shared.site), Handle::current());
    let broken = |_| StatusCode::INTERNAL_SERVER_ERROR.into_response();
    let trials = Arc::clone(&shared.trials);
    let turn = trials.acquire_owned().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())?;
    let tried = tokio::task::spawn_blocking(move || {
        let page = page::playground::answer(&site, &fields, &handle);
        drop(turn);
        page
    });
    let page = tried.await.map_err(broken)?;
    let asked = Asked { target: Target::Playground, filters: BTreeMap::new() };
    Ok(match shown(&page, &shared.site) {
        Ok(shown) => answers::sent(shared, &asked, &shown, form),
        Err(error) => answers::failed(shared, form, &error.into()),
    })
}

/// Keeps what is searched, and leads to where it is found: the address names it by a number.
pub(crate) async fn search(shared: &Shared, body: Body) -> Result<Response, Response> {
    let fields = read(shared, body).await?;
    let target = match field(&fields, "run") {
        Some(run) => Target::Rows { run: run.to_owned() },
        None => Target::Search,
    };
    let number = field(&fields, "text").map(|text| shared.searches.keep(text).to_string());
    let filters = ["sync", "fate", "code"].map(|name| (name, field(&fields, name)));
    Ok(lead_to(&target.with(&[&filters[..], &[("q", number.as_deref())]].concat())))
}
