//! Types that were found out from a file's values, and what changed since they were remembered.
//!
//! A single odd value makes another type of a whole column, and so another value of every row: `9` becomes `"9"`. Whoever
//! remembers the types of the last reading can see that before anything is sent.

use coho_core::place::Place;
use coho_core::row::ColumnType;

/// A column whose type was found out from its values. One without any value but null is not among these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inferred {
    /// The column.
    pub column: String,
    /// Its type: the narrowest that fits all its values.
    pub kind: ColumnType,
    /// The first value that is not of a type, for each type that the column could have had.
    pub misfits: Vec<Misfit>,
}

/// The first value of a column that is not of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The type.
    pub kind: ColumnType,
    /// The file, and the line where the value's record starts.
    pub place: Place,
    /// The start of the value.
    pub preview: String,
}

/// A column whose type is another one than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeChange {
    /// The column.
    pub column: String,
    /// The type that it had.
    pub was: ColumnType,
    /// The type that it has.
    pub is: ColumnType,
    /// The first value that is not of the type that it had; `None` where all are, so that a narrower one fits them now.
    pub cause: Option<Misfit>,
}

/// The columns whose types changed. Integers among decimals are no change: both are sent as the same numbers.
pub fn compare<'a>(
    remembered: impl IntoIterator<Item = (&'a str, ColumnType)>,
    inferred: &[Inferred],
) -> Vec<TypeChange> {
    let change = |(name, was): (&str, ColumnType)| {
        let now = inferred.iter().find(|now| now.column == name)?;
        (!is_sent_alike(was, now.kind)).then(|| TypeChange {
            column: name.to_owned(),
            was,
            is: now.kind,
            cause: now.misfits.iter().find(|misfit| misfit.kind == was).cloned(),
        })
    };
    remembered.into_iter().filter_map(change).collect()
}

/// Whether values of both types are sent in the same form.
fn is_sent_alike(one: ColumnType, other: ColumnType) -> bool {
    let number = |kind| matches!(kind, ColumnType::Int | ColumnType::Decimal);
    one == other || (number(one) && number(other))
}

impl TypeChange {
    /// What happened, in a sentence.
    pub fn message(&self) -> String {
        let (column, was, is) = (&self.column, self.was.name(), self.is.name());
        let why = match &self.cause {
            Some(Misfit { place, preview, .. }) => format!("since {place} has `{preview}`"),
            None => format!("since all its values fit {is} now"),
        };
        format!("column `{column}` was {was} and would now be {is} in every row, {why}")
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        let (column, was, is) = (&self.column, self.was.name(), self.is.name());
        let kept = match &self.cause {
            Some(_) => "fix that value, and",
            None => "to keep the old type,",
        };
        // Mixed is what is inferred of many types; nobody can ask for it.
        let accept = if self.is == ColumnType::Mixed { "text" } else { is };
        if self.was == ColumnType::Mixed {
            return format!("if this is intended, write `types: {{ {column}: {accept} }}` in the model");
        }
        format!(
            "{kept} write `types: {{ {column}: {was} }}` in the model; if this is intended, write `types: {{ {column}: {accept} }}`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(kind: ColumnType, misfits: &[(ColumnType, u32, &str)]) -> Inferred {
        let misfit = |(kind, line, text): &(ColumnType, u32, &str)| Misfit {
            kind: *kind,
            place: Place { line: *line, ..Place::file("rows.csv") },
            preview: (*text).to_owned(),
        };
        Inferred { column: "seats".into(), kind, misfits: misfits.iter().map(misfit).collect() }
    }

    #[test]
    fn the_value_that_changed_the_type_is_named() {
        let now = [inferred(ColumnType::Text, &[(ColumnType::Bool, 2, "1"), (ColumnType::Int, 7, "n/a")])];
        let changes = compare([("seats", ColumnType::Int), ("gone", ColumnType::Int)], &now);
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!(
            change.message(),
            "column `seats` was integer and would now be text in every row, since rows.csv:7 has `n/a`"
        );
        assert_eq!(
            change.help(),
            "fix that value, and write `types: { seats: integer }` in the model; if this is intended, write \
             `types: { seats: text }`"
        );
    }

    #[test]
    fn a_value_that_is_mended_is_a_change_too() {
        let changes = compare([("seats", ColumnType::Text)], &[inferred(ColumnType::Int, &[])]);
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!(
            change.message(),
            "column `seats` was text and would now be integer in every row, since all its values fit integer now"
        );
    }

    #[test]
    fn numbers_stay_numbers() {
        for (was, is) in [(ColumnType::Int, ColumnType::Decimal), (ColumnType::Decimal, ColumnType::Int)] {
            assert_eq!(compare([("seats", was)], &[inferred(is, &[])]), []);
        }
        assert_eq!(compare([("seats", ColumnType::Int)], &[]), [], "nothing but nulls is no type");
    }
}
