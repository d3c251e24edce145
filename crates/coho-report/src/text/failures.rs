//! Failures by cause: how many rows, which, since when, and what to do.

use coho_core::code::Code;

use super::listing::moment;
use crate::line::FailureLine;
use crate::style::{Style, Tone};
use crate::words::{counted, number, tame, wrap};

/// Failures, sync by sync, each cause once.
pub fn failures(lines: &[FailureLine], style: &Style) -> String {
    if lines.is_empty() {
        return "no failures\n".to_owned();
    }
    let mut text = String::new();
    for of_sync in lines.chunk_by(|a, b| a.sync == b.sync) {
        let rows: u64 = of_sync.iter().map(|line| line.count).sum();
        let sync =
            of_sync.first().map(|line| style.paint(Tone::Strong, line.sync.as_str())).unwrap_or_default();
        let causes = counted(of_sync.len() as u64, "cause");
        text.extend([&sync, ": ", &counted(rows, "row"), ", ", &causes, "\n"]);
        text.extend(of_sync.iter().map(|line| one(line, style)));
    }
    text
}

fn one(line: &FailureLine, style: &Style) -> String {
    let mut text =
        format!("  {}  {}\n", style.paint(Tone::Bad, &number(line.count)), tame(&line.cause.to_string()));
    let statuses: Vec<_> =
        line.statuses.iter().map(|(status, count)| format!("{status} {}", number(*count))).collect();
    let mut about = format!("{}; first seen {}", statuses.join(", "), moment(line.first));
    if line.came_back {
        about.push_str("; came back after it was healed");
    }
    if let Some(healed) = line.healed {
        about.extend(["; no row waits with it since ", &moment(healed)]);
    }
    text.push_str(&wrap(&about, 6, style.width));
    let examples: Vec<_> = line.examples.iter().map(|key| tame(key.as_str())).collect();
    if !examples.is_empty() {
        text.push_str(&wrap(&format!("such as {}", examples.join(", ")), 6, style.width));
    }
    if let Some(message) = line.message.as_deref().filter(|message| *message != line.cause.message) {
        text.push_str(&wrap(&tame(message), 6, style.width));
    }
    if let Some(entry) = line.cause.code.and_then(Code::entry) {
        text.push_str(&wrap(&format!("help: {}", entry.help()), 6, style.width));
    }
    text
}
