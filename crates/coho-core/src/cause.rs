//! Causes: what many failures have in common. Two rows fail of one cause where code and message are the same, but for what is
//! different in each row: numbers, ids, quoted values. The ledger groups by it, so pages and the command line do too.

use std::fmt;

use crate::code::Code;

/// The most characters of a cause's message.
const LONGEST: usize = 200;

/// What stands for a value.
const VALUE: char = '…';

/// What stands for a number.
const NUMBER: char = '#';

/// Why a row failed, without what is the row's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// The code; absent where there is none.
    pub code: Option<Code>,
    /// The message with placeholders; empty where there is none.
    pub message: String,
}

impl Cause {
    /// The cause of a failure.
    ///
    /// ```
    /// use coho_core::cause::Cause;
    /// use coho_core::code::Code;
    ///
    /// let of = |text| Cause::of(Some(Code::CAST_FAILED), Some(text));
    /// let many = of("traits.seats: cannot read \"many\" as a number");
    /// assert_eq!(many.message, "traits.seats: cannot read \"…\" as a number");
    /// assert_eq!(many, of("traits.seats: cannot read \"none\" as a number"));
    /// ```
    pub fn of(code: Option<Code>, message: Option<&str>) -> Self {
        let message = without_code(code, message.unwrap_or_default());
        let message = if code == Some(Code::REFERENCE_MISSING) {
            bounded(without_target(message))
        } else {
            bounded(normalise(message))
        };
        Self { code, message }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.message.as_str()) {
            (Some(code), "") => write!(f, "{code}"),
            (Some(code), message) => write!(f, "{code}: {message}"),
            (None, message) => f.write_str(message),
        }
    }
}

/// Problems of rows end with their code in brackets, which is told apart here.
fn without_code(code: Option<Code>, message: &str) -> &str {
    let without = |code: Code| message.strip_suffix(']')?.strip_suffix(code.as_str())?.strip_suffix(" [");
    code.and_then(without).unwrap_or(message)
}

/// `account acme is not in Vitally yet`: an id may look like any word, so what stands between is the id.
fn without_target(message: &str) -> String {
    let parts = message.split_once(' ').and_then(|(object, rest)| {
        let (_, end) = rest.rsplit_once(" is ")?;
        Some((object, end))
    });
    parts.map_or_else(|| normalise(message), |(object, end)| format!("{object} {VALUE} is {end}"))
}

/// A message with placeholders: `…` for a quoted value, for a word that holds a digit or an `@`, and for an object or a list
/// as JSON, `#` for a number. The path with which a message begins stays, and so do names in backticks or single quotes. What
/// is normalised already stays as it is.
pub fn normalise(message: &str) -> String {
    let mut rest = message.trim();
    let mut shown = String::with_capacity(rest.len());
    if let Some(place) = place(rest) {
        shown.push_str(&numbers(place));
        rest = after(rest, place.len());
    }
    while let Some(first) = rest.chars().next() {
        let length = piece(rest, first, &mut shown);
        rest = after(rest, length);
    }
    joined(shown)
}

/// Adds what stands for the next piece of a message. Gives how many bytes that has.
fn piece(rest: &str, first: char, shown: &mut String) -> usize {
    match first {
        '"' => quoted(rest, first, |_| false, shown),
        '\'' | '`' if !shown.ends_with(char::is_alphanumeric) => quoted(rest, first, is_name, shown),
        '{' | '[' => bracketed(rest, shown),
        first if is_of_word(first) => {
            let word = word(rest);
            of_word(word, shown);
            word.len()
        }
        other => {
            shown.push(other);
            other.len_utf8()
        }
    }
}

/// A quoted text, up to its end or the message's: names stay.
fn quoted(rest: &str, quote: char, stays: impl Fn(&str) -> bool, shown: &mut String) -> usize {
    let (text, length) = within(rest, quote);
    shown.push(quote);
    if stays(text) {
        shown.push_str(text);
    } else {
        shown.push(VALUE);
    }
    shown.push(quote);
    length
}

/// What stands between quotes, and how many bytes it has with them.
fn within(rest: &str, quote: char) -> (&str, usize) {
    let inner = after(rest, quote.len_utf8());
    let text = inner.get(..closing(inner, quote)).unwrap_or(inner);
    (text, (quote.len_utf8() * 2 + text.len()).min(rest.len()))
}

/// Where a quoted text ends: at a quote that is not escaped.
fn closing(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at,
            _ => {}
        }
    }
    inner.len()
}

/// An object or a list, up to the bracket that closes it or the message's end. A code in brackets stays.
fn bracketed(rest: &str, shown: &mut String) -> usize {
    let (mut depth, mut inner) = (0_usize, rest);
    while let Some(c) = inner.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            '"' => length = within(inner, '"').1,
            _ => {}
        }
        inner = after(inner, length);
        if depth == 0 {
            break;
        }
    }
    let length = rest.len() - inner.len();
    let text = rest.get(..length).unwrap_or(rest);
    let code = text.trim_start_matches('[').trim_end_matches(']');
    if Code::parse(code).is_some() {
        shown.push_str(text);
    } else {
        shown.push(VALUE);
    }
    length
}

