//! A problem as a person reads it: place, message, the line itself with a mark under it, and what helps.

use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::{terminal, words};

use crate::file::{File, FileText, Kind, kind};
use crate::lines::lines;
use crate::secrets::words::{is_address_key, is_secret_key, is_token_like};

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
/// Secrets that are written out in the line are masked, and what a terminal would obey is shown as `\u{1b}`.
pub fn excerpt(problem: &Problem, files: &[File]) -> String {
    let place = problem.place.as_ref();
    let at = place.map(|place| format!("{place}: ")).unwrap_or_default();
    let quoted = place.and_then(|place| Some(quoted(place, &line(place, files)?))).unwrap_or_default();
    let help = problem.help.as_ref().map(|help| words::help(help) + "\n").unwrap_or_default();
    terminal::escape_lines(&format!("{at}{problem}\n{quoted}{help}")).into_owned()
}

fn line(place: &Place, files: &[File]) -> Option<String> {
    let file = files.iter().find(|file| *file.path == *place.file)?;
    let FileText::Utf8(text) = &file.text else { return None };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let number = place.line.checked_sub(1)? as usize;
    let is_yaml = !matches!(kind(&place.file), Some(Kind::SqlModel | Kind::Snippet));
    let line = if is_yaml { lines(text).nth(number)? } else { text.lines().nth(number)? };
    let line = match &*place.file {
        "coho.yaml" if is_below_secret(text, number) => starred(line),
        "coho.yaml" => masked(line, Values::Secret),
        path if kind(path) == Some(Kind::SqlModel) => line.to_owned(),
        _ => masked(line, Values::MayBeColumns),
    };
    // One character for one, so that the mark stays where it belongs.
    let shown = |letter: char| if terminal::is_obeyed(letter) { '\u{fffd}' } else { letter };
    Some(line.replace('\t', " ").chars().take(WIDEST).map(shown).collect())
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

/// What stands under keys that are called after secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// Secrets.
    Secret,
    /// In models, syncs and tests: names of columns too.
    MayBeColumns,
}

/// Whether a line is below the key of a secret, so that it has its value or a part of it.
fn is_below_secret(text: &str, number: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = lines(text).take(number + 1).filter(|line| !line.trim().is_empty()).collect();
    let Some((line, before)) = lines.split_last() else { return false };
    let mut outer = indent(line);
    for above in before.iter().rev() {
        // A list may stand as far out as its key.
        let holds = indent(above) < outer || (indent(above) == outer && line.trim_start().starts_with("- "));
        if holds && begins_secret(above) {
            return true;
        }
        outer = outer.min(indent(above));
    }
    before.last().is_some_and(|above| begins_secret(above) && ends_open(above))
}

/// Whether the last key of a line is that of a secret.
fn begins_secret(line: &str) -> bool {
    line.rsplit_once(": ")
        .map_or_else(|| line.trim_end().strip_suffix(':'), |(key, _)| Some(key))
        .is_some_and(is_secret)
}

/// Whether the value of a line's last key stands on the next line.
fn ends_open(line: &str) -> bool {
    line.rsplit_once(':')
        .is_some_and(|(_, value)| matches!(value.trim().chars().next(), None | Some('|' | '>' | '[')))
}

fn starred(line: &str) -> String {
    line.chars().map(|c| if c.is_whitespace() { c } else { '*' }).collect()
}

/// Whether a text ends with the key of a secret, or with what somebody mistyped for one.
fn is_secret(text: &str) -> bool {
    is_secret_key(last_word(text))
}

/// Whether a text ends with the key of an address at which everybody may know Vitally to be.
fn is_address(text: &str) -> bool {
    is_address_key(last_word(text))
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches(['"', '\'', ' ']);
    text.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).next().unwrap_or_default()
}

/// The line with `*` in place of secrets, one for each character, so that the mark stays where it belongs.
fn masked(line: &str, values: Values) -> String {
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
        let is_public = is_reference(value)
            || (is_address(before) && !value.contains('@'))
            || (values == Values::MayBeColumns && is_column(value));
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
    let is_name = |name: &str| crate::interpolate::is_variable(name) && !is_token_like(name);
    bare.starts_with("file:") || whole.is_some_and(is_name)
}

/// Whether a value may be the name of a column, a list or a template: without a digit, as few tokens are.
fn is_column(value: &str) -> bool {
    let is_template = value.contains("{{") || value.contains("{%");
    is_template || !value.contains(|c: char| c.is_ascii_digit() || c == '@') || value.starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carriage_return_ends_a_line_of_yaml() {
        let text = "project: acme\rdestinations:\r  sandbox: { region: uk }\rsources: {}\r";
        let files = [File::text("coho.yaml", text)];
        let problems = crate::load(&files, &|_| None, None).unwrap_err();
        let shown: String = problems.iter().map(|problem| excerpt(problem, &files)).collect();
        assert!(shown.contains("coho.yaml:3:"), "{shown}");
        assert!(shown.contains("  3 |   sandbox: { region: uk }\n"), "{shown}");
    }

    #[test]
    fn a_secret_on_the_next_lines_is_masked() {
        assert!(is_below_secret("rest_token:\n  sk_live_1\n", 1));
        assert!(is_below_secret("a:\n  rest_token: >-\n\n    sk_live_1\n", 3));
        assert!(is_below_secret("rest_token: sk_live_\n  1\n  2\n", 2));
        assert!(is_below_secret("tokens:\n- sk_live_1\n", 1));
        assert!(!is_below_secret("rate: 9\nregion: us\n", 1));
        assert!(!is_below_secret("rest_token: a\nregion: us\n", 1));
    }

    #[test]
    fn columns_are_shown_and_literals_are_not() {
        assert_eq!(masked("auth: auth_method", Values::MayBeColumns), "auth: auth_method");
        assert_eq!(masked("api_key: sk_live_1", Values::MayBeColumns), "api_key: *********");
        assert_eq!(masked("pass: { column: a1 }", Values::MayBeColumns), "pass: { column: a1 }");
        assert_eq!(masked("primary_key: id1", Values::MayBeColumns), "primary_key: id1");
    }

    #[test]
    fn secrets_are_masked_and_references_are_not() {
        assert_eq!(masked("  rest_token: sk_live_1", Values::Secret), "  rest_token: *********");
        assert_eq!(
            masked("a: { rest_token: \"s,1\", rate: 9 }", Values::Secret),
            "a: { rest_token: *****, rate: 9 }"
        );
        assert_eq!(masked("a: { url: ${URL}, rate: 9 }", Values::Secret), "a: { url: ${URL}, rate: 9 }");
        assert_eq!(masked("url: postgres://u:p@h/${DB}", Values::Secret), "url: **********************");
        assert_eq!(masked("base_url: http://h:1", Values::Secret), "base_url: http://h:1");
        assert_eq!(masked("base_url: http://u@h", Values::Secret), "base_url: **********");
        assert_eq!(masked("rest_tokn: sk_live_1 # mine", Values::Secret), "rest_tokn: ****************");
        assert_eq!(
            masked("a: { rest_token: ${A}b, rate: 9 }", Values::Secret),
            "a: { rest_token: *****, rate: 9 }"
        );
        assert_eq!(masked("rest_token: ${sk_live_1}", Values::Secret), "rest_token: ************");
        for key in ["api_key", "auth", "key", "pass", "token"] {
            assert_eq!(masked(&format!("{key}: s1"), Values::Secret), format!("{key}: **"));
        }
        assert_eq!(masked("type: vitally, rate: 900/min", Values::Secret), "type: vitally, rate: 900/min");
    }
}
