//! What `coho alerts` says: what is open, who is silent, and whom no message reaches.

use coho_core::alert::Level;
use coho_core::time::Time;

use crate::grid::{Cell, lay};
use crate::line::{AlertLine, AlertsLines, FailingLine, MuteLine, TriedLine};
use crate::style::{Style, Tone};
use crate::words::{tame, wrap};

/// Alerts, mutes and recipients whose messages do not get through.
pub fn alerts(lines: &AlertsLines, style: &Style) -> String {
    let mut parts = Vec::new();
    if lines.open.is_empty() {
        parts.push("no alerts\n".to_owned());
    }
    parts.extend(lines.open.iter().map(|line| alert(line, style)));
    parts.extend(lines.mutes.iter().map(|mute| muted(mute, style)));
    parts.extend(lines.failing.iter().map(|failing| unreached(failing, style)));
    if lines.failing.is_empty() && lines.waiting > 0 {
        let noun = if lines.waiting == 1 { "message waits" } else { "messages wait" };
        parts.push(format!("{} {noun} to be sent: `coho alerts check` sends them\n", lines.waiting));
    }
    parts.concat()
}

fn alert(line: &AlertLine, style: &Style) -> String {
    let tone = match line.level {
        Level::Critical => Tone::Bad,
        Level::Warning => Tone::Change,
    };
    let level = style.paint(tone, line.level.as_str());
    let (subject, trigger, since) = (&line.subject, line.trigger.as_str(), moment(line.since));
    let mut parts = vec![format!("{level}  {subject}: {trigger}  since {since}\n")];
    parts.push(wrap(&tame(&line.what), 2, style.width));
    parts.extend(line.remedy.as_ref().map(|remedy| wrap(&format!("help: {}", tame(remedy)), 2, style.width)));
    parts.extend(line.run.as_ref().map(|run| format!("  run {}\n", tame(run))));
    parts.extend(line.muted_until.map(|until| format!("  muted until {}\n", moment(until))));
    if !line.told.is_empty() {
        parts.push(format!("  told: {}\n", line.told.join(", ")));
    }
    if !line.to_tell.is_empty() {
        parts.push(format!("  not sent yet: {}\n", line.to_tell.join(", ")));
    }
    parts.concat()
}

fn muted(line: &MuteLine, style: &Style) -> String {
    let head = format!("{} is muted until {}: {}", line.sync, moment(line.until), tame(&line.why));
    wrap(&head, 0, style.width)
}

fn unreached(line: &FailingLine, style: &Style) -> String {
    let head = format!(
        "{}  {} has received no messages since {}\n",
        style.paint(Tone::Bad, "failing"),
        line.recipient,
        moment(line.since)
    );
    let end = match line.due {
        Some(due) => format!("  {} waiting, next attempt at {}\n", line.waiting, moment(due)),
        None => "  given up: a later run sends what is still open\n".to_owned(),
    };
    [head, wrap(&tame(&line.error), 2, style.width), end].concat()
}

/// What came of trying channels.
pub fn tried(lines: &[TriedLine], style: &Style) -> String {
    let row = |line: &TriedLine| {
        let (word, tone) = match line.error {
            None => ("sent", Tone::Good),
            Some(_) => ("failed", Tone::Bad),
        };
        let error = tame(line.error.as_deref().unwrap_or_default());
        vec![
            Cell::left(&*line.recipient),
            Cell::left(&*line.kind),
            Cell::left(word).tone(tone),
            Cell::left(error),
        ]
    };
    lay(&lines.iter().map(row).collect::<Vec<_>>(), 0, style)
}

fn moment(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
