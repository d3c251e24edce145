//! Vitally's REST and Analytics APIs: exchanges and batches without I/O, and a client that drives them.
//!
//! **What it is:** the only crate that knows Vitally's paths, bodies and status codes. An operation of `coho-core` goes in, and exactly one
//! verdict comes out: it was applied, accepted, refused or never sent, or the result is unknown.
//!
//! **What it is not:** it knows nothing of rows, mappings, syncs or ledgers. It remembers nothing between runs, and decides how to send, not
//! what.
//!
//! Vitally's documentation leaves much open: does a POST update an existing record? Does a PUT add links or replace them? Every exchange is
//! correct either way, and tested both ways.
//!
//! **Where to begin:**
//!
//! 1. [`exchange`]: the calls for an operation, what responses mean, and what they cost; one file with a table per mode. It is straight code
//!    over the port [`ask`].
//! 2. [`analytics`]: the same through the Analytics API, with up to a hundred records or events per call, which are accepted rather than
//!    applied.
//! 3. [`lookup`]: which record has an external id or an e-mail address; [`list`]: all records; [`custom_field`]: the traits that a
//!    workspace defines; [`address`]: paths, and what is learned about them.
//! 4. [`request`]: requests and responses as values; [`resolved`]: ids and more that the caller knows.
//! 5. `client` (feature `client`, on by default): HTTP, rate limiting, retries, connection tests, and the live check, which finds out what the
//!    documentation leaves open. Without the feature, the crate opens no sockets.
//!
//! One account, sent to a simulator; in the US, [`Endpoint::Us`](client::Endpoint::Us) is Vitally itself:
//!
//! ```
//! # #[cfg(feature = "client")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use coho_vitally::client::{Client, Endpoint, ClientSettings, Token};
//! use coho_vitally::resolved::Resolved;
//! use coho_vitally::{Upsert, Verdict};
//!
//! # let vitally = coho_simulator::Simulator::start(coho_simulator::SimulatorSettings::new("sk_live_1234")).await?;
//! # let url = vitally.url();
//! let token = Token::parse(&"sk_live_1234".into())?;
//! let client = Client::new(ClientSettings::new(Endpoint::BaseUrl(url), token))?;
//! let acme = Upsert::account("acme").name("Acme").trait_("plan", "pro").operation()?;
//! let delivery = client.deliver(&acme, &Resolved::new()).await;
//! assert!(matches!(delivery.verdict, Verdict::Applied { .. }));
//! # assert_eq!(vitally.records(coho_simulator::RecordKind::Account).len(), 1);
//! # vitally.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Without I/O, whoever implements [`ask::Ask`] answers: see [`exchange::deliver`].

pub mod request;
pub mod ask;
pub mod address;
pub mod resolved;
mod wire;
pub mod lookup;
pub mod list;
pub mod custom_field;
pub mod exchange;
pub mod analytics;
mod upsert;
#[cfg(feature = "client")]
pub mod client;

/// The nouns of requests and verdicts: who depends on this crate needs no other.
pub use coho_core;
pub use coho_core::verdict::Verdict;
pub use upsert::{Upsert, UpsertError};
pub use wire::record::{Linked, Record};
