//! `cargo xtask bench analytics`: first runs through the Analytics API, a hundred records or events a call, beside their goals.
//!
//! The whole command is measured, from reading the file to the last commit. The server takes every batch and keeps nothing.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::measure::Cost;
use super::project::{Kind, Project};
use super::record::figure;
use super::{COHO, Played, ROUNDS, coho, report};
use crate::server::Server;
use crate::{child, say};

/// How many rows there are, unless the command line says otherwise.
const ROWS: u64 = 200_000;

/// What is sent, and how many a second are the goal.
const SCENES: [(Kind, f64); 2] = [(Kind::AnalyticsAccounts, 50_000.0), (Kind::Events, 80_000.0)];

/// Runs it; fails where a goal is missed.
pub(super) fn play(programs: &Path, rows: Option<u64>) -> Result<Played> {
    let rows = rows.unwrap_or(ROWS);
    say::line(&format!(
        "\nthrough the Analytics API, every row is new: {rows} rows, {ROUNDS} rounds\n{}",
        head()
    ));
    let (mut missed, mut figures) = (0, Vec::new());
    for (kind, goal) in SCENES {
        let costs = costs(programs, kind, rows)?;
        figures.push(figure(kind.name(), COHO, rows, &costs));
        let cost = Cost::median(costs.into_iter());
        missed += u32::from(rate(rows, &cost) < goal);
        say::line(&line(kind, rows, &cost, goal));
    }
    let verdict =
        if missed == 0 { Ok(()) } else { Err(anyhow!("{missed} of {} goals are missed", SCENES.len())) };
    Ok(Played { figures, verdict })
}

fn costs(programs: &Path, kind: Kind, rows: u64) -> Result<Vec<Cost>> {
    let server = Server::start(&mut child::program(programs.join("null-server")))?;
    let project = Project::of(kind, server.url())?;
    let writer = if kind == Kind::Events { "events-file" } else { "accounts-file" };
    child::run(child::program(programs.join(writer)).arg(rows.to_string()).arg(project.rows()))?;
    let round = |number| {
        say::talk(&format!("{}, round {number} of {ROUNDS}", kind.name()));
        project.forget()?;
        coho(programs, &project)
    };
    (1..=ROUNDS).map(round).collect()
}

fn rate(rows: u64, cost: &Cost) -> f64 {
    report::lossy(rows) / cost.wall.as_secs_f64().max(0.001)
}

fn head() -> String {
    format!(
        "  {:<12}{:>10}{:>12}{:>12}{:>14}{:>12}{:>12}",
        "", "wall, s", "a second", "at least", "processor, s", "µs a row", "peak, MiB"
    )
}

fn line(kind: Kind, rows: u64, cost: &Cost, goal: f64) -> String {
    let cpu = cost.cpu.as_secs_f64();
    format!(
        "  {:<12}{:>10}{:>12}{:>12}{:>14}{:>12}{:>12}",
        kind.name(),
        report::shown(cost.wall.as_secs_f64()),
        report::shown(rate(rows, cost)),
        report::shown(goal),
        report::shown(cpu),
        report::shown(cpu * 1e6 / report::lossy(rows.max(1))),
        report::shown(report::lossy(cost.peak) / 1024.0)
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_has_the_rate_and_the_goal() {
        let cost = Cost { wall: Duration::from_secs(4), cpu: Duration::from_secs(6), peak: 51_200 };
        let line = line(Kind::Events, 200_000, &cost, 80_000.0);
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words, ["events", "4.00", "50000", "80000", "6.00", "30.00", "50.00"]);
    }
}
