//! What `coho plan` prints: what would be sent, why, with examples, what holds it, and what it costs.

use coho_core::decide::{Change, Reason};
use coho_core::plan::{Calls, LeastTime, Sample, SyncPlan};
use coho_core::sync::{Api, FirstRun};
use coho_core::verdict::RowStatus;

use super::differences::differences;
use super::notice::{self, KEY, See};
use crate::grid::{Cell, lay};
use crate::style::{Style, Tone};
use crate::words::{CHANGES, change, counted, number, seen, tame, time, wrap};

/// The plans of some syncs.
pub fn plan(plans: &[SyncPlan], style: &Style) -> String {
    let mut parts: Vec<_> = plans.iter().map(|plan| sync(plan, style)).collect();
    if plans.iter().filter(|plan| plan.counts.planned() > 0).count() > 1 {
        parts.push(plan_total(plans) + "\n");
    }
    if plans.is_empty() {
        parts.push("nothing to send\n".to_owned());
    }
    parts.join("\n")
}

fn sync(plan: &SyncPlan, style: &Style) -> String {
    let heading = heading(plan, style);
    let quiet = plan.counts.planned() == 0;
    let notes = plan.notes.iter().map(|note| wrap(&format!("note: {}", tame(note)), 2, style.width));
    let notices = notice::guards(&plan.guards, style)
        + &notice::problems(&plan.problems, See::Nowhere, style)
        + &notes.collect::<String>();
    let unchanged = plan.counts.status(RowStatus::Unchanged) + plan.counts.status(RowStatus::Touched);
    if quiet && unchanged == plan.counts.read && plan.counts.absent == 0 && notices.is_empty() {
        let rows =
            if unchanged > 0 { format!(", {} unchanged", counted(unchanged, "row")) } else { String::new() };
        return format!("{heading}: nothing to send{rows}\n");
    }
    let cost = if quiet {
        "  nothing to send\n".to_owned()
    } else {
        format!("  {}\n", plan_cost(plan.calls, plan.time))
    };
    let rows = style.paint(Tone::Faint, &format!("{} read", counted(plan.counts.read, "row")));
    let parts = [lay(&changes(plan), 2, style), samples(plan, style), notices, cost];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{heading}  {rows}\n{}", parts.join("\n"))
}

/// `orders → event (upsert, analytics; first run: baseline)`
fn heading(plan: &SyncPlan, style: &Style) -> String {
    let api = match plan.api {
        Api::Rest => "",
        Api::Analytics => ", analytics",
    };
    let first_run = match plan.first_run {
        None | Some(FirstRun::Send) => String::new(),
        Some(other @ (FirstRun::Baseline | FirstRun::Adopt)) => format!("; first run: {}", other.name()),
        Some(FirstRun::Since(moment)) => {
            format!("; first run: since {}", moment.format("%Y-%m-%dT%H:%M:%SZ"))
        }
    };
    let sync = style.paint(Tone::Strong, plan.sync.as_str());
    format!("{sync} → {} ({}{api}{first_run})", plan.object, plan.mode.name())
}

fn changes(plan: &SyncPlan) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for kind in CHANGES {
        let mut word = change(kind);
        for ((_, reason), count) in plan.changes.iter().filter(|((other, _), _)| *other == kind) {
            let why = format!("{reason}{}", aside(plan, kind, *reason));
            rows.push(vec![
                Cell::left(word).tone(tone(kind)),
                Cell::right(number(*count)),
                Cell::left(why).tone(Tone::Faint),
            ]);
            word = "";
        }
        if kind == Change::Hold {
            rows.extend(invalid(plan));
        }
    }
    rows
}

/// Rows that cannot be sent are told by what is wrong with them, not by what they would have been.
fn invalid(plan: &SyncPlan) -> Option<Vec<Cell>> {
    let count = plan.counts.status(RowStatus::Invalid);
    let codes = plan.problems.iter().map(|(kind, problem)| format!("{kind} {}", number(problem.count)));
    let codes: Vec<_> = codes.collect();
    (count > 0).then(|| {
        vec![
            Cell::left(change(Change::Invalid)).tone(Tone::Bad),
            Cell::right(number(count)),
            Cell::left(codes.join(", ")).tone(Tone::Faint),
        ]
    })
}

fn aside(plan: &SyncPlan, kind: Change, reason: Reason) -> String {
    let (created, found) = (plan.removals.created, plan.removals.found);
    if kind == Change::Remove && reason == Reason::RemovedFromModel && created + found > 0 {
        format!(": {} created by Coho, {} found", number(created), number(found))
    } else {
        String::new()
    }
}

