//! What clients of the trigger API send: JSON, a form, `{}`, or nothing at all, whatever they call it.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use coho_core::json::Json;

/// The members of a body, as texts. `None` where it is none of the forms.
pub(crate) fn members(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.is_empty() {
        return Some(BTreeMap::new());
    }
    if text.starts_with('{') {
        let Json::Object(members) = serde_json::from_str(text).ok()? else { return None };
        let member = |(name, value): (String, Json)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name, text)
        };
        return Some(members.into_iter().map(member).collect());
    }
    // A form is the query of an address.
    let uri: Uri = format!("/?{text}").parse().ok()?;
    let Query(members) = Query::<BTreeMap<String, String>>::try_from_uri(&uri).ok()?;
    (!text.starts_with('[')).then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        members(text.as_bytes()).map(|members| members.into_iter().collect())
    }

    #[test]
    fn each_form_that_clients_send_is_read() {
        let one = |value: &str| Some(vec![("syncId".to_owned(), value.to_owned())]);
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(read("{}"), Some(Vec::new()));
        assert_eq!(read("syncId=12"), one("12"));
        assert_eq!(read(r#"{"syncId": 12}"#), one("12"));
        assert_eq!(read(r#"{"syncId": "12"}"#), one("12"));
        assert_eq!(
            read("syncSlug=my%20accounts"),
            Some(vec![("syncSlug".to_owned(), "my accounts".to_owned())])
        );
        assert_eq!(
            read(r#"{"fullResync":false}"#),
            Some(vec![("fullResync".to_owned(), "false".to_owned())])
        );
    }

    #[test]
    fn other_bodies_are_none() {
        assert_eq!(read("[1]"), None);
        assert_eq!(read("{"), None);
        assert_eq!(members(&[0xff, 0xfe]), None);
    }
}
