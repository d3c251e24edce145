//! `Target::Csv`.

#![no_main]

use coho_fuzz::{Target, feed};
use libfuzzer_sys::fuzz_target;

// A panic of a dependency that Coho catches is no finding.
fuzz_target!(init: drop(std::panic::take_hook()), |input: &[u8]| feed(Target::Csv, input));
