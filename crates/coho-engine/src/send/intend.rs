//! Intending: a window's intents are durable before the first byte leaves (law 2), and what does not fit any more is left out
//! (law 4).

use coho_core::code::Code;
use coho_core::operation::{Action, Operation};
use coho_core::plan::count_problem;
use coho_core::row_state::{DeliveryState, Pending, RowState};
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use coho_ledger::LedgerError;
use coho_ledger::identity::Elsewhere;
use coho_ledger::intent::Intent;
use coho_plan::phase::Phase;

use super::Sender;
use super::outcome::{explained, status};
use super::sent::Sent;
use crate::failure::EngineError;

/// How many removals are left out at once.
const AT_ONCE: usize = 500;

/// An operation with the memory that it was made from.
pub(super) struct Due {
    pub(super) operation: Operation,
    pub(super) before: Option<RowState>,
    /// When the intent was made durable.
    pub(super) at: Time,
}

impl Due {
    /// When the first intent of this write was made durable that nothing is known of: that of an earlier run, or this one.
    pub(super) fn since(&self) -> Time {
        match self.before.as_ref().map(|row_state| &row_state.pending) {
            Some(Pending::Open { since, .. }) => *since,
            Some(Pending::None | Pending::Waiting { .. }) | None => self.at,
        }
    }
}

/// Why an operation does not fit any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stale {
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
            Self::Claimed => "another sync delivered this record meanwhile",
            Self::TakesUsersAlong => "a user that a sync still holds would be deleted with it",
            Self::Replaced => "its row became another record, which is not delivered yet",
        }
    }
}

impl Sender<'_> {
    /// Makes the intents of a window durable. What does not fit its memory any more is left out (law 4).
    pub(super) fn intend(
        &self,
        operations: Vec<Operation>,
        sent: &mut Sent,
    ) -> Result<Vec<Due>, EngineError> {
        let now = self.clock.now();
        let mut stale = Vec::new();
        let operations = self.still_ours(operations, &mut stale)?;
        let mut befores = Vec::with_capacity(operations.len());
        for operation in &operations {
            befores.push(self.ledger.row_state(self.scope, &operation.key)?);
        }
        let intents: Vec<_> = operations.iter().map(|operation| Intent::of(operation, now)).collect();
        let changed = self.ledger.open_intents(self.lease, self.scope, &intents)?;
        let mut due = Vec::with_capacity(operations.len());
        for (operation, before) in operations.into_iter().zip(befores) {
            if changed.contains(&operation.key) {
                stale.push((operation, Stale::Changed));
            } else {
                due.push(Due { operation, before, at: now });
            }
        }
        self.pass_over(&stale, sent)?;
        Ok(due)
    }

    /// Takes out the removals of records that another sync came to hold since the plan was made.
    fn still_ours(
        &self,
        operations: Vec<Operation>,
        stale: &mut Vec<(Operation, Stale)>,
    ) -> Result<Vec<Operation>, EngineError> {
        let mut ours = Vec::with_capacity(operations.len());
        for operation in operations {
            let removes = matches!(operation.action, Action::Remove);
            if removes && self.is_claimed(&operation)? {
                stale.push((operation, Stale::Claimed));
            } else if removes && self.is_replaced(&operation)? {
                stale.push((operation, Stale::Replaced));
            } else {
                ours.push(operation);
            }
        }
        Ok(ours)
    }

    /// Whether the row that had a record before waits for its new one: until that is there, the old one stays.
    fn is_replaced(&self, operation: &Operation) -> Result<bool, LedgerError> {
        if !operation.key.is_departed() {
            return Ok(false);
        }
        let row_state = self.ledger.row_state(self.scope, &operation.key.of_row())?;
        Ok(row_state.is_some_and(|row_state| row_state.delivery == DeliveryState::Never))
    }

    /// Whether another row of the sync holds a record by Vitally's id: a row whose key was renamed, say, that found it by its
    /// e-mail address.
    fn is_held(&self, operation: &Operation) -> Result<bool, EngineError> {
        let Some(id) = operation.known.id() else { return Ok(false) };
        for key in self.ledger.holder_of_id(self.scope, id)? {
            let row_state = self.ledger.row_state(self.scope, &key)?;
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
        let (object, target, id) = (operation.object, &operation.target, operation.known.id());
        Ok(self.ledger.held_elsewhere(self.scope, object, target, id)? == Elsewhere::Now)
    }

    /// Leaves out the removals that would take users along that some sync holds.
    pub(super) fn leave_users(&self, sent: &mut Sent) -> Result<(), EngineError> {
        self.table.leave_users(self.ledger, self.scope)?;
        let mut after = 0;
        loop {
            let left = self.table.left_for_users(after, AT_ONCE)?;
            let Some((last, _)) = left.last() else { return Ok(()) };
            after = *last;
            let stale: Vec<_> =
                left.into_iter().map(|(_, operation)| (operation, Stale::TakesUsersAlong)).collect();
            self.pass_over(&stale, sent)?;
        }
    }

    /// Records operations that do not fit any more.
    fn pass_over(&self, stale: &[(Operation, Stale)], sent: &mut Sent) -> Result<(), EngineError> {
        let now = self.clock.now();
        for (operation, why) in stale {
            if let (Some(code), message) = (why.code(), why.message()) {
                let problem = explained(code, message);
                count_problem(&mut sent.problems, Some(&operation.key), &problem);
            }
            if Phase::of(operation).writes() {
                sent.stale_writes += 1;
            } else {
                sent.stale_removals += 1;
            }
        }
        let statuses: Vec<_> = stale
            .iter()
            .map(|(operation, why)| {
                status(
                    operation,
                    RowStatus::Stale,
                    why.code(),
                    why.message().to_owned(),
                    now,
                    self.client.private(),
                )
            })
            .collect();
        if statuses.is_empty() {
            Ok(())
        } else {
            Ok(self.ledger.record(self.lease, self.run, self.scope, &statuses)?)
        }
    }
}
