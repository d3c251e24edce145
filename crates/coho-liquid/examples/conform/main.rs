//! Runs files of Liquid cases and prints counts and failures: `cargo xtask conform FILE…`.

mod suite;

use std::io::Write;
use std::process::ExitCode;

use suite::{Failure, Report};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let report = suite::run(&text).map_err(|error| format!("{path}: {error}"))?;
        writeln!(out, "{path}\n{}", tally(&report))?;
        failed += report.failures.len();
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tally(report: &Report) -> String {
    let counts = report.classes.iter().map(|(class, tally)| {
        let all = tally.passed + tally.failed + tally.left_out + tally.listed;
        format!(
            "  {class:<12} {:>4} of {all:>4} passed, {} failed, {} differ as listed, {} left out\n",
            tally.passed, tally.failed, tally.listed, tally.left_out
        )
    });
    counts.chain(report.failures.iter().map(shown)).collect()
}

fn shown(failure: &Failure) -> String {
    format!(
        "\n  {} ({})\n    template  {:?}\n    expected  {:?}\n    found     {:?}\n",
        failure.name, failure.class, failure.template, failure.expected, failure.found
    )
}
