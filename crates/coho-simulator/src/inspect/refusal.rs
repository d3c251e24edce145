//! What the inspection API answers where it cannot do what was asked.

use std::error::Error;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::fault::form::FaultError;
use crate::seed::SeedError;
use crate::store::file::StateFileError;
use crate::switches::SwitchError;

/// Why the inspection API refuses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the body does not have the documented form")]
    Form(#[from] serde_json::Error),
    #[error("cannot read a fault")]
    Fault(#[from] FaultError),
    #[error("cannot set the switches")]
    Switch(#[from] SwitchError),
    #[error("cannot seed a record")]
    Seed(#[from] SeedError),
    #[error("cannot read `{text}` as {what}")]
    Text { what: &'static str, text: String },
    #[error("cannot save the change")]
    State(#[from] StateFileError),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Form(_) | Self::Fault(_) | Self::Switch(_) | Self::Seed(_) | Self::Text { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::State(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        (self.status(), Json(json!({ "error": text }))).into_response()
    }
}
