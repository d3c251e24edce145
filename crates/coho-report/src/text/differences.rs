//! Before and after of fields: `~ traits.seats  40 → 45`, `+ name  "Acme"`, `= name  "Acme" again`.

use coho_core::fields::Difference;
use coho_core::private::HIDDEN;
use coho_core::value::Value;

use crate::grid::{Cell, lay};
use crate::style::{Style, Tone};
use crate::words::{counted, tame};

/// The most fields that are shown of one record.
const FIELDS: usize = 12;

/// The differences, one a line.
pub(super) fn differences(differences: &[Difference], indent: usize, style: &Style) -> String {
    let rows: Vec<_> = differences.iter().take(FIELDS).map(row).collect();
    let mut text = lay(&rows, indent, style);
    let more = differences.len().saturating_sub(FIELDS);
    if more > 0 {
        let more = format!("… {}", counted(more as u64, "more field"));
        text.push_str(&lay(&[vec![Cell::left(more).tone(Tone::Faint)]], indent, style));
    }
    text
}

fn is_hidden(value: &Value) -> bool {
    value.as_text() == Some(HIDDEN)
}

fn row(difference: &Difference) -> Vec<Cell> {
    let after = difference.after.preview();
    let (sign, tone, values) = match &difference.before {
        None => ("+", Tone::Good, after),
        // Of two values that are hidden nobody can see whether they are one.
        Some(before) if *before == difference.after && !is_hidden(before) => {
            ("=", Tone::Faint, format!("{after} again"))
        }
        Some(before) => ("~", Tone::Change, format!("{} → {after}", before.preview())),
    };
    let path = tame(&difference.path.to_string());
    vec![Cell::left(format!("{sign} {path}")).tone(tone), Cell::left(values)]
}
