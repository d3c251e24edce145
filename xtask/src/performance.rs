//! `docs/performance.json`, what `cargo xtask bench --record` measured, and what `cargo xtask codegen` makes of it: the tables in
//! `docs/performance.md` and its plots.
//!
//! In the document a table stands between the lines `<!-- figures PART -->` and `<!-- /figures -->`.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::workspace::root;

mod plot;
mod table;

/// Where the figures are.
const FILE: &str = "docs/performance.json";

/// The document with their tables.
const DOCUMENT: &str = "docs/performance.md";

/// The part of the benchmark whose figures are plotted.
const PLOTTED: &str = "sizes";

/// The part with plans that compare rows where they are, and a case that is hardly another line in its plot.
const IN_SOURCE: &str = "scale";
const LEFT_OUT: &str = "20 rows changed";

/// All figures, by the part of the benchmark that measured them.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Performance(BTreeMap<String, Part>);

/// What one part of the benchmark measured.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The machine, as far as it matters to whoever compares.
    pub(crate) machine: String,
    pub(crate) figures: Vec<Figure>,
}

/// Medians of some rounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was done.
    pub(crate) case: String,
    /// Who did it.
    pub(crate) program: String,
    pub(crate) rows: u64,
    pub(crate) rounds: u64,
    pub(crate) wall_ms: u64,
    pub(crate) processor_ms: u64,
    pub(crate) peak_kib: u64,
    /// How rows were compared where they are, and what of them was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<String>,
}

impl Performance {
    /// Reads the figures; none where there is no file.
    pub(crate) fn load() -> Result<Self> {
        let file = root().join(FILE);
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("understanding {}", file.display()))
    }

    /// Puts the figures of a part in place of its earlier ones.
    pub(crate) fn put(&mut self, name: &str, part: Part) {
        self.0.insert(name.to_owned(), part);
    }

    /// Writes the file.
    pub(crate) fn save(&self) -> Result<()> {
        let file = root().join(FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
    }

    fn part(&self, name: &str) -> Result<&Part> {
        self.0.get(name).with_context(|| {
            format!("{FILE} has no figures of `{name}`: run `cargo xtask bench {name} --record`")
        })
    }
}

/// Everything that is made of the figures: paths with their contents.
pub(crate) fn pages() -> Result<Vec<(&'static str, String)>> {
    let performance = Performance::load()?;
    let file = root().join(DOCUMENT);
    let document = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let figures = &performance.part(PLOTTED)?.figures;
    let in_source: Vec<_> = performance
        .part(IN_SOURCE)?
        .figures
        .iter()
        .filter(|figure| figure.case != LEFT_OUT)
        .cloned()
        .collect();
    Ok(vec![
        (DOCUMENT, with_tables(&document, &performance)?),
        ("docs/pictures/performance-time.svg", plot::time(figures)),
        ("docs/pictures/performance-memory.svg", plot::memory(figures)),
        ("docs/pictures/performance-in-source.svg", plot::time(&in_source)),
    ])
}

/// The document with its tables made anew.
fn with_tables(document: &str, performance: &Performance) -> Result<String> {
    let mut written = String::new();
    let mut rest = document;
    while let Some((before, marked)) = rest.split_once("<!-- figures ") {
        let (name, old) = marked.split_once(" -->\n").context("a mark of figures is not closed")?;
        let Some((_, after)) = old.split_once("<!-- /figures -->") else {
            bail!("{DOCUMENT}: the figures of `{name}` have no end");
        };
        let mark = format!("<!-- figures {name} -->");
        let table = table::of(performance.part(name)?);
        written.extend([before, &mark, "\n", &table, "\n<!-- /figures -->"]);
        rest = after;
    }
    Ok(written + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A figure with its milliseconds and MiB.
    pub(super) fn figure(case: &str, program: &str, rows: u64, milliseconds: u64, peak: u64) -> Figure {
        Figure {
            case: case.to_owned(),
            program: program.to_owned(),
            rows,
            rounds: 3,
            wall_ms: milliseconds,
            processor_ms: milliseconds,
            peak_kib: peak * 1024,
            moved: None,
        }
    }

    fn measured() -> Performance {
        let mut performance = Performance::default();
        let figures = vec![figure("deliver", "coho", 1_000, 2_000, 10)];
        performance.put("sizes", Part { machine: "one core".to_owned(), figures });
        performance
    }

    #[test]
    fn only_what_is_between_the_marks_is_made_anew() {
        let document = "before\n<!-- figures sizes -->\nold\n<!-- /figures -->\nafter\n";
        let written = with_tables(document, &measured()).unwrap();
        assert!(written.starts_with("before\n<!-- figures sizes -->\n|"), "{written}");
        assert!(written.ends_with("<!-- /figures -->\nafter\n") && !written.contains("old"), "{written}");
        assert_eq!(with_tables(&written, &measured()).unwrap(), written);
    }

    #[test]
    fn a_part_without_figures_is_an_error_that_says_how_to_get_them() {
        let document = "<!-- figures plan -->\n<!-- /figures -->\n";
        let error = with_tables(document, &measured()).unwrap_err().to_string();
        assert!(error.contains("cargo xtask bench plan --record"), "{error}");
    }

    #[test]
    fn figures_are_read_as_they_were_written() {
        let text = serde_json::to_string(&measured()).unwrap();
        assert_eq!(serde_json::from_str::<Performance>(&text).unwrap(), measured());
    }
}
