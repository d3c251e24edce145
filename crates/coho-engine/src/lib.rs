//! Plan and run: the only crate that knows the order of the stages.
//!
//! **What it is:** an [`Engine`](context::Engine) takes a loaded project and, sync by sync, reads the model's rows, compares
//! them with what the ledger remembers, decides what changed, renders and seals the operations: that is the [`plan`], which `coho-plan` makes. The [`run`] then carries out exactly that: it makes each intent durable before the first byte leaves, hands the
//! operation to Vitally's client, and makes what came of it durable before it speaks of it. Law 1, that every row ends in
//! exactly one status, is checked in each plan and each run.
//!
//! **What it is not:** it knows nothing of terminals, of HTTP servers, of YAML or of Vitally's wire. It reads no clock, draws
//! no random numbers and prints nothing: [`context::Setup`] brings them in, and a listener hears what happens.
//!
//! **Where to begin:** [`plan`] for what a row becomes, [`run`] for the order of all syncs, [`send`] for how
//! operations are sent, [`conclude`] for what Vitally's verdicts mean for memory. [`preview`] and [`check`] look without a ledger.
//! [`alerts`] tells people what a run found.
//!
//! ```
//! use std::sync::Arc;
//!
//! use coho_core::event::Silence;
//! use coho_core::time::Time;
//! use coho_engine::context::{Engine, Setup};
//! use coho_engine::run::{Options, Outlook};
//! use coho_ledger::lease::Holder;
//! use coho_project::{File, load};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::create_dir(folder.path().join("data"))?;
//! std::fs::write(folder.path().join("data/accounts.csv"), "id,name\nacme,Acme\nbolt,Bolt\n")?;
//! let files = [
//!     File::text("coho.yaml", "
//! project: example
//! sources: { files: { type: files, path: data } }
//! destinations: { vitally: { type: vitally, region: eu, rest_token: sk_live_1 } }
//! "),
//!     File::text("models/accounts.yaml", "{ source: files, file: accounts.csv, primary_key: id }"),
//!     File::text("syncs/accounts.yaml", "
//! id: accounts
//! model: accounts
//! to: vitally
//! object: account
//! match: { externalId: id }
//! fields: { name: name }
//! "),
//! ];
//! let project = load(&files, &|_| None, None).map_err(|problems| format!("{problems:?}"))?;
//! let engine = Engine::new(Setup {
//!     project: &project,
//!     root: folder.path().to_owned(),
//!     temporary: folder.path().to_owned(),
//!     clock: Arc::new(|| Time::UNIX_EPOCH),
//!     holder: Holder { id: "example".to_owned(), pid: 1, host: "here".to_owned() },
//!     run_id: Arc::new(|| "run-1".to_owned()),
//!     lineage: None,
//! });
//!
//! // A plan sends nothing and writes nothing.
//! let syncs = engine.select(&[])?;
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! let outlooks = runtime.block_on(engine.plan(&syncs, &Options::default(), &Silence))?;
//! let Outlook::Plan(planned) = &outlooks[0] else { return Err("the project is right".into()) };
//! assert_eq!(planned.plan.counts.writes, 2);
//! assert!(!engine.ledger_path().exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod failure;
pub mod lineage;
mod artifacts;
pub mod context;
pub mod dbt;
pub mod clock;
mod isolated;
mod leased;
mod destination;
mod workspace;
pub mod lost;
pub mod owner;
mod holding;
mod repeats;
pub mod asked;
pub mod permit;
pub mod plan;
pub mod conclude;
mod remember;
pub mod send;
pub mod run;
pub mod purge;
pub mod alerts;
pub mod pinged;
pub mod metrics;
pub mod reports;
pub mod preview;
pub mod traits;
pub mod live;
pub mod check;

pub use coho_plan::stop;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/use-as-a-library.md")]
struct Guide;
