//! What the cases cost, line by line: time on the clock, time of the processors, memory, and how a row's cost grows.

use super::{Case, Figure, growth, per_row, report};

/// A line of each case and size, the sizes of one case beneath each other.
pub(super) fn table(figures: &[Figure]) -> String {
    let head = format!(
        "\n{:<36}{:>9}{:>10}{:>14}{:>12}{:>10}{:>10}",
        "plan", "rows", "wall, s", "processor, s", "µs a row", "peak, MiB", "growth"
    );
    let lines = Case::ALL.into_iter().flat_map(|case| lines(case, figures));
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

fn lines(case: Case, figures: &[Figure]) -> Vec<String> {
    let of_case: Vec<_> = figures.iter().filter(|figure| figure.case == case).collect();
    let before = std::iter::once(None).chain(of_case.iter().copied().map(Some));
    of_case.iter().zip(before).map(|(figure, before)| line(figure, before)).collect()
}

fn line(figure: &Figure, before: Option<&Figure>) -> String {
    let growth = before.map_or("-".to_owned(), |before| report::shown(growth(before, figure)));
    let cost = figure.cost;
    format!(
        "  {:<34}{:>9}{:>10}{:>14}{:>12}{:>10}{growth:>10}",
        figure.case.name(),
        figure.rows,
        report::shown(cost.wall.as_secs_f64()),
        report::shown(cost.cpu.as_secs_f64()),
        report::shown(per_row(figure)),
        report::shown(report::lossy(cost.peak) / 1024.0)
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::figure;
    use super::*;

    #[test]
    fn the_sizes_of_a_case_stand_beneath_each_other() {
        let figures = [
            figure(Case::New, 10_000, 200, 30),
            figure(Case::Half, 10_000, 100, 20),
            figure(Case::New, 100_000, 2_200, 60),
        ];
        let table = table(&figures);
        let ends: Vec<Vec<_>> =
            table.lines().skip(2).map(|line| line.split_whitespace().rev().take(6).collect()).collect();
        assert_eq!(ends[0], ["-", "30.00", "20.00", "0.20", "0.20", "10000"]);
        assert_eq!(ends[1], ["1.10", "60.00", "22.00", "2.20", "2.20", "100000"]);
        assert_eq!(ends[2], ["-", "20.00", "10.00", "0.10", "0.10", "10000"]);
    }
}
