//! One run in more detail: what started it, the stages of each sync with their times, and what its calls waited for.

use coho_core::started::{Started, StartedBy};

use super::listing::moment;
use crate::grid::{Cell, lay};
use crate::line::{RunDetail, RunLine, StageLine};
use crate::style::{Style, Tone};
use crate::words::{counted, number, tame, time};

/// A run: the lines of its syncs as [`super::runs`] has them, and what is known beside.
pub fn run_detail(lines: &[RunLine], details: &[RunDetail], style: &Style) -> String {
    let mut text = super::runs(lines, style);
    if let Some(line) = lines.first() {
        text.push_str(&about(&line.start));
        text.push_str(&kept(line));
    }
    for detail in details {
        let full = lines.iter().find(|line| line.sync == detail.sync).and_then(|line| line.full_why);
        let full =
            full.map(|why| format!(": every row was evaluated ({})", why.as_str())).unwrap_or_default();
        text.extend(["\n", &style.paint(Tone::Strong, detail.sync.as_str()), &full, "\n"]);
        let stages: Vec<_> = detail.stages.iter().map(stage).collect();
        text.push_str(&lay(&stages, 2, style));
        text.push_str(&waits(detail));
    }
    text
}

/// `started by a command of ada on east: run accounts` and what ran.
fn about(start: &Started) -> String {
    let Some(by) = start.by else { return String::new() };
    let by = match by {
        StartedBy::Command => "a command",
        StartedBy::Schedule => "its schedule",
        StartedBy::Api => "a call of the API",
        StartedBy::CatchUp => "its schedule, after times that were missed",
        StartedBy::Debugger => "a person in the debugger",
    };
    let mut text = format!("started by {by}");
    let known = [("of", &start.user), ("on", &start.host)];
    for (word, name) in known.into_iter().filter_map(|(word, name)| Some((word, name.as_deref()?))) {
        text.extend([" ", word, " ", &tame(name)]);
    }
    if let Some(arguments) = start.arguments.as_deref().filter(|arguments| !arguments.is_empty()) {
        text.extend([": ", &tame(arguments)]);
    }
    text.push('\n');
    if let Some(due) = start.scheduled {
        text.extend(["due ", &moment(due), "\n"]);
    }
    if let Some(commit) = &start.commit {
        let dirty = if commit.is_dirty { ", with changes that were not committed" } else { "" };
        text.extend(["commit ", &tame(&commit.id), dirty, "\n"]);
    }
    text
}

/// What is still kept, and for how long.
fn kept(line: &RunLine) -> String {
    match (line.kept_until, line.failures_until) {
        (Some(all), Some(failures)) => {
            format!(
                "rows and calls are kept until {}, of rows that failed until {}\n",
                moment(all),
                moment(failures)
            )
        }
        (None, Some(failures)) => {
            format!("only rows that failed are kept, with their calls, until {}\n", moment(failures))
        }
        (_, None) => "its rows and calls are not kept any more\n".to_owned(),
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

/// What is told of waits is a tenth of a second at least: less is the ordinary spreading of calls.
fn waits(detail: &RunDetail) -> String {
    let millis = |wait: &std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    let told = detail.waits.iter().filter(|(_, wait)| millis(wait) >= 100);
    let mut parts: Vec<_> =
        told.map(|(why, wait)| format!("waited {} for {}", time(millis(wait)), for_what(*why))).collect();
    if detail.repeated > 0 {
        parts.insert(0, format!("{} repeated", counted(detail.repeated, "call")));
    }
    if parts.is_empty() { String::new() } else { format!("  {}\n", parts.join(", ")) }
}

/// What a call waited for, as a person says it.
pub(super) fn for_what(why: coho_core::call::WaitWhy) -> &'static str {
    use coho_core::call::WaitWhy;
    match why {
        WaitWhy::Pace => "the rate",
        WaitWhy::Refused => "the rate after a 429",
        WaitWhy::RetryAfter => "the time that Vitally named",
        WaitWhy::Backoff => "another try",
        WaitWhy::Settle => "a write to become visible",
    }
}
