//! Table names as a model writes them: `customers`, `sales.customers`, `"Odd.Schema".customers`.

use coho_core::code::Code;
use coho_core::failure::Failure;

/// A model's `table:` that is not a table name.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a table name")]
pub struct TableName {
    /// The name as the model has it.
    pub name: String,
}

impl Failure for TableName {
    fn code(&self) -> Code {
        Code::WRONG_VALUE
    }

    fn help(&self) -> Option<String> {
        Some("write `table` or `schema.table`, exactly as the source spells it".to_owned())
    }
}

/// The query that reads the whole table. Each part of the name is quoted: it is exact, capitals included.
pub(crate) fn select_all(name: &str) -> Result<String, TableName> {
    select_all_by(name, quote)
}

/// The same, where names are quoted in this way.
pub(crate) fn select_all_by(name: &str, quote: fn(&str) -> String) -> Result<String, TableName> {
    let parts = split(name, 2)?;
    let quoted: Vec<String> = parts.iter().map(|part| quote(part)).collect();
    Ok(format!("SELECT * FROM {}", quoted.join(".")))
}

/// The parts of a name, at most so many.
pub(crate) fn split(name: &str, most: usize) -> Result<Vec<String>, TableName> {
    let parts = parts(name).filter(|parts| parts.len() <= most);
    parts.ok_or_else(|| TableName { name: coho_core::value::preview(name) })
}

/// An identifier that stands for exactly this name.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An identifier as a person would write it: quoted only where it must be.
pub(crate) fn identifier(name: &str) -> String {
    let start = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if start && plain { name.to_owned() } else { quote(name) }
}

/// The parts, none of them empty.
fn parts(name: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut letters = name.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        let part = parts.last_mut()?;
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => part.extend(letters.next()),
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            '\0' => return None,
            _ => part.push(letter),
        }
    }
    let whole = !quoted && parts.iter().all(|part| !part.is_empty());
    whole.then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_quoted() {
        let sql = |name: &str| select_all(name).ok();
        assert_eq!(sql("customers"), Some(r#"SELECT * FROM "customers""#.to_owned()));
        assert_eq!(sql("Sales.all customers"), Some(r#"SELECT * FROM "Sales"."all customers""#.to_owned()));
        assert_eq!(sql(r#""a.b"."c""d""#), Some(r#"SELECT * FROM "a.b"."c""d""#.to_owned()));
        assert_eq!(sql(r#"x" ; DROP TABLE y; --"#), None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for wrong in ["", ".", "a.", "a.b.c", "\"a", "a\0"] {
            assert!(select_all(wrong).is_err(), "{wrong:?}");
        }
    }
}
