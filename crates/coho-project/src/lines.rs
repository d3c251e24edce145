//! The lines of a YAML file, as YAML counts them.

use std::iter;

/// The lines of a text. Unlike [`str::lines`], a carriage return without a line feed ends a line too: YAML's parser counts so, and with it the
/// [place](coho_core::place::Place) of each problem in a YAML file.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = rest.split_at(rest.find(['\r', '\n']).unwrap_or(rest.len()));
        let after = after.strip_prefix("\r\n").or_else(|| after.strip_prefix(['\r', '\n']));
        rest = after.unwrap_or_default();
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::yaml::parse;

    #[test]
    fn each_kind_of_line_break_ends_a_line() {
        for (text, expected) in [
            ("", &[][..]),
            ("a", &["a"]),
            ("a\r\nb\rc\nd\n", &["a", "b", "c", "d"]),
            ("a\n\r\n\r\rb", &["a", "", "", "", "b"]),
        ] {
            assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn yaml_counts_them_so() {
        for text in [
            "a: 1\r\rb: 2\r\nc: 3\n\nd: 4\r",
            "a: \"\r\r\"\nb: x\r\n\r\nc: |\r  x\rd: 4\n",
            "a: x\u{85}y\nd: 4",
            "a: x\u{2028}y\rd: 4",
        ] {
            let root = parse(&"a.yaml".into(), text, &mut Vec::new()).unwrap();
            let line = root.get("d").unwrap().place.line as usize;
            assert_eq!(lines(text).nth(line - 1), Some("d: 4"), "{text:?}");
        }
    }
}
