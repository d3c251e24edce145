//! Where a value of a row stands.

/// A column by its place.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) column: usize,
    pub(crate) name: String,
}
