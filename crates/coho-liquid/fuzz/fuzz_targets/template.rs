//! Any template with any values: compiling and rendering it may find problems, and nothing else may happen.
//!
//! The input is a template and, behind a line `---`, the JSON of its row; `corpus/template` shows the kinds there are.
//! `tests/attacks.rs` says how long an attack may take; here only panics, hangs and memory count.

#![no_main]

#[path = "../feed.rs"]
mod feed;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| feed::feed(&String::from_utf8_lossy(input)));
