//! A problem as a person reads it: place, message, the line itself with a mark under it, and what helps.

use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};

use crate::file::{File, FileText};

/// Keys of `coho.yaml` whose values are not shown, even where they are written out in the file.
const SECRETS: [&str; 3] = ["url", "rest_token", "analytics_token"];

/// The most characters of a line that are shown.
const WIDEST: usize = 160;

/// The text of a problem, several lines that end with a line break.
///
/// ```text
/// syncs/users.yaml:3:9: `mode` cannot be `upsret` [wrong-value]
///   3 | mode: upsret
///     |       ^^^^^^
///   help: did you mean `upsert`?
/// ```
///
/// Secrets that are written out in the line are masked.
pub fn excerpt(problem: &Problem, files: &[File]) -> String {
    let place = problem.place.as_ref();
    let at = place.map(|place| format!("{place}: ")).unwrap_or_default();
    let quoted = place.and_then(|place| Some(quoted(place, &line(place, files)?))).unwrap_or_default();
    let help = problem.help.as_ref().map(|help| format!("  help: {help}\n")).unwrap_or_default();
    format!("{at}{problem}\n{quoted}{help}")
}

fn line(place: &Place, files: &[File]) -> Option<String> {
    let file = files.iter().find(|file| *file.path == *place.file)?;
    let FileText::Utf8(text) = &file.text else { return None };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let number = place.line.checked_sub(1)? as usize;
    let line = text.lines().nth(number)?;
    let line = match &*place.file {
        "coho.yaml" if goes_on(text, number) => starred(line),
        "coho.yaml" => masked(line),
        _ => line.to_owned(),
    };
    Some(line.replace('\t', " ").chars().take(WIDEST).collect())
}

fn quoted(place: &Place, line: &str) -> String {
    let number = place.line.to_string();
    let column = place.column as usize;
    if !(1..=WIDEST).contains(&column) {
        return format!("  {number} | {line}\n");
    }
    let gutter = " ".repeat(number.len());
    let before = " ".repeat(column - 1);
    let mark = "^".repeat((place.length.max(1) as usize).min(WIDEST + 1 - column));
    format!("  {number} | {line}\n  {gutter} | {before}{mark}\n")
}

/// Whether a line has the value of a secret's key that stands alone on the line before.
fn goes_on(text: &str, number: usize) -> bool {
    let before = text.lines().take(number).filter(|line| !line.trim().is_empty()).last();
    before.and_then(|line| line.rsplit_once(':')).is_some_and(|(key, value)| {
        is_secret(key) && matches!(value.trim().chars().next(), None | Some('|' | '>' | '['))
    })
}

fn starred(line: &str) -> String {
    line.chars().map(|c| if c.is_whitespace() { c } else { '*' }).collect()
}

/// Whether a text ends with the key of a secret, or with what somebody mistyped for one.
fn is_secret(text: &str) -> bool {
    let text = text.trim_end_matches(['"', '\'', ' ']);
    let word = text.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).next();
    let word = word.unwrap_or_default().to_ascii_lowercase();
    ["token", "secret", "password", "url"].iter().any(|part| word.contains(part))
        || nearest(&word, SECRETS).is_some()
}

/// Whether a text ends with the key of an address at which everybody may know Vitally to be.
fn is_address(text: &str) -> bool {
    ["base_url", "analytics_url"].iter().any(|key| text.trim_end_matches(['"', '\'']).ends_with(key))
}

/// The line with `*` in place of secrets, one for each character, so that the mark stays where it belongs.
fn masked(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(':') {
        shown.push_str(before);
        shown.push(':');
        rest = after;
        if !is_secret(before) {
            continue;
        }
        let (gap, value) = after.split_at(after.len() - after.trim_start().len());
        let (value, _) = value.split_at(end(value, shown.contains('{')));
        let value = value.trim_end();
        let is_public = is_reference(value) || (is_address(before) && !value.contains('@'));
        shown.push_str(gap);
        shown.push_str(&if is_public { value.to_owned() } else { "*".repeat(value.chars().count()) });
        rest = after.get(gap.len() + value.len()..).unwrap_or_default();
    }
    shown.push_str(rest);
    shown
}

/// Where a value ends: at its closing quote, in `{ … }` at a comma or brace, else with the line.
fn end(value: &str, in_braces: bool) -> usize {
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return value.get(1..).and_then(|inner| inner.find(quote)).map_or(value.len(), |at| at + 2);
    }
    // The brace of a reference does not close what is around it.
    let begin = if value.starts_with("${") { value.find('}').map_or(0, |at| at + 1) } else { 0 };
    let closes = |c: char| in_braces && matches!(c, ',' | '}');
    value.get(begin..).and_then(|rest| rest.find(closes)).map_or(value.len(), |at| at + begin)
}

/// Whether a value is nothing but one reference, with or without quotes.
fn is_reference(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'']).trim();
    let whole = bare.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    bare.starts_with("file:") || whole.is_some_and(crate::interpolate::is_variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_on_the_next_line_is_masked() {
        assert!(goes_on("rest_token:\n  sk_live_1\n", 1));
        assert!(goes_on("a:\n  rest_token: >-\n\n    sk_live_1\n", 3));
        assert!(!goes_on("rate: 9\nregion: us\n", 1));
    }

    #[test]
    fn secrets_are_masked_and_references_are_not() {
        assert_eq!(masked("  rest_token: sk_live_1"), "  rest_token: *********");
        assert_eq!(masked("a: { rest_token: \"s,1\", rate: 9 }"), "a: { rest_token: *****, rate: 9 }");
        assert_eq!(masked("a: { url: ${URL}, rate: 9 }"), "a: { url: ${URL}, rate: 9 }");
        assert_eq!(masked("url: postgres://u:p@h/${DB}"), "url: **********************");
        assert_eq!(masked("base_url: http://h:1"), "base_url: http://h:1");
        assert_eq!(masked("base_url: http://u@h"), "base_url: **********");
        assert_eq!(masked("rest_tokn: sk_live_1 # mine"), "rest_tokn: ****************");
        assert_eq!(masked("a: { rest_token: ${A}b, rate: 9 }"), "a: { rest_token: *****, rate: 9 }");
        assert_eq!(masked("type: vitally, rate: 900/min"), "type: vitally, rate: 900/min");
    }
}
