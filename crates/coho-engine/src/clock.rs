//! Time, from outside: only the rim of a program reads a clock.

use coho_core::time::Time;

/// A clock.
pub trait Clock: Send + Sync {
    /// The moment now.
    fn now(&self) -> Time;
}

impl<F: Fn() -> Time + Send + Sync> Clock for F {
    fn now(&self) -> Time {
        self()
    }
}
