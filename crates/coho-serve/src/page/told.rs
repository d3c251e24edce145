//! Problems of a project's files, with the lines that they are in.

use coho_core::problem::Problem;
use coho_project::{File, excerpt};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// A problem with its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) code: String,
    /// Where, what, the line itself and what helps: as the terminal shows it.
    pub(crate) text: String,
}

impl Told {
    /// The problems of these files.
    pub(crate) fn all(problems: &[Problem], files: &[File]) -> Vec<Self> {
        problems.iter().map(|problem| Self::of(problem, files)).collect()
    }

    /// A problem of these files.
    pub(crate) fn of(problem: &Problem, files: &[File]) -> Self {
        Self { code: problem.code.to_string(), text: excerpt(problem, files).trim_end().to_owned() }
    }

    /// The problem as the terminal shows it.
    pub(crate) fn show(&self, tone: &str) -> Markup {
        html! { pre class={ "problem " (tone) } tabindex="0" { (self.text) } }
    }
}
