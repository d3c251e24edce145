//! Aligned columns. Colours are put on after the padding, so that they never shift a column.

use crate::style::{Style, Tone};

/// The space between two columns.
const GAP: &str = "  ";

/// One cell.
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    align: Align,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

impl Cell {
    /// A word, at the left.
    pub(crate) fn left(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain, align: Align::Left }
    }

    /// A number, at the right.
    pub(crate) fn right(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain, align: Align::Right }
    }

    /// The same in this tone.
    pub(crate) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// The rows in aligned columns, each line indented and without space at its end.
pub(crate) fn lay(rows: &[Vec<Cell>], indent: usize, style: &Style) -> String {
    let widths = widths(rows);
    rows.iter().map(|row| " ".repeat(indent) + &line(row, &widths, style) + "\n").collect()
}

fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let length = |row: &Vec<Cell>, column| row.get(column).map_or(0, |cell: &Cell| cell.text.chars().count());
    (0..columns).map(|column| rows.iter().map(|row| length(row, column)).max().unwrap_or_default()).collect()
}

fn line(row: &[Cell], widths: &[usize], style: &Style) -> String {
    let last = row.iter().rposition(|cell| !cell.text.is_empty());
    let cells = row.iter().zip(widths).enumerate().take(last.map_or(0, |last| last + 1));
    let cells = cells.map(|(at, (cell, width))| {
        let padding = " ".repeat(width - cell.text.chars().count());
        let text = style.paint(cell.tone, &cell.text);
        match cell.align {
            Align::Right => padding + &text,
            Align::Left if Some(at) == last => text,
            Align::Left => text + &padding,
        }
    });
    cells.collect::<Vec<_>>().join(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Color;

    #[test]
    fn colours_do_not_shift_columns() {
        let rows = || {
            vec![
                vec![Cell::left("add").tone(Tone::Good), Cell::right("1,204"), Cell::left("new")],
                vec![Cell::left("update"), Cell::right("3"), Cell::left("")],
            ]
        };
        let plain = lay(&rows(), 2, &Style::default());
        assert_eq!(plain, "  add     1,204  new\n  update      3\n");
        let bright = lay(&rows(), 2, &Style { color: Color::Always, ..Style::default() });
        assert_eq!(bright.replace("\u{1b}[32m", "").replace("\u{1b}[0m", ""), plain);
    }
}
