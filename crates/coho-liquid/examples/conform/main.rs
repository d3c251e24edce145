//! Runs files of Liquid cases and prints counts and failures: `cargo xtask conform FILE…`. With `--requests FILE` it prints what LiquidJS
//! is asked, with `--recorded FOLDER` what it answered otherwise than Coho: `cargo xtask conform --liquidjs`.

mod differences;
mod recorded;
mod suite;

use std::io::Write;
use std::process::ExitCode;

use coho_core::value::Value;
use suite::{Failure, Report};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--requests"), Some(path)) => return print_requests(&path, &mut out),
        (Some("--recorded"), Some(folder)) => return print_differences(&folder, &mut out),
        _ => {}
    }
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let report = suite::run(&text).map_err(|error| format!("{path}: {error}"))?;
        writeln!(out, "{path}\n{}", tally(&report))?;
        failed += report.failures.len();
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A line of JSON for each.
fn print_requests(path: &str, out: &mut impl Write) -> Result<ExitCode, Box<dyn std::error::Error>> {
    for request in recorded::requests(&std::fs::read_to_string(path)?)? {
        let member = |name: &str, value: Value| (name.to_owned(), value);
        let line = Value::Object(vec![
            member("recording", Value::text(request.recording)),
            member("template", Value::Text(request.template)),
            member("data", request.data),
        ]);
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_differences(folder: &str, out: &mut impl Write) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}.json"));
    let requests = recorded::requests(&read("combinations")?)?;
    let mut unexplained = 0;
    for recording in ["reference", "recorded"] {
        let (same, differences) = recorded::compare(&requests, recording, &read(recording)?)?;
        writeln!(out, "{recording}: {same} the same, {} differ", differences.len())?;
        for difference in differences {
            let case = difference.case.unwrap_or("no case says why");
            unexplained += usize::from(difference.case.is_none());
            writeln!(
                out,
                "  {}\n    LiquidJS  {}\n    Coho      {}\n    case      {case}",
                difference.template, difference.liquidjs, difference.coho
            )?;
        }
    }
    for wrong in recorded::untrue(&requests, &read("dialect")?)? {
        unexplained += 1;
        writeln!(out, "the dialect table is not true: {wrong}")?;
    }
    writeln!(out, "{unexplained} without a reason")?;
    Ok(if unexplained == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
