//! What several crates' tests need and no crate's code does: real PostgreSQL and MariaDB servers for one test process, a mail
//! server, a browser.
//!
//! **What it is:** [`Postgres`] and [`MariaDb`] start a fresh server from the machine's own server programs. It listens on the
//! loopback interface, and is gone with its folder when it is dropped or when the test process ends, however that ends. [`MailServer`]
//! takes mails over real sockets, as strictly as RFC 5321 says, and keeps them; [`Receiver`] takes requests over HTTP;
//! [`Browser`] is a Chromium that does what a test says.
//!
//! **What it is not:** it downloads nothing, knows nothing of Coho's other crates, and is part of no released program.
//!
//! **Where to begin:** [`Postgres::start`]; tests that cannot run without a server call [`Postgres::start_or_skip`].
//!
//! ```
//! use coho_testkit::Postgres;
//!
//! if let Some(server) = Postgres::start_or_skip("the front page's example")? {
//!     assert_eq!(server.psql("SELECT 1 + 1")?, "2");
//! }
//! # Ok::<(), coho_testkit::Error>(())
//! ```

mod browser;
mod mariadb;
mod mutate;
#[cfg(feature = "otlp")]
mod otlp;
mod picture;
mod postgres;
mod programs;
mod receiver;
mod server;
mod smtp;

pub use browser::{Browser, BrowserError, Heard, Theme, ZONE};
pub use mariadb::MariaDb;
pub use mutate::mutated;
#[cfg(feature = "otlp")]
pub use otlp::{OtlpAttributes, OtlpSample, OtlpSpan, otlp_samples, otlp_spans};
pub use picture::{MOST_BYTES, PictureError, small};
pub use postgres::Postgres;
pub use receiver::{Arrived, Receiver};
pub use server::Error;
pub use smtp::{CERTIFICATE, Mail, MailServer, Privacy};
