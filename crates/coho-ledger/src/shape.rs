//! Shapes: what thousands of JSON texts have in common is kept once, and of each text only its values.
//!
//! The outline of a text is the text with a mark in the place of each value, such as `{"name":▪,"traits":{"seats":▪}}`. Outlines
//! are rows of the table `shapes`; a row that has one keeps its number and the values, one after the other. A text comes back
//! byte by byte, whatever it holds: values are pieces of it, copied as they stand, and what is put together is never parsed.
//! What has no outline of use (a list, a long text, a character that no JSON has) is kept as it is, or compressed: [`crate::pack`].
//!
//! A text of its own begins with [`PACKED`], then the number of its shape; each value ends with [`END`], and one that is not
//! a text in quotes begins with [`BARE`], or is one of [`WORDS`]. JSON has none of these characters, so nothing can be taken for another. The texts of
//! a call share one shape and one list of values: its key, those of its row's status, and its own.
//!
//! [`scan`] takes texts apart, [`known`] knows the shapes while a ledger is written, [`unused`] takes those away that no text has
//! any more, `fill` puts texts together. The
//! views of the schema do the last in SQL, so that anybody reads them without Coho.

pub(crate) mod scan;
pub(crate) mod known;
pub(crate) mod unused;

/// How a text begins that is kept as its shape and its values.
pub(crate) const PACKED: char = '\u{1c}';

/// The end of a shape's number, and of each value; in an outline, the beginning of a value's place.
pub(crate) const END: char = '\u{1f}';

/// How a value begins that has no quotes: a number, `true`, `null`, a list.
pub(crate) const BARE: char = '\u{1e}';

/// Values without quotes that are one character each.
pub(crate) const WORDS: [(char, &str); 3] = [('\u{18}', "true"), ('\u{19}', "false"), ('\u{1a}', "null")];

/// The place of the first value in an outline is [`END`] with this character, that of the second the next one, and so on.
const FIRST_PLACE: u32 = 256;

/// The outline of a text of its own, and what follows it, as an expression of SQL: the text of a column, put together. `shapes` is
/// the table's name where it is read.
pub(crate) fn opened_in(shapes: &str, column: &str) -> String {
    // A number begins behind the mark only; in a text that is kept as it is, the cast finds none and gives 0, which is no shape's.
    format!(
        "filled({column}, (SELECT shapes.text FROM {shapes} AS shapes WHERE shapes.id = CAST(substr({column}, 2, 10) AS INTEGER)))"
    )
}

/// The same where the ledger is the only file, or no other has such a table.
pub(crate) fn opened(column: &str) -> String {
    opened_in("shapes", column)
}

/// A text of its own as it was, where its outline is at hand. `None` where it should be, and is not.
pub(crate) fn filled(text: String, outline: Option<&str>) -> Option<String> {
    if text.starts_with(PACKED) { fill(outline?, &values_of(&text)) } else { Some(text) }
}

/// The values of a text that is kept as its shape and its values; none of any other text.
pub(crate) fn values_of(text: &str) -> Vec<&str> {
    let packed = text.strip_prefix(PACKED).and_then(|rest| rest.split_once(END));
    packed.map_or_else(Vec::new, |(_, values)| values.split_terminator(END).collect())
}

/// An outline with values in their places. `None` where it has places for more than there are.
pub(crate) fn fill(outline: &str, values: &[&str]) -> Option<String> {
    let mut pieces = outline.split(END);
    let first = pieces.next()?;
    let mut text =
        String::with_capacity(outline.len() + values.iter().map(|value| value.len() + 2).sum::<usize>());
    text.push_str(first);
    for piece in pieces {
        let place = piece.chars().next()?;
        let value = values.get(place_number(place)?)?;
        push_value(&mut text, value);
        text.push_str(piece.get(place.len_utf8()..)?);
    }
    Some(text)
}

/// Appends a value as it stood in its text.
fn push_value(text: &mut String, value: &str) {
    let word = WORDS.iter().find(|(word, _)| value.starts_with(*word)).map(|(_, text)| *text);
    if let Some(bare) = word.or_else(|| value.strip_prefix(BARE)) {
        text.push_str(bare);
    } else {
        text.push('"');
        text.push_str(value);
        text.push('"');
    }
}

fn place_number(place: char) -> Option<usize> {
    usize::try_from(u32::from(place).checked_sub(FIRST_PLACE)?).ok()
}

fn place_of(number: usize) -> Option<char> {
    char::from_u32(FIRST_PLACE + u32::try_from(number).ok()?)
}

#[cfg(test)]
mod tests;
