//! What the sieve finds: `fixtures/diff_fields/*.json` in, what a person would want to see out (`*.snap` beside it).
//!
//! A fixture has `sent` (field → value), `rendered` (field → value, `{"null": "follow"}`, `{"account": "id"}` or
//! `{"account": ["id", …]}`) and, where all traits are mapped at once, `absent_traits` (a null policy).

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use coho_core::fields::{FieldDiff, FieldValue, Fields, Rendered, Rendering, Sent, diff_fields};
use coho_core::json::{self, Json};
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::sync::NullPolicy;
use coho_core::target::ExternalId;

type Failure = Box<dyn Error>;

fn check(path: &Path) -> datatest_stable::Result<()> {
    let case: Json = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let (rendered, sent) = (rendered(&case)?, sent(&case)?);
    let field_diff = diff_fields(&rendered, &sent);
    let again = diff_fields(&rendered, &field_diff.would_send);
    if !again.differences.is_empty() {
        return Err(format!("what was acknowledged is sent again: {:?}", again.differences).into());
    }
    let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sieve"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, show(&field_diff)));
    Ok(())
}

fn members<'a>(case: &'a Json, name: &str) -> Result<Vec<(FieldPath, &'a Json)>, Failure> {
    let members = case[name].as_object().ok_or_else(|| format!("`{name}` is missing"))?;
    Ok(members.iter().map(|(path, json)| (FieldPath::new(path), json)).collect())
}

fn sent(case: &Json) -> Result<Sent, Failure> {
    let members = members(case, "sent")?;
    members.into_iter().map(|(path, json)| Ok((path, json::from_serde(json.clone())?))).collect()
}

fn rendered(case: &Json) -> Result<Rendered, Failure> {
    let members = members(case, "rendered")?;
    let fields = members.into_iter().map(|(path, json)| Ok((path, rendering(json)?)));
    Ok(Rendered {
        target: ExternalId::parse("acme")?,
        fields: fields.collect::<Result<_, Failure>>()?,
        absent_traits: case.get("absent_traits").map(policy).transpose()?,
        associations: coho_core::sync::Associations::Add,
    })
}

fn policy(json: &Json) -> Result<NullPolicy, Failure> {
    let known = NullPolicy::ALL.into_iter().find(|policy| Some(policy.name()) == json.as_str());
    known.ok_or_else(|| format!("no null policy: {json}").into())
}

fn rendering(json: &Json) -> Result<Rendering, Failure> {
    let only = json.as_object().and_then(|members| members.iter().next());
    if let Some((name, what)) = only {
        if name == "null" {
            return Ok(Rendering::Null(policy(what)?));
        }
        if let Some(object) = Object::parse(name) {
            return Ok(Rendering::Set(reference(object, what)?));
        }
    }
    Ok(Rendering::Set(FieldValue::Value(json::from_serde(json.clone())?)))
}

fn reference(object: Object, what: &Json) -> Result<FieldValue, Failure> {
    let id = |json: &Json| -> Result<ExternalId, Failure> {
        Ok(ExternalId::parse(json.as_str().ok_or("an external id is text")?)?)
    };
    Ok(match what.as_array() {
        None => FieldValue::Reference(object, id(what)?),
        Some(ids) => {
            FieldValue::References(object, ids.iter().map(id).collect::<Result<BTreeSet<_>, Failure>>()?)
        }
    })
}

fn show(field_diff: &FieldDiff) -> String {
    let differences = field_diff.differences.iter().map(|difference| {
        let before = difference.before.as_ref().map_or("-".to_owned(), ToString::to_string);
        (difference.path.to_string(), format!("{before} → {}", difference.after))
    });
    let created = created_with(&field_diff.complete);
    let remembered = field_diff.would_send.iter().map(|(path, value)| (path.to_string(), value.to_string()));
    [
        section("an update sends", &differences.collect::<Vec<_>>()),
        section("a new record is created with", &created),
        section("what is remembered", &remembered.collect::<Vec<_>>()),
    ]
    .join("\n")
}

fn created_with(fields: &Fields) -> Vec<(String, String)> {
    let shown = |value: &FieldValue| match value {
        FieldValue::Value(value) => value.to_string(),
        FieldValue::Reference(object, _)
        | FieldValue::References(object, _)
        | FieldValue::Id(object, _)
        | FieldValue::Ids(object, _) => {
            format!("{object} {}", value.to_value())
        }
    };
    fields.iter().map(|(path, value)| (path.to_string(), shown(value))).collect()
}

fn section(title: &str, lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(path, _)| path.chars().count()).max().unwrap_or_default();
    let lines = lines.iter().map(|(path, value)| format!("  {path:width$}  {value}\n"));
    let lines: String = lines.collect();
    format!("{title}:\n{}", if lines.is_empty() { "  nothing\n" } else { &lines })
}

datatest_stable::harness! { { test = check, root = "fixtures/sieve", pattern = r"\.json$" } }
