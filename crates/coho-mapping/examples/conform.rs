//! Runs a file of Liquid cases: `cargo run -p coho-mapping --example conform FILE`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let report = coho_mapping::liquid::conform::run(&std::fs::read_to_string(&path)?)?;
        for failure in &report.failures {
            writeln!(out, "{} [{}]\n  {}", failure.name, failure.class, failure.template)?;
            writeln!(out, "  must be {}\n  but is {}", failure.expected, failure.found)?;
        }
        writeln!(out, "{path}")?;
        for (class, tally) in &report.classes {
            writeln!(out, "  {class}: {tally:?}")?;
        }
    }
    Ok(())
}
