//! What is refused over HTTP, in the form of Hightouch's API: a status, a message and details.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use coho_core::failure::Failure as _;
use coho_engine::context::EngineError;
use serde_json::json;

use crate::reader::{ReadError, told};

/// What is refused.
pub(crate) struct Refusal {
    status: StatusCode,
    message: String,
    details: String,
}

impl Refusal {
    /// A refusal: a short message, and what is wrong in words.
    pub(crate) fn new(status: StatusCode, message: &str, details: impl Into<String>) -> Self {
        Self { status, message: message.to_owned(), details: details.into() }
    }

    /// There is nothing of this id.
    pub(crate) fn missing(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", format!("there is no {what} `{id}`"))
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", format!("{error} [{}]", error.code()))
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let details = told(&error);
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", details)
    }
}

impl From<coho_ledger::LedgerError> for Refusal {
    fn from(error: coho_ledger::LedgerError) -> Self {
        EngineError::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, axum::Json(json!({ "message": self.message, "details": self.details }))).into_response()
    }
}
