//! Where the content of a scalar begins in its file: behind its quote, or on the line below `|`.

use coho_core::place::Place;

use super::Node;
use crate::lines::lines;

/// The place of a scalar's first character, and how many columns stand before its later lines.
///
/// Escapes in quotes, and lines that YAML folds into one, shift what follows them.
pub(crate) fn begin(node: &Node, text: &str) -> (Place, u32) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let place = node.place.clone();
    let (line, before) = (place.line.saturating_sub(1), place.column.saturating_sub(1));
    let above = (0..line).zip(lines(text)).filter(|(_, line)| !line.trim().is_empty()).last();
    if let Some((header, _)) = above.filter(|(_, above)| opens_block(above)) {
        return (Place { line: header + 2, ..place }, before);
    }
    let first = lines(text).nth(line as usize).and_then(|line| line.chars().nth(before as usize));
    let quote = u32::from(matches!(first, Some('"' | '\'')));
    (Place { column: place.column + quote, ..place }, 0)
}

/// Whether a line ends with `|` or `>`, with what may stand behind it.
fn opens_block(line: &str) -> bool {
    let line = line.split_once(" #").map_or(line, |(line, _)| line).trim_end();
    let header = line.rsplit([' ', ':']).next().unwrap_or_default();
    let bare = header.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    matches!(bare, "|" | ">")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    #[test]
    fn content_begins_behind_what_opens_it() {
        let text = "a: 'x'\nb: y\nc: |\n\n    z\nd: >-\n  z\n";
        let root = parse(&"a.yaml".into(), text, &mut Vec::new()).unwrap();
        let at = |key| {
            let (place, indent) = begin(root.get(key).unwrap(), text);
            (place.line, place.column, indent)
        };
        assert_eq!([at("a"), at("b"), at("c"), at("d")], [(1, 5, 0), (2, 4, 0), (4, 5, 4), (7, 3, 2)]);
    }
}
