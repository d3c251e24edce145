//! Which rows of a plan can be listed.

use coho_core::verdict::Fate;

/// Whether a plan's table has the rows that end so, and not only their number.
pub(super) fn is_listed(fate: Fate) -> bool {
    !matches!(fate, Fate::Unchanged | Fate::Kept | Fate::Touched)
}
