//! What stands around a page, and the pages that stand alone: the door, and those for what is not there or failed.

use maud::{DOCTYPE, Markup, html};

use crate::page::Asked;
use crate::site::Site;
use crate::target::{Target, with};

/// The pages that lead everywhere.
const WAYS: [(&str, Target); 6] = [
    ("Home", Target::Home),
    ("Runs", Target::Runs),
    ("Search", Target::Search),
    ("Plan", Target::Plan),
    ("Playground", Target::Playground),
    ("Project", Target::Project),
];

/// What stands around a page.
pub(crate) struct Frame {
    project: String,
    asked: Option<Asked>,
}

/// Which tokens open the door.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// The one that was drawn when the process began.
    Drawn,
    /// Those that were made with `coho token new`.
    Made,
}

impl Frame {
    /// The frame of a page.
    pub(crate) fn of(site: &Site, asked: Option<&Asked>) -> Self {
        Self { project: site.masker().mask(&site.project).into_owned(), asked: asked.cloned() }
    }

    /// The whole document.
    pub(crate) fn page(&self, title: &str, main: &Markup) -> Markup {
        let moves = self.asked.as_ref().is_some_and(|asked| asked.target.moves());
        html! {
            (DOCTYPE)
            html lang="en" {
                (head(&format!("{title} · Coho")))
                body {
                    a .skip href="#main" { "Skip to content" }
                    header .top {
                        a .brand href="/" { span .mark aria-hidden="true" { "◆" } "Coho" }
                        span .project { (self.project) }
                        nav aria-label="Pages" {
                            @for (name, target) in &WAYS {
                                a href=(target.path()) aria-current=[self.is_at(target).then_some("page")] { (name) }
                            }
                        }
                        span .spring {}
                        span #live .live role="status" hidden[!moves] { "live" }
                        @if let Some(twin) = self.twin() {
                            a .twin href=(twin) title="This page as JSON" { "JSON" }
                        }
                    }
                    main #main tabindex="-1" data-live[moves] { (main) }
                }
            }
        }
    }

    fn is_at(&self, target: &Target) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.target == *target)
    }

    fn twin(&self) -> Option<String> {
        let asked = self.asked.as_ref()?;
        let filters: Vec<_> =
            asked.filters.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))).collect();
        Some(with(asked.target.twin(), &filters))
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="icon" href="/icon.svg" type="image/svg+xml";
            link rel="stylesheet" href="/coho.css";
            script src="/coho.js" defer {}
        }
    }
}

/// What somebody without a session sees. The script takes the token from the fragment of the address; who has no script
/// types it.
pub(crate) fn door(takes: Takes, is_wrong: bool) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head("Coho"))
            body .door data-door {
                main #main {
                    h1 { span .mark aria-hidden="true" { "◆" } "Coho" }
                    @match (takes, is_wrong) {
                        (Takes::Drawn, true) => p .alert role="alert" { "This is not the token of this server. It creates a new token each time it starts." },
                        (Takes::Made, true) => p .alert role="alert" { "This token is not valid, or was revoked." },
                        (_, false) => {}
                    }
                    @match takes {
                        Takes::Drawn => p { "Open the address that the command printed, or enter the token that follows " code { "#" } " in it." },
                        Takes::Made => p { "Enter a token. " code { "coho token new NAME --may read" } " makes one." },
                    }
                    form method="post" action="/session" {
                        label for="token" { "Token" }
                        input #token name="token" type="password" autocomplete="off" required autofocus;
                        button { "Open" }
                    }
                }
            }
        }
    }
}

/// What stands where nothing is.
pub(crate) fn nothing_here() -> Markup {
    html! {
        h1 { "Nothing here" }
        p { "The ledger has no such page, run or row. Its retention may have ended." }
        p { a href="/" { "Back to the overview" } }
    }
}

/// What stands where a page could not be made.
pub(crate) fn failed(why: &str) -> Markup {
    html! {
        h1 { "This page could not be rendered" }
        p .alert role="alert" { (why) }
        p { a href="/" { "Back to the overview" } }
    }
}
