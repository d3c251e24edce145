//! A part's figures as a table, with those of other programs beside them as ratios.

use super::{Figure, Part};

const COHO: &str = "coho";

/// The table, with the machine in front.
pub(super) fn of(part: &Part) -> String {
    let head = "| what | rows | program | wall | rows per second | processor per row | peak memory | time ÷ alternative |\n\
                |---|--:|---|--:|--:|--:|--:|--:|";
    let lines = part.figures.iter().map(|figure| line(figure, &part.figures));
    let lines = std::iter::once(head.to_owned()).chain(lines).collect::<Vec<_>>().join("\n");
    [lines, moved(&part.figures), format!("{}.", part.machine)].concat()
}

/// What was moved, as a list that ends with an empty line.
fn moved(figures: &[Figure]) -> String {
    let told = |figure: &Figure| {
        let moved = figure.moved.as_ref()?;
        Some(format!("- {}, {} rows: {moved}", figure.case, grouped(figure.rows)))
    };
    let list: Vec<_> = figures.iter().filter_map(told).collect();
    if list.is_empty() { "\n\n".to_owned() } else { format!("\n\n{}\n\n", list.join("\n")) }
}

fn line(figure: &Figure, all: &[Figure]) -> String {
    let ratio = other(figure, all).map_or("–".to_owned(), |other| {
        format!("{:.2}", number(figure.wall_ms) / number(other.wall_ms.max(1)))
    });
    format!(
        "| {} | {} | {} | {} | {} | {} µs | {} MiB | {ratio} |",
        figure.case,
        grouped(figure.rows),
        figure.program,
        seconds(figure.wall_ms),
        grouped(figure.rows * 1_000 / figure.wall_ms.max(1)),
        shown(number(figure.processor_ms) * 1_000.0 / number(figure.rows.max(1))),
        shown(number(figure.peak_kib) / 1_024.0),
    )
}

/// What another program took for the same.
fn other<'a>(figure: &Figure, all: &'a [Figure]) -> Option<&'a Figure> {
    let is_other =
        |other: &&Figure| other.program != COHO && other.case == figure.case && other.rows == figure.rows;
    if figure.program == COHO { all.iter().find(is_other) } else { None }
}

fn seconds(milliseconds: u64) -> String {
    format!("{} s", shown(number(milliseconds) / 1_000.0))
}

fn shown(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

/// `1,000,000`.
fn grouped(number: u64) -> String {
    in_groups(&number.to_string())
}

/// Digits in groups of three.
pub(super) fn in_groups(digits: &str) -> String {
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn number(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::super::tests::figure;
    use super::*;

    #[test]
    fn what_another_program_took_is_beside_it() {
        let figures = vec![
            figure("deliver", "coho", 1_000, 3_000, 10),
            figure("deliver", "plain client", 1_000, 2_000, 5),
            figure("deliver", "coho", 2_000, 3_000, 10),
        ];
        let text = of(&Part { machine: "one core".to_owned(), figures });
        let last: Vec<_> = text.lines().filter_map(|line| line.rsplit('|').nth(1)).map(str::trim).collect();
        assert_eq!(last, ["time ÷ alternative", "--:", "1.50", "–", "–"]);
        assert!(
            text.contains("| deliver | 1,000 | coho | 3.00 s | 333 | 3000 µs | 10 MiB | 1.50 |"),
            "{text}"
        );
        assert!(text.ends_with("\none core."));
    }

    #[test]
    fn what_was_moved_is_listed_below() {
        let moved = Some("3 of 2,000 rows moved (812 B)".to_owned());
        let figures = vec![Figure { moved, ..figure("nothing changed", "coho", 2_000, 3_000, 10) }];
        let text = of(&Part { machine: "one core".to_owned(), figures });
        assert!(
            text.ends_with("|\n\n- nothing changed, 2,000 rows: 3 of 2,000 rows moved (812 B)\n\none core."),
            "{text}"
        );
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
