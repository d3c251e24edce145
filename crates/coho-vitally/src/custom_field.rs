//! Custom fields: the traits that a workspace has defined, as Vitally lists them. Read only: no call defines one.
//!
//! `GET /resources/customFields?model=…` answers a bare list, by label, without pages
//! (<https://docs.vitally.io/en/articles/9880864-rest-api-custom-traits>, read 2026-11-24).

use coho_core::json::{self, Json};
use coho_core::object::Object;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use serde_json::Map;

use crate::request::{Answer, Request};
use crate::wire::reading::{Reading, read, refused, unshown};
use crate::wire::record::Envelope;

/// A trait that a workspace has defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// What people call it.
    pub label: String,
    /// The key of the trait: `vitally.custom.tier`, or `plan` for one that was sent and not made by hand.
    pub path: String,
    /// Vitally's name of its type, such as `string`, `datetime`, `textarea`. There is no list of all of them.
    pub kind: String,
    /// What it may hold, where that is limited.
    pub options: Vec<Choice>,
}

/// One of the values that a trait may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What people call it.
    pub label: String,
    /// What is sent.
    pub value: Value,
}

impl CustomField {
    /// Reads an answer: a list, or one in an envelope. `None` where it is neither.
    ///
    /// ```
    /// use coho_vitally::custom_field::CustomField;
    ///
    /// let body = r#"[{"label":"Tier","path":"vitally.custom.tier","type":"string","options":[{"label":"Gold","value":"gold"}]}]"#;
    /// let fields = CustomField::parse(body).unwrap_or_default();
    /// assert_eq!(fields[0].path, "vitally.custom.tier");
    /// assert_eq!(fields[0].options[0].label, "Gold");
    /// ```
    pub fn parse(body: &str) -> Option<Vec<Self>> {
        Some(Envelope::parse(body)?.items?.iter().filter_map(Self::of).collect())
    }

    fn of(members: &Map<String, Json>) -> Option<Self> {
        let text = |name: &str| members.get(name).and_then(Json::as_str).map(str::to_owned);
        let path = text("path").filter(|path| !path.is_empty())?;
        let options = members.get("options").and_then(Json::as_array).into_iter().flatten();
        Some(Self {
            label: text("label").unwrap_or_else(|| path.clone()),
            kind: text("type").unwrap_or_default(),
            options: options.filter_map(Choice::of).collect(),
            path,
        })
    }
}

impl Choice {
    /// An option is `{label, value}`, or a bare value.
    fn of(item: &Json) -> Option<Self> {
        let value = item.get("value").or_else(|| (!item.is_object()).then_some(item))?;
        let value = json::from_serde(value.clone()).ok()?;
        let label = item.get("label").and_then(Json::as_str).map(str::to_owned);
        let label = label.or_else(|| value.scalar_text()).unwrap_or_else(|| json::write(&value));
        Some(Self { label, value })
    }
}

/// The request for an object's custom fields; `None` for events, which have none that are listed.
pub fn request(object: Object) -> Option<Request> {
    match object {
        Object::Event => None,
        Object::Organization | Object::Account | Object::User => Some(Request::custom_fields(object)),
    }
}

/// What the answer to [`request`] says.
pub fn answered(answer: &Answer) -> Result<Vec<CustomField>, Verdict> {
    match read(answer) {
        Reading::Fine(reply) => {
            CustomField::parse(&reply.body).ok_or_else(|| unshown(reply, "custom fields").of_read())
        }
        Reading::Absent(reply) | Reading::Refused(reply) => Err(refused(reply)),
        Reading::End(end) => Err(end.of_read()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_a_list_is_read() {
        let field = r#"{"id":"1","label":"Plan","path":"plan","type":"string"}"#;
        for body in
            [format!("[{field}]"), format!(r#"{{"results":[{field}]}}"#), format!(r#"{{"data":[{field}]}}"#)]
        {
            let fields = CustomField::parse(&body).unwrap();
            assert_eq!(
                (fields.len(), fields[0].path.as_str(), fields[0].kind.as_str()),
                (1, "plan", "string")
            );
        }
        assert_eq!(CustomField::parse("[]"), Some(Vec::new()));
        assert_eq!(CustomField::parse("{}"), None);
        assert_eq!(CustomField::parse("<html>"), None);
    }

    #[test]
    fn what_has_no_path_cannot_be_written_and_is_left_out() {
        assert_eq!(CustomField::parse(r#"[{"label":"Plan","type":"string"}]"#), Some(Vec::new()));
    }

    #[test]
    fn options_keep_their_types() {
        let body = r#"[{"path":"seats","options":[{"label":"Few","value":5},"many",{"label":"none"}]}]"#;
        let fields = CustomField::parse(body).unwrap();
        let few = Choice { label: "Few".to_owned(), value: Value::Int(5) };
        let many = Choice { label: "many".to_owned(), value: Value::text("many") };
        assert_eq!(fields[0].options, [few, many]);
        assert_eq!(fields[0].label, "seats");
    }
}
