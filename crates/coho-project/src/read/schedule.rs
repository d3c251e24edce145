//! `schedule`: when a sync runs by itself.

use std::ops::Range;

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::sync::SyncId;
use coho_core::value::preview;
use coho_schedule::{Every, StopRule, Timed, Zone};

use crate::schedule::{ScheduleSpec, StartTrigger};
use crate::yaml::{Content, Meaning, Node, Style};

/// A sync that another one follows, and where it is named.
pub(crate) type Followed = (SyncId, Place);

/// What is read of a schedule.
#[derive(Default)]
pub(crate) struct ReadSchedule {
    /// `None` if there is none, or a problem was told of it.
    pub(crate) spec: Option<ScheduleSpec>,
    /// The syncs that it follows.
    pub(crate) after: Vec<Followed>,
}

/// Reads a sync's schedule; what is wrong with a pattern or a zone is told here.
pub(crate) fn schedule(root: &Node, problems: &mut Vec<Problem>) -> ReadSchedule {
    let Some(node) = root.get("schedule") else { return ReadSchedule::default() };
    let spec = |trigger| Some(ScheduleSpec { trigger, place: node.place.clone() });
    if let Some(scalar) = node.scalar() {
        let text = if let Meaning::Text(text) = scalar.meaning() { Some(text) } else { None };
        let timed = text.and_then(|text| cron(node, text, Zone::utc(), problems));
        return ReadSchedule { spec: timed.map(StartTrigger::Timed).and_then(spec), after: Vec::new() };
    }
    let after = after(node);
    let zone = zone(node, problems);
    let pattern = node.get("cron").and_then(|pattern| Some((pattern, pattern.text()?)));
    // A pattern is looked at even where its zone is wrong: all mistakes are told at once.
    let by_cron = pattern
        .and_then(|(at, text)| cron(at, text, zone.clone().unwrap_or_else(Zone::utc), problems))
        .filter(|_| zone.is_some());
    let by_interval = node.text_of("every").and_then(Every::parse).map(Timed::Every);
    let trigger = match by_cron.or(by_interval) {
        Some(timed) => Some(StartTrigger::Timed(timed)),
        None if after.is_empty() => None,
        None => {
            let stop_on = node.text_of("stop_on").and_then(StopRule::parse).unwrap_or_default();
            Some(StartTrigger::After { syncs: after.iter().map(|(id, _)| id.clone()).collect(), stop_on })
        }
    };
    ReadSchedule { spec: trigger.and_then(spec), after }
}

fn after(node: &Node) -> Vec<Followed> {
    let Some(named) = node.get("after") else { return Vec::new() };
    let ids = match &named.content {
        Content::List(items) => items.as_slice(),
        Content::Scalar(_) | Content::Map(_) | Content::Unresolved => std::slice::from_ref(named),
    };
    ids.iter().filter_map(|id| Some((SyncId::new(id.text()?), id.place.clone()))).collect()
}

/// The zone that is named, UTC where none is; `None` if there is none of this name.
fn zone(node: &Node, problems: &mut Vec<Problem>) -> Option<Zone> {
    let Some(named) = node.get("zone") else { return Some(Zone::utc()) };
    let text = named.text()?;
    let zone = Zone::named(text);
    if zone.is_none() && !text.trim().is_empty() {
        let known = Zone::names();
        let problem = Problem::new(Code::UNKNOWN_NAME, format!("unknown time zone `{}`", preview(text)));
        problems.push(problem.at(&named.place).help(match nearest(text, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "write a name from the IANA Time Zone Database, such as `Europe/Berlin`, or `UTC`".to_owned()
            }
        }));
    }
    zone
}

fn cron(node: &Node, text: &str, zone: Zone, problems: &mut Vec<Problem>) -> Option<Timed> {
    if text.trim().is_empty() {
        return None;
    }
    match Timed::cron(text, zone) {
        Ok(timed) => Some(timed),
        Err(fault) => {
            let problem = Problem::new(Code::WRONG_VALUE, fault.message).help(fault.help);
            problems.push(problem.at(&part(node, text, &fault.at)));
            None
        }
    }
}

/// The place of a part of a text, where the file shows the text as it is; else that of the whole.
fn part(node: &Node, text: &str, at: &Range<usize>) -> Place {
    let letters = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let quotes = match node.scalar().map(|scalar| scalar.style) {
        Some(Style::Quoted) => 1,
        Some(Style::Plain) => 0,
        Some(Style::Resolved) | None => return node.place.clone(),
    };
    let whole = *at == (0..text.len()) || node.place.length != letters(text) + 2 * quotes;
    let (Some(before), Some(part)) = (text.get(..at.start), text.get(at.clone())) else {
        return node.place.clone();
    };
    if whole {
        return node.place.clone();
    }
    Place {
        column: node.place.column + quotes + letters(before),
        length: letters(part).max(1),
        ..node.place.clone()
    }
}
