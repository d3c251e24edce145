//! Exit codes: what a shell learns of a run.
//!
//! Over several syncs the most serious code wins, in this order: [`HALTED`], [`LEASE_HELD`], [`INTERRUPTED`], [`FAILED`],
//! [`HELD`], [`ROWS`], [`DONE`]. A halt concerns the whole workspace, so it comes first; after a Ctrl-C the person knows why
//! the rest is missing, so it comes before what single syncs report.

use coho_core::case::{SuiteReport, Tally};
use coho_core::code::{Code, Family};
use coho_core::plan::{SyncPlan, SyncStatus, SyncSummary};

/// Done, or nothing to do.
pub const DONE: u8 = 0;
/// Something unexpected.
pub const UNEXPECTED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// A configuration, mapping or template is invalid, or a source failed.
pub const FAILED: u8 = 3;
/// A guard holds something.
pub const HELD: u8 = 4;
/// Some rows are rejected, invalid or deferred; or some tests failed.
pub const ROWS: u8 = 5;
/// The run stopped by itself: credentials, quota, ledger, wrong workspace.
pub const HALTED: u8 = 6;
/// Another run holds the lease.
pub const LEASE_HELD: u8 = 7;
/// `coho plan --exit-code`: there is something to send.
pub const SOMETHING_TO_SEND: u8 = 10;
/// A person stopped it.
pub const INTERRUPTED: u8 = 130;

/// From the most serious to the least.
const ORDER: [u8; 7] = [HALTED, LEASE_HELD, INTERRUPTED, FAILED, HELD, ROWS, DONE];

/// The exit code of a run of these syncs.
pub fn code(summaries: &[SyncSummary]) -> u8 {
    let codes: Vec<u8> = summaries.iter().map(of).collect();
    ORDER.into_iter().find(|code| codes.contains(code)).unwrap_or(DONE)
}

/// The exit code of a run that could not begin, or broke off, for this reason.
pub fn refused(code: Code) -> u8 {
    match code {
        Code::LEASE_HELD => LEASE_HELD,
        Code::INTERRUPTED => INTERRUPTED,
        Code::UNKNOWN_NAME => USAGE,
        code => match code.entry().map(|entry| entry.family) {
            Some(Family::Halt) => HALTED,
            Some(Family::Project | Family::Mapping | Family::Row) => FAILED,
            Some(Family::Guard) => HELD,
            Some(Family::Record | Family::Unclear) => ROWS,
            None => UNEXPECTED,
        },
    }
}

fn of(summary: &SyncSummary) -> u8 {
    match &summary.status {
        SyncStatus::Halted { code: Code::LEASE_HELD, .. } => LEASE_HELD,
        SyncStatus::Halted { code: Code::INTERRUPTED, .. } | SyncStatus::Interrupted => INTERRUPTED,
        SyncStatus::Held | SyncStatus::Halted { code: Code::MAX_REJECTED, .. } => HELD,
        SyncStatus::Halted { .. } => HALTED,
        SyncStatus::Failed(_) => FAILED,
        SyncStatus::CompletedWithErrors => ROWS,
        SyncStatus::Completed | SyncStatus::TimeUp if summary.has_errors() => ROWS,
        SyncStatus::Completed | SyncStatus::TimeUp => DONE,
    }
}

/// The exit code of `coho test`: [`FAILED`] where a test could not be run, [`ROWS`] where one failed.
pub fn cases(reports: &[SuiteReport]) -> u8 {
    let tally = Tally::of(reports.iter().flat_map(|report| &report.cases));
    match tally {
        Tally { broken: 0, failed: 0, .. } => DONE,
        Tally { broken: 0, .. } => ROWS,
        Tally { .. } => FAILED,
    }
}

/// The exit code of `coho plan --exit-code`: [`SOMETHING_TO_SEND`], or [`DONE`] where there is nothing.
pub fn plan(plans: &[SyncPlan]) -> u8 {
    if plans.iter().any(|plan| plan.counts.planned() > 0) { SOMETHING_TO_SEND } else { DONE }
}

#[cfg(test)]
mod tests {
    use coho_core::counts::Counts;
    use coho_core::object::Object;
    use coho_core::sync::SyncId;
    use coho_core::verdict::RowStatus;

    use super::*;

    fn ended(status: SyncStatus) -> SyncSummary {
        SyncSummary {
            sync: SyncId::new("accounts"),
            object: Object::Account,
            status,
            counts: Counts::default(),
            problems: [].into(),
            waiting: 0,
            guards: Vec::new(),
            calls: 0,
            millis: 0,
            notes: Vec::new(),
        }
    }

    fn halted(code: Code) -> SyncStatus {
        SyncStatus::Halted { code, message: String::new(), at: None }
    }

    /// From the most serious to the least: each wins over all that follow.
    #[test]
    fn most_serious_sync_decides() {
        let order = [
            (halted(Code::UNAUTHORIZED), 6),
            (halted(Code::LEASE_HELD), 7),
            (SyncStatus::Interrupted, 130),
            (SyncStatus::Failed(Vec::new()), 3),
            (SyncStatus::Held, 4),
            (SyncStatus::CompletedWithErrors, 5),
            (SyncStatus::Completed, 0),
        ];
        for (at, (status, expected)) in order.iter().enumerate() {
            let from_here: Vec<_> =
                order.iter().skip(at).rev().map(|(status, _)| ended(status.clone())).collect();
            assert_eq!(code(&from_here), *expected, "{}", status.name());
        }
    }

    #[test]
    fn nothing_to_run_is_done() {
        assert_eq!(code(&[]), DONE);
    }

    #[test]
    fn halt_by_a_person_is_an_interruption() {
        assert_eq!(code(&[ended(halted(Code::INTERRUPTED))]), INTERRUPTED);
    }

    #[test]
    fn rows_that_failed_are_told_whatever_the_status_says() {
        let mut summary = ended(SyncStatus::Completed);
        summary.counts.row(RowStatus::Invalid);
        assert_eq!(code(&[summary]), ROWS);
    }
}
