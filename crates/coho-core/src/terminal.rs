//! Texts from outside, made safe for a terminal and a log: what would be obeyed, or would turn the line around, is shown.
//!
//! [`escape`] is the one function for this; [`crate::value::preview`] and every printer use it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal would obey a character rather than show it: controls, and what changes the direction of a line.
///
/// Line breaks are controls too: who prints several lines splits them first.
pub fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line, with `\u{1b}` in place of an escape character, `\n` in place of a line break, and so on.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, |_| false)
}

/// The same for a text of several lines: line breaks and tabs stay.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_but(text, |letter| matches!(letter, '\n' | '\t'))
}

/// A JSON text whose strings hold nothing raw that a terminal would obey. It means the same.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let is_raw = |letter: char| is_obeyed(letter) && letter != '\n';
    if !json.contains(is_raw) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for letter in json.chars() {
        if is_raw(letter) {
            // All of them lie in the basic plane, so that four digits are enough. A `String` takes any text.
            write!(safe, "\\u{:04x}", u32::from(letter)).unwrap_or_default();
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

fn escape_but(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |letter: char| is_obeyed(letter) && !stays(letter);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            _ if !is_escaped(letter) => safe.push(letter),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            _ => safe.extend(letter.escape_unicode()),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(escape("a\u{1b}[31mb\n\0\u{7f}"), r"a\u{1b}[31mb\n\u{0}\u{7f}");
        assert_eq!(escape("\u{202e}gpj.exe\u{2066}"), r"\u{202e}gpj.exe\u{2066}");
        assert_eq!(escape("Ångström 東京 👩\u{200d}🚀"), "Ångström 東京 👩\u{200d}🚀");
        assert_eq!(escape_lines("a\tb\nc\r\u{9b}"), "a\tb\nc\\r\\u{9b}");
    }

    #[test]
    fn json_stays_the_same_value() {
        let written = "{\n  \"a\": \"\u{7f}\u{202e}\"\n}";
        assert_eq!(escape_json(written), "{\n  \"a\": \"\\u007f\\u202e\"\n}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(written), read(&escape_json(written)));
    }

    proptest! {
        #[test]
        fn nothing_is_left_to_obey(text in any::<String>()) {
            prop_assert!(!escape(&text).contains(is_obeyed));
            prop_assert!(!escape_lines(&text).contains(|c| is_obeyed(c) && c != '\n' && c != '\t'));
            let json = serde_json::Value::from(text).to_string();
            prop_assert!(!escape_json(&json).contains(is_obeyed));
        }
    }
}
