//! What does not fit any more by the time it is to be sent, and is left out (law 4).

use coho_core::code::Code;
use coho_core::operation::{Action, Operation};
use coho_core::plan::count_problem;
use coho_core::row_state::DeliveryState;
use coho_core::verdict::RowStatus;
use coho_ledger::LedgerError;
use coho_ledger::identity::{Elsewhere, KnownRecord};
use coho_plan::phase::Phase;

use super::Writer;
use crate::failure::EngineError;
use crate::send::outcome::{explained, status};
use crate::send::sent::Sent;

/// How many removals are left out at once.
const AT_ONCE: usize = 500;

/// Why an operation does not fit any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    /// Its memory is another one.
    Changed,
    /// Another sync came to hold its record.
    Claimed,
    /// Users that are still held would be deleted with its record.
    TakesUsersAlong,
    /// Its row became another record, which is not delivered yet.
    Replaced,
}

impl Stale {
    fn code(self) -> Option<Code> {
        match self {
            Self::Changed | Self::Claimed | Self::Replaced => None,
            Self::TakesUsersAlong => Some(Code::TAKES_USERS_ALONG),
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Changed => "",
            Self::Claimed => "another sync delivered this record in the meantime",
            Self::TakesUsersAlong => "deleting it would delete a user that a sync owns",
            Self::Replaced => "its row now belongs to another record, which is not delivered yet",
        }
    }
}

impl Writer {
    /// Takes out the removals of records that another sync came to hold since the plan was made.
    pub(super) fn still_ours(
        &self,
        operations: Vec<Operation>,
        stale: &mut Vec<(Operation, Stale)>,
    ) -> Result<Vec<Operation>, EngineError> {
        let mut ours = Vec::with_capacity(operations.len());
        for operation in operations {
            match self.not_ours(&operation)? {
                Some(why) => stale.push((operation, why)),
                None => ours.push(operation),
            }
        }
        Ok(ours)
    }

    /// Why a removal is not for this sync to make any more; `None` where it is, and for all else.
    pub(super) fn not_ours(&self, operation: &Operation) -> Result<Option<Stale>, EngineError> {
        if !matches!(operation.action, Action::Remove) {
            return Ok(None);
        }
        if self.is_claimed(operation)? {
            return Ok(Some(Stale::Claimed));
        }
        Ok(self.is_replaced(operation)?.then_some(Stale::Replaced))
    }

    /// Whether the row that had a record before waits for its new one: until that is there, the old one stays.
    fn is_replaced(&self, operation: &Operation) -> Result<bool, LedgerError> {
        if !operation.key.is_departed() {
            return Ok(false);
        }
        let row_state = self.ledger.row_state(&self.scope, &operation.key.of_row())?;
        Ok(row_state.is_some_and(|row_state| row_state.delivery == DeliveryState::Never))
    }

    /// Whether another row of the sync holds a record by Vitally's id: a row whose key was renamed, say, that found it by its
    /// e-mail address.
    fn is_held(&self, operation: &Operation) -> Result<bool, EngineError> {
        let Some(id) = operation.known.id() else { return Ok(false) };
        for key in self.ledger.holder_of_id(&self.scope, id)? {
            let row_state = self.ledger.row_state(&self.scope, &key)?;
            let holds = row_state
                .is_some_and(|row_state| matches!(row_state.delivery, DeliveryState::Delivered { .. }));
            if key != operation.key && holds && !self.table.is_absent(&key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_claimed(&self, operation: &Operation) -> Result<bool, EngineError> {
        if self.is_held(operation)? {
            return Ok(true);
        }
        let record = KnownRecord { target: &operation.target, id: operation.known.id() };
        let elsewhere = self.ledger.held_elsewhere(&self.scope, operation.object, &[record])?;
        Ok(elsewhere == [Elsewhere::Now])
    }

    /// Leaves out the removals that would take users along that some sync holds.
    pub(in crate::send) fn leave_users(&self, sent: &mut Sent) -> Result<(), EngineError> {
        self.table.leave_users(&self.ledger, &self.scope)?;
        let mut after = 0;
        loop {
            let left = self.table.left_for_users(after, AT_ONCE)?;
            let Some((last, _)) = left.last() else { return Ok(()) };
            after = *last;
            let stale: Vec<_> =
                left.into_iter().map(|(_, operation)| (operation, Stale::TakesUsersAlong)).collect();
            self.pass_over(stale, sent)?;
        }
    }

    /// Records operations that do not fit any more.
    pub(super) fn pass_over(
        &self,
        stale: Vec<(Operation, Stale)>,
        sent: &mut Sent,
    ) -> Result<(), EngineError> {
        if stale.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut statuses = Vec::with_capacity(stale.len());
        for (operation, why) in stale {
            if let (Some(code), message) = (why.code(), why.message()) {
                let problem = explained(code, message);
                count_problem(&mut sent.problems, Some(&operation.key), &problem);
            }
            if Phase::of(&operation).writes() {
                sent.stale_writes += 1;
            } else {
                sent.stale_removals += 1;
            }
            let (code, message, private) = (why.code(), why.message().to_owned(), self.client.private());
            statuses.push(status(operation, RowStatus::Stale, code, message, now, private));
        }
        Ok(self.ledger.record(&self.lease, &self.run, &self.scope, &statuses)?)
    }
}
