//! Scripts, styles and pictures: in the program itself, each with a tag by which a browser knows that it has it already.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};

/// Path, type, content.
const ASSETS: [(&str, &str, &str); 3] = [
    ("/coho.css", "text/css; charset=utf-8", include_str!("../assets/coho.css")),
    ("/coho.js", "text/javascript; charset=utf-8", include_str!("../assets/coho.js")),
    ("/icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

/// The asset of this path, or that it did not change.
pub(crate) fn answer(path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    let (_, kind, text) = ASSETS.into_iter().find(|(name, _, _)| *name == path)?;
    let tag = tag(text);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let (status, body) =
        if known { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, Body::from(text)) };
    let builder = Response::builder().status(status).header(header::ETAG, &tag);
    builder.header(header::CONTENT_TYPE, kind).header(header::CACHE_CONTROL, "no-cache").body(body).ok()
}

fn tag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}
