//! Problems: what is wrong with a file, a mapping or a row, as a value.

use std::fmt;

use crate::code::Code;
use crate::path::FieldPath;
use crate::place::Place;

/// One thing that is wrong, where, and what helps.
///
/// Messages are lower-case fragments. They contain a value only as a bounded preview, and never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The place in the project's files.
    pub place: Option<Place>,
    /// Which field of the record.
    pub field: Option<FieldPath>,
}

impl Problem {
    /// A problem with a message only.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, place: None, field: None }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with its place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// The same, with the field that it concerns.
    #[must_use]
    pub fn field(mut self, field: &FieldPath) -> Self {
        self.field = Some(field.clone());
        self
    }
}

/// `email: cannot read "x" as a number [cast-failed]`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{} [{}]", self.message, self.code)
    }
}

/// The candidate nearest to a mistyped name, for "did you mean".
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let limit = 1 + wanted.chars().count() / 4;
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of single-character edits, where swapping two neighbours is one edit.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before = vec![0; right.len() + 1];
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut next = vec![i + 1; right.len() + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (row[j + 1] + 1).min(next[j] + 1).min(row[j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            next[j + 1] = best;
        }
        before = std::mem::replace(&mut row, next);
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_finds_its_neighbour() {
        let known = ["externalId", "name", "email", "accountIds"];
        assert_eq!(nearest("emial", known), Some("email"));
        assert_eq!(nearest("external_id", known), Some("externalId"));
        assert_eq!(nearest("wholly different", known), None);
    }
}
