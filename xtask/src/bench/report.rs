//! What a benchmark prints: medians of both sides and their ratio.

use std::time::Duration;
use std::{env, thread};

use super::measure::Cost;

/// One round: both sides, one after the other.
pub(crate) struct Round {
    pub(crate) coho: Cost,
    pub(crate) plain: Cost,
}

/// The machine, as far as it matters to whoever compares.
pub(crate) fn machine() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores, {}-{}, release build; medians", env::consts::ARCH, env::consts::OS)
}

/// The table of one scene, beside the other of this name.
pub(crate) fn table(title: &str, other: &str, rows: u64, rounds: &[Round]) -> String {
    let coho: Vec<_> = rounds.iter().map(|round| round.coho).collect();
    let plain: Vec<_> = rounds.iter().map(|round| round.plain).collect();
    let head = format!("\n{title}\n{rows} rows, {} rounds", rounds.len());
    let names = format!("  {:<18}{:>14}{:>14}{:>10}", "", "coho", other, "ratio");
    let figures = [
        compared("wall, s", &coho, &plain, |cost| cost.wall.as_secs_f64()),
        compared("rows/s", &coho, &plain, |cost| per_second(rows, cost.wall)),
        compared("processor, s", &coho, &plain, |cost| cost.cpu.as_secs_f64()),
        compared("peak memory, MiB", &coho, &plain, |cost| lossy(cost.peak) / 1024.0),
    ];
    [vec![head, names], figures.to_vec()].concat().join("\n")
}

fn compared(name: &str, coho: &[Cost], plain: &[Cost], of: impl Fn(&Cost) -> f64) -> String {
    let (coho, plain) = (median(coho.iter().map(&of)), median(plain.iter().map(&of)));
    let ratio = if plain > 0.0 { format!("{:.2}", coho / plain) } else { "-".to_owned() };
    format!("  {name:<18}{:>14}{:>14}{ratio:>10}", shown(coho), shown(plain))
}

pub(super) fn shown(number: f64) -> String {
    if number < 1000.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}

pub(super) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

fn per_second(rows: u64, wall: Duration) -> f64 {
    lossy(rows) / wall.as_secs_f64().max(0.001)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people, of rows and KiB")]
pub(super) fn lossy(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_their_ratio_are_shown() {
        let cost =
            |seconds| Cost { wall: Duration::from_secs(seconds), cpu: Duration::from_secs(1), peak: 2048 };
        let rounds =
            [(2, 4), (9, 4), (3, 4)].map(|(coho, plain)| Round { coho: cost(coho), plain: cost(plain) });
        let table = table("delivery", "plain client", 6000, &rounds);
        let words: Vec<_> =
            table.lines().skip(4).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(words[0], ["wall,", "s", "3.00", "4.00", "0.75"]);
        assert_eq!(words[1], ["rows/s", "2000", "1500", "1.33"]);
        assert_eq!(words[3], ["peak", "memory,", "MiB", "2.00", "2.00", "1.00"]);
    }
}
