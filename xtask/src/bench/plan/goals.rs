//! What the figures are held against.
//!
//! Growth is that of the processors' time per row, per tenfold of rows. Memory is held against its goal over all rows that were
//! measured: what is enough for the most is enough for fewer.

use anyhow::{Result, bail};

use super::{Case, Figure, growth, per_row, report};
use crate::say;

const MOST_GROWTH: f64 = 1.3;
const MOST_MEMORY: f64 = 100.0;
const MOST_OF_A_BASELINE: f64 = 15.0;
const MOST_OF_A_GUARD: f64 = 1.5;
/// Rows in bulk, of which the first 100,000 have a status each: so many that starting and those do not count.
const MOST_OF_ROWS_IN_BULK: f64 = 10.0;
const IN_BULK: u64 = 300_000;

/// One goal, with the figure that is the furthest from it.
struct Goal {
    what: &'static str,
    most: f64,
    found: f64,
    /// Of what it is the figure.
    of: String,
}

/// Prints how far each goal is reached, and fails where one is missed.
pub(super) fn check(figures: &[Figure]) -> Result<()> {
    let goals = goals(figures);
    let lines: Vec<_> = goals.iter().map(Goal::line).collect();
    say::line(&format!("\ngoals\n{}", lines.join("\n")));
    let missed = goals.iter().filter(|goal| !goal.holds()).count();
    if missed == 0 { Ok(()) } else { bail!("{missed} of {} goals are missed", goals.len()) }
}

fn goals(figures: &[Figure]) -> Vec<Goal> {
    let baselines = figures.iter().filter(|figure| figure.case == Case::Baseline);
    let goals = [
        worst("growth of a row's cost per tenfold of rows", MOST_GROWTH, growths(figures)),
        worst("peak memory, MiB", MOST_MEMORY, figures.iter().map(|figure| (memory(figure), figure))),
        worst("baseline, µs of processor a row", MOST_OF_A_BASELINE, baselines.map(|of| (per_row(of), of))),
        worst("a guard that holds all, beside none", MOST_OF_A_GUARD, guards(figures)),
        worst("rows in bulk, µs of processor a row", MOST_OF_ROWS_IN_BULK, in_bulk(figures)),
    ];
    goals.into_iter().flatten().collect()
}

/// The goal with its worst figure; none where there is no figure.
fn worst<'a>(what: &'static str, most: f64, found: impl Iterator<Item = (f64, &'a Figure)>) -> Option<Goal> {
    let (found, figure) = found.max_by(|one, other| one.0.total_cmp(&other.0))?;
    Some(Goal { what, most, found, of: format!("{}, {} rows", figure.case.name(), figure.rows) })
}

/// Of each figure but a case's first one, how it grew.
fn growths(figures: &[Figure]) -> impl Iterator<Item = (f64, &Figure)> {
    figures.iter().enumerate().filter_map(|(at, more)| {
        let fewer = figures.iter().take(at).rfind(|fewer| fewer.case == more.case)?;
        Some((growth(fewer, more), more))
    })
}

/// Of each plan that is held, its cost beside that of the same plan without the guard.
fn guards(figures: &[Figure]) -> impl Iterator<Item = (f64, &Figure)> {
    figures.iter().filter(|figure| figure.case == Case::Held).filter_map(|held| {
        let free = figures.iter().find(|free| free.case == Case::Half && free.rows == held.rows)?;
        Some((per_row(held) / per_row(free).max(f64::MIN_POSITIVE), held))
    })
}

/// Of each case in which nothing is sent of many rows, what a row costs.
fn in_bulk(figures: &[Figure]) -> impl Iterator<Item = (f64, &Figure)> {
    let cases = [Case::Invalid, Case::Adopt, Case::Baseline];
    let many = figures.iter().filter(move |figure| figure.rows >= IN_BULK && cases.contains(&figure.case));
    many.map(|figure| (per_row(figure), figure))
}

fn memory(figure: &Figure) -> f64 {
    report::lossy(figure.cost.peak) / 1024.0
}

impl Goal {
    fn holds(&self) -> bool {
        self.found <= self.most
    }

    fn line(&self) -> String {
        let end = if self.holds() { "holds" } else { "missed" };
        let (found, most) = (report::shown(self.found), report::shown(self.most));
        format!("  {end:<8}{:<46}{found:>8}, at most {most} ({})", self.what, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::figure;
    use super::*;

    fn found(figures: &[Figure]) -> Vec<(bool, String)> {
        goals(figures).iter().map(|goal| (goal.holds(), report::shown(goal.found))).collect()
    }

    #[test]
    fn each_goal_is_held_against_its_worst_figure() {
        let figures = [
            figure(Case::Baseline, 10_000, 100, 30),
            figure(Case::Half, 10_000, 200, 40),
            figure(Case::Held, 10_000, 290, 40),
            figure(Case::Baseline, 100_000, 1_500, 130),
            figure(Case::Half, 100_000, 2_000, 90),
            figure(Case::Held, 100_000, 2_000, 90),
        ];
        let expected = [(false, "1.50"), (false, "130.00"), (true, "15.00"), (true, "1.45")];
        assert_eq!(found(&figures), expected.map(|(holds, figure)| (holds, figure.to_owned())));
        assert!(check(&figures).is_err());
        assert!(check(&figures[..3]).is_ok());
    }

    #[test]
    fn one_size_says_nothing_of_growth() {
        assert_eq!(found(&[figure(Case::Baseline, 10_000, 200, 30)]).len(), 2);
    }
}
