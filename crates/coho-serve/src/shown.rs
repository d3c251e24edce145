//! From a page's value to what is sent: secrets go out of the value once, and HTML and JSON both show what is left.

use coho_core::secret::Masker;
use maud::Markup;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

/// A page: a value, and how it looks.
pub(crate) trait Page: Serialize + DeserializeOwned {
    /// What a browser's tab says. It has no key and no value of a row.
    fn title(&self) -> String;

    /// Its content.
    fn main(&self) -> Markup;
}

/// A page that can be sent in either form.
pub(crate) struct Shown {
    pub(crate) title: String,
    pub(crate) main: Markup,
    pub(crate) json: Json,
}

/// The page without secrets.
pub(crate) fn shown<P: Page>(page: &P, masker: &Masker) -> Result<Shown, serde_json::Error> {
    let json = masked(serde_json::to_value(page)?, masker);
    let page: P = serde_json::from_value(json.clone())?;
    Ok(Shown { title: page.title(), main: page.main(), json })
}

/// The document without secrets: a number is never one, whatever its digits.
pub(crate) fn masked(value: Json, masker: &Masker) -> Json {
    match value {
        Json::String(text) => masker.mask(&text).into(),
        Json::Array(items) => items.into_iter().map(|item| masked(item, masker)).collect(),
        Json::Object(members) => {
            let member = |(name, value)| (name, masked(value, masker));
            Json::Object(members.into_iter().map(member).collect())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value,
    }
}
