//! The narrowest type that fits all values of a CSV column, so that no value changes its text by it.
//!
//! `007`, `+1`, `-0` and `1e5` are text: as numbers they would come out as 7, 1, 0 and 100000. [`super::csv`] asks here.

use coho_core::decimal::Decimal;
use coho_core::row::ColumnType;

use crate::text;

/// The types that still fit, from the narrowest.
#[derive(Clone, Debug)]
pub(super) struct Inference {
    fits: Vec<ColumnType>,
    seen: bool,
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
        Self { fits: CANDIDATES.to_vec(), seen: false }
    }

    /// Looks at one value. An empty one is null and fits everything.
    pub(super) fn see(&mut self, value: &str) {
        if value.is_empty() || (self.seen && self.fits.is_empty()) {
            return;
        }
        self.seen = true;
        self.fits.retain(|kind| fits(*kind, value));
    }

    /// The narrowest type that fits everything that was seen; text where nothing was.
    pub(super) fn result(&self) -> ColumnType {
        if self.seen { self.fits.first().copied().unwrap_or(ColumnType::Text) } else { ColumnType::Text }
    }
}

fn fits(kind: ColumnType, value: &str) -> bool {
    match kind {
        ColumnType::Bool => matches!(value, "true" | "false"),
        ColumnType::Int => plain_number(value) && !value.contains('.') && value.parse::<i64>().is_ok(),
        ColumnType::Decimal => plain_number(value),
        ColumnType::Date => text::date(value).is_some(),
        ColumnType::Timestamp => text::timestamp(value).is_some(),
        ColumnType::LocalTimestamp => text::local_timestamp(value).is_some(),
        ColumnType::Float | ColumnType::Text | ColumnType::Json | ColumnType::Mixed => true,
    }
}

/// A number that is written exactly as Coho writes it.
fn plain_number(value: &str) -> bool {
    let start = value.bytes().next().is_some_and(|byte| byte == b'-' || byte.is_ascii_digit());
    start && Decimal::parse(value).is_some_and(|decimal| decimal.as_str() == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(values: &[&str]) -> ColumnType {
        let mut inference = Inference::new();
        for value in values {
            inference.see(value);
        }
        inference.result()
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
    fn what_would_change_its_text_is_text() {
        for value in
            ["007", "+1", "-0", "1e5", ".5", "1.", " 1", "1,5", "TRUE", "True", "NaN", "0x1", "2026-1-1"]
        {
            assert_eq!(inferred(&[value]), ColumnType::Text, "{value:?}");
        }
        assert_eq!(inferred(&["1", "true"]), ColumnType::Text);
        assert_eq!(inferred(&["2026-11-24", "2026-11-24T10:00:00Z"]), ColumnType::Text);
        assert_eq!(inferred(&["", ""]), ColumnType::Text);
    }
}
