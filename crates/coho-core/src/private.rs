//! Personal data: members of records whose values are not shown. What a person reads of them, on pages, in logs, in exports and in
//! the history that the ledger keeps, is `***`; what is sent, and what the next run compares with, is the value.
//!
//! A member is known by its name alone, wherever it stands: Vitally's answers repeat records inside of others, and it is better to
//! hide too much than too little.

use std::collections::BTreeSet;

use crate::fields::Difference;
use crate::json;
use crate::path::FieldPath;
use crate::problem::Problem;
use crate::value::Value;

/// What is shown in the place of a value.
pub const HIDDEN: &str = "***";

/// Texts that are shorter are not looked for in other texts: they would be found everywhere.
const SHORTEST: usize = 3;

/// The members whose values are personal data.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Private {
    names: BTreeSet<String>,
}

impl Private {
    /// Members of these names.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether the values of a field are hidden. Where all traits are, each of them is.
    pub fn covers(&self, path: &FieldPath) -> bool {
        let (bag, name) = match path {
            FieldPath::Field(name) => (None, name),
            FieldPath::Trait(name) => (Some("traits"), name),
            FieldPath::Property(name) => (Some("properties"), name),
        };
        self.names.contains(&**name) || bag.is_some_and(|bag| self.names.contains(bag))
    }

    /// A value of a field as it is shown: that there is none is no secret.
    pub fn shown(&self, path: &FieldPath, value: &Value) -> Value {
        if self.covers(path) { hidden(value) } else { self.value(value.clone()) }
    }

    /// Differences as they are shown.
    pub fn differences(&self, differences: Vec<Difference>) -> Vec<Difference> {
        if self.is_empty() {
            return differences;
        }
        let shown = |one: Difference| Difference {
            before: one.before.as_ref().map(|before| self.shown(&one.path, before)),
            after: self.shown(&one.path, &one.after),
            path: one.path,
        };
        differences.into_iter().map(shown).collect()
    }

    /// The values in a request's body that are hidden.
    pub fn values_in(&self, body: &str) -> Values {
        let mut values = Values::default();
        if self.is_empty() {
            return values;
        }
        if let Ok(value) = json::parse(body) {
            self.gather(&value, false, &mut values);
        }
        values
    }

    /// A body as it is shown. Of one that is no JSON, what it repeats of these values is hidden.
    pub fn body(&self, body: &str, values: &Values) -> String {
        if self.is_empty() {
            return body.to_owned();
        }
        match json::parse(body) {
            Ok(value) => values.hide(&json::write(&self.value(value))),
            Err(_) => values.hide(body),
        }
    }

    /// A path with its query as it is shown: an address may stand in it that a record is looked up by.
    pub fn path(&self, path: &str) -> String {
        let Some((path, query)) = path.split_once('?').filter(|_| !self.is_empty()) else {
            return path.to_owned();
        };
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) if self.names.contains(name) => format!("{name}={HIDDEN}"),
            _ => pair.to_owned(),
        });
        format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
    }

    /// The values of these differences that are hidden.
    pub fn values_among(&self, differences: &[Difference]) -> Values {
        let mut values = Values::default();
        for one in differences.iter().filter(|one| self.covers(&one.path)) {
            one.before.iter().chain([&one.after]).for_each(|value| self.gather(value, true, &mut values));
        }
        values
    }

    /// A problem of a row as it is shown: where it is of a field that is hidden, what is quoted may be its value.
    pub fn problem(&self, problem: &Problem) -> Problem {
        let is_of_one = problem.field.as_ref().is_some_and(|field| self.covers(field));
        let message =
            if is_of_one { without_quotes(&problem.message) } else { self.message(&problem.message) };
        Problem { message, ..problem.clone() }
    }

    /// What was said of a row, with a member's name in it: what is quoted may be its value.
    pub fn message(&self, message: &str) -> String {
        let is_named = |name: &String| words(message).any(|word| word == name);
        if self.names.iter().any(is_named) { without_quotes(message) } else { message.to_owned() }
    }

    fn value(&self, value: Value) -> Value {
        if let Value::Object(members) = value {
            Value::Object(members.into_iter().map(|member| self.member(member)).collect())
        } else if let Value::Array(items) = value {
            Value::Array(items.into_iter().map(|item| self.value(item)).collect())
        } else {
            value
        }
    }

    fn member(&self, (name, value): (String, Value)) -> (String, Value) {
        let value = if self.names.contains(&name) { hidden(&value) } else { self.value(value) };
        (name, value)
    }

    fn gather(&self, value: &Value, is_hidden: bool, values: &mut Values) {
        if let Value::Object(members) = value {
            for (name, value) in members {
                self.gather(value, is_hidden || self.names.contains(name), values);
            }
        } else if let Value::Array(items) = value {
            for item in items {
                self.gather(item, is_hidden, values);
            }
        } else {
            values.add(value.as_text().filter(|_| is_hidden));
        }
    }
}

