//! What is posted: forms of our pages, and nothing else. Each carries the key of this process, except the one that searches,
//! which changes nothing.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::shared::Shared;
use crate::target::Target;
use crate::{guard, page};

/// The most bytes of a form.
const MOST_BYTES: usize = 1_048_576;

/// The fields of a form.
pub(crate) type Fields = BTreeMap<String, String>;

/// The fields of a form; an answer where there are none.
pub(crate) async fn read(body: Body) -> Result<Fields, Response> {
    let Ok(bytes) = axum::body::to_bytes(body, MOST_BYTES).await else {
        let text = "a form has at most 1 MiB\n";
        return Err((StatusCode::PAYLOAD_TOO_LARGE, text).into_response());
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
    Ok(page::fields(text))
}

/// The same, of a form that shows by its key that a page of this process made it.
pub(crate) async fn read_ours(shared: &Shared, body: Body) -> Result<Fields, Response> {
    let fields = read(body).await?;
    let key = fields.get("form").map(String::as_str).unwrap_or_default();
    if guard::same(key, &shared.site.keys.form) {
        return Ok(fields);
    }
    let text = "this form does not come from a page of this server: load the page anew\n";
    Err((StatusCode::FORBIDDEN, text).into_response())
}

/// A field that has a value.
pub(crate) fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
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

/// Keeps what is searched, and leads to where it is found: the address names it by a number.
pub(crate) async fn search(shared: &Shared, body: Body) -> Result<Response, Response> {
    let fields = read(body).await?;
    let target = match field(&fields, "run") {
        Some(run) => Target::Rows { run: run.to_owned() },
        None => Target::Search,
    };
    let number = field(&fields, "text").map(|text| shared.searches.keep(text).to_string());
    let filters = ["sync", "fate", "code"].map(|name| (name, field(&fields, name)));
    Ok(lead_to(&target.with(&[&filters[..], &[("q", number.as_deref())]].concat())))
}
