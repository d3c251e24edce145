//! `cargo xtask bench plan`: what a plan costs, over a hundredfold of rows.
//!
//! Each case is a process of its own, so that its peak memory is its own; all of them read the same file of accounts, or one
//! in which the seats of a half or of all accounts are others. Nothing is ever sent: the server's address belongs to a socket
//! that answers nobody, but where accounts are adopted: there it has none. What the figures are held against is in `goals`.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::measure::{Cost, measure_to, measure_until_asked};
use super::project::Project;
use super::record::figure;
use super::{COHO, Played, logged, report};
use crate::server::Server;
use crate::{child, say};

mod goals;
mod table;

/// How many rows there are, unless the command line says otherwise.
const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// A coho that finds rows of which some are rejected, invalid or stale ends so.
const ROWS_FAILED: i32 = 5;
/// A coho that holds something back ends so.
const HELD: i32 = 4;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// A plan where nothing is remembered.
    New,
    /// A run where nothing is remembered, up to its first request.
    FirstRequest,
    /// The same plan, kept as an approved plan; then every row changed, and a run under that approved plan sends nothing.
    Stale,
    /// A run over rows of which each is invalid: their statuses are recorded, of the first 100,000.
    Invalid,
    /// Accounts are adopted that Vitally does not have.
    Adopt,
    /// Every row is remembered as it is, without being sent.
    Baseline,
    /// A plan where all is remembered and every second row changed.
    Half,
    /// The same plan where a guard holds all of it.
    Held,
}

impl Case {
    /// All of them, in the order in which they are measured: each finds what the ones before it left.
    const ALL: [Self; 8] = [
        Self::New,
        Self::FirstRequest,
        Self::Stale,
        Self::Invalid,
        Self::Adopt,
        Self::Baseline,
        Self::Half,
        Self::Held,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::New => "plan of new rows",
            Self::FirstRequest => "first run, up to its first request",
            Self::Stale => "run under a stale plan",
            Self::Invalid => "run, every row invalid",
            Self::Adopt => "adopt, no record there",
            Self::Baseline => "baseline",
            Self::Half => "plan, half of the rows changed",
            Self::Held => "the same, all held by a guard",
        }
    }
}

/// What a case cost over so many rows.
#[derive(Clone, Copy, Debug)]
struct Figure {
    case: Case,
    rows: u64,
    cost: Cost,
}

/// Runs it; fails where a goal is missed.
pub(super) fn play(programs: &Path, rows: Option<u64>) -> Result<Played> {
    let sizes = rows.map_or(SIZES.to_vec(), |rows| vec![rows]);
    let mut figures = Vec::new();
    for rows in sizes {
        let rounds = (1..=rounds(rows)).map(|round| {
            say::talk(&format!("{rows} rows, round {round} of {}", rounds(rows)));
            Stage::create(programs, rows)?.costs()
        });
        figures.extend(medians(rows, &rounds.collect::<Result<Vec<_>>>()?));
    }
    say::line(&table::table(&figures));
    let of = |found: &Figure| figure(found.case.name(), COHO, found.rows, &[found.cost]);
    Ok(Played { figures: figures.iter().map(of).collect(), verdict: goals::check(&figures) })
}

/// Short runs are repeated: the kernel counts in hundredths of a second.
fn rounds(rows: u64) -> usize {
    if rows < 1_000_000 { super::ROUNDS } else { 1 }
}

fn medians(rows: u64, rounds: &[Vec<Cost>]) -> Vec<Figure> {
    let median = |at: usize| Cost::median(rounds.iter().filter_map(|costs| costs.get(at).copied()));
    let figures = Case::ALL.into_iter().enumerate();
    figures.map(|(at, case)| Figure { case, rows, cost: median(at) }).collect()
}

/// Where one round is played.
struct Stage<'a> {
    programs: &'a Path,
    rows: u64,
    server: TcpListener,
    project: Project,
}

impl<'a> Stage<'a> {
    fn create(programs: &'a Path, rows: u64) -> Result<Self> {
        let server = TcpListener::bind(("127.0.0.1", 0))?;
        let project = Project::create(&format!("http://{}", server.local_addr()?))?;
        Ok(Self { programs, rows, server, project })
    }

    fn costs(&self) -> Result<Vec<Cost>> {
        self.accounts("none")?;
        Case::ALL.into_iter().map(|case| self.cost(case)).collect()
    }

