//! Time and memory over the number of rows, as SVG: both axes are logarithmic, so that what is linear is a straight line.

use super::Figure;
use super::table::{in_groups, number};

const WIDTH: f64 = 790.0;
const HEIGHT: f64 = 400.0;
/// What is left free for labels: left, right, top, bottom.
const MARGINS: [f64; 4] = [70.0, 260.0, 40.0, 50.0];

/// Colours that can be told apart by those who see fewer of them, too, and on light and dark pages.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#7f7f7f"];

/// How long each case takes.
pub(super) fn time(figures: &[Figure]) -> String {
    draw("Time in seconds over rows", figures, |figure| number(figure.wall_ms.max(1)) / 1_000.0)
}

/// How much memory each case takes.
pub(super) fn memory(figures: &[Figure]) -> String {
    draw("Peak memory in MiB over rows", figures, |figure| number(figure.peak_kib.max(1)) / 1_024.0)
}

/// The exponents of an axis, and where it lies.
struct Axis {
    first: f64,
    last: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let first = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let last = values.fold(f64::MIN_POSITIVE, f64::max).log10().ceil().max(first + 1.0);
        Self { first, last, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.first) / (self.last - self.first) * (self.to - self.from)
    }

    /// Each power of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        std::iter::successors(Some(self.first), |at| Some(at + 1.0))
            .take_while(|at| *at <= self.last)
            .map(|at| 10f64.powf(at))
    }
}

fn draw(title: &str, figures: &[Figure], of: impl Fn(&Figure) -> f64) -> String {
    let [left, right, top, bottom] = MARGINS;
    let across = Axis::of(figures.iter().map(|figure| number(figure.rows)), left, WIDTH - right);
    let up = Axis::of(figures.iter().map(&of), HEIGHT - bottom, top);
    let mut parts = vec![
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"sans-serif\" \
             font-size=\"13\" fill=\"#808080\">"
        ),
        format!("<title>{title}</title>\n<text x=\"{left}\" y=\"22\" font-size=\"15\">{title}</text>"),
    ];
    parts.extend(across.ticks().map(|tick| {
        let at = across.at(tick);
        format!(
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{}\" stroke=\"#80808040\"/>\n\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - bottom,
            HEIGHT - bottom + 20.0,
            label(tick)
        )
    }));
    parts.extend(up.ticks().map(|tick| {
        let at = up.at(tick);
        format!(
            "<line x1=\"{left}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#80808040\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - right,
            left - 8.0,
            at + 4.0,
            label(tick)
        )
    }));
    let lines = lines(figures);
    parts.extend(lines.iter().zip(COLOURS.into_iter().cycle()).enumerate().map(|(place, (line, colour))| {
        let points: Vec<_> =
            line.iter().map(|figure| (across.at(number(figure.rows)), up.at(of(figure)))).collect();
        series(&points, &name(line), colour, place)
    }));
    parts.push("</svg>\n".to_owned());
    parts.join("\n")
}

/// One line with its points, and its name at the right.
fn series(points: &[(f64, f64)], name: &str, colour: &str, place: usize) -> String {
    let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let dots: Vec<_> = points
        .iter()
        .map(|(x, y)| format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"))
        .collect();
    let [_, right, top, _] = MARGINS;
    let down = top + 20.0 * number(place as u64) + 6.0;
    format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n{}\n\
         <text x=\"{}\" y=\"{down}\" fill=\"{colour}\">{name}</text>",
        path.join(" "),
        dots.join("\n"),
        WIDTH - right + 14.0
    )
}

/// The figures of each case and program, in the order in which they come.
fn lines(figures: &[Figure]) -> Vec<Vec<&Figure>> {
    let mut lines: Vec<Vec<&Figure>> = Vec::new();
    for figure in figures {
        match lines.iter_mut().find(|line| is_line(line, figure)) {
            Some(line) => line.push(figure),
            None => lines.push(vec![figure]),
        }
    }
    lines
}

fn is_line(line: &[&Figure], figure: &Figure) -> bool {
    line.first().is_some_and(|first| first.case == figure.case && first.program == figure.program)
}

fn name(line: &[&Figure]) -> String {
    line.first().map_or_else(String::new, |figure| format!("{}: {}", figure.case, figure.program))
}

/// A power of ten.
fn label(tick: f64) -> String {
    if tick < 1.0 { format!("{tick}") } else { in_groups(&format!("{tick:.0}")) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::figure;
    use super::*;

    #[test]
    fn what_is_linear_is_a_straight_line() {
        let axis = Axis::of([10.0, 1_000.0].into_iter(), 0.0, 200.0);
        assert_eq!([10.0, 100.0, 1_000.0].map(|value| format!("{:.0}", axis.at(value))), ["0", "100", "200"]);
        assert_eq!(axis.ticks().map(label).collect::<Vec<_>>(), ["10", "100", "1,000"]);
    }

    #[test]
    fn each_case_of_each_program_is_a_line() {
        let figures = [
            figure("deliver", "coho", 1_000, 10, 1),
            figure("deliver", "plain client", 1_000, 5, 1),
            figure("deliver", "coho", 10_000, 100, 2),
        ];
        let names: Vec<_> = lines(&figures).iter().map(|line| (name(line), line.len())).collect();
        assert_eq!(names, [("deliver: coho".to_owned(), 2), ("deliver: plain client".to_owned(), 1)]);
        let svg = time(&figures);
        assert_eq!((svg.matches("<polyline").count(), svg.matches("<circle").count()), (2, 3));
        assert!(svg.contains(">0.01</text>") && svg.contains(">10,000</text>"), "{svg}");
    }
}
