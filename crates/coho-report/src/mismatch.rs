//! One difference between what a test expects and what came, on one line.
//!
//! Values are those of the test itself, so more of them may be shown than of rows that a source gave; but never more than
//! [`LONGEST`] characters, around the place where the two part.

use coho_core::case::{ExpectedProblem, Mismatch};
use coho_core::value::Value;

use crate::words::{clip, tame};

/// The most characters of a value that are shown.
const LONGEST: usize = 120;

/// How many characters before the difference are shown.
const BEFORE: usize = 24;

/// The line, without its end.
pub(crate) fn line(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Field { path, expected, got } => {
            let (expected, got) = (word(expected.as_ref()), word(got.as_ref()));
            let skipped = parting(&expected, &got);
            let shown = |text: &str| shown(text, skipped);
            format!("{}: expected {}, got {}", tame(&path.to_string()), shown(&expected), shown(&got))
        }
        Mismatch::Value { expected, got } => {
            let (expected, got) = (word(Some(expected)), word(Some(got)));
            let skipped = parting(&expected, &got);
            format!("expected {}, got {}", shown(&expected, skipped), shown(&got, skipped))
        }
        Mismatch::Missing(ExpectedProblem { code, field: Some(field) }) => {
            format!("{}: expected the problem {code}, which did not come", tame(&field.to_string()))
        }
        Mismatch::Missing(ExpectedProblem { code, field: None }) => {
            format!("expected the problem {code}, which did not come")
        }
        Mismatch::Unexpected(problem) => format!("got a problem: {}", tame(&problem.to_string())),
    }
}

fn word(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| tame(&value.to_string()))
}

/// How many characters at the beginning of both are left out: none of texts that are short.
fn parting(one: &str, other: &str) -> usize {
    let longest = one.chars().count().max(other.chars().count());
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    if longest <= LONGEST { 0 } else { same.saturating_sub(BEFORE) }
}

fn shown(text: &str, skipped: usize) -> String {
    match skipped {
        0 => clip(text, LONGEST),
        _ => format!("…{}", clip(&text.chars().skip(skipped).collect::<String>(), LONGEST)),
    }
}

#[cfg(test)]
mod tests {
    use coho_core::path::FieldPath;

    use super::*;

    #[test]
    fn a_difference_late_in_a_long_text_is_shown() {
        let text = |end: &str| Some(Value::text("x".repeat(200) + end));
        let path = FieldPath::new("name");
        let line = line(&Mismatch::Field { path, expected: text("a"), got: text("b") });
        let same = "x".repeat(24);
        assert_eq!(line, format!("name: expected …{same}a\", got …{same}b\""));
    }

    #[test]
    fn what_is_absent_is_nothing() {
        let path = FieldPath::new("email");
        let line = line(&Mismatch::Field { path, expected: None, got: Some(Value::Null) });
        assert_eq!(line, "email: expected nothing, got null");
    }
}
