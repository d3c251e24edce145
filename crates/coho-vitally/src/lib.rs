//! Vitally's REST and Analytics APIs: exchanges and batches without I/O, and a client that drives them.
//!
//! **What it is:** the one place that knows Vitally's paths, bodies and status codes. An operation of `coho-core` goes in,
//! and exactly one verdict comes out: it was applied, accepted, refused, never left us, or nobody knows.
//!
//! **What it is not:** it knows nothing of rows, mappings, syncs or ledgers. It remembers nothing between runs, and does not
//! decide what is sent; only how.
//!
//! Vitally's documentation leaves much open (does a POST update a record that exists? does a PUT add links or replace
//! them?). Every exchange here is right either way, and is tested at both ends of each such question.
//!
//! **Where to begin:**
//!
//! 1. [`exchange`]: what is asked for an operation, what the answers mean, and what it costs; a file with a table for each mode.
//!    Straight code over the port [`ask`].
//! 2. [`analytics`]: the same through the Analytics API, a hundred records or events in a call, taken rather than applied.
//! 3. [`lookup`]: which record has an external id or an e-mail address; [`list`]: all of them; [`custom_field`]: the traits
//!    that a workspace has defined; [`address`]: paths, and what is learned of them.
//! 4. [`request`]: requests and answers as values; [`resolved`]: ids and more that the caller knows.
//! 5. `client` (feature `client`, on by default): HTTP, pace, repeats, the connection tests, and the live check, which asks
//!    a workspace what the documentation leaves open. Without the feature the crate opens no socket.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn example(operation: &coho_vitally::coho_core::operation::Operation) -> Result<(), Box<dyn std::error::Error>> {
//! use coho_vitally::client::{Client, Endpoint, ClientSettings, Token};
//! use coho_vitally::resolved::Resolved;
//!
//! let token = Token::parse(&"sk_live_1234".into())?;
//! let client = Client::new(ClientSettings::new(Endpoint::Us { subdomain: "acme".to_owned() }, token))?;
//! client.test().await?;
//! let delivery = client.deliver(operation, &Resolved::new()).await;
//! assert!(matches!(delivery.verdict, coho_vitally::coho_core::verdict::Verdict::Applied { .. }));
//! # Ok(())
//! # }
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
#[cfg(feature = "client")]
pub mod client;

/// The nouns of requests and verdicts: who depends on this crate needs no other.
pub use coho_core;
pub use wire::record::{Linked, Record};
