//! What a class of faults is, and what all of them are made of.

use std::path::PathBuf;

use anyhow::Result;

use super::table::Shown;
use crate::torture::older::Older;

/// What the lives of classes are made of.
pub(crate) struct Faults {
    pub(crate) coho: PathBuf,
    pub(crate) older: Older,
    pub(crate) seed: u64,
    /// Kills in each class of the network.
    pub(crate) kills: u64,
}

/// What lets a class's life pass.
type Life = Box<dyn FnOnce(&Faults) -> Result<Shown> + Send>;

/// A class of faults: its name, and what becomes of it.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    /// Whether it takes a minute.
    pub(crate) is_slow: bool,
    pub(crate) run: Life,
}
