//! What is remembered: memory, intents, runs, calls, references, claims and the lease, in one SQLite file that any person can
//! open.
//!
//! **What it is:** a [`Ledger`] is one file with private access rights, written by one holder of a [`lease::Lease`] at a
//! time. Each function is one transaction; when a function that writes returns, what it wrote survives a power cut.
//! A plan's own file joins with it: [`Ledger::lend`].
//!
//! **What it is not:** it knows nothing of HTTP, mappings or sources, has no clock and draws no random numbers, and decides
//! nothing: that is `coho_core::decide`.
//!
//! **Where to begin:** [`Ledger::open`]; then [`scope`] for whose row_state it is, [`row_state`] for what is stored of a key and
//! [`identity`] for who holds a record, [`intent`], [`batch`] and [`settle`] for the order of a write (intend, send, settle),
//! [`absent`] for what a plan asks of keys whose rows left, [`returned`] of those whose rows came back. What is known of a
//! tenant besides its records stands in [`workspace`] and [`mod@reference`], whose ledger it is in [`project`]; what is told to
//! whom in [`alerts`] and [`outbox`].
//! Which runs were asked for stands in [`request`], who may ask over the network in [`token`], what all runs came to in [`totals`].
//! What pages and the command line show of runs, rows, calls and failures is asked in [`history`] and [`look`].
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
pub mod schema;
pub mod failure;
mod moment;
mod pack;
mod unfold;
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

pub use failure::LedgerError;
pub use forgotten::Forgotten;
pub use ledger::Ledger;
pub use open::{Access, Create, OpenError, Opening};
