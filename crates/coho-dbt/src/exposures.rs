//! `exposures:` for dbt: each sync as an application that depends on a model.
//!
//! dbt's rules: <https://docs.getdbt.com/reference/exposure-properties>, read 2026-11-28.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::name::ModelName;

/// A sync, as dbt shows it.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// What its name is made of.
    pub id: String,
    /// What people read.
    pub label: String,
    /// What it does, in a sentence or more.
    pub description: String,
    /// The model that it reads.
    pub model: ModelName,
    /// Its page, where there is one.
    pub url: Option<String>,
}

/// Who answers for exposures: dbt wants a name or an address.
#[derive(Clone, Debug)]
pub struct ExposureOwner {
    /// A person or a team.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// A properties file of dbt.
pub fn exposures(exposures: &[Exposure], owner: &ExposureOwner) -> String {
    let mut names = BTreeSet::new();
    let mut text = "version: 2\n\nexposures:\n".to_owned();
    for exposure in exposures {
        let name = unique(&exposure.id, &mut names);
        let url = exposure.url.as_ref().map(|url| format!("    url: {}\n", quoted(url)));
        let owner_of = |key: &str, value: &Option<String>| {
            let value = value.as_ref();
            value.map(|value| format!("      {key}: {}\n", quoted(value))).unwrap_or_default()
        };
        // Writing to a text cannot fail.
        let _written = write!(
            text,
            "  - name: {name}\n    label: {}\n    type: application\n    description: {}\n{}    depends_on:\n      \
             - {}\n    owner:\n{}{}",
            quoted(&exposure.label),
            quoted(&exposure.description),
            url.unwrap_or_default(),
            exposure.model.reference(),
            owner_of("name", &owner.name),
            owner_of("email", &owner.email),
        );
    }
    if exposures.is_empty() {
        return "version: 2\n\nexposures: []\n".to_owned();
    }
    text
}

/// A name of letters, digits and `_` that no other exposure of the file has.
fn unique(id: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String =
        id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    let name = format!("coho_{plain}");
    let mut unique = name.clone();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{number}");
        number += 1;
    }
    unique
}

/// A YAML text. A JSON text is one; dbt renders Jinja in it, so braces are kept apart.
fn quoted(text: &str) -> String {
    let plain = text.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #");
    serde_json::Value::String(plain).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(id: &str, model: &str) -> Exposure {
        Exposure {
            id: id.to_owned(),
            label: format!("Vitally: {id}"),
            description: "Says \"hello\": {{ name }}".to_owned(),
            model: ModelName::parse(model),
            url: None,
        }
    }

    #[test]
    fn a_sync_is_an_application() {
        let owner = ExposureOwner {
            name: Some("Data: the team".to_owned()),
            email: Some("data@acme.test".to_owned()),
        };
        let url = Some("https://coho.acme.test/runs?sync=a".to_owned());
        let all = [Exposure { url, ..exposure("a-b", "shop.customers") }, exposure("a_b", "orders.v2")];
        assert_eq!(
            exposures(&all, &owner),
            r#"version: 2

exposures:
  - name: coho_a_b
    label: "Vitally: a-b"
    type: application
    description: "Says \"hello\": { { name }}"
    url: "https://coho.acme.test/runs?sync=a"
    depends_on:
      - ref('shop', 'customers')
    owner:
      name: "Data: the team"
      email: "data@acme.test"
  - name: coho_a_b_2
    label: "Vitally: a_b"
    type: application
    description: "Says \"hello\": { { name }}"
    depends_on:
      - ref('orders', v=2)
    owner:
      name: "Data: the team"
      email: "data@acme.test"
"#
        );
    }

    #[test]
    fn nothing_to_show_is_an_empty_list() {
        assert_eq!(
            exposures(&[], &ExposureOwner { name: None, email: None }),
            "version: 2\n\nexposures: []\n"
        );
    }
}
