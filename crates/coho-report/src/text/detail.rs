//! One run in more detail: what started it, the stages of each sync with their times, and what its calls waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use coho_core::call::WaitWhy;
use coho_core::started::{Started, StartedBy};
use coho_core::time::Time;

use super::listing::moment;
use crate::grid::{Cell, lay};
use crate::line::{RunDetail, RunLine, StageLine};
use crate::style::{Style, Tone};
use crate::words::{counted, number, tame, time};

/// A run: the lines of its syncs as [`super::runs`] has them, and what is known beside.
pub fn run_detail(lines: &[RunLine], details: &[RunDetail], style: &Style) -> String {
    let mut text = super::runs(lines, style);
    if let Some(line) = lines.first() {
        for told in started(&line.start) {
            text.extend([&told, "\n"]);
        }
        text.extend([&kept(line.kept_until, line.failures_until), "\n"]);
    }
    for detail in details {
        let full = lines.iter().find(|line| line.sync == detail.sync).and_then(|line| line.full_why);
        let full =
            full.map(|why| format!(": every row was evaluated ({})", why.as_str())).unwrap_or_default();
        text.extend(["\n", &style.paint(Tone::Strong, detail.sync.as_str()), &full, "\n"]);
        let stages: Vec<_> = detail.stages.iter().map(stage).collect();
        text.push_str(&lay(&stages, 2, style));
        let waits = waits(&detail.waits, detail.repeated);
        if !waits.is_empty() {
            text.extend(["  ", &waits.join(", "), "\n"]);
        }
    }
    text
}

/// What started a run, a line for each thing that is known: `started by a command of deploy on east: run accounts`.
pub fn started(start: &Started) -> Vec<String> {
    let Some(by) = start.by else { return Vec::new() };
    let mut text = format!("started by {}", by_what(by));
    let known = [("of", &start.user), ("on", &start.host)];
    for (word, name) in known.into_iter().filter_map(|(word, name)| Some((word, name.as_deref()?))) {
        text.extend([" ", word, " ", &tame(name)]);
    }
    if let Some(arguments) = start.arguments.as_deref().filter(|arguments| !arguments.is_empty()) {
        text.extend([": ", &tame(arguments)]);
    }
    let due = start.scheduled.map(|due| format!("due {}", moment(due)));
    let commit = start.commit.as_ref().map(|commit| {
        let dirty = if commit.is_dirty { ", with changes that were not committed" } else { "" };
        format!("commit {}{dirty}", tame(&commit.id))
    });
    [Some(text), due, commit].into_iter().flatten().collect()
}

fn by_what(by: StartedBy) -> &'static str {
    match by {
        StartedBy::Command => "a command",
        StartedBy::Schedule => "its schedule",
        StartedBy::Api => "a call of the API",
        StartedBy::CatchUp => "its schedule, after missed times",
        StartedBy::Debugger => "a person in the debugger",
    }
}

/// What is still kept of a run, and for how long: of all its rows, and of those that failed.
pub fn kept(all: Option<Time>, failures: Option<Time>) -> String {
    match (all, failures) {
        (Some(all), Some(failures)) => {
            format!(
                "rows and calls are kept until {}, of rows that failed until {}",
                moment(all),
                moment(failures)
            )
        }
        (None, Some(failures)) => {
            format!("only rows that failed are kept, with their calls, until {}", moment(failures))
        }
        (_, None) => "its rows and calls are no longer kept".to_owned(),
    }
}

fn stage(line: &StageLine) -> Vec<Cell> {
    let name = match &line.phase {
        Some(phase) => format!("{} {}", line.stage.as_str(), tame(phase)),
        None => line.stage.as_str().to_owned(),
    };
    vec![
        Cell::left(name),
        Cell::right(line.rows.map(number).unwrap_or_default()),
        Cell::right(line.millis.map_or_else(|| "-".to_owned(), time)),
    ]
}

/// What calls waited for, and how many were repeated. What is told of waits is a tenth of a second at least: less is the ordinary spreading of calls.
pub fn waits(waits: &BTreeMap<WaitWhy, Duration>, repeated: u64) -> Vec<String> {
    let millis = |wait: &Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let repeats = (repeated > 0).then(|| format!("{} repeated", counted(repeated, "call")));
    let told = waits.iter().filter(|(_, wait)| millis(wait) >= 100);
    let told = told.map(|(why, wait)| format!("waited {} for {}", time(millis(wait)), for_what(*why)));
    repeats.into_iter().chain(told).collect()
}

/// What a call waited for, as a person says it.
pub(super) fn for_what(why: WaitWhy) -> &'static str {
    match why {
        WaitWhy::Pace => "the rate",
        WaitWhy::Refused => "the rate, after a 429",
        WaitWhy::RetryAfter => "the time that Vitally asked for",
        WaitWhy::Backoff => "another attempt",
        WaitWhy::Settle => "a write to become visible",
    }
}
