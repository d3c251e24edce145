//! `cargo xtask bench`: what Coho costs, beside a named alternative in the same run.
//!
//! The alternative is `plain-client` of `coho-bench`: an asynchronous client of 50 connections (`reqwest`) that sends every row
//! and remembers nothing. Both read one file and talk to one server, in turn, three rounds; the median counts.
//!
//! - `delivery`: a first run, every row is sent.
//! - `unchanged`: a later run in which no row changed. Coho sends nothing; the alternative sends everything again.
//! - `analytics`: first runs of accounts and events in batches, beside the goals that are set for them (module `analytics`).
//! - `plan`: what a plan costs, over a hundredfold of rows and beside the goals that are set for it (module `plan`).
//! - `pages`: how fast the debugger answers over a long history, beside the goals that are set for it (module `pages`).
//! - `compare`: a plan over a changed Parquet file, where the alternative is DuckDB (module `compare`).
//! - `peers`: a first run beside other programs that send the same rows, a plan over a table beside reading it (module `peers`).
//! - `scale`: a plan that compares rows in PostgreSQL, beside reading all of them (module `scale`).
//! - `sizes`: time and memory over the number of rows (module `sizes`).
//! - `year`: how large the ledger becomes in a year of runs (module `year`); only where it is asked for by name.
//! - `liquid`: templates, where the alternative is LiquidJS (module `liquid`).
//!
//! With `--record` what was measured goes into `docs/performance.json`, of which `cargo xtask codegen` makes tables and plots.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::server::Server;
use crate::workspace::Workspace;
use crate::{child, say};

mod project;
mod measure;
mod report;
mod analytics;
mod plan;
mod pages;
mod year;
mod liquid;
mod compare;
mod sizes;
mod peers;
mod scale;
mod record;

use measure::{Cost, measure};
use project::Project;
use report::Round;

use crate::performance::Figure;

const ROUNDS: usize = 3;

/// The program that is measured, and what stands beside it, as figures name them.
const COHO: &str = "coho";
const PLAIN: &str = "plain client";

const CONNECTIONS: &str = "50";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    /// Every row is new.
    Delivery,
    /// No row changed since the last run.
    Unchanged,
}

impl Scene {
    fn title(self) -> &'static str {
        match self {
            Self::Delivery => "delivery: every row is new",
            Self::Unchanged => {
                "unchanged: no row changed since the last run; the plain client sends all of them again"
            }
        }
    }

    fn rows(self) -> u64 {
        match self {
            Self::Delivery => 100_000,
            Self::Unchanged => 1_000_000,
        }
    }
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Scene(Scene),
    Analytics,
    Plan,
    Pages,
    Year,
    Liquid,
    Compare,
    Sizes,
    Peers,
    Scale,
}

/// What a part measured, and whether its goals were reached.
struct Played {
    figures: Vec<Figure>,
    verdict: Result<()>,
}

impl Played {
    /// What has no goals of its own.
    fn well(figures: Vec<Figure>) -> Self {
        Self { figures, verdict: Ok(()) }
    }
}

impl Part {
    const ALL: [Self; 11] = [
        Self::Scene(Scene::Delivery),
        Self::Scene(Scene::Unchanged),
        Self::Analytics,
        Self::Plan,
        Self::Pages,
        Self::Compare,
        Self::Sizes,
        Self::Peers,
        Self::Scale,
        Self::Year,
        Self::Liquid,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Scene(Scene::Delivery) => "delivery",
            Self::Scene(Scene::Unchanged) => "unchanged",
            Self::Analytics => "analytics",
            Self::Plan => "plan",
            Self::Pages => "pages",
            Self::Year => "year",
            Self::Liquid => "liquid",
            Self::Compare => "compare",
            Self::Sizes => "sizes",
            Self::Peers => "peers",
            Self::Scale => "scale",
        }
    }

    fn named(word: Option<&str>) -> Result<Vec<Self>> {
        let word = word.unwrap_or("all");
        // A year takes an hour.
        let is_wanted = |part: &Self| word == part.name() || (word == "all" && *part != Self::Year);
        let parts: Vec<_> = Self::ALL.into_iter().filter(is_wanted).collect();
        if parts.is_empty() {
            bail!("`{word}` is none of {}, all", Self::ALL.map(Self::name).join(", "));
        }
        Ok(parts)
    }

    fn play(self, target: &Path, rows: Option<u64>) -> Result<Played> {
        let silent = |()| Played::well(Vec::new());
        match self {
            Self::Scene(scene) => {
                let rows = rows.unwrap_or(scene.rows());
                let rounds = play(scene, &target.join("release"), rows, ROUNDS)?;
                say::line(&report::table(scene.title(), PLAIN, rows, &rounds));
                Ok(Played::well(record::figures(self.name(), PLAIN, rows, &rounds)))
            }
            Self::Analytics => analytics::play(&target.join("release"), rows),
            Self::Plan => plan::play(&target.join("release"), rows),
            Self::Pages => pages::play(&target.join("release"), rows).map(silent),
            Self::Compare => compare::play(target, rows.unwrap_or(compare::ROWS)).map(Played::well),
            Self::Sizes => sizes::play(target, rows).map(Played::well),
            Self::Peers => peers::play(target, rows).map(Played::well),
            Self::Scale => scale::play(&target.join("release"), rows).map(Played::well),
            Self::Year => year::play(&target.join("release"), rows).map(silent),
            Self::Liquid => liquid::play(target, rows.unwrap_or(liquid::ROWS)).map(silent),
        }
    }
}

