//! `cargo xtask bench compare`: a plan over a Parquet file, beside DuckDB comparing that file with the one before it.
//!
//! DuckDB makes both files and compares them row by row by their key; it comes from PyPI, into a folder of its own under
//! `target`. Coho has the first file in its ledger, by a baseline, and plans the second. Both are processes of their own, in
//! turn. A plan over the first file, in which nothing changed, stands beside.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::measure::{Cost, measure};
use super::project::Project;
use super::record::{self, figure};
use super::report::Round;
use super::{COHO, logged, report};
use crate::performance::Figure;
use crate::python::install;
use crate::{child, say};

/// The rows that are compared unless the command line says otherwise.
pub(super) const ROWS: u64 = 1_000_000;
const ROUNDS: usize = 5;

/// What stands beside it, as figures name it.
pub(super) const DUCKDB: &str = "DuckDB";

const SCRIPT: &str = include_str!("compare.py");

/// Runs it; `target` is cargo's folder.
pub(super) fn play(target: &Path, rows: u64) -> Result<Vec<Figure>> {
    let Measured { baseline, same, rounds } = measured(target, rows, ROUNDS)?;
    let title = "compare: a hundredth changed, a two-hundredth new, as many gone";
    say::line(&report::table(title, DUCKDB, rows, &rounds));
    say::line(&line("baseline", baseline));
    say::line(&line("nothing changed", Cost::median(same.iter().copied())));
    let mut figures = record::figures("compare", DUCKDB, rows, &rounds);
    figures.push(figure("baseline", COHO, rows, &[baseline]));
    figures.push(figure("nothing changed", COHO, rows, &same));
    Ok(figures)
}

/// What all of it cost.
pub(super) struct Measured {
    pub(super) baseline: Cost,
    /// Plans in which nothing changed.
    same: Vec<Cost>,
    pub(super) rounds: Vec<Round>,
}

/// Measures so many rounds.
pub(super) fn measured(target: &Path, rows: u64, number: usize) -> Result<Measured> {
    let environment = target.join("duckdb-python");
    install(&environment, "duckdb")?;
    let project = Project::of_parquet("http://127.0.0.1:9")?;
    let stage = Stage { target, project };
    say::talk("making both files");
    child::run(stage.duckdb("make")?.arg(rows.to_string()))?;
    stage.show("old")?;
    let baseline = stage.coho(&["baseline", "accounts"])?;
    let same: Vec<_> = (0..number).map(|_| stage.coho(&["plan"])).collect::<Result<_>>()?;
    stage.show("new")?;
    let mut rounds = Vec::new();
    for round in 1..=number {
        say::talk(&format!("round {round} of {number}"));
        let coho = stage.coho(&["plan"])?;
        let mut duckdb = stage.duckdb("compare")?;
        rounds.push(Round { coho, plain: logged(&mut duckdb, &stage.project, measure)? });
    }
    Ok(Measured { baseline, same, rounds })
}

fn line(name: &str, cost: Cost) -> String {
    let (wall, cpu) = (report::shown(cost.wall.as_secs_f64()), report::shown(cost.cpu.as_secs_f64()));
    let peak = report::shown(report::lossy(cost.peak) / 1024.0);
    format!("{name}: {wall} s, processor {cpu} s, peak memory {peak} MiB")
}

/// Where it is played.
struct Stage<'a> {
    target: &'a Path,
    project: Project,
}

impl Stage<'_> {
    fn duckdb(&self, what: &str) -> Result<Command> {
        let data = self.project.source_folder();
        let script = data.join("compare.py");
        std::fs::write(&script, SCRIPT).with_context(|| format!("writing {}", script.display()))?;
        let mut python = child::program(self.target.join("duckdb-python/bin/python"));
        python.arg(script).arg(what).arg(data);
        Ok(python)
    }

    /// Makes this file the one that the model reads.
    fn show(&self, name: &str) -> Result<()> {
        let data = self.project.source_folder();
        let (from, to) = (data.join(format!("{name}.parquet")), data.join("accounts.parquet"));
        std::fs::copy(&from, &to).with_context(|| format!("copying {}", from.display())).map(drop)
    }

    fn coho(&self, words: &[&str]) -> Result<Cost> {
        let mut coho = child::program(self.target.join("release/coho"));
        coho.args(words).arg("--project").arg(self.project.folder());
        logged(&mut coho, &self.project, measure)
    }
}
