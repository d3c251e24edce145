//! `cargo xtask bench scale`: a plan over a table in PostgreSQL that compares rows in the database, beside reading all of them.
//!
//! - *coho* compares in the database, *coho, with a cache* with a table of its own there, *coho, all rows* reads them, and *psql* copies the
//!   same rows to nowhere.
//!
//! All ask one server in turn. The table is in random order, so what changed is spread over it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::measure::{Cost, measure};
use super::project::{Comparing, Project};
use super::record::figure;
use super::{COHO, ROUNDS, logged, psql};
use crate::performance::Figure;
use crate::server::Server;
use crate::{child, say};

/// How many rows there are, unless the command line says otherwise.
const SIZES: [u64; 3] = [1_000_000, 3_000_000, 10_000_000];

const ALL_ROWS: &str = "coho, all rows";
const CACHED: &str = "coho, with a cache";
const PSQL: &str = "psql";

/// The number in an account's id.
const NUMBER: &str = "split_part(id, '-', 2)::bigint";

/// What changed since the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Nothing,
    Few,
    /// So did another hundredth before the last run: as many changes are expected as that one found.
    Hundredth,
}

impl Case {
    const ALL: [Self; 3] = [Self::Nothing, Self::Few, Self::Hundredth];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing changed",
            Self::Few => "20 rows changed",
            Self::Hundredth => "a hundredth changed",
        }
    }
}

/// Runs it; `programs` is the folder of the release build.
pub(super) fn play(programs: &Path, rows: Option<u64>) -> Result<Vec<Figure>> {
    let sizes = rows.map_or(SIZES.to_vec(), |rows| vec![rows]);
    let mut figures = Vec::new();
    for rows in sizes {
        say::talk(&format!("making a table of {rows} rows, and remembering them"));
        let server = Server::start(child::program(programs.join("postgres-accounts")).arg(rows.to_string()))?;
        let vitally = Server::start(&mut child::program(programs.join("null-server")))?;
        let project = Project::of_table(server.url())?;
        let cached = Project::of_table_again(server.url())?;
        let table = Table { programs, database: server.url(), vitally: vitally.url(), project, cached, rows };
        table.carry_out("baseline", Comparing::InSource)?;
        table.carry_out("baseline", Comparing::Cached)?;
        for case in Case::ALL {
            table.change(case)?;
            figures.extend(table.case(case)?);
        }
    }
    figures.sort_by_key(|figure| (figure.case.clone(), figure.rows));
    Ok(figures)
}

/// A table with what is remembered of its rows.
struct Table<'a> {
    programs: &'a Path,
    database: &'a str,
    vitally: &'a str,
    project: Project,
    /// The same, with a ledger of its own: one ledger knows either sums or a cache.
    cached: Project,
    rows: u64,
}

impl Table<'_> {
    fn project(&self, comparing: Comparing) -> &Project {
        match comparing {
            Comparing::Full | Comparing::InSource => &self.project,
            Comparing::Cached => &self.cached,
        }
    }

    fn carry_out(&self, verb: &str, comparing: Comparing) -> Result<Cost> {
        let project = self.project(comparing);
        project.compare(self.database, self.vitally, comparing)?;
        let mut coho = child::program(self.programs.join("coho"));
        coho.arg(verb).arg("accounts").arg("--project").arg(project.folder());
        logged(&mut coho, project, measure)
    }

    fn change(&self, case: Case) -> Result<()> {
        match case {
            Case::Nothing => Ok(()),
            Case::Few => self.update(&format!("{NUMBER} <= 20")),
            Case::Hundredth => {
                self.update(&format!("{NUMBER} % 100 = 0"))?;
                self.carry_out("run", Comparing::InSource)?;
                self.carry_out("run", Comparing::Cached)?;
                self.update(&format!("{NUMBER} % 100 = 50"))
            }
        }
    }

    fn update(&self, which: &str) -> Result<()> {
        let sql = format!("UPDATE accounts SET seats = seats + 1 WHERE {which}");
        child::run(psql(self.database, &sql).arg("--quiet"))
    }

    /// Plans over the table in all ways, and reads it.
    fn case(&self, case: Case) -> Result<Vec<Figure>> {
        let (mut compared, mut cached) = (Told::default(), Told::default());
        let (mut all, mut read) = (Vec::new(), Vec::new());
        let rounds = if self.rows < SIZES[0] { ROUNDS } else { 1 };
        for round in 1..=rounds {
            say::talk(&format!("{}: round {round} of {rounds}", case.name()));
            self.plan(Comparing::InSource, &mut compared)?;
            self.plan(Comparing::Cached, &mut cached)?;
            all.push(self.carry_out("plan", Comparing::Full)?);
            read.push(logged(&mut super::copy(self.database), &self.project, measure)?);
        }
        let figure = |program, costs: &[Cost]| figure(case.name(), program, self.rows, costs);
        let figures = vec![
            Figure { moved: compared.moved, ..figure(COHO, &compared.costs) },
            figure(PSQL, &read),
            Figure { moved: cached.moved, ..figure(CACHED, &cached.costs) },
            figure(ALL_ROWS, &all),
        ];
        for figure in &figures {
            say::line(&line(figure));
        }
        Ok(figures)
    }

    fn plan(&self, comparing: Comparing, told: &mut Told) -> Result<()> {
        told.costs.push(self.carry_out("plan", comparing)?);
        told.moved = Some(moved_in(&fs::read_to_string(self.project(comparing).log())?)?);
        Ok(())
    }
}

/// What plans cost, and what the last one says of how its rows were compared.
#[derive(Default)]
struct Told {
    costs: Vec<Cost>,
    moved: Option<String>,
}

/// What a plan says of how its rows were compared.
fn moved_in(plan: &str) -> Result<String> {
    // Long lines are broken.
    let words = plan.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = words.split("note: ").skip(1).find_map(|note| {
        let (compared, moved) = note.split_once(" moved (")?;
        let (size, _) = moved.split_once(')')?;
        Some(format!("{compared} moved ({size})"))
    });
    told.with_context(|| format!("the plan does not say how rows were compared:\n{plan}"))
}

fn line(figure: &Figure) -> String {
    let Figure { case, program, rows, wall_ms, processor_ms, peak_kib, moved, .. } = figure;
    let mebibytes = peak_kib / 1024;
    let moved = moved.as_deref().unwrap_or_default();
    format!(
        "{case:<20} {rows:>10} {program:<15} {wall_ms:>8} ms {processor_ms:>8} ms {mebibytes:>5} MiB  {moved}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_moved_is_found_in_a_plan() {
        let plan = "accounts: 1 to change\n  note: new columns\n  note: compared in PostgreSQL: 64 buckets, 1 differs, 3 of 200 rows moved\n    (4,631 B)\n";
        let told = "compared in PostgreSQL: 64 buckets, 1 differs, 3 of 200 rows moved (4,631 B)";
        assert_eq!(moved_in(plan).unwrap(), told);
        assert!(moved_in("note: nothing\n").is_err());
    }
}
