//! What a row says of its record before anything is compared: how it is found, and whether it is still the same one.

use coho_core::fields::{Rendered, Rendering};
use coho_core::object::Object;
use coho_core::operation::email_of;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Pending, RowState};
use coho_core::sync::Sync;

/// The row as it concerns the record that its key has: an event that was tried before keeps its id, whatever the sync is
/// called by now, since it may have arrived.
pub(super) fn same_message(object: Object, rendered: Rendered, row_state: Option<&RowState>) -> Rendered {
    match row_state {
        Some(row_state) if object == Object::Event => {
            Rendered { target: row_state.target.clone(), ..rendered }
        }
        Some(_) | None => rendered,
    }
}

/// A user that was found by its address stays the record that it is, whatever external id its row has by now: a baseline must
/// not make it another one's.
pub(super) fn same_user(sync: &Sync, rendered: Rendered, row_state: Option<&RowState>) -> Rendered {
    match row_state {
        Some(row_state) if sync.matching.email().is_some() && has_record(row_state) => {
            Rendered { target: row_state.target.clone(), ..rendered }
        }
        Some(_) | None => rendered,
    }
}

/// Whether a row became another record. One that is found by its e-mail address is the same whatever else the row says: its
/// external id is only what a new one gets. That a record was removed is said of that record, and never of the next one.
pub(super) fn moves(sync: &Sync, row_state: &RowState, rendered: &Rendered) -> bool {
    let speaks_of_it = has_record(row_state) && sync.matching.email().is_none() || was_removed(row_state);
    row_state.target != rendered.target && speaks_of_it
}

/// The e-mail address of a row, where that is what finds its record.
pub(super) fn email(sync: &Sync, rendered: &Rendered) -> Option<String> {
    sync.matching.email()?;
    match rendered.fields.get(&FieldPath::new("email")) {
        Some(Rendering::Set(value)) => email_of(&[(FieldPath::new("email"), value.clone())].into()),
        Some(Rendering::Null(_)) | None => None,
    }
}

/// Whether the record that this memory speaks of was removed, and nothing was tried since.
fn was_removed(row_state: &RowState) -> bool {
    let is_open = matches!(row_state.pending, Pending::Open { .. });
    matches!(row_state.delivery, DeliveryState::Removed { .. }) && !is_open
}

/// Whether Vitally may hold a record that this memory speaks of.
fn has_record(row_state: &RowState) -> bool {
    row_state.delivery.sent().is_some() || matches!(row_state.pending, Pending::Open { .. })
}
