//! Listings: what `coho runs` and `coho rows` print.

use coho_core::row_state::Verb;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;

use super::differences::differences;
use crate::grid::{Cell, lay};
use crate::line::{RowLine, RunLine};
use crate::style::{Style, Tone};
use crate::words::{number, tame, time, tone, wrap};

/// Runs, one sync of one run a line, in the order that they are given in.
pub fn runs(lines: &[RunLine], style: &Style) -> String {
    if lines.is_empty() {
        return "no runs yet\n".to_owned();
    }
    let left = |name: &str| Cell::left(name).tone(Tone::Faint);
    let right = |name: &str| Cell::right(name).tone(Tone::Faint);
    let sent = sent(lines);
    let mut head = vec![left("started"), left("run"), left("sync"), right("read")];
    head.extend(sent.iter().map(|status| right(status.as_str())));
    head.extend(["removed", "failed", "calls", "time"].map(right));
    head.push(left("status"));
    let mut rows = vec![head];
    rows.extend(lines.iter().map(|line| run(line, &sent)));
    lay(&rows, 0, style)
}

/// What the Analytics API took has a column of its own where there is something to tell.
fn sent(lines: &[RunLine]) -> Vec<RowStatus> {
    let is_told = |status| lines.iter().any(|line| line.counts.status(status) > 0);
    match (is_told(RowStatus::Delivered), is_told(RowStatus::Accepted)) {
        (true, true) => vec![RowStatus::Delivered, RowStatus::Accepted],
        (false, true) => vec![RowStatus::Accepted],
        (_, false) => vec![RowStatus::Delivered],
    }
}

fn run(line: &RunLine, sent: &[RowStatus]) -> Vec<Cell> {
    let count = |status| line.counts.status(status);
    let failed: u64 =
        [RowStatus::Rejected, RowStatus::Invalid, RowStatus::Deferred].into_iter().map(count).sum();
    let mut cells = vec![
        Cell::left(moment(line.started)),
        Cell::left(tame(&line.run)),
        Cell::left(line.sync.as_str()).tone(Tone::Strong),
        Cell::right(number(line.counts.read)),
    ];
    cells.extend(sent.iter().map(|status| Cell::right(number(count(*status)))));
    cells.extend([
        Cell::right(number(count(RowStatus::Removed))),
        Cell::right(number(failed)).tone(if failed > 0 { Tone::Bad } else { Tone::Faint }),
        Cell::right(number(line.calls)),
        Cell::right(line.millis.map_or_else(|| "-".to_owned(), time)),
        Cell::left(line.status.replace('-', " ")),
    ]);
    cells
}

/// Rows, one key of one run a line; under it the message, and what was sent where that is known.
pub fn rows(lines: &[RowLine], style: &Style) -> String {
    if lines.is_empty() {
        return "no rows\n".to_owned();
    }
    let names = ["key", "fate", "did", "code", "at", "run"];
    let mut table = vec![names.map(|name| Cell::left(name).tone(Tone::Faint)).into()];
    table.extend(lines.iter().map(row));
    let mut text = String::new();
    for (at, line) in lay(&table, 0, style).lines().enumerate() {
        text.push_str(line);
        text.push('\n');
        let row = at.checked_sub(1).and_then(|at| lines.get(at));
        text.push_str(&row.map(|row| below(row, style)).unwrap_or_default());
    }
    text
}

fn row(line: &RowLine) -> Vec<Cell> {
    let did = match line.verb {
        None => "",
        Some(Verb::Write) => "write",
        Some(Verb::Remove) => "remove",
    };
    vec![
        Cell::left(tame(&line.key)),
        Cell::left(line.status.as_str()).tone(tone(line.status)),
        Cell::left(did),
        Cell::left(tame(&line.code)),
        Cell::left(moment(line.at)),
        Cell::left(tame(&line.run)),
    ]
}

fn below(line: &RowLine, style: &Style) -> String {
    let message = tame(&line.message);
    let message = if message.is_empty() { message } else { wrap(&message, 2, style.width) };
    message + &differences(&line.differences, 2, style)
}

/// Moments are shown in UTC, which they say.
pub(super) fn moment(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
