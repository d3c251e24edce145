//! Names that an object has twice. JSON's readers keep the last of them, or the first, and say nothing.

use std::borrow::Cow;

/// The first name that an object in this text has twice. The text is JSON.
pub(super) fn doubled(text: &str) -> Option<String> {
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    // Where the names of each open object begin; a list has none.
    let mut open = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => open.push(names.len()),
            b'}' | b']' => {
                let first = open.pop().unwrap_or(0);
                if let Some(name) = twice(names.get_mut(first..).unwrap_or_default()) {
                    return Some(name);
                }
                names.truncate(first);
            }
            b'"' => {
                let end = end(bytes, at + 1);
                if is_name(bytes, end) {
                    names.push(unescaped(text.get(at..end).unwrap_or_default()));
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// What follows a text that begins here, behind its quote.
fn end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether a colon follows.
fn is_name(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// A text with its quotes, as what it says.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\') {
        serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned)
    } else {
        Cow::Borrowed(quoted.trim_matches('"'))
    }
}

fn twice(names: &mut [Cow<'_, str>]) -> Option<String> {
    names.sort_unstable();
    let pair = names.windows(2).find(|pair| pair.first() == pair.last())?;
    pair.first().map(|name| name.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_at_any_depth() {
        assert_eq!(doubled(r#"{"a":1,"b":2,"a":3}"#).as_deref(), Some("a"));
        assert_eq!(doubled(r#"{"x":[{"y":{"b":1, "b" :2}}]}"#).as_deref(), Some("b"));
        assert_eq!(doubled(r#"{"é":1,"\u00e9":2}"#).as_deref(), Some("é"));
        assert_eq!(doubled(r#"{"a\"":1,"a\"":2}"#).as_deref(), Some("a\""));
        assert_eq!(doubled(r#"{"":1,"":2}"#).as_deref(), Some(""));
    }

    #[test]
    fn other_objects_and_values_may_have_it_too() {
        for text in
            [r#"[{"a":1},{"a":2}]"#, r#"{"a":{"a":"a"},"b":["a","a"]}"#, r#"{"a":"\"a\":","b":"{"}"#, "1", ""]
        {
            assert_eq!(doubled(text), None, "{text}");
        }
    }
}
