//! Answers: a page in either of its forms, and what stands where there is none.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::markup::frame::{self, Frame};
use crate::page::{Asked, act};
use crate::reader::{ReadError, told};
use crate::shared::Shared;
use crate::shown::{Formed, Shown, shown};
use crate::target::Form;

/// A page.
pub(crate) fn sent(shared: &Shared, asked: &Asked, shown: &Shown, form: Form) -> Response {
    match form {
        Form::Json | Form::Csv | Form::Ndjson => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (StatusCode::OK, kind, format!("{:#}\n", shown.json)).into_response()
        }
        Form::Html => {
            let frame = Frame::of(&shared.site, Some(asked));
            html(StatusCode::OK, frame.page(&shown.title, &shown.main).into_string())
        }
    }
}

/// There is no such page.
pub(crate) fn not_found(shared: &Shared, form: Form) -> Response {
    match form {
        Form::Json | Form::Csv | Form::Ndjson => error(StatusCode::NOT_FOUND, "page not found"),
        Form::Html => {
            let page = Frame::of(&shared.site, None).page("Not found", &frame::nothing_here());
            html(StatusCode::NOT_FOUND, page.into_string())
        }
    }
}

/// Pages only look.
pub(crate) fn forbidden(shared: &Shared) -> Response {
    let page = Frame::of(&shared.site, None).page("Not allowed", &act::only_looks());
    html(StatusCode::FORBIDDEN, page.into_string())
}

/// A form that no page of this process made: its page was loaded before the server began anew, or stands elsewhere.
pub(crate) fn stale(shared: &Shared) -> Response {
    let page = Frame::of(&shared.site, None).page("Load the page again", &act::stale());
    html(StatusCode::FORBIDDEN, page.into_string())
}

/// A page that answers a form.
pub(crate) fn made<P: Formed>(shared: &Shared, status: StatusCode, page: &P) -> Response {
    match shown(page, &shared.site) {
        Ok(shown) => {
            let frame = Frame::of(&shared.site, None);
            html(status, frame.page(&shown.title, &shown.main).into_string())
        }
        Err(error) => failed(shared, Form::Html, &error.into()),
    }
}

/// A page could not be made.
pub(crate) fn failed(shared: &Shared, form: Form, failure: &ReadError) -> Response {
    let text = shared.site.masker().mask(&told(failure)).into_owned();
    tracing::warn!("cannot render a page: {text}");
    match form {
        Form::Json | Form::Csv | Form::Ndjson => error(StatusCode::INTERNAL_SERVER_ERROR, &text),
        Form::Html => {
            let page = Frame::of(&shared.site, None).page("Failed", &frame::failed(&text));
            html(StatusCode::INTERNAL_SERVER_ERROR, page.into_string())
        }
    }
}

fn error(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "error": text });
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{body:#}\n")).into_response()
}

/// A document.
pub(crate) fn html(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}
