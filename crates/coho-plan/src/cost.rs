//! What operations cost: the one place where plans ask for it.

use coho_core::operation::Operation;
use coho_core::plan::Calls;

/// How many calls an operation's exchange takes, look-ups of references and repeats apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Where Vitally holds what Coho remembers.
    pub least: u64,
    /// At most.
    pub most: u64,
}

/// The cost of an operation.
pub fn of(operation: &Operation) -> Cost {
    let Calls { least, most } = coho_vitally::exchange::cost(operation);
    Cost { least, most }
}
