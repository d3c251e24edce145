//! How a difference was computed, in a sentence for the plan.

use coho_core::words::number;
use coho_source::buckets::Moved;

use super::Difference;

/// `compared in PostgreSQL: 8,192 buckets, 12 differ, 1,834 of 1,000,000 rows moved (282 kB)`
pub(crate) fn compared(source: &str, difference: &Difference, moved: Moved) -> String {
    let buckets = 1_u64 << difference.chosen.bits();
    let (differ, rows) = (difference.chosen.number(), difference.rows);
    let verb = if differ == 1 { "differs" } else { "differ" };
    format!(
        "compared in {source}: {} buckets, {} {verb}, {} of {} rows moved ({})",
        number(buckets),
        number(differ),
        number(moved.rows),
        number(rows),
        size(moved.bytes)
    )
}

/// `compared with the cache in PostgreSQL: 1,834 of 1,000,000 rows moved (282 kB)`
pub(crate) fn cached(source: &str, rows: u64, moved: Moved) -> String {
    let (of, size) = (number(rows), size(moved.bytes));
    format!("compared with the cache in {source}: {} of {of} rows moved ({size})", number(moved.rows))
}

/// `not compared in the source, 1,000,000 rows moved (164 MB): its buckets were not compared before`
pub(crate) fn all(moved: Moved, why: &str) -> String {
    format!("not compared in the source, {} rows moved ({}): {why}", number(moved.rows), size(moved.bytes))
}

/// What a reading by an ADBC driver cost, as far as it is told: `1,000,000 rows moved through the ADBC driver (164 MB)`
pub(crate) fn through_driver(moved: Moved) -> String {
    format!("{} rows moved through the ADBC driver ({})", number(moved.rows), size(moved.bytes))
}

/// A number of bytes: `812 B`, `4 kB`, `164 MB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} B", number(bytes)),
        10_000..10_000_000 => format!("{} kB", number(bytes.div_ceil(1_000))),
        _ => format!("{} MB", number(bytes.div_ceil(1_000_000))),
    }
}

#[cfg(test)]
mod tests {
    use coho_source::buckets::Chosen;

    use super::*;

    #[test]
    fn a_difference_is_told_with_what_it_cost() {
        let mut chosen = Chosen::none(13);
        chosen.choose(7);
        let difference = Difference { chosen, rows: 1_000_000, to_read: 122 };
        let text = compared("PostgreSQL", &difference, Moved { rows: 122, bytes: 400_001 });
        let expected =
            "compared in PostgreSQL: 8,192 buckets, 1 differs, 122 of 1,000,000 rows moved (401 kB)";
        assert_eq!(text, expected);
        let all = all(Moved { rows: 3, bytes: 812 }, "all rows are looked at");
        assert_eq!(all, "not compared in the source, 3 rows moved (812 B): all rows are looked at");
        let moved = Moved { rows: 1_000_000, bytes: 163_200_000 };
        assert_eq!(through_driver(moved), "1,000,000 rows moved through the ADBC driver (164 MB)");
    }
}
