//! The narrowest type that fits all values of a CSV column, so that no value changes its text by it.
//!
//! `007`, `+1`, `-0` and `1e5` are text: as numbers they would come out as 7, 1, 0 and 100000. [`super::csv`] asks here.

use coho_core::dates;
use coho_core::decimal::Decimal;
use coho_core::place::Place;
use coho_core::row::ColumnType;
use csv::Position;

use crate::inferred::{Inferred, Misfit};

/// The types that still fit, from the narrowest, and the first value that each of the others did not fit.
#[derive(Clone, Debug)]
pub(super) struct Inference {
    fits: Vec<ColumnType>,
    misfits: Vec<(ColumnType, Position, String)>,
    seen: bool,
    bytes: Option<Position>,
    /// What was found in the files before.
    told: Vec<Misfit>,
    told_bytes: Option<Place>,
}

/// What all values of a column are.
pub(super) struct Seen {
    /// The narrowest type that fits them; mixed, which fits every field, where there was none but null.
    pub(super) kind: ColumnType,
    /// Where the first value is that is no text.
    pub(super) bytes: Option<Place>,
    misfits: Vec<Misfit>,
    any: bool,
}

impl Seen {
    /// What was found out of a column of this name; `None` where no value was seen.
    pub(super) fn found(self, column: &str) -> Option<Inferred> {
        self.any.then(|| Inferred { column: column.to_owned(), kind: self.kind, misfits: self.misfits })
    }
}

/// Each type that may be inferred, narrowest first. Text always fits.
const CANDIDATES: [ColumnType; 6] = [
    ColumnType::Bool,
    ColumnType::Int,
    ColumnType::Decimal,
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::LocalTimestamp,
];

impl Inference {
    /// Nothing was seen yet.
    pub(super) fn new() -> Self {
        Self {
            fits: CANDIDATES.to_vec(),
            misfits: Vec::new(),
            seen: false,
            bytes: None,
            told: Vec::new(),
            told_bytes: None,
        }
    }

    /// Looks at one value, and where its record begins. An empty one is null and fits everything.
    pub(super) fn see(&mut self, value: &str, at: &Position) {
        if value.is_empty() || (self.seen && self.fits.is_empty()) {
            return;
        }
        self.seen = true;
        self.keep(|kind| fits(kind, value), value, at);
    }

    /// Sees a value that is no text at all.
    pub(super) fn see_bytes(&mut self, at: &Position) {
        self.seen = true;
        self.bytes.get_or_insert_with(|| at.clone());
        self.keep(|_| false, "bytes that are not UTF-8", at);
    }

    fn keep(&mut self, fits: impl Fn(ColumnType) -> bool, value: &str, at: &Position) {
        for kind in self.fits.extract_if(.., |kind| !fits(*kind)) {
            self.misfits.push((kind, at.clone(), coho_core::value::preview(value)));
        }
    }

    /// To be called at the end of each file: finds out the places of what was found in it, once for each type.
    pub(super) fn end_of_file(&mut self, place: impl Fn(&Position) -> Place) {
        let misfit =
            |(kind, at, preview): (ColumnType, Position, String)| Misfit { kind, place: place(&at), preview };
        self.told.extend(self.misfits.drain(..).map(misfit));
        let bytes = self.bytes.take().map(|at| place(&at));
        self.told_bytes = self.told_bytes.take().or(bytes);
    }

    /// What was seen, once all was.
    pub(super) fn result(self) -> Seen {
        let narrowest = self.fits.first().copied().unwrap_or(ColumnType::Text);
        let kind = if self.seen { narrowest } else { ColumnType::Mixed };
        Seen { kind, bytes: self.told_bytes, misfits: self.told, any: self.seen }
    }
}

fn fits(kind: ColumnType, value: &str) -> bool {
    match kind {
        ColumnType::Bool => matches!(value, "true" | "false"),
        ColumnType::Int => Decimal::is_canonical(value) && value.parse::<i64>().is_ok(),
        ColumnType::Decimal => Decimal::is_canonical(value),
        ColumnType::Date => dates::date(value).is_some(),
        ColumnType::Timestamp => dates::timestamp(value).is_some(),
        ColumnType::LocalTimestamp => dates::local_timestamp(value).is_some(),
        ColumnType::Float | ColumnType::Text | ColumnType::Json | ColumnType::Mixed => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> ColumnType {
        let mut inference = Inference::new();
        for value in values {
            inference.see(value, &Position::new());
        }
        inference.result().kind
    }

    #[test]
    fn the_narrowest_type_fits_all_values() {
        assert_eq!(inferred(&["true", "", "false"]), ColumnType::Bool);
        assert_eq!(inferred(&["1", "-20"]), ColumnType::Int);
        assert_eq!(inferred(&["1", "1.50"]), ColumnType::Decimal);
        assert_eq!(inferred(&["9223372036854775808"]), ColumnType::Decimal);
        assert_eq!(inferred(&["2026-11-24"]), ColumnType::Date);
        assert_eq!(inferred(&["2026-11-24T10:00:00Z"]), ColumnType::Timestamp);
        assert_eq!(inferred(&["2026-11-24 10:00:00"]), ColumnType::LocalTimestamp);
    }

    #[test]
    fn the_value_that_a_type_did_not_fit_is_kept() {
        let at = |line| Position::new().set_line(line).clone();
        let place = |at: &Position| Place { line: u32::try_from(at.line()).unwrap(), ..Place::file("a.csv") };
        let mut inference = Inference::new();
        for (line, value) in ["1", "2", "", "n/a", "x"].iter().enumerate() {
            inference.see(value, &at(line as u64 + 2));
        }
        inference.end_of_file(place);
        let found = inference.result().found("seats").unwrap();
        let misfit = found.misfits.iter().find(|misfit| misfit.kind == ColumnType::Int).unwrap();
        assert_eq!((found.kind, misfit.place.line, misfit.preview.as_str()), (ColumnType::Text, 5, "n/a"));
        assert_eq!(Inference::new().result().found("seats"), None);
    }

    #[test]
    fn what_would_change_its_text_is_text() {
        for value in
            ["007", "+1", "-0", "1e5", ".5", "1.", " 1", "1,5", "TRUE", "True", "NaN", "0x1", "2026-1-1"]
        {
            assert_eq!(inferred(&[value]), ColumnType::Text, "{value:?}");
        }
        assert_eq!(inferred(&["1", "true"]), ColumnType::Text);
        assert_eq!(inferred(&["2026-11-24", "2026-11-24T10:00:00Z"]), ColumnType::Text);
        assert_eq!(inferred(&["", ""]), ColumnType::Mixed);
    }
}
