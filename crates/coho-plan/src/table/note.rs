//! Notes: what evaluation knows of a row or key that is not sent, and what a key's memory says of records.

use coho_core::code::Code;
use coho_core::decide::{Change, Reason};
use coho_core::key::Key;
use coho_core::row_state::{DeliveryState, Pending, RowState, Seen};
use coho_core::target::ExternalId;
use coho_core::verdict::RowStatus;

/// Whether a row of the table is about a row of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The model has it, so many times.
    Rows(u64),
    /// The model does not have it.
    Key,
}

/// Whether a key's memory holds a target already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldsTarget {
    /// It does.
    Already,
    /// It does not.
    NotYet,
    /// It does not, since it holds another record.
    Another,
}

/// What is remembered when the plan is carried out, though nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The row was looked at again and nothing differs.
    Seen(Seen),
    /// The row is taken as delivered, with what Vitally is taken to hold, as the ledger writes it.
    Learned(String, Seen),
    /// Its record is let be.
    Released,
    /// The memory is dropped.
    Forgotten,
}

/// A row or key that is not sent.
#[derive(Debug)]
pub struct Note<'a> {
    /// The row, or the key that left.
    pub key: &'a Key,
    /// Which of both.
    pub side: Side,
    /// The record, where it is known.
    pub target: Option<&'a ExternalId>,
    /// What is done.
    pub change: Change,
    /// Why.
    pub reason: Reason,
    /// Where it ends.
    pub status: RowStatus,
    /// The code of what went wrong; the reason, where nothing did.
    pub code: Option<Code>,
    /// More of it, where there is more.
    pub message: Option<String>,
    /// What is remembered.
    pub effect: Effect,
    /// The e-mail address that finds the record, where that does.
    pub address: Option<&'a str>,
    /// What the key's memory says of records.
    pub before: Before,
    /// Of a departure: the write by which its row leaves the record.
    pub mover: Option<i64>,
}

/// What a key's memory says of records, where that matters for other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Whether it holds the row's record.
    pub(super) holds: HoldsTarget,
    /// The record that it has so far, and whether it holds on to that.
    pub(super) leaves: Option<(ExternalId, bool)>,
    /// Whether its row came back to a record that was let be, and needs no write.
    pub(super) returned: bool,
}

impl Before {
    /// Nothing is known.
    pub const NOTHING: Self = Self { holds: HoldsTarget::NotYet, leaves: None, returned: false };

    /// What a memory says where the row is this record now. `moved` is whether the row became another record than the one
    /// that Vitally may hold.
    pub fn of(row_state: Option<&RowState>, target: &ExternalId, moved: bool) -> Self {
        let Some(row_state) = row_state else { return Self::NOTHING };
        if row_state.target == *target {
            return Self { holds: HoldsTarget::Already, ..Self::NOTHING };
        }
        let let_go =
            matches!(row_state.delivery, DeliveryState::Released { .. } | DeliveryState::Removed { .. });
        let keeps = !let_go || matches!(row_state.pending, Pending::Open { .. });
        let holds = if moved { HoldsTarget::Another } else { HoldsTarget::NotYet };
        Self { holds, leaves: Some((row_state.target.clone(), keeps)), returned: false }
    }

    /// A row that came back to the record that it had let be.
    pub fn returned() -> Self {
        Self { holds: HoldsTarget::Already, leaves: None, returned: true }
    }
}
