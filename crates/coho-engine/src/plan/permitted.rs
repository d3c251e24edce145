//! What a permit does not have is left out of a plan: it is reported as stale, and never sent.

use coho_core::code::Code;
use coho_core::verdict::Fate;
use coho_ledger::spool::Lane;

use super::draft::Draft;
use super::{Job, PlanError};

/// How many operations are looked at at once.
const AT_ONCE: usize = 500;

/// Takes the operations of these lanes out that the permit, if there is one, does not have.
pub(super) fn restrict(job: &Job<'_>, draft: &mut Draft, lanes: &[Lane]) -> Result<(), PlanError> {
    let Some(permit) = job.permit else { return Ok(()) };
    for lane in lanes {
        let mut after = 0;
        loop {
            let operations = draft.spool.operations(*lane, after, AT_ONCE)?;
            let Some((last, _)) = operations.last() else { break };
            after = *last;
            for (seq, operation) in &operations {
                if permit.allows(&job.sync.id, draft.rules, operation) {
                    draft.permitted += 1;
                } else {
                    let message = if permit.names(&job.sync.id, operation) {
                        "its row, its record or the mapping changed since the plan that was agreed to"
                    } else {
                        "the plan that was agreed to does not have this"
                    };
                    draft.withdraw(*seq, operation, Fate::Stale, Code::STALE, message)?;
                    draft.tally(coho_core::decide::Change::Hold, operation.reason, 1);
                }
            }
        }
    }
    Ok(())
}
