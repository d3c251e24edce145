//! Why a run stops by itself.

use std::sync::{Mutex, PoisonError};

use coho_core::code::Code;

/// Why a run, or one of its syncs, stops by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Halt {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// The destination at which it happened.
    pub(crate) at: String,
}

/// The first halt of a run, if there was one.
#[derive(Debug, Default)]
pub(crate) struct Halted(Mutex<Option<Halt>>);

impl Halted {
    /// Halts; the first reason stays.
    pub(crate) fn halt(&self, halt: Halt) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(halt);
    }

    /// Why, if so.
    pub(crate) fn get(&self) -> Option<Halt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is so.
    pub(crate) fn is_halted(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
