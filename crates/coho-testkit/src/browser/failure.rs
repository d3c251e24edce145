//! What goes wrong between a test and its browser.

use std::fmt;

/// What went wrong between a test and its browser.
#[derive(Debug)]
pub struct BrowserError(String);

impl BrowserError {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BrowserError {}

/// An error of something else, and what was tried.
pub(super) fn of<E: fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> BrowserError {
    move |error| BrowserError(format!("{doing}: {error}"))
}
