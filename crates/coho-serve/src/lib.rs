//! The debugger: pages that show every run, row and call, served to a browser on this machine.
//!
//! **What it is:** a small web server over two things that others own: the ledger, which it only reads, beside whoever writes
//! it, and the project's files. Each page is a value ([`page`]) that its HTML and its JSON twin (`.json`) both show, so that
//! neither can say what the other does not.
//!
//! **What it is not:** it knows no SQL (the questions stand in `coho_ledger::look`), plans nothing and sends nothing itself
//! (that is the engine's), and asks nothing of any other server: scripts, styles and pictures are its own.
//!
//! **Where to begin:** [`server`] for the way of a request, `guard` for who is let in, `target` for the addresses of pages,
//! `page/home.rs` for the pattern that all pages follow.
//!
//! ```
//! use std::sync::Arc;
//!
//! use coho_core::time::Time;
//! use coho_core::secret::Masker;
//! use coho_engine::context::retention;
//! use coho_ledger::lease::Holder;
//! use coho_project::HistorySpec;
//! use coho_serve::server::serve;
//! use coho_serve::site::{UnreadableProject, Keys, Limits, Machine, Site};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let site = Site {
//!     project: "acme".to_owned(),
//!     ledger: ".coho/ledger.db".into(),
//!     open: Arc::new(|| Err(UnreadableProject { problems: vec![], files: vec![] })),
//!     secrets: Arc::new(|| Masker::new(&[])),
//!     retention: retention(&HistorySpec::default()),
//!     clock: Arc::new(|| Time::UNIX_EPOCH),
//!     machine: Machine {
//!         root: ".".into(),
//!         temporary: std::env::temp_dir(),
//!         holder: Holder { id: "debugger".into(), pid: 1, host: "here".into() },
//!     },
//!     // Pages that only look.
//!     actions: None,
//!     keys: Keys { token: "drawn".into(), cookie: "drawn, too".into(), form: "and this".into() },
//!     address: listener.local_addr()?,
//!     names: vec![],
//!     limits: Limits::default(),
//! };
//! // It ends when the future that it is given does.
//! serve(site, listener, async {}).await?;
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod actions;
pub mod site;
pub mod host;
pub mod token;
pub mod server;
mod guard;
mod assets;
mod target;
mod reader;
mod shared;
mod searches;
mod done;
mod plans;
mod playground;
mod stream;
mod export;
mod plan_file;
mod answers;
mod fields;
mod forms;
mod shown;
mod moment;
mod markup;
mod page;
mod limited;
mod net;
mod sessions;
mod running;
mod api;
