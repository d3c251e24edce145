//! Programs for `cargo xtask bench`: what Coho is measured with and against.
//!
//! **What it is:** a file of accounts that is the same on every machine ([`accounts`]), a client that sends it without
//! remembering anything ([`plain`]), a server that answers as fast as it can ([`null`]), and ten templates with rows for
//! them ([`templates`]), and a year of runs in simulated time ([`year`]). Each has a program of its own in `src/bin`.
//!
//! **What it is not:** the server keeps no record and has no limits (that is the simulator). What a delivery costs is measured
//! from outside, by `cargo xtask bench`; there nothing of Coho's is used here, and both sides meet at the wire only. There are two
//! exceptions: templates take microseconds, so their programs look at the clock themselves; and a year needs another clock, so its
//! program runs the engine itself.
//!
//! **Where to begin:** [`plain::deliver`], the thirty lines that one would write without Coho.
//!
//! ```
//! let mut file = Vec::new();
//! coho_bench::accounts::write(2, coho_bench::accounts::Changed::None, &mut file)?;
//! let text = String::from_utf8(file)?;
//! assert_eq!(text.lines().count(), 3);
//! assert!(text.starts_with("id,name,plan,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod accounts;
pub mod plain;
pub mod null;
pub mod ledger;
pub mod year;
pub mod templates;
