//! What `coho run` prints at its end: a table by sync, law 1 in numbers, and what a person should look at.

use coho_core::counts::Counts;
use coho_core::plan::{SyncStatus, SyncSummary};
use coho_core::verdict::RowStatus;

use super::notice::{self, See};
use crate::grid::{Cell, lay};
use crate::style::{Style, Tone};
use crate::words::{self, FATES, counted, number, tame, time, wrap};

/// The summaries of the syncs of a run.
pub fn run(summaries: &[SyncSummary], style: &Style) -> String {
    let parts = summaries.iter().map(|summary| sync(summary, style));
    let parts: Vec<_> = [table(summaries, style)].into_iter().chain(parts).collect();
    parts.join("\n")
}

fn table(summaries: &[SyncSummary], style: &Style) -> String {
    let statuses: Vec<_> = FATES.into_iter().filter(|status| is_shown(*status, summaries)).collect();
    let names = statuses.iter().map(|status| Cell::right(status.as_str()));
    let names = [Cell::left("sync")].into_iter().chain(names).chain([
        Cell::right("calls"),
        Cell::right("time"),
        Cell::left("status"),
    ]);
    let mut rows = vec![names.map(|name| name.tone(Tone::Faint)).collect()];
    rows.extend(summaries.iter().map(|summary| line(summary, &statuses)));
    if summaries.len() > 1 {
        rows.push(total(summaries, &statuses));
    }
    lay(&rows, 0, style)
}

fn is_shown(status: RowStatus, summaries: &[SyncSummary]) -> bool {
    let accepts = summaries.iter().any(|summary| summary.counts.status(RowStatus::Accepted) > 0);
    let delivers = summaries.iter().any(|summary| summary.counts.status(RowStatus::Delivered) > 0);
    (status == RowStatus::Delivered && (delivers || !accepts))
        || status == RowStatus::Unchanged
        || summaries.iter().any(|summary| summary.counts.status(status) > 0)
}

fn line(summary: &SyncSummary, statuses: &[RowStatus]) -> Vec<Cell> {
    let mut row = vec![Cell::left(summary.sync.as_str()).tone(Tone::Strong)];
    row.extend(statuses.iter().map(|status| count(*status, summary.counts.status(*status))));
    row.push(Cell::right(number(summary.calls)));
    row.push(Cell::right(time(summary.millis)));
    row.push(Cell::left(name(&summary.status)).tone(tone(&summary.status)));
    row
}

/// The counts of all syncs. Syncs run one after the other, so that their times add up.
fn total(summaries: &[SyncSummary], statuses: &[RowStatus]) -> Vec<Cell> {
    let mut counts = Counts::default();
    for summary in summaries {
        counts.add(&summary.counts);
    }
    let mut row = vec![Cell::left("all")];
    row.extend(statuses.iter().map(|status| count(*status, counts.status(*status))));
    row.push(Cell::right(number(summaries.iter().map(|summary| summary.calls).sum())));
    row.push(Cell::right(time(summaries.iter().map(|summary| summary.millis).sum())));
    row
}

fn count(status: RowStatus, count: u64) -> Cell {
    let tone = if count == 0 { Tone::Faint } else { words::tone(status) };
    Cell::right(number(count)).tone(tone)
}

fn name(status: &SyncStatus) -> String {
    status.name().replace('-', " ")
}

fn tone(status: &SyncStatus) -> Tone {
    match status {
        SyncStatus::Completed | SyncStatus::TimeUp => Tone::Good,
        SyncStatus::CompletedWithErrors | SyncStatus::Held | SyncStatus::Interrupted => Tone::Change,
        SyncStatus::Failed(_) | SyncStatus::Halted { .. } => Tone::Bad,
    }
}

fn sync(summary: &SyncSummary, style: &Style) -> String {
    let law = match &summary.status {
        SyncStatus::Failed(_) => String::new(),
        SyncStatus::Completed
        | SyncStatus::CompletedWithErrors
        | SyncStatus::Held
        | SyncStatus::TimeUp
        | SyncStatus::Halted { .. }
        | SyncStatus::Interrupted => conservation(summary, style),
    };
    let parts = [
        format!("{}: {}\n", style.paint(Tone::Strong, summary.sync.as_str()), name(&summary.status)),
        law,
        ending(&summary.status, style),
        notice::guards(&summary.guards, style),
        notice::problems(&summary.problems, See::Rows(&summary.sync), style),
        summary.notes.iter().map(|note| wrap(&format!("note: {}", tame(note)), 2, style.width)).collect(),
    ];
    parts.concat()
}

fn ending(status: &SyncStatus, style: &Style) -> String {
    match status {
        SyncStatus::Completed | SyncStatus::CompletedWithErrors | SyncStatus::Held => String::new(),
        SyncStatus::Failed(problems) => {
            problems.iter().map(|problem| notice::problem(problem, style)).collect()
        }
        SyncStatus::Halted { code, message, .. } => notice::halt(*code, message, style),
        SyncStatus::TimeUp => {
            "  the time of `run: { for: … }` is over: the next run goes on from here\n".to_owned()
        }
        SyncStatus::Interrupted => "  run again: it goes on from there\n".to_owned(),
    }
}

/// Law 1 in numbers: `91 rows read = 3 delivered + 88 unchanged`.
fn conservation(summary: &SyncSummary, style: &Style) -> String {
    let counts = &summary.counts;
    let ended =
        FATES.into_iter().map(|status| (status, counts.status(status))).filter(|(_, count)| *count > 0);
    let ended: Vec<_> = ended.collect();
    let sum: u64 = ended.iter().map(|(_, count)| count).sum();
    let ended: Vec<_> = ended.iter().map(|(status, count)| format!("{} {status}", number(*count))).collect();
    let ended = if ended.is_empty() { "0".to_owned() } else { ended.join(" + ") };
    let mut began = format!("{} read", counted(counts.read, "row"));
    if counts.absent > 0 {
        began = format!("{began} + {} gone", counted(counts.absent, "key"));
    }
    if sum == counts.read + counts.absent {
        wrap(&format!("{began} = {ended}"), 2, style.width)
    } else {
        wrap(&format!("{began} ≠ {ended}: this is a mistake in Coho, please report it"), 2, style.width)
    }
}
