//! Law 1 as a page shows it: rows that were read are the sum of where they ended, and each number leads to its rows.

use coho_core::counts::Counts;
use coho_core::verdict::RowStatus;
use coho_report::words::{counted, number};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts;
use crate::target::Target;

/// `91 rows read = 3 delivered + 88 unchanged`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    /// Rows that the source gave.
    pub(crate) read: u64,
    /// Keys that the source did not give any more.
    pub(crate) absent: u64,
    /// Where they ended.
    pub(crate) ended: Vec<Term>,
    /// Whether both sides are the same.
    pub(crate) holds: bool,
}

/// How many rows ended so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Term {
    pub(crate) status: String,
    pub(crate) rows: u64,
}

impl Sum {
    /// The sum of these counts.
    pub(crate) fn of(counts: &Counts) -> Self {
        let term =
            |status: RowStatus| Term { status: status.as_str().to_owned(), rows: counts.status(status) };
        let ended: Vec<_> =
            coho_report::words::STATUSES.into_iter().map(term).filter(|term| term.rows > 0).collect();
        let sum: u64 = ended.iter().map(|term| term.rows).sum();
        Self { read: counts.read, absent: counts.absent, holds: sum == counts.read + counts.absent, ended }
    }

    /// Rows that did not get through.
    pub(crate) fn failed(&self) -> u64 {
        self.of_tone(&["bad", "warn"])
    }

    /// Rows that got through.
    pub(crate) fn sent(&self) -> u64 {
        self.rows("delivered") + self.rows("accepted") + self.rows("removed")
    }

    /// Rows with this status.
    pub(crate) fn rows(&self, status: &str) -> u64 {
        self.ended.iter().filter(|term| term.status == status).map(|term| term.rows).sum()
    }

    fn of_tone(&self, tones: &[&str]) -> u64 {
        self.ended
            .iter()
            .filter(|term| tones.contains(&parts::tone(&term.status)))
            .map(|term| term.rows)
            .sum()
    }

    /// The sum, each number a link to its rows. What was unchanged is only counted, and leads nowhere.
    pub(crate) fn show(&self, run: &str, sync: Option<&str>) -> Markup {
        let rows = Target::Rows { run: run.to_owned() };
        html! {
            p .sum {
                span { b { (number(self.read)) } @if self.read == 1 { " row read" } @else { " rows read" } }
                @if self.absent > 0 { span .op { "+" } span { (counted(self.absent, "key")) " gone" } }
                span .op { @if self.holds { "=" } @else { "≠" } }
                @if self.ended.is_empty() { span { b { "0" } } }
                @for (at, term) in self.ended.iter().enumerate() {
                    @if at > 0 { span .op { "+" } }
                    @if is_kept(&term.status) {
                        a class={ "count " (parts::tone(&term.status)) }
                            href=(rows.with(&[("sync", sync), ("status", Some(&term.status))])) {
                            b { (number(term.rows)) } " " (term.status.replace('-', " "))
                        }
                    } @else {
                        span { b { (number(term.rows)) } " " (term.status.replace('-', " ")) }
                    }
                }
            }
            @if !self.holds {
                p .alert { "The two sides differ. This is a bug in Coho: please report it." }
            }
        }
    }
}

/// Whether the ledger keeps the rows with this status, rather than only their number.
fn is_kept(status: &str) -> bool {
    !matches!(status, "unchanged" | "kept" | "touched" | "learned")
}
