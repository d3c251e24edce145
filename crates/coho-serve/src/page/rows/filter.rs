//! Filters of rows. They stand in the address, select, and show how many rows each choice leaves.

use coho_report::words::number;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::super::Context;
use crate::target::{Target, with};

/// Which rows are shown.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sync: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// The number of a cause of failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// The number of the searched text, which addresses have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) q: Option<String>,
    /// The searched text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Whether only rows are shown that wait for somebody now, of whatever run.
    pub(crate) standing: bool,
    /// Whether the address names a text that the server does not know any more.
    pub(crate) forgotten: bool,
}

/// Rows that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Choice {
    pub(crate) sync: String,
    pub(crate) status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) rows: u64,
}

/// One of the filters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sync,
    Fate,
    Code,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Sync, Self::Fate, Self::Code];

    fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Fate => "fate",
            Self::Code => "code",
        }
    }

    fn of(self, choice: &Choice) -> Option<&str> {
        match self {
            Self::Sync => Some(&choice.sync),
            Self::Fate => Some(&choice.status),
            Self::Code => choice.code.as_deref(),
        }
    }
}

impl Filter {
    /// The filters of an address.
    pub(crate) fn of(context: &Context<'_>) -> Self {
        let filter = |name| context.asked.filter(name).map(str::to_owned);
        let q = filter("q");
        let text = q.as_deref().and_then(|number| context.searches.text(number));
        Self {
            sync: filter("sync"),
            status: filter("fate"),
            code: filter("code"),
            cause: filter("cause"),
            standing: context.asked.filter("standing").is_some(),
            forgotten: q.is_some() && text.is_none(),
            q,
            text,
        }
    }

    /// The path with these filters.
    pub(crate) fn address(&self, path: String, before: Option<&str>) -> String {
        with(
            path,
            &[
                ("standing", self.standing.then_some("yes")),
                ("sync", self.sync.as_deref()),
                ("fate", self.status.as_deref()),
                ("code", self.code.as_deref()),
                ("cause", self.cause.as_deref()),
                ("q", self.q.as_deref()),
                ("before", before),
            ],
        )
    }

    /// Where a text is typed. It goes to the server in a form, and comes back as a number.
    pub(crate) fn search(&self, run: Option<&str>) -> Markup {
        html! {
            form .search method="post" action="/search" role="search" {
                @if let Some(run) = run { input type="hidden" name="run" value=(run); }
                @for kind in Kind::ALL {
                    @if let Some(value) = self.chosen(kind) { input type="hidden" name=(kind.name()) value=(value); }
                }
                label .visually-hidden for="text" { "A key, a value, or a part of a message" }
                input #text type="search" name="text" value=[self.text.as_deref()] autocomplete="off"
                    placeholder="A key, a value, or a part of a message";
                button { "Search" }
            }
        }
    }

    /// The filters with their choices.
    pub(crate) fn show(&self, target: &Target, choices: &[Choice]) -> Markup {
        html! {
            nav .filters aria-label="Filters" {
                @for kind in Kind::ALL { (self.by(kind, target, choices)) }
                @if self.cause.is_some() {
                    div .filter {
                        span .faint { "cause" }
                        span { "only rows of one cause" }
                        a href=(Self { cause: None, ..self.clone() }.address(target.path(), None)) { "all causes" }
                    }
                }
            }
        }
    }

    fn chosen(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Sync => self.sync.as_deref(),
            Kind::Fate => self.status.as_deref(),
            Kind::Code => self.code.as_deref(),
        }
    }

    fn choosing(&self, kind: Kind, value: Option<&str>) -> Self {
        let mut other = self.clone();
        let value = value.map(str::to_owned);
        match kind {
            Kind::Sync => other.sync = value,
            Kind::Fate => other.status = value,
            Kind::Code => other.code = value,
        }
        other
    }

    /// The choices of one filter. Each counts the rows that the other filters leave.
    fn by(&self, kind: Kind, target: &Target, choices: &[Choice]) -> Markup {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for choice in choices.iter().filter(|choice| self.others_leave(kind, choice)) {
            let Some(value) = kind.of(choice) else { continue };
            match counts.iter_mut().find(|(known, _)| *known == value) {
                Some((_, count)) => *count += choice.rows,
                None => counts.push((value, choice.rows)),
            }
        }
        let chosen = self.chosen(kind);
        let address = |value| self.choosing(kind, value).address(target.path(), None);
        html! {
            @if !counts.is_empty() || chosen.is_some() {
                div .filter role="group" aria-label=(kind.name()) {
                    span .faint { (kind.name()) }
                    a href=(address(None)) aria-current=[chosen.is_none().then_some("true")] { "all" }
                    @for (value, count) in counts {
                        a href=(address(Some(value))) aria-current=[(chosen == Some(value)).then_some("true")] {
                            (value.replace('-', " ")) " " b { (number(count)) }
                        }
                    }
                }
            }
        }
    }

    fn others_leave(&self, kind: Kind, choice: &Choice) -> bool {
        let mut others = Kind::ALL.into_iter().filter(|other| *other != kind);
        others.all(|other| self.chosen(other).is_none_or(|chosen| other.of(choice) == Some(chosen)))
    }
}
