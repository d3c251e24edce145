//! `cargo xtask bench sizes`: time and memory over the number of rows, of the three kinds of work that grow with it.
//!
//! - *deliver*: a first run, every row is new; beside the plain client.
//! - *compare*: a plan in which a hundredth changed, beside DuckDB.
//! - *baseline*: every row is remembered as it is, without being sent.

use std::path::Path;

use anyhow::Result;

use super::record::{self, figure};
use super::{Scene, compare, report};
use crate::performance::Figure;
use crate::say;

/// How many rows there are, unless the command line says otherwise.
const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// Runs it; `target` is cargo's folder.
pub(super) fn play(target: &Path, rows: Option<u64>) -> Result<Vec<Figure>> {
    let sizes = rows.map_or(SIZES.to_vec(), |rows| vec![rows]);
    let mut figures = Vec::new();
    for rows in sizes {
        let rounds = rounds(rows);
        say::talk(&format!("{rows} rows"));
        let delivered = super::play(Scene::Delivery, &target.join("release"), rows, rounds)?;
        say::line(&report::table("deliver", super::PLAIN, rows, &delivered));
        figures.extend(record::figures("deliver", super::PLAIN, rows, &delivered));
        let compared = compare::measured(target, rows, rounds)?;
        say::line(&report::table("compare", compare::DUCKDB, rows, &compared.rounds));
        figures.extend(record::figures("compare", compare::DUCKDB, rows, &compared.rounds));
        figures.push(figure("baseline", super::COHO, rows, &[compared.baseline]));
    }
    figures.sort_by_key(|figure| (figure.case.clone(), figure.rows));
    Ok(figures)
}

/// Runs of a million rows take long enough by themselves.
fn rounds(rows: u64) -> usize {
    if rows < 1_000_000 { super::ROUNDS } else { 1 }
}
