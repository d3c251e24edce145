//! Schedules across syncs: who follows whom, without circles, and which schedule is never due.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::sync::SyncId;

use crate::names::unknown_name;
use crate::read::schedule::Followed;
use crate::read::sync::ReadSync;
use crate::schedule::{ScheduleSpec, StartTrigger};

/// A moment before every run, from which each schedule is due if it ever is.
const BEGINNING: coho_schedule::Time = coho_schedule::Time::UNIX_EPOCH;

/// Whoever is followed exists, is named once, and follows nobody back.
pub(crate) fn check(syncs: &[ReadSync], problems: &mut Vec<Problem>) {
    let ids: BTreeSet<&SyncId> = syncs.iter().filter_map(|sync| sync.id.as_ref()).map(|(id, _)| id).collect();
    // If the id of one is not known, it may be the one that is meant.
    let complete = syncs.iter().all(|sync| sync.id.is_some());
    let follows: BTreeMap<&SyncId, &[Followed]> = syncs
        .iter()
        .filter_map(|sync| Some((&sync.id.as_ref()?.0, sync.schedule.after.as_slice())))
        .collect();
    for (own, followed) in &follows {
        let mut named = BTreeSet::new();
        for (id, at) in *followed {
            let problem = if id == *own {
                wrong(format!("`{own}` waits for itself"), "remove it from `after`")
            } else if !ids.contains(id) && complete {
                unknown_name("sync", id.as_str(), ids.iter().map(|id| id.as_str()))
            } else if !named.insert(id) {
                wrong(format!("`after` names `{id}` twice"), "keep one of them")
            } else if let Some(way) = circle(own, id, &follows) {
                let way = way.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" after ");
                wrong(
                    format!("the syncs wait for each other in a cycle: {way}"),
                    "give one of them its own schedule",
                )
            } else {
                continue;
            };
            problems.push(problem.at(at));
        }
    }
}

fn wrong(message: String, help: &str) -> Problem {
    Problem::new(Code::WRONG_VALUE, message).help(help)
}

/// The way from a sync over one that it follows back to itself; it is told once, at the first of its syncs.
fn circle<'a>(
    own: &'a SyncId,
    first: &'a SyncId,
    follows: &BTreeMap<&'a SyncId, &'a [Followed]>,
) -> Option<Vec<&'a SyncId>> {
    let mut ways = vec![vec![own, first]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        for (next, _) in follows.get(*last).copied().unwrap_or_default() {
            let longer = || way.iter().copied().chain([next]).collect::<Vec<_>>();
            if next == own {
                return way.iter().all(|id| *id >= own).then(longer);
            }
            if seen.insert(next) {
                ways.push(longer());
            }
        }
    }
    None
}

/// Schedules that are never due.
pub(crate) fn never(schedules: &BTreeMap<SyncId, ScheduleSpec>) -> Vec<Problem> {
    let is_never = |spec: &&ScheduleSpec| match &spec.trigger {
        StartTrigger::Timed(timed) => timed.next(BEGINNING).is_none(),
        StartTrigger::After { .. } => false,
    };
    let warning = |spec: &ScheduleSpec| {
        Problem::new(Code::NEVER_DUE, "this date never occurs, so the sync never runs by itself")
            .at(&spec.place)
            .help("change the day of the month or the month")
    };
    schedules.values().filter(is_never).map(warning).collect()
}
