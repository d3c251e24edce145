//! Reports of runs for other programs. None of them can change a run: what goes wrong with one is a warning.
//!
//! [`results`] writes how the last run ended into a file.

pub mod results;
