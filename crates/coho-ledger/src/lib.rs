//! The ledger: row states, intents, runs, calls, references, ownership and the lease, in one SQLite file that anybody can open,
//! on this machine, in a bucket or in PostgreSQL.
//!
//! **What it is:** a [`Ledger`] is one file that only its owner can read, written by one holder of a [`lease::Lease`] at a time. Each function
//! is one transaction. When a function that writes returns, what it wrote survives a power cut. A plan's own file can join with the ledger:
//! [`Ledger::lend`].
//!
//! **What it is not:** it knows nothing of HTTP, mappings or sources. It has no clock, draws no random numbers, and decides nothing: that is
//! `coho_core::decide`.
//!
//! **Where to begin:** [`Ledger::open`], then:
//!
//! - [`remote`]: a ledger in object storage or in PostgreSQL
//! - [`scope`]: the sync and workspace that row states belong to; [`row_state`]: what is stored of a key; [`identity`]: who owns a record
//! - [`intent`], [`batch`] and [`settle`]: the steps of a write (intend, send, settle)
//! - [`absent`] and [`returned`]: what a plan asks about keys whose rows left or came back
//! - [`workspace`] and [`mod@reference`]: what is known of a workspace besides its records; [`project`]: who owns the ledger
//! - [`alerts`] and [`outbox`]: open alerts, and messages to send
//! - [`request`]: requested runs; [`token`]: who may request them over the network; [`totals`]: sums over all runs
//! - [`history`] and [`look`]: queries of the pages and the command line
//!
//! ```
//! use coho_core::key::Key;
//! use coho_core::row_state::{RowState, Pending, DeliveryState};
//! use coho_core::time::Time;
//! use coho_core::object::Object;
//! use coho_core::sync::SyncId;
//! use coho_core::target::ExternalId;
//! use coho_ledger::Ledger;
//! use coho_ledger::lease::Holder;
//!
//! let now = Time::UNIX_EPOCH;
//! let ledger = Ledger::temporary(now)?;
//! let holder = Holder { id: "b7".into(), pid: 1, host: "here".into() };
//! let lease = ledger.acquire(&holder, now, std::time::Duration::from_secs(60))?;
//! let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
//!
//! let target = ExternalId::parse("acme")?;
//! let row_state = RowState { target, delivery: DeliveryState::Removed { at: now }, pending: Pending::None, seen: None, version: 0 };
//! ledger.write(&lease, &scope, &[(Key::new("1"), Some(row_state))], now)?;
//! assert_eq!(ledger.row_state(&scope, &Key::new("1"))?.ok_or("one row_state")?.version, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ledger;
mod mask;
mod functions;
pub mod open;
mod place;
pub mod temporary;
mod remote_failure;
pub mod remote;
pub mod schema;
pub mod failure;
mod moment;
mod pack;
mod shape;
mod unfold;
mod holder;
pub mod lease;
pub mod shared_rate;
pub mod scope;
pub mod project;
pub mod types;
pub mod buckets;
pub mod workspace;
pub mod row_state;
pub mod identity;
pub mod intent;
pub mod batch;
pub mod settle;
mod call;
mod cause;
mod standing;
mod forgotten;
pub mod amend;
pub mod purge;
mod counted;
pub mod run;
pub mod stages;
pub mod history;
pub mod alerts;
pub mod written;
pub mod outbox;
pub mod request;
pub mod totals;
pub mod token;
pub mod look;
pub mod retention;
pub mod reference;
mod lend;
pub mod absent;
pub mod returned;
mod remember;
mod unlink;
mod ends;
pub mod copy;

pub use failure::LedgerError;
pub use forgotten::Forgotten;
pub use ledger::Ledger;
pub use open::{Access, Create, OpenError, Opening};