/// The path at the beginning: `traits.q1: …`, `/traits/q1 must be …`.
fn place(message: &str) -> Option<&str> {
    let end = message.find([' ', ':']).unwrap_or(message.len());
    let place = message.get(..end)?;
    let is_path = |path: &str| path.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
    let named = message.get(end..)?.starts_with(": ") && place.starts_with(char::is_alphabetic);
    (is_path(place) && (named || place.starts_with('/'))).then_some(place)
}

/// A path with placeholders for the places in lists.
fn numbers(place: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = place.split('/').map(|part| if is_number(part) { "#" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "_-@#+%…".contains(c)
}

/// A word, with the marks that hold it together: `acc-7`, `2026-11-27T10:00:00Z`, `1,000.50`, `ada@acme.test`.
fn word(rest: &str) -> &str {
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        if is_of_word(c) {
            end = at + c.len_utf8();
        } else if !".,:/".contains(c) || at > end {
            break;
        }
    }
    rest.get(..end).unwrap_or(rest)
}

fn of_word(word: &str, shown: &mut String) {
    let status = shown.ends_with("answered ") && word.len() == 3;
    if !word.contains(|c: char| c.is_ascii_digit() || c == '@')
        || (status && word.bytes().all(|b| b.is_ascii_digit()))
    {
        shown.push_str(word);
        return;
    }
    let of_number = |c: char| c.is_ascii_digit() || "+-.,:/%TZe#".contains(c);
    shown.push(if word.chars().all(of_number) { NUMBER } else { VALUE });
}

/// Whether a quoted text is a name rather than a value.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphabetic() || "_.".contains(c))
}

/// Placeholders that follow each other as a list are one.
fn joined(text: String) -> String {
    let mut joined = text;
    for (many, one) in [("…, …", "…"), ("#, #", "#"), ("\"…\", \"…\"", "\"…\""), ("`…`, `…`", "`…`")]
    {
        while joined.contains(many) {
            joined = joined.replace(many, one);
        }
    }
    joined
}

fn after(text: &str, bytes: usize) -> &str {
    text.get(bytes..).unwrap_or_default()
}

fn bounded(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push(VALUE);
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_the_rows_own_has_a_placeholder() {
        for (message, expected) in [
            (
                "traits.seats: cannot read \"many\" as a number [cast-failed]",
                "traits.seats: cannot read \"…\" as a number [cast-failed]",
            ),
            ("traits.q1: expected text, found number: 12.50", "traits.q1: expected text, found number: #"),
            ("/traits/0/name must be string", "/traits/#/name must be string"),
            (
                "validation failed: must have required property 'name'",
                "validation failed: must have required property 'name'",
            ),
            ("no account with id 5f1c2e9a-1111-4222-8333-444455556666", "no account with id …"),
            ("ada@acme.test is taken", "… is taken"),
            ("message id `m-6` is also that of another row", "message id `…` is also that of another row"),
            ("the model has no column `seats`", "the model has no column `seats`"),
            (
                "traits.a: accounts cannot hold this list: [\"a\",{\"b\":\"]\"}]",
                "traits.a: accounts cannot hold this list: …",
            ),
            ("Vitally answered 503: Service Unavailable", "Vitally answered 503: Service Unavailable"),
            ("used at 2026-11-27T10:00:00Z by 1,000 rows", "used at # by # rows"),
            ("accounts a-1, a-2, a-3 are unknown", "accounts … are unknown"),
            ("it can't be 'it\\'s'", "it can't be '…'"),
            ("an open \"quote", "an open \"…\""),
        ] {
            assert_eq!(normalise(message), expected);
        }
    }

    #[test]
    fn a_missing_record_is_one_cause_whatever_its_id_looks_like() {
        let of = |id: &str| {
            let message = format!("account {id} is not in Vitally yet");
            Cause::of(Some(Code::REFERENCE_MISSING), Some(&message)).message
        };
        assert_eq!(of("acme"), "account … is not in Vitally yet");
        assert_eq!(of("acme is mine"), of("acme"));
    }

    #[test]
    fn the_code_at_a_messages_end_is_not_told_twice() {
        let of = |message| Cause::of(Some(Code::CAST_FAILED), Some(message)).message;
        assert_eq!(of("seats: the value is null [cast-failed]"), "seats: the value is null");
        assert_eq!(of("seats: the value is null [null-key]"), "seats: the value is null [null-key]");
    }

    #[test]
    fn a_long_message_is_bounded() {
        let long = "word ".repeat(100);
        assert_eq!(Cause::of(None, Some(&long)).message.chars().count(), LONGEST + 1);
    }

    proptest! {
        #[test]
        fn what_is_normalised_stays_as_it_is(message in "[a-z0-9 .,:/'\"`@{}\\[\\]#…-]{0,60}") {
            let once = normalise(&message);
            prop_assert_eq!(normalise(&once), once.clone());
        }

        #[test]
        fn any_number_is_the_same_number(n in any::<u64>(), m in any::<u64>()) {
            let of = |n: u64| normalise(&format!("seats: {n} is more than the plan allows"));
            prop_assert_eq!(of(n), of(m));
        }
    }
}
