//! `/openapi.json`: what programs may ask, written by hand and held against the routes and their real answers by tests
//! (docs/decisions/0043).

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The document.
const DOCUMENT: &str = include_str!("../../assets/openapi.json");

/// Says what may be asked. It holds nothing of the project, so whoever asks needs no token.
pub(super) async fn answer() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

/// Method and path of all that it describes.
#[cfg(test)]
pub(super) fn operations() -> Vec<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let methods = |(path, methods): (&String, &serde_json::Value)| -> Vec<_> {
        let methods = methods.as_object().unwrap().keys().filter(|key| *key != "parameters");
        methods.map(|method| (method.clone(), path.clone())).collect()
    };
    paths.flat_map(methods).collect()
}
