//! What is remembered, and its comparison with the rows: memory, intents, runs, calls, references, claims and the lease,
//! in one SQLite file that any person can open.
//!
//! **What it is:** a [`Ledger`] is one file with private access rights, written by one holder of a [`lease::Lease`] at a
//! time. Each function is one transaction; when a function that writes returns, what it wrote survives a power cut.
//! [`sort::Sorter`] and [`compare::Comparison`] bring millions of rows and memories together in bounded memory.
//!
//! **What it is not:** it knows nothing of HTTP, mappings or sources, has no clock and draws no random numbers, and decides
//! nothing: that is `coho_core::decide`.
//!
//! **Where to begin:** [`Ledger::open`]; then [`scope`] for whose memory it is, [`memory`] for what is stored of a key and
//! [`identity`] for who holds a record, [`intent`] and [`settle`] for the order of a write (intend, send, settle),
//! [`compare`] for how the changes are found, and [`spool`] for where a plan waits. What is known of a tenant besides its
//! records stands in [`workspace`] and [`mod@reference`].
//!
//! ```
//! use coho_core::digest::Digest;
//! use coho_core::key::Key;
//! use coho_core::memory::Time;
//! use coho_core::object::Object;
//! use coho_core::row::{Cell, RowBuf};
//! use coho_core::sync::SyncId;
//! use coho_ledger::Ledger;
//! use coho_ledger::compare::{Comparison, Same};
//! use coho_ledger::lease::Holder;
//! use coho_ledger::sort::Sorter;
//!
//! let now = Time::UNIX_EPOCH;
//! let ledger = Ledger::temporary(now)?;
//! let holder = Holder { id: "b7".into(), pid: 1, host: "here".into() };
//! let lease = ledger.acquire(&holder, now, std::time::Duration::from_secs(60))?;
//! let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
//!
//! let mut sorter = Sorter::new(1 << 20, &std::env::temp_dir());
//! let row = RowBuf::from_cells([Cell::Int(1), Cell::Text("Acme")]);
//! sorter.push(Some(&Key::new("1")), row.fingerprint(&[0, 1]), &row)?;
//! let mapping = Digest::of(b"mapping");
//! let mut comparison = Comparison::new(sorter.finish()?, ledger.memories(&scope)?, Same::Count { mapping })?;
//! let found = comparison.next().ok_or("one row")??;
//! assert_eq!(found.key.as_str(), "1");
//! assert!(found.memory.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ledger;
mod mask;
pub mod open;
pub mod schema;
pub mod failure;
mod moment;
pub mod lease;
pub mod scope;
pub mod workspace;
pub mod memory;
pub mod identity;
pub mod intent;
pub mod settle;
pub mod amend;
pub mod run;
pub mod history;
pub mod reference;
pub mod sort;
pub mod compare;
pub mod spool;

pub use failure::LedgerError;
pub use ledger::Ledger;
pub use open::{Access, Create, OpenError, Opening};
