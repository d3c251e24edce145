//! Where a run came from: what started it, with which version and which files of the project, how those differ from the last
//! successful run, and how long what it left is kept.

use coho_core::started::Started;
use coho_ledger::look::runs::GoodRun;
use coho_ledger::retention::Retention;
use coho_ledger::run::RunRecord;
use coho_ledger::{Ledger, LedgerError};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::markup::parts;
use crate::moment::Moment;
use crate::target;

/// Where a run came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// What started it, in words.
    started: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Moment>,
    /// Coho’s version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The digest of the project's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// The last successful run before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    /// How long its rows and calls are kept, in words.
    kept: String,
}

/// The last successful run before a run, and what is different since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    run: String,
    at: Moment,
    /// What is different, in words; empty where nothing is.
    changed: Vec<String>,
}

impl Origin {
    /// Where a run came from.
    pub(super) fn of(
        ledger: &Ledger,
        record: &RunRecord,
        retention: &Retention,
    ) -> Result<Self, LedgerError> {
        let (start, until) = (&record.start, retention.until(record));
        let good = ledger.good_run_before(&record.id)?;
        Ok(Self {
            started: coho_report::text::started(start),
            by: start.by.map(|by| by.as_str().to_owned()),
            user: start.user.clone(),
            host: start.host.clone(),
            due: start.scheduled.map(Moment::from),
            version: start.version.clone(),
            project: start.project.clone(),
            commit: start.commit.as_ref().map(|commit| commit.id.clone()),
            before: good.map(|good| Before::of(&good, start)),
            kept: coho_report::text::kept(until.all, until.failures),
        })
    }

    /// As a part of the run's page.
    pub(super) fn show(&self) -> Markup {
        html! {
            details .origin {
                summary { @match self.started.first() {
                    Some(started) => { (started) }
                    None => { "What started it was not recorded" }
                } }
                ul .plain {
                    @for line in self.started.iter().skip(1) { li { (line) } }
                    @if let Some(version) = &self.version { li { "Coho " (version) } }
                    @if let Some(project) = &self.project { li { "project’s files: " code { (project.get(..12).unwrap_or(project)) } } }
                    li { (self.kept) }
                }
            }
            @if let Some(before) = &self.before { (before.show()) }
        }
    }
}

impl Before {
    fn of(good: &GoodRun, now: &Started) -> Self {
        Self {
            run: good.run.as_str().to_owned(),
            at: good.started.into(),
            changed: changes(&good.start, now),
        }
    }

    fn show(&self) -> Markup {
        let link = html! { a href=(target::run(&self.run).path()) { "the last successful run" } ", " (parts::moment(&self.at)) };
        html! {
            p .faint {
                @if self.changed.is_empty() { "Same project and version as in " (link) }
                @else { "Since " (link) ": " (self.changed.join("; ")) }
            }
        }
    }
}

/// What is different between two runs, of what both recorded.
fn changes(then: &Started, now: &Started) -> Vec<String> {
    let pair = |then: &Option<String>, now: &Option<String>| {
        then.clone().zip(now.clone()).filter(|(then, now)| then != now)
    };
    let commit = |started: &Started| started.commit.as_ref().map(|commit| short(&commit.id));
    let version = pair(&then.version, &now.version).map(|(then, now)| format!("Coho {then} became {now}"));
    let commit = pair(&commit(then), &commit(now));
    let project = pair(&then.project, &now.project).map(|_| match &commit {
        Some((then, now)) => format!("the project’s files changed, commit {then} became {now}"),
        None => "the project’s files changed".to_owned(),
    });
    project.into_iter().chain(version).collect()
}

fn short(commit: &str) -> String {
    commit.chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use coho_core::started::Commit;

    use super::*;

    fn started(project: &str, commit: &str, version: &str) -> Started {
        Started {
            project: Some(project.to_owned()),
            commit: Some(Commit { id: commit.to_owned(), is_dirty: false }),
            version: Some(version.to_owned()),
            ..Started::default()
        }
    }

    #[test]
    fn only_what_both_runs_recorded_is_compared() {
        let (then, now) = (started("a", "c0ffee", "1.0.0"), started("b", "decade", "1.1.0"));
        assert_eq!(
            changes(&then, &now),
            ["the project’s files changed, commit c0ffee became decade", "Coho 1.0.0 became 1.1.0"]
        );
        assert!(changes(&then, &then).is_empty());
        assert!(changes(&Started::default(), &now).is_empty());
        let same_files = started("a", "decade", "1.0.0");
        assert!(changes(&then, &same_files).is_empty(), "another commit with the same files changes nothing");
    }
}
