//! From a page's value to what is sent: secrets go out of the value once, and HTML and JSON both show what is left.

use coho_core::json::Json;
use coho_core::secret::Masker;
use maud::{Markup, html};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::site::Site;

/// A page that only shows: a value, and how it looks.
pub(crate) trait Page: Serialize + DeserializeOwned {
    /// What a browser's tab says. It has no key and no value of a row.
    fn title(&self) -> String;

    /// Its content.
    fn main(&self) -> Markup;
}

/// A page on which something can be done: its forms carry a key that no other page knows.
pub(crate) trait Formed: Serialize + DeserializeOwned {
    /// What a browser's tab says. It has no key and no value of a row.
    fn title(&self) -> String;

    /// Its content.
    fn main(&self, hand: &Hand) -> Markup;
}

impl<P: Page> Formed for P {
    fn title(&self) -> String {
        Page::title(self)
    }

    fn main(&self, _: &Hand) -> Markup {
        Page::main(self)
    }
}

/// What forms need, and what no twin has.
pub(crate) struct Hand {
    /// What shows that a form is ours.
    key: String,
    /// Whether pages may retry, forget and run.
    pub(crate) acts: bool,
}

impl Hand {
    /// The hand of this site's pages.
    pub(crate) fn of(site: &Site) -> Self {
        Self { key: site.keys.form.clone(), acts: site.actions.is_some() }
    }

    /// The field that every form has.
    pub(crate) fn field(&self) -> Markup {
        html! { input type="hidden" name="form" value=(self.key); }
    }
}

/// A page that can be sent in either form.
pub(crate) struct Shown {
    pub(crate) title: String,
    pub(crate) main: Markup,
    pub(crate) json: Json,
}

/// The page without secrets.
pub(crate) fn shown<P: Formed>(page: &P, site: &Site) -> Result<Shown, serde_json::Error> {
    let json = masked(serde_json::to_value(page)?, &site.masker());
    let page: P = serde_json::from_value(json.clone())?;
    Ok(Shown { title: page.title(), main: page.main(&Hand::of(site)), json })
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
