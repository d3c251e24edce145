//! A ledger in a bucket, or in PostgreSQL: the local file is a private copy, and what was committed to it counts once it is an object there.
//!
//! For a ledger `KEY` there are, beside the object `KEY` itself, only objects below `KEY.d/`; in PostgreSQL each is a row of a table:
//!
//! - `KEY`, the [`manifest`]: which base is the newest, and where the log goes on after it
//! - `base/EPOCH-NUMBER-…`: a whole SQLite file
//! - `log/EPOCH-NUMBER`: one [`record`] each, created once and never written over: what one commit added to SQLite's write-ahead log, or
//!   a link to where the log goes on
//! - `lease`: who writes, as far as anybody knows ([`lease`])
//!
//! **Why nothing is lost.** The log is a chain: each place in it is won by the first who creates the object, and whoever loses it has lost
//! the ledger. Who takes over reads the chain to its end and *seals* it there with a link to its own epoch. So a holder that was taken for
//! dead and wakes up cannot create the record that it goes on with, is told so before it counts as stored, and sends nothing more; and no
//! record can appear behind the one who read the chain. A seal stays for good: were it removed, its place would be free again. The lease
//! keeps runs from disturbing each other; that nothing is lost depends neither on it nor on clocks. Decision 0067 has the argument in full.
//!
//! [`hold`] is a ledger that is written, [`restore`] gives one to read, [`frames`] knows the write-ahead log, [`store`] is the port to
//! what keeps the objects: [`bucket`] and [`postgres`]. [`crate::copy`] moves ledgers between files and these.

mod bucket;
mod postgres;
mod store;
mod frames;
mod record;
mod manifest;
mod machine;
mod lease;
mod restore;
mod hold;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod unsteady;
#[cfg(test)]
mod tests;

pub use crate::remote_failure::{RemoteError, StoreFault};
pub use store::RemotePlace;

pub(crate) use hold::{Hold, put_new};
pub(crate) use lease::{LeaseObject, take_lease};
pub(crate) use manifest::Manifest;
pub(crate) use restore::{Bound, snapshot};

/// The most bytes that a ledger may have that is in no file: each run downloads it, and uploads it at its end.
pub const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;
