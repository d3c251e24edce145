//! The ledger from outside: opening, lease, memory, intents, runs and history, and the comparison, each in a file of its own.

#[path = "ledger/stage.rs"]
mod stage;

#[path = "ledger/opening.rs"]
mod opening;

#[path = "ledger/lease.rs"]
mod lease;

#[path = "ledger/memory.rs"]
mod memory;

#[path = "ledger/intents.rs"]
mod intents;

#[path = "ledger/history.rs"]
mod history;

#[path = "ledger/comparison.rs"]
mod comparison;
