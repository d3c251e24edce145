//! Runs files of Liquid cases and prints counts and failures: `cargo xtask conform FILE…`. With `--requests FOLDER` it prints what LiquidJS
//! is asked, with `--recorded FOLDER` what it answered otherwise than Coho: `cargo xtask conform --liquidjs`. With `--reference` it prints
//! `docs/reference/liquid.md` for `cargo xtask codegen`.

mod dialect;
mod differences;
mod page;
mod recorded;
mod suite;

use std::io::Write;
use std::process::ExitCode;

use coho_core::value::Value;
use recorded::Request;
use suite::{Failure, Report};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--reference"), None) => {
            out.write_all(page::page().as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        (Some("--requests"), Some(folder)) => return print_requests(&folder, &mut out),
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

/// Everything that LiquidJS is asked, by the files of this folder.
fn requests(folder: &str) -> Result<Vec<Request>, Box<dyn std::error::Error>> {
    let [first, second] = recorded::GENERATED;
    let texts = [read(folder, first.1)?, read(folder, second.1)?];
    Ok(recorded::requests([(first.0, &texts[0]), (second.0, &texts[1])])?)
}

fn read(folder: &str, name: &str) -> Result<String, String> {
    let path = format!("{folder}/{name}.json");
    std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))
}

/// A line of JSON for each; the data stands where it is not that of the line before.
fn print_requests(folder: &str, out: &mut impl Write) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut last: Option<Request> = None;
    for request in requests(folder)? {
        let member = |name: &str, value: Value| (name.to_owned(), value);
        let mut line = vec![
            member("recording", Value::text(request.recording)),
            member("template", Value::text(&*request.template)),
        ];
        if last.as_ref().is_none_or(|last| last.recording != request.recording) {
            line.push(member("data", Value::clone(&request.data)));
        }
        writeln!(out, "{}", Value::Object(line))?;
        last = Some(request);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_differences(folder: &str, out: &mut impl Write) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let requests = requests(folder)?;
    let mut unexplained = 0;
    for recording in ["reference", "recorded", "recorded-wide"] {
        let (same, differences) = recorded::compare(&requests, recording, &read(folder, recording)?)?;
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
    for wrong in recorded::untrue(&requests, &read(folder, "dialect")?)? {
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