/// Values that are hidden wherever they stand in a text.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Values(BTreeSet<String>);

impl Values {
    fn add(&mut self, text: Option<&str>) {
        self.0.extend(text.filter(|text| text.len() >= SHORTEST).map(str::to_owned));
    }

    /// The text without them. The longest go first: one may be a part of another.
    pub fn hide(&self, text: &str) -> String {
        let mut values: Vec<_> = self.0.iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.into_iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), HIDDEN))
    }
}

fn hidden(value: &Value) -> Value {
    if matches!(value, Value::Null) { Value::Null } else { Value::text(HIDDEN) }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
}

/// The text with what stands in double quotes hidden; a quote that is not closed hides the rest.
fn without_quotes(text: &str) -> String {
    let shown = text.split('"').enumerate().map(|(at, part)| if at % 2 == 1 { HIDDEN } else { part });
    shown.collect::<Vec<_>>().join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(names: &[&str]) -> Private {
        Private::new(names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn a_member_is_hidden_wherever_it_stands() {
        let private = private(&["email", "phone"]);
        let body = r#"{"id":"1","email":"ann@acme.example","traits":{"phone":{"home":"555"},"plan":"pro"},"users":[{"email":null}]}"#;
        let values = private.values_in(body);
        assert_eq!(
            private.body(body, &values),
            r#"{"id":"1","email":"***","traits":{"phone":"***","plan":"pro"},"users":[{"email":null}]}"#
        );
        assert_eq!(private.body("no user ann@acme.example, ann", &values), "no user ***, ann");
        assert_eq!(
            private.path("/resources/users/search?limit=1&email=ann%40acme.example"),
            "/resources/users/search?limit=1&email=***"
        );
    }

    #[test]
    fn an_answer_that_repeats_a_value_in_a_text_does_not_show_it() {
        let private = private(&["email"]);
        let values = private.values_in(r#"{"email":"ann@acme.example"}"#);
        assert_eq!(
            private.body(r#"{"error":"ann@acme.example is taken"}"#, &values),
            r#"{"error":"*** is taken"}"#
        );
    }

    #[test]
    fn differences_show_that_there_was_none() {
        let path = FieldPath::new("traits.phone");
        let difference = Difference { path, before: Some(Value::Null), after: Value::text("555-1234") };
        let shown = private(&["traits"]).differences(vec![difference.clone()]);
        assert_eq!(
            (shown[0].before.clone(), shown[0].after.clone()),
            (Some(Value::Null), Value::text(HIDDEN))
        );
        assert_eq!(Private::default().differences(vec![difference.clone()]), [difference]);
    }

    #[test]
    fn a_message_that_names_a_member_shows_nothing_that_is_quoted() {
        let private = private(&["seats"]);
        assert_eq!(
            private.message(r#"traits.seats: cannot read "many" as a number"#),
            r#"traits.seats: cannot read "***" as a number"#
        );
        assert_eq!(
            private.message(r#"traits.plan: cannot read "many" as a number"#),
            r#"traits.plan: cannot read "many" as a number"#
        );
        assert_eq!(private.message(r#"traits.seats: cannot read "ma"#), r#"traits.seats: cannot read "***"#);
    }
}
