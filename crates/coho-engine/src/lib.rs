//! Plan and run: the only crate that knows the order of the stages.
//!
//! **What it is:** an [`Engine`](context::Engine) takes a loaded project. For one sync after another, it reads the model's rows, compares them
//! with the ledger, decides what changed, and renders and seals the operations: that is the [`plan`], which `coho-plan` makes. A [`run`]
//! carries out exactly that. It makes each intent durable before the first byte leaves, passes the operation to Vitally's client, and makes
//! the result durable before it reports it. Each plan and each run checks law 1: every row ends in exactly one status.
//!
//! **What it is not:** it knows nothing of terminals, HTTP servers, YAML or Vitally's requests. It reads no clock, draws no random numbers
//! and prints nothing: [`context::Setup`] passes these in, and a listener receives events.
//!
//! **Where to begin:** [`plan`] for what a row becomes, [`run`] for the order of syncs, [`send`] for how operations are sent, and [`conclude`]
//! for what Vitally's verdicts mean for a row's state. [`preview`] and [`check`] need no ledger. [`alerts`] notifies people of what a run
//! found.
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

// An engine: a project, its destinations, a clock.
pub mod context;
mod failure;
mod place;
pub mod clock;
mod destination;

// Before a run: what is due, whose ledger and workspace it is, what dbt says.
pub mod asked;
mod leased;
pub mod owner;
pub mod lost;
mod holding;
mod workspace;
mod artifacts;
pub mod dbt;

// A run: plan, then intend, send, settle.
pub mod plan;
pub mod approved;
mod repeats;
pub mod run;
pub mod send;
pub mod conclude;
mod remember;
mod isolated;

// After a run: who hears of it.
pub mod alerts;
pub mod pinged;
pub mod reports;
pub mod lineage;
pub mod metrics;
pub mod purge;

// Looking, without a run.
pub mod preview;
pub mod traits;
pub mod check;
pub mod live;

pub use coho_plan::stop;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/use-as-a-library.md")]
struct Guide;
