//! Models that were taken over from dbt: their SQL has Jinja in it, which no database reads.

use crate::value::preview;

/// Where SQL has Jinja, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jinja<'a> {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The whole tag: `{{ ref('orders') }}`.
    pub text: &'a str,
}

/// The first Jinja outside of texts, quoted names and comments, where SQL has a meaning for braces of its own.
pub fn find(sql: &str) -> Option<Jinja<'_>> {
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(text) = tag(rest) {
            let before = sql.get(..at).unwrap_or_default();
            let line_start = before.rfind('\n').map_or(0, |end| end + 1);
            let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
            return Some(Jinja { line: before.matches('\n').count() + 1, column, text });
        }
        at += passed_over(rest, at.checked_sub(1).and_then(|last| sql.as_bytes().get(last)).copied());
    }
    None
}

/// What is wrong with SQL that has Jinja, and what to write instead.
pub fn advice(sql: &str) -> Option<String> {
    find(sql).map(|found| format!("{}: {}", found.message(), found.help()))
}

/// The tag that a text begins with.
fn tag(rest: &str) -> Option<&str> {
    let close = match rest.get(..2)? {
        "{{" => "}}",
        "{%" => "%}",
        "{#" => "#}",
        _ => return None,
    };
    let end = rest.find(close).map_or(rest.len(), |end| end + close.len());
    rest.get(..end)
}

/// How many bytes belong together: a text, a quoted name, a comment, or one character.
fn passed_over(rest: &str, last: Option<u8>) -> usize {
    let until = |start: usize, close: &str| {
        let end = rest.get(start..).and_then(|inner| inner.find(close));
        end.map_or(rest.len(), |end| start + end + close.len())
    };
    match rest.as_bytes() {
        [b'\'', ..] if matches!(last, Some(b'e' | b'E')) => escaped(rest),
        [b'\'', ..] => until(1, "'"),
        [b'"', ..] => until(1, "\""),
        [b'-', b'-', ..] => until(2, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        [b'$', ..] => match dollar(rest) {
            Some(quote) => until(quote.len(), quote),
            None => 1,
        },
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// PostgreSQL's `E'it\'s'`.
fn escaped(rest: &str) -> usize {
    let mut skip = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if skip => skip = false,
            '\\' => skip = true,
            '\'' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// PostgreSQL's `$$` or `$name$`.
fn dollar(rest: &str) -> Option<&str> {
    let end = rest.get(1..)?.find('$')? + 1;
    let name = rest.get(1..end)?;
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_name && !name.starts_with(|first: char| first.is_ascii_digit())).then(|| rest.get(..=end))?
}

impl Jinja<'_> {
    /// What is wrong.
    pub fn message(&self) -> String {
        format!("`{}` is dbt syntax, which databases do not understand", preview(self.text))
    }

    /// What to write instead.
    pub fn help(&self) -> String {
        let compiled = "use the SQL that `dbt compile` writes";
        let inner = self.text.trim_start_matches(['{', ' ', '-']);
        if let Some(name) = inner.strip_prefix("ref").and_then(referred) {
            return format!(
                "to read all rows of this dbt model, write `dbt: {name}` instead of SQL, in a YAML file; for a query, {compiled}"
            );
        }
        if inner.starts_with("source") || inner.starts_with("ref") {
            return format!(
                "write the name of the table or view it refers to, `schema.table`, or {compiled}"
            );
        }
        format!("write its value, or {compiled}")
    }
}

/// What `('orders', v=2)` is after `dbt:`; `None` where it is not made of plain texts.
fn referred(arguments: &str) -> Option<String> {
    let (inner, _) = arguments.trim_start().strip_prefix('(')?.split_once(')')?;
    let mut name = Vec::new();
    for argument in inner.split(',').map(str::trim) {
        match argument.split_once('=') {
            Some((key, version)) if matches!(key.trim(), "v" | "version") => {
                name.push(format!("v{}", unquoted(version.trim()).unwrap_or(version.trim())));
            }
            Some(_) => return None,
            None => name.push(unquoted(argument)?.to_owned()),
        }
    }
    let name = name.join(".");
    let is_plain = name.chars().all(|letter| letter.is_alphanumeric() || "_.-".contains(letter));
    is_plain.then_some(name)
}

fn unquoted(text: &str) -> Option<&str> {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inside('\'').or_else(|| inside('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(sql: &str) -> Option<String> {
        find(sql).map(|found| found.help())
    }

    #[test]
    fn a_reference_is_a_model_of_dbt() {
        let named = |sql: &str| {
            let help = help(sql).unwrap();
            help.split('`').nth(1).unwrap().to_owned()
        };
        assert_eq!(named("select * from {{ ref('orders') }} o"), "dbt: orders");
        assert_eq!(named("select * from {{ref(\"shop\", \"orders\")}}"), "dbt: shop.orders");
        assert_eq!(named("select * from {{- ref('orders', v=2) -}}"), "dbt: orders.v2");
        assert_eq!(named("select * from {{ ref('orders', version='1') }}"), "dbt: orders.v1");
        assert_eq!(named("select * from {{ ref(name) }}"), "schema.table");
    }

    #[test]
    fn what_is_dbts_is_named() {
        assert_eq!(
            help("select * from {{ source('raw', 'orders') }}").as_deref(),
            Some(
                "write the name of the table or view it refers to, `schema.table`, or use the SQL that `dbt compile` writes"
            )
        );
        assert!(help("{% if x %} select 1").unwrap().starts_with("write its value,"));
        assert_eq!(
            find("{# note #} select 1").unwrap().message(),
            "`{# note #}` is dbt syntax, which databases do not understand"
        );
    }

    #[test]
    fn the_place_is_that_of_the_tag() {
        let found = find("-- é {{ x }}\nselect 'é', {{ x }}").unwrap();
        assert_eq!((found.line, found.column, found.text), (2, 13, "{{ x }}"));
        assert_eq!(find("select {{ x").unwrap().text, "{{ x");
    }

    #[test]
    fn braces_in_texts_names_and_comments_are_sql() {
        for sql in [
            "select '{{ x }}', '{1,2}'",
            "select 'it''s {{ x }}'",
            r"select E'it\'s {{ x }}'",
            "select \"{{ x }}\"",
            "select 1 -- {{ x }}",
            "select /* {{ x }} */ 1",
            "select $$ {{ x }} $$, $a$ {% x %} $a$",
            "select '{{ never closed",
            "",
        ] {
            assert_eq!(find(sql), None, "{sql}");
        }
        assert!(find("select $1, {{ x }}, $2").is_some());
    }
}