/// `cargo xtask bench [delivery|unchanged|analytics|plan|pages|compare|sizes|peers|scale|year|liquid|all] [--rows N] [--record]`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let rows = arguments.number("--rows")?;
    let records = arguments.flag("--record");
    let parts = Part::named(arguments.word().as_deref())?;
    arguments.nothing_left()?;
    if !cfg!(target_os = "linux") {
        bail!("what a process costs is read from /proc, which only Linux has");
    }
    let target = Workspace::load()?.target;
    let mut build = child::cargo();
    build.args(["build", "--release", "--package", "coho-bench"]);
    // Always with the same features, so that no part builds anew what another one built.
    if parts != [Part::Liquid] {
        build.args(["--package", "coho-cli", "--package", "coho-testkit"]);
    }
    child::run(&mut build)?;
    say::line(&report::machine());
    for part in parts {
        let Played { figures, verdict } = part.play(&target, rows)?;
        if records && !figures.is_empty() {
            record::write(part.name(), figures)?;
        }
        verdict?;
    }
    Ok(())
}

fn play(scene: Scene, programs: &Path, rows: u64, number: usize) -> Result<Vec<Round>> {
    let server = Server::start(&mut child::program(programs.join("null-server")))?;
    let project = Project::create(server.url())?;
    child::run(child::program(programs.join("accounts-file")).arg(rows.to_string()).arg(project.accounts()))?;
    if scene == Scene::Unchanged {
        say::talk("delivering once, so that there is something to remember");
        coho(programs, &project)?;
    }
    let mut rounds = Vec::new();
    for round in 1..=number {
        say::talk(&format!("round {round} of {number}"));
        if scene == Scene::Delivery {
            project.forget()?;
        }
        rounds
            .push(Round { coho: coho(programs, &project)?, plain: plain(programs, &project, server.url())? });
    }
    Ok(rounds)
}

fn coho(programs: &Path, project: &Project) -> Result<Cost> {
    let mut coho = child::program(programs.join("coho"));
    // Each round begins without a ledger.
    coho.args(["run", "--new-ledger", "--project"]).arg(project.folder());
    measured(&mut coho, project)
}

fn plain(programs: &Path, project: &Project, url: &str) -> Result<Cost> {
    let mut plain = child::program(programs.join("plain-client"));
    plain.arg(url).arg(project.accounts()).arg(CONNECTIONS);
    measured(&mut plain, project)
}

fn measured(command: &mut Command, project: &Project) -> Result<Cost> {
    logged(command, project, measure)
}

/// A command of SQL.
fn psql(server: &str, sql: &str) -> Command {
    let mut psql = child::program("psql");
    psql.arg(server).args(["--no-psqlrc", "--command", sql]);
    psql
}

/// Reads the table of accounts, and keeps nothing.
fn copy(server: &str) -> Command {
    psql(server, r"\copy (SELECT * FROM accounts) TO '/dev/null'")
}

/// Measures it with its output in a file, which is shown where it fails.
fn logged(
    command: &mut Command,
    project: &Project,
    measure: impl FnOnce(&mut Command) -> Result<Cost>,
) -> Result<Cost> {
    let log = project.log();
    let file = fs::File::create(&log).with_context(|| format!("creating {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    measure(command).with_context(|| fs::read_to_string(&log).unwrap_or_default())
}
