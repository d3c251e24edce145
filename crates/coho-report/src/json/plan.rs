//! A plan as a document.

use coho_core::counts::Counts;
use coho_core::fields::Difference;
use coho_core::json::{Json, to_serde};
use coho_core::plan::{GuardHit, LeastTime, ProblemCounts, Sample, SyncPlan};
use coho_core::verdict::RowStatus;
use serde_json::{Map, json};

use super::{VERSION, object, problem};
use crate::words::change;

/// The plans of some syncs:
///
/// ```json
/// {
///   "version": 1,
///   "syncs": [{
///     "sync": "accounts", "object": "account", "mode": "upsert", "api": "rest", "firstRun": null,
///     "counts": { "read": 91, "absent": 0, "writes": 3, "removals": 0, "statuses": { "unchanged": 88 } },
///     "changes": [{ "change": "update", "reason": "row-changed", "count": 3 }],
///     "samples": [{
///       "key": "7", "target": "acme", "change": "update", "reason": "row-changed",
///       "differences": [{ "field": "traits.seats", "before": 40, "after": 45 }]
///     }],
///     "problems": [{ "code": "null-key", "count": 2, "key": "7", "first": { "code": "null-key", "message": "…" } }],
///     "guards": [{ "code": "max-removed", "message": "…", "help": "…", "held": 37 }],
///     "removals": { "created": 0, "found": 0 },
///     "calls": { "least": 3, "most": 12 },
///     "time": { "rate": 900, "writePrice": 1.0, "leastMillis": 200, "byAnalyticsMillis": 200 },
///     "notes": []
///   }]
/// }
/// ```
///
/// `before` is left out where Coho never sent the field; an `after` of `null` clears it. `statuses` has those that are not 0.
pub fn plan(plans: &[SyncPlan]) -> Json {
    json!({ "version": VERSION, "syncs": plans.iter().map(sync).collect::<Vec<_>>() })
}

pub(super) fn sync(plan: &SyncPlan) -> Json {
    let changes = plan.changes.iter().map(
        |((kind, reason), count)| json!({ "change": change(*kind), "reason": reason.as_str(), "count": count }),
    );
    json!({
        "sync": plan.sync.as_str(),
        "object": plan.object.name(),
        "mode": plan.mode.name(),
        "api": plan.api.name(),
        "firstRun": plan.first_run.map(coho_core::sync::FirstRun::name),
        "counts": counts(&plan.counts),
        "changes": changes.collect::<Vec<_>>(),
        "samples": plan.samples.iter().map(sample).collect::<Vec<_>>(),
        "problems": problems(&plan.problems),
        "guards": guards(&plan.guards),
        "removals": { "created": plan.removals.created, "found": plan.removals.found },
        "calls": { "least": plan.calls.least, "most": plan.calls.most },
        "time": time(&plan.time),
        "notes": plan.notes,
    })
}

pub(super) fn counts(counts: &Counts) -> Json {
    let statuses = RowStatus::ALL
        .into_iter()
        .map(|status| (status, counts.status(status)))
        .filter(|(_, count)| *count > 0);
    let statuses: Map<_, _> = statuses.map(|(status, count)| (status.to_string(), count.into())).collect();
    json!({
        "read": counts.read,
        "absent": counts.absent,
        "writes": counts.writes,
        "removals": counts.removals,
        "statuses": statuses,
    })
}

fn time(time: &LeastTime) -> Json {
    json!({
        "rate": time.rate,
        "writePrice": f64::from(time.write_price) / 1_000.0,
        "leastMillis": time.millis,
        "byAnalyticsMillis": time.by_analytics,
    })
}

fn sample(sample: &Sample) -> Json {
    json!({
        "key": sample.key.as_str(),
        "target": sample.target.as_str(),
        "change": change(sample.change),
        "reason": sample.reason.as_str(),
        "differences": differences(&sample.differences),
    })
}

pub(super) fn differences(differences: &[Difference]) -> Json {
    let differences = differences.iter().map(|difference| {
        object([
            ("field", Some(difference.path.to_string().into())),
            ("before", difference.before.as_ref().map(to_serde)),
            ("after", Some(to_serde(&difference.after))),
        ])
    });
    differences.collect()
}

pub(super) fn problems(problems: &ProblemCounts) -> Json {
    let problems = problems.iter().map(|(kind, count)| {
        object([
            ("code", Some(kind.code.as_str().into())),
            ("field", kind.field.as_ref().map(|field| field.to_string().into())),
            ("count", Some(count.count.into())),
            ("key", count.key.as_ref().map(|key| key.as_str().into())),
            ("first", Some(problem::members(&count.first))),
        ])
    });
    problems.collect()
}

pub(super) fn guards(guards: &[GuardHit]) -> Json {
    let guard = |guard: &GuardHit| {
        json!({
            "code": guard.code.as_str(),
            "message": guard.message,
            "help": guard.help,
            "held": guard.held,
        })
    };
    guards.iter().map(guard).collect()
}
