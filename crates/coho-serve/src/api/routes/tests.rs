//! The description of the API, held against everything that the server answers.

use super::table;
use crate::api::openapi::operations;
use crate::page::plan::PLAN_FILE;
use crate::target::{self, Form, PageAction, Target};

/// What the server answers and the document leaves out, and why.
const APART: [(&str, &str); 13] = [
    ("/", "the home page, whose data is /home.json"),
    (
        "/session",
        "a browser shows its token here and gets a cookie; programs send the token with each request",
    ),
    ("/search", "a form of the pages: it keeps what is searched out of addresses"),
    ("/plan", "a page, and the form on it that begins a plan; its data is /plan.json"),
    ("/plan/cancel", "a form of the pages, which carries the key of this process"),
    ("/playground", "a page, and the form on it; its data is /playground.json"),
    ("/do/run.json", "a question to a person: programs use POST /api/v1/syncs/trigger"),
    ("/do/retry.json", "a question to a person: programs use `coho retry`"),
    ("/do/forget.json", "a question to a person: programs use `coho forget`"),
    ("/runs", "a page, whose data is /runs.json"),
    ("/rows", "a page, whose data is /rows.json"),
    ("/project", "a page, whose data is /project.json"),
    ("/home", "another name of the home page"),
];

fn is_apart(path: &str) -> bool {
    APART.iter().any(|(apart, _)| *apart == path)
}

/// One of each kind of page.
fn targets() -> Vec<Target> {
    let run = "{run}".to_owned();
    let mut targets = vec![
        Target::Home,
        Target::Runs,
        Target::Run { run: run.clone() },
        Target::Rows { run: run.clone() },
        Target::Project,
        Target::Plan,
        Target::Playground,
        Target::Search,
        Target::Calls { run },
        Target::Row { number: 7 },
        Target::Call { number: 7 },
        Target::Done { number: 7 },
    ];
    targets.extend(PageAction::ALL.map(|action| Target::Act { action }));
    for target in &targets {
        // A kind of page that is new must be added above.
        match target {
            Target::Home
            | Target::Runs
            | Target::Run { .. }
            | Target::Rows { .. }
            | Target::Project
            | Target::Plan
            | Target::Playground
            | Target::Search
            | Target::Calls { .. }
            | Target::Row { .. }
            | Target::Call { .. }
            | Target::Act { .. }
            | Target::Done { .. } => {}
        }
    }
    targets
}

/// Every address of data that pages have, as the document writes it.
fn addresses() -> Vec<String> {
    let written = |path: String| path.replace("%7Brun%7D", "{run}").replace("/7", "/{number}");
    let mut addresses = vec![PLAN_FILE.to_owned()];
    for target in targets() {
        addresses.push(written(target.twin()));
        for (suffix, form) in [(".csv", Form::Csv), (".ndjson", Form::Ndjson)] {
            let path = target.path() + suffix;
            if target::parse(&path) == Some((target.clone(), form)) {
                addresses.push(written(path));
            }
        }
    }
    addresses
}

#[test]
fn the_document_has_each_route_that_there_is_and_no_other() {
    let owned = |(method, path): (&str, &str)| (method.to_owned(), path.to_owned());
    let mut routes: Vec<_> = table().into_iter().map(|(method, path, _)| owned((method, path))).collect();
    let pages = addresses().into_iter().filter(|path| !is_apart(path));
    routes.extend(pages.map(|path| ("get".to_owned(), path)));
    let mut described = operations();
    routes.sort();
    described.sort();
    assert_eq!(described, routes);
}

#[test]
fn what_the_server_knows_by_name_is_described_or_left_out_for_a_reason() {
    let source = include_str!("../../server.rs");
    let texts = source.split('"').skip(1).step_by(2);
    let paths: Vec<_> = texts.filter(|text| text.starts_with('/') && text.len() > 1).collect();
    assert!(paths.contains(&"/session"), "{paths:?}");
    let described = operations();
    for path in paths {
        assert!(is_apart(path) || described.iter().any(|(_, known)| known == path), "{path}");
    }
    for (path, why) in APART {
        assert!(!why.is_empty() && described.iter().all(|(_, known)| known != path), "{path}");
    }
}
