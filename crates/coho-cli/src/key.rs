//! A primary key as it is typed: as reports show it, or for a key of several columns, the values with commas between.

use coho_core::json::Json;
use coho_core::key::Key;
use coho_core::sync::Sync;
use coho_core::value::preview;
use coho_project::Project;

use crate::exit::Known;

/// The key that was typed for these syncs. Where they have keys of different columns, it is taken as it is.
pub(crate) fn typed(text: Option<&str>, project: &Project, syncs: &[&Sync]) -> Result<Option<Key>, Known> {
    let Some(text) = text else { return Ok(None) };
    let of = |sync: &&Sync| project.model(&sync.model).map(|model| model.key.as_slice());
    let mut keys: Vec<&[String]> = syncs.iter().filter_map(of).collect();
    keys.dedup();
    match keys.as_slice() {
        [columns] => of_columns(text, columns).map(Some),
        _ => Ok(Some(Key::new(text))),
    }
}

fn of_columns(text: &str, columns: &[String]) -> Result<Key, Known> {
    let Some(parts) = parts(text).filter(|_| columns.len() > 1) else { return Ok(Key::new(text)) };
    if parts.len() == columns.len() {
        return Ok(Key::new(Json::from(parts).to_string()));
    }
    let example: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
    Err(Known {
        message: format!(
            "the primary key is {} ({} columns), but `{}` has {}",
            columns.join(", "),
            columns.len(),
            preview(text),
            if parts.len() == 1 { "one value".to_owned() } else { format!("{} values", parts.len()) }
        ),
        help: Some(format!(
            "write --key {}; if a value contains a comma, write a list: --key '{}'",
            example.join(","),
            Json::from(example.clone())
        )),
        code: coho_report::exit::USAGE,
        source: None,
    })
}

/// The values of a JSON list, or those between commas.
fn parts(text: &str) -> Option<Vec<String>> {
    let Ok(Json::Array(items)) = serde_json::from_str(text) else {
        return Some(text.split(',').map(|part| part.trim().to_owned()).collect());
    };
    let part = |item: Json| match item {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    items.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, columns: &[&str]) -> Result<String, String> {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        of_columns(text, &columns).map(|key| key.to_string()).map_err(|known| known.to_string())
    }

    #[test]
    fn a_key_of_several_columns_is_typed_in_two_forms() {
        let canonical = Ok(r#"["acme","7"]"#.to_owned());
        for text in ["acme,7", "acme, 7", r#"["acme","7"]"#, r#"["acme", 7]"#] {
            assert_eq!(key(text, &["account", "line"]), canonical, "{text}");
        }
    }

    #[test]
    fn a_key_of_one_column_is_taken_as_it_is() {
        for text in ["acme,7", r#"["acme"]"#, "7"] {
            assert_eq!(key(text, &["id"]), Ok(text.to_owned()));
        }
    }

    #[test]
    fn a_key_with_too_few_values_says_how_to_write_it() {
        let message = "the primary key is account, line (2 columns), but `acme` has one value";
        assert_eq!(key("acme", &["account", "line"]), Err(message.to_owned()));
    }
}
