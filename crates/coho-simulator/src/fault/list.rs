//! Lists that are cut short: their pages are right but for where the list goes on, or ends.

use serde_json::Value;

use crate::rest::decode;

/// What a page says wrongly of its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutShort {
    /// It shows the first half of its records, and that the list ends with them.
    EndsEarly,
    /// It is whole, and has no cursor, though it may say that it is not the last one.
    WithoutNext,
    /// Its cursor is the one that it was asked with; one that was asked without has its own.
    InCircle,
}

impl CutShort {
    /// The body of a page, cut. What is no page stays as it is.
    pub(crate) fn of(self, body: &str, query: Option<&str>) -> String {
        let Ok(mut page) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
        let Some(records) = page.get_mut("results").and_then(Value::as_array_mut) else {
            return body.to_owned();
        };
        match self {
            Self::EndsEarly => {
                records.truncate(records.len() / 2);
                page["next"] = Value::Null;
                page["atEnd"] = Value::Bool(true);
            }
            Self::WithoutNext => page["next"] = Value::Null,
            Self::InCircle => {
                let asked = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("from="));
                if let Some(cursor) = asked.and_then(decode) {
                    page["next"] = Value::String(cursor);
                    page["atEnd"] = Value::Bool(false);
                }
            }
        }
        page.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cut(cut: CutShort, query: &str) -> Value {
        let page =
            json!({ "results": [{ "id": "a" }, { "id": "b" }], "next": "c", "atEnd": false }).to_string();
        serde_json::from_str(&cut.of(&page, Some(query))).unwrap()
    }

    #[test]
    fn each_cut_says_something_else_of_the_lists_end() {
        let half = json!({ "results": [{ "id": "a" }], "next": null, "atEnd": true });
        assert_eq!(cut(CutShort::EndsEarly, "limit=2"), half);
        let page = cut(CutShort::WithoutNext, "limit=2");
        assert_eq!((&page["next"], &page["atEnd"]), (&Value::Null, &json!(false)));
        assert_eq!(cut(CutShort::InCircle, "limit=2&from=b%3D")["next"], "b=");
        assert_eq!(cut(CutShort::InCircle, "limit=2")["next"], "c");
        assert_eq!(CutShort::EndsEarly.of("[]", None), "[]");
    }
}
