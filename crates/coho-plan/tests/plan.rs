//! The making of plans from outside: rows and memories are compared.

#[path = "plan/stage.rs"]
#[allow(dead_code, reason = "it is what most tests of a ledger need")]
mod stage;
#[path = "plan/comparison.rs"]
mod comparison;
