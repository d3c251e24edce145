//! The beginning of a sync: what its first run does with the rows that are there already.

use coho_core::decide::RunKind;
use coho_core::fields::Rendered;
use coho_core::sync::{FirstRun, Sync};
use coho_core::time::Time;
use coho_mapping::Mapping;

/// The policy of a sync's first run, if this is its first: no run of it was planned to its end before. A person who asks for
/// something else, such as sending all again, is obeyed.
pub fn first_run(sync: &Sync, begun: Option<Time>, run_kind: RunKind) -> Option<FirstRun> {
    match (run_kind, begun) {
        (RunKind::Sync, None) => Some(sync.first_run),
        (RunKind::Sync, Some(_))
        | (RunKind::Baseline | RunKind::Adopt | RunKind::Resend | RunKind::ResendEvents, _) => None,
    }
}

/// What a plan is for, with the policy of a first run.
pub fn run_kind(asked: RunKind, first_run: Option<FirstRun>) -> RunKind {
    match first_run {
        Some(FirstRun::Baseline) => RunKind::Baseline,
        Some(FirstRun::Adopt) => RunKind::Adopt,
        Some(FirstRun::Send | FirstRun::Since(_)) | None => asked,
    }
}

/// Whether an event's time is one that nobody means: before the year 2000, or more than a day ahead.
pub(crate) fn is_odd(rendered: &Rendered, now: Time) -> bool {
    const YEAR_2000: i64 = 946_684_800;
    let odd = |moment: Time| moment.timestamp() < YEAR_2000 || moment > now + chrono::TimeDelta::days(1);
    Mapping::moment(rendered).is_some_and(odd)
}

/// Whether an event happened before the sync is to begin.
pub(crate) fn is_before(first_run: Option<FirstRun>, rendered: &Rendered) -> bool {
    let Some(FirstRun::Since(since)) = first_run else { return false };
    Mapping::moment(rendered).is_some_and(|moment| moment < since)
}