    fn cost(&self, case: Case) -> Result<Cost> {
        match case {
            Case::New => self.measured(&["plan"], 0),
            Case::FirstRequest => {
                let cost = self.until_asked()?;
                self.project.forget()?;
                Ok(cost)
            }
            Case::Stale => {
                let file = self.project.plan_file();
                let file = file.to_string_lossy();
                self.measured(&["plan", "--output", &file], 0)?;
                self.accounts("all")?;
                let cost = self.measured(&["run", "--plan", &file], ROWS_FAILED)?;
                self.project.forget()?;
                self.accounts("none")?;
                Ok(cost)
            }
            Case::Invalid => {
                self.project.cast_addresses()?;
                let cost = self.measured(&["run"], ROWS_FAILED)?;
                self.project.map()?;
                self.project.forget()?;
                Ok(cost)
            }
            Case::Adopt => self.adopt(),
            Case::Baseline => self.measured(&["baseline", "accounts"], 0),
            Case::Half => {
                self.accounts("half")?;
                self.measured(&["plan"], 0)
            }
            Case::Held => {
                self.project.guard("max_changed: 0")?;
                self.measured(&["plan"], HELD)
            }
        }
    }

    /// Adopts accounts from a server that has none.
    fn adopt(&self) -> Result<Cost> {
        let server = Server::start(&mut child::program(self.programs.join("null-server")))?;
        self.project.send_to(server.url())?;
        let cost = self.measured(&["adopt", "accounts"], 0)?;
        self.project.forget()?;
        self.project.send_to(&self.url()?)?;
        Ok(cost)
    }

    /// The address at which nobody answers.
    fn url(&self) -> Result<String> {
        Ok(format!("http://{}", self.server.local_addr()?))
    }

    /// Writes the accounts, of which so many changed.
    fn accounts(&self, changed: &str) -> Result<()> {
        let mut write = child::program(self.programs.join("accounts-file"));
        child::run(write.arg(self.rows.to_string()).arg(self.project.accounts()).arg(changed))
    }

    fn measured(&self, words: &[&str], code: i32) -> Result<Cost> {
        logged(&mut self.coho(words), &self.project, |coho| measure_to(coho, code))
    }

    fn until_asked(&self) -> Result<Cost> {
        logged(&mut self.coho(&["run"]), &self.project, |coho| measure_until_asked(coho, &self.server))
    }

    fn coho(&self, words: &[&str]) -> Command {
        let mut coho = child::program(self.programs.join("coho"));
        coho.args(words).arg("--project").arg(self.project.folder());
        coho
    }
}

/// Processor time per row, in millionths of a second.
fn per_row(figure: &Figure) -> f64 {
    figure.cost.cpu.as_secs_f64() * 1e6 / report::lossy(figure.rows.max(1))
}

/// By how much a row costs more than a row of the same case did over fewer rows, per tenfold of rows: 1 where the cost is linear.
fn growth(fewer: &Figure, more: &Figure) -> f64 {
    let decades = (report::lossy(more.rows) / report::lossy(fewer.rows.max(1))).log10();
    (per_row(more) / per_row(fewer).max(f64::MIN_POSITIVE)).powf(decades.recip())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A figure of a case, with its rows, milliseconds and MiB.
    pub(super) fn figure(case: Case, rows: u64, milliseconds: u64, peak: u64) -> Figure {
        let time = Duration::from_millis(milliseconds);
        Figure { case, rows, cost: Cost { wall: time, cpu: time, peak: peak * 1024 } }
    }

    #[test]
    fn growth_is_counted_by_tenfold_of_rows() {
        let fewer = figure(Case::New, 1_000, 10, 1);
        assert!((growth(&fewer, &figure(Case::New, 10_000, 100, 1)) - 1.0).abs() < 1e-9);
        assert!((growth(&fewer, &figure(Case::New, 10_000, 150, 1)) - 1.5).abs() < 1e-9);
        assert!((growth(&fewer, &figure(Case::New, 100_000, 4_000, 1)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_each_case_counts() {
        let rounds = [5, 1, 3].map(|seconds| {
            let time = Duration::from_secs(seconds);
            vec![Cost { wall: time, cpu: time, peak: 10 - seconds }]
        });
        let figures = medians(7, &rounds);
        assert_eq!(
            figures[0].cost,
            Cost { wall: Duration::from_secs(3), cpu: Duration::from_secs(3), peak: 7 }
        );
    }
}
