//! What became of an operation, as reports and the ledger have it.

use coho_core::code::Code;
use coho_core::operation::{Action, Known, Operation};
use coho_core::private::Private;
use coho_core::problem::Problem;
use coho_core::time::Time;
use coho_core::verdict::{Call, Outcome, RowStatus, Verdict};
use coho_ledger::settle::{OpType, RowResult};

use super::halt::Halt;

/// A problem to report, where an outcome is one.
pub(super) fn problem(outcome: Outcome, code: Option<Code>, message: &str) -> Option<Problem> {
    let code = code?;
    match outcome {
        Outcome::Delivered | Outcome::Accepted | Outcome::Removed | Outcome::NotAttempted => None,
        Outcome::Skipped | Outcome::Rejected | Outcome::Deferred => Some(explained(code, message)),
    }
}

/// A problem with what its code says to do.
pub(super) fn explained(code: Code, message: &str) -> Problem {
    Problem { help: code.help(), ..Problem::new(code, message) }
}

/// Why an operation was tried and not sent; `None` where it was not even tried, or the run ended while it waited for the rate.
pub(super) fn unsent(verdict: &Verdict, calls: &[Call], at: &str) -> Option<Halt> {
    let (Verdict::Unsent { why }, Some(last)) = (verdict, calls.last()) else { return None };
    if last.status == Some(429) {
        return None;
    }
    let code = if last.status.is_some() { Code::SERVER_FAILING } else { Code::UNREACHABLE };
    Some(Halt { code, message: why.clone(), at: at.to_owned() })
}

/// What Vitally said of an operation, without the values that are hidden: it may repeat them.
pub(super) fn said(operation: &Operation, message: String, private: &Private) -> String {
    match &operation.action {
        Action::Write { changed, .. } if !private.is_empty() => private.values_among(changed).hide(&message),
        Action::Write { .. } | Action::Remove | Action::Probe { .. } => message,
    }
}

/// How a row ends.
pub(super) fn status(
    operation: &Operation,
    status: RowStatus,
    code: Option<Code>,
    message: String,
    at: Time,
    private: &Private,
) -> RowResult {
    let (op_type, changes) = match &operation.action {
        Action::Write { changed, .. } => {
            let added = operation.known == Known::New;
            (if added { OpType::Added } else { OpType::Changed }, private.differences(changed.clone()))
        }
        Action::Remove | Action::Probe { .. } => (OpType::Removed, Vec::new()),
    };
    RowResult {
        key: Some(operation.key.clone()),
        op_type: Some(op_type),
        status,
        reason: operation.reason.to_string(),
        code,
        message: if message.is_empty() { None } else { Some(message) },
        changes,
        at,
    }
}

/// Whether Vitally refused an operation.
pub(super) fn is_rejected(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Rejected { .. } | Verdict::Ambiguous)
}
