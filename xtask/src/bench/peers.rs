//! `cargo xtask bench peers`: a first run beside other ways to send the same rows, and a plan over a table beside reading it.
//!
//! - *aiohttp* is an asynchronous client in Python that keeps nothing, with as many requests under way as Coho.
//! - *drt* is `drt-core` from PyPI with its REST destination: another program for reverse ETL, which sends one request at a time.
//! - *psql* copies the model's rows to nowhere.
//!
//! Both sides are processes of their own, in turn, and ask one server. Python's packages come from PyPI, into a folder of their
//! own under `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::measure::measure;
use super::project::Project;
use super::report::Round;
use super::{ROUNDS, logged, record, report};
use crate::performance::Figure;
use crate::server::Server;
use crate::{child, python, say};

const SCRIPT: &str = include_str!("peers.py");

/// Requests under way at once, where the server takes its time: as many as a hundred times drt's speed needs, and some more.
const AT_ONCE: &str = "128";

/// How long the slow server takes.
const MILLISECONDS: &str = "20";

/// Rows of a table, and of a delivery to the slow server.
const TABLE: u64 = 1_000_000;
const SLOW: u64 = 5_000;
const FAST: u64 = 100_000;

/// The other program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Aiohttp,
    Drt,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Aiohttp => "aiohttp",
            Self::Drt => "drt",
        }
    }

    /// Its package on PyPI.
    fn package(self) -> &'static str {
        match self {
            Self::Aiohttp => "aiohttp",
            Self::Drt => "drt-core",
        }
    }
}

/// A first run beside one of them.
#[derive(Clone, Copy, Debug)]
struct Delivery {
    case: &'static str,
    peer: Peer,
    rows: u64,
    rounds: usize,
    /// How long the server takes, and how many requests are under way meanwhile.
    wait: &'static str,
    at_once: &'static str,
}

impl Delivery {
    // A round of drt takes minutes.
    const ALL: [Self; 4] = [
        Self {
            case: "deliver, beside aiohttp",
            peer: Peer::Aiohttp,
            rows: FAST,
            rounds: ROUNDS,
            wait: "0",
            at_once: super::CONNECTIONS,
        },
        Self {
            case: "deliver, beside drt",
            peer: Peer::Drt,
            rows: FAST,
            rounds: 1,
            wait: "0",
            at_once: super::CONNECTIONS,
        },
        Self {
            case: "deliver at 20 ms, beside aiohttp",
            peer: Peer::Aiohttp,
            rows: SLOW,
            rounds: ROUNDS,
            wait: MILLISECONDS,
            at_once: AT_ONCE,
        },
        Self {
            case: "deliver at 20 ms, beside drt",
            peer: Peer::Drt,
            rows: SLOW,
            rounds: 1,
            wait: MILLISECONDS,
            at_once: AT_ONCE,
        },
    ];
}

/// Runs it; `target` is cargo's folder.
pub(super) fn play(target: &Path, rows: Option<u64>) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for delivery in Delivery::ALL {
        let delivery = Delivery { rows: rows.unwrap_or(delivery.rows), ..delivery };
        let rounds = delivered(target, delivery)?;
        figures.extend(told(delivery.case, delivery.peer.name(), delivery.rows, &rounds));
    }
    let rows = rows.unwrap_or(TABLE);
    figures.extend(told("unchanged in PostgreSQL", "psql", rows, &read(target, rows)?));
    Ok(figures)
}

/// Prints a case; its figures.
fn told(case: &str, other: &str, rows: u64, rounds: &[Round]) -> Vec<Figure> {
    say::line(&report::table(case, other, rows, rounds));
    record::figures(case, other, rows, rounds)
}

fn delivered(target: &Path, delivery: Delivery) -> Result<Vec<Round>> {
    let programs = target.join("release");
    let environment = target.join(delivery.peer.package());
    python::install(&environment, delivery.peer.package())?;
    let server = Server::start(child::program(programs.join("null-server")).arg(delivery.wait))?;
    let project = Project::create(server.url())?;
    project.concurrency(delivery.at_once)?;
    let rows = delivery.rows.to_string();
    child::run(child::program(programs.join("accounts-file")).arg(rows).arg(project.accounts()))?;
    let other = Other { environment, url: server.url(), project: &project };
    let mut rounds = Vec::new();
    for round in 1..=delivery.rounds {
        say::talk(&format!("{}: round {round} of {}", delivery.case, delivery.rounds));
        project.forget()?;
        let coho = super::coho(&programs, &project)?;
        let mut other = match delivery.peer {
            Peer::Aiohttp => other.aiohttp(delivery.at_once)?,
            Peer::Drt => other.drt()?,
        };
        rounds.push(Round { coho, plain: logged(&mut other, &project, measure)? });
    }
    Ok(rounds)
}

/// Where the other program sends the same rows.
struct Other<'a> {
    environment: PathBuf,
    url: &'a str,
    project: &'a Project,
}

impl Other<'_> {
    fn python(&self) -> Result<Command> {
        let script = self.project.folder().join("peers.py");
        std::fs::write(&script, SCRIPT).with_context(|| format!("writing {}", script.display()))?;
        let mut python = child::program(self.environment.join("bin/python"));
        python.arg(script);
        Ok(python)
    }

    fn aiohttp(&self, at_once: &str) -> Result<Command> {
        let mut python = self.python()?;
        python.arg("send").arg(self.url).arg(self.project.accounts()).arg(at_once);
        Ok(python)
    }

    /// A project of drt in a new folder; what drt keeps of users is in that folder too.
    fn drt(&self) -> Result<Command> {
        let folder = self.project.folder().join("drt");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        child::run(self.python()?.arg("project").arg(self.url).arg(self.project.accounts()).arg(&folder))?;
        let mut drt = child::program(self.environment.join("bin/drt"));
        drt.arg("run").current_dir(&folder).env("HOME", &folder);
        drt.env("BENCH_USER", "bench").env("BENCH_PASSWORD", "bench");
        Ok(drt)
    }
}

/// Plans over a table in which nothing changed, beside psql reading it.
fn read(target: &Path, rows: u64) -> Result<Vec<Round>> {
    let programs = target.join("release");
    let server = Server::start(child::program(programs.join("postgres-accounts")).arg(rows.to_string()))?;
    let project = Project::of_table(server.url())?;
    let coho = |words: &[&str]| {
        let mut coho = child::program(programs.join("coho"));
        coho.args(words).arg("--project").arg(project.folder());
        logged(&mut coho, &project, measure)
    };
    coho(&["baseline", "accounts"])?;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        say::talk(&format!("unchanged in PostgreSQL: round {round} of {ROUNDS}"));
        let mut copy = super::copy(server.url());
        rounds.push(Round { coho: coho(&["plan"])?, plain: logged(&mut copy, &project, measure)? });
    }
    Ok(rounds)
}
