//! Figures for `docs/performance.json`.

use anyhow::Result;

use super::measure::Cost;
use super::report::{self, Round};
use crate::performance::{Figure, Part, Performance};

/// The median of what some rounds cost.
pub(super) fn figure(case: &str, program: &str, rows: u64, costs: &[Cost]) -> Figure {
    let cost = Cost::median(costs.iter().copied());
    let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Figure {
        case: case.to_owned(),
        program: program.to_owned(),
        rows,
        rounds: costs.len() as u64,
        wall_ms: milliseconds(cost.wall),
        processor_ms: milliseconds(cost.cpu),
        peak_kib: cost.peak,
        moved: None,
    }
}

/// What both sides cost, as figures of this case.
pub(super) fn figures(case: &str, other: &str, rows: u64, rounds: &[Round]) -> Vec<Figure> {
    let coho: Vec<_> = rounds.iter().map(|round| round.coho).collect();
    let plain: Vec<_> = rounds.iter().map(|round| round.plain).collect();
    vec![figure(case, super::COHO, rows, &coho), figure(case, other, rows, &plain)]
}

/// Writes down what a part measured, in place of what it measured before.
pub(super) fn write(part: &str, figures: Vec<Figure>) -> Result<()> {
    let mut performance = Performance::load()?;
    performance.put(part, Part { machine: report::machine(), figures });
    performance.save()
}
