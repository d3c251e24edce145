//! Coho's own tools: `cargo xtask test | ci | tidy | codegen | readme | case | screenshots | conform | bench | torture | mutants | install`.
//!
//! Each verb is a module of its name and can be read alone. The crate stands on `anyhow` and `serde_json` only, so that it
//! compiles in seconds; whatever is heavier is a program that it starts.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::Arguments;

mod test;
mod ci;
mod tidy;
mod codegen;
mod readme;
mod screenshots;
mod case;
mod conform;
mod liquidjs;
mod bench;
mod performance;
mod torture;
mod mutants;
mod install;
mod python;
mod clock;
mod workspace;
mod child;
mod server;
mod arguments;
mod say;

const USAGE: &str = "\
usage: cargo xtask VERB

  test [--install] [FILTER]   every test; installs what tests need where it can, or says what is missing
  test --clock CLOCK [FILTER] the same with another time of day in every test: `+400d`, or `2027-02-28T23:59:50` in the
                              zone TZ, at which each test begins; without the examples of the documentation
  test --browser              the debugger's pages in Chromium, with axe-core from npm; part of `test` where Chromium is
  test --engines              rows compared where they are, in every engine: PostgreSQL, MariaDB, DuckDB, and Snowflake's emulator
                              with its driver (from PyPI, 500 MB); says what it skipped
  test --orchestrators        Airflow, Dagster and Prefect from PyPI (800 MB) against `coho serve`
  ci                          everything that a change must pass, in order, timed
  tidy                        the rules of the house: layers, headers, names, fixtures, documents, codes
  codegen [--check]           writes docs/reference from the program itself; --check only compares
  readme [--check] [--quotes] runs the README's tour and writes its output into it, and takes the quotes of all documents from their
                              snapshots; --check only compares, --quotes leaves out the tour
  case new TOPIC NAME         writes a case of the engine's runs, with comments, and says how to run and accept it
  screenshots                 pictures of the debugger's pages for the documentation (needs Chromium)
  conform FILE…               files of Liquid cases by Coho's engine: counts by class, failures
  conform --liquidjs          records what LiquidJS on Node gives for thousands of templates, and lists what Coho gives otherwise
  bench [delivery|unchanged|analytics|plan|pages|compare|sizes|peers|scale|year|liquid|all] [--rows N] [--record]
                              speed and memory against a plain client, plans and pages against their goals, and templates against
                              LiquidJS, in one run (release build, Linux); `year`: the ledger's size, about an hour; not in `all`
  torture [--kills N] [--seed S] [--release] [--ledger file|bucket] [--faults CLASS,…|all|quick|bounded [--write|--check]]
                              kills `coho run` at random moments, and compares what Vitally comes to hold with what it must
  mutants [FILE…] [--shard K/N]
                              faults made one at a time in the files that must be right: which of them no test notices
  install                     what tests need, on a Debian-like system";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            say::talk(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = Arguments::of_this_program();
    match arguments.word().as_deref() {
        Some("test") => test::run(arguments)?,
        Some("ci") => ci::run(arguments)?,
        Some("tidy") => tidy::run(arguments)?,
        Some("codegen") => codegen::run(arguments)?,
        Some("screenshots") => screenshots::run(arguments)?,
        Some("readme") => readme::run(arguments)?,
        Some("case") => case::run(arguments)?,
        Some("conform") => return conform::run(arguments),
        Some("bench") => bench::run(arguments)?,
        Some("torture") => torture::run(arguments)?,
        Some("mutants") => mutants::run(arguments)?,
        Some("install") => install::run(arguments)?,
        Some(clock::RUNNER) => clock::run_test(arguments)?,
        Some("help") | None => say::line(USAGE),
        Some(other) => bail!("there is no verb `{other}`\n\n{USAGE}"),
    }
    Ok(ExitCode::SUCCESS)
}