fn tone(kind: Change) -> Tone {
    match kind {
        Change::Add => Tone::Good,
        Change::Update | Change::Retry | Change::Resolve | Change::Hold => Tone::Change,
        Change::Remove | Change::Invalid => Tone::Bad,
        Change::Probe
        | Change::Learn
        | Change::Release
        | Change::Keep
        | Change::Forget
        | Change::Unchanged => Tone::Plain,
    }
}

fn samples(plan: &SyncPlan, style: &Style) -> String {
    CHANGES.into_iter().map(|kind| samples_of(plan, kind, style)).collect()
}

fn samples_of(plan: &SyncPlan, kind: Change, style: &Style) -> String {
    let samples: Vec<_> = plan.samples.iter().filter(|sample| sample.change == kind).collect();
    let planned = plan.changes.iter().filter(|((other, _), _)| *other == kind).map(|(_, count)| count);
    let more = planned.sum::<u64>().saturating_sub(samples.len() as u64);
    let mut lines: Vec<_> = samples.iter().map(|sample| example(sample, style)).collect();
    if !samples.is_empty() && more > 0 {
        let more = format!("    … {} more to {}", number(more), change(kind));
        lines.push(style.paint(Tone::Faint, &more) + "\n");
    }
    lines.concat()
}

fn example(sample: &Sample, style: &Style) -> String {
    let sign = match sample.change {
        Change::Add => "+",
        Change::Remove => "-",
        Change::Resolve | Change::Probe => "?",
        Change::Update
        | Change::Retry
        | Change::Learn
        | Change::Release
        | Change::Keep
        | Change::Forget
        | Change::Hold
        | Change::Invalid
        | Change::Unchanged => "~",
    };
    let (key, target) = (sample.key.as_str(), sample.target.as_str());
    let record = if key == target { String::new() } else { format!(" → {}", seen(target, KEY)) };
    let reason = style.paint(Tone::Faint, sample.reason.as_str());
    let sign = style.paint(tone(sample.change), sign);
    format!("  {sign} {}{record}  {reason}\n", seen(key, KEY)) + &differences(&sample.differences, 6, style)
}

/// A time from which on it is told how much faster the Analytics API would be, in milliseconds.
const LONG: u64 = 60_000;

/// `2 to 6 calls, at least 1 s at 900 calls a minute`
pub fn plan_cost(calls: Calls, least: LeastTime) -> String {
    let counted = match calls {
        Calls { least, most } if least == most => counted(least, "call"),
        Calls { least, most } => format!("{} to {}", number(least), counted(most, "call")),
    };
    if least.rate == 0 {
        return counted;
    }
    let price = match least.write_price {
        1_000 => String::new(),
        price => format!(", a write costs {}", thousandths(price)),
    };
    let faster = match least.by_analytics {
        Some(millis) if least.millis >= LONG => format!("; by `api: analytics` {}", whole(millis)),
        Some(_) | None => String::new(),
    };
    let (rate, least) = (number(least.rate.into()), whole(least.millis));
    format!("{counted}, at least {least} at {rate} calls a minute{price}{faster}")
}

/// Whole seconds, since it is an estimate.
fn whole(millis: u64) -> String {
    let seconds = millis.div_ceil(1_000);
    if seconds < 10 { format!("{seconds} s") } else { time(seconds.saturating_mul(1_000)) }
}

/// `5`, `2.5`: thousandths as a number.
fn thousandths(number: u32) -> String {
    let text = format!("{}.{:03}", number / 1_000, number % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `all syncs: 12 operations, 12 to 40 calls, at least 1 s at 900 calls a minute`
pub fn plan_total(plans: &[SyncPlan]) -> String {
    let sum = |part: fn(&Calls) -> u64| plans.iter().map(|plan| part(&plan.calls)).sum();
    let calls = Calls { least: sum(|calls| calls.least), most: sum(|calls| calls.most) };
    let operations: u64 = plans.iter().map(|plan| plan.counts.planned()).sum();
    let first = plans.iter().map(|plan| plan.time).find(|time| time.rate > 0).unwrap_or_default();
    // Syncs of several rates have no one rate to name.
    let same =
        plans.iter().all(|plan| (plan.time.rate, plan.time.write_price) == (first.rate, first.write_price));
    let millis = plans.iter().map(|plan| plan.time.millis).sum();
    let cost = if same {
        plan_cost(calls, LeastTime { millis, by_analytics: None, ..first })
    } else {
        format!("{}, at least {}", plan_cost(calls, LeastTime::default()), whole(millis))
    };
    format!("all syncs: {}, {cost}", counted(operations, "operation"))
}
