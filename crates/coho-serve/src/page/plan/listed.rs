//! Which rows of a plan can be listed.

use coho_core::verdict::RowStatus;

/// Whether a plan's table has the rows that end so, and not only their number.
pub(super) fn is_listed(status: RowStatus) -> bool {
    !matches!(status, RowStatus::Unchanged | RowStatus::Kept | RowStatus::Touched)
}
