//! Test servers that several crates need: PostgreSQL, MariaDB, object storage, a mail server, an HTTP receiver, a browser.
//!
//! **What it is:** [`Postgres`], [`MariaDb`], [`S3Server`] and [`Azurite`] start a fresh server from the machine's own programs on the loopback interface. The server and its folder are
//! gone when the value is dropped or the test process ends, however it ends. [`MailServer`] receives e-mail over real sockets, as strictly as
//! RFC 5321, and keeps it. [`Receiver`] receives HTTP requests. [`Browser`] is a Chromium that a test controls.
//!
//! **What it is not:** it downloads nothing, knows nothing of Coho's other crates, and is not part of any released program.
//!
//! **Where to begin:** [`Postgres::start`]. Tests that cannot run without a server call [`Postgres::start_or_skip`].
//!
//! ```
//! use coho_testkit::Postgres;
//!
//! if let Some(server) = Postgres::start_or_skip("the front page's example")? {
//!     assert_eq!(server.psql("SELECT 1 + 1")?, "2");
//! }
//! # Ok::<(), coho_testkit::Error>(())
//! ```

mod adbc;
mod azurite;
mod bigquery;
mod browser;
mod emulator;
mod fakesnow;
mod mariadb;
mod mutate;
#[cfg(feature = "otlp")]
mod otlp;
mod picture;
mod postgres;
mod programs;
mod receiver;
mod s3;
mod server;
mod smtp;
mod spark;

pub use adbc::{AdbcDatabase, adbc_driver_or_skip, engine_driver_or_skip};
pub use azurite::Azurite;
pub use bigquery::BigQuery;
pub use browser::{Browser, BrowserError, Heard, Theme, ZONE};
pub use fakesnow::Fakesnow;
pub use mariadb::{MARIADB_AUTHORITY, MariaDb};
pub use mutate::mutated;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpAttributes, OtlpSample, OtlpSpan, otlp_samples, otlp_spans};
pub use picture::{MOST_BYTES, PictureError, small};
pub use postgres::Postgres;
pub use receiver::{Arrived, Receiver};
pub use s3::S3Server;
pub use server::Error;
pub use smtp::{CERTIFICATE, Mail, MailServer, Privacy};
pub use spark::Spark;
