//! What LiquidJS gives, as recorded by `cargo xtask conform --liquidjs`, beside what Coho gives. Node is not needed.

#[path = "../examples/conform/dialect.rs"]
mod dialect;
#[path = "../examples/conform/differences.rs"]
mod differences;
#[path = "../examples/conform/page.rs"]
mod page;
#[path = "../examples/conform/recorded.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the harness")]
mod recorded;

use std::collections::BTreeMap;
use std::fmt::Write;

use dialect::{DECISIONS, Follows};

/// What the generated recordings are generated from.
const COMBINATIONS: [(&str, &str); 2] = [
    ("recorded", include_str!("../fixtures/liquidjs/combinations.json")),
    ("recorded-wide", include_str!("../fixtures/liquidjs/wide.json")),
];
const DIALECT: &str = include_str!("../fixtures/liquidjs/dialect.json");
const RECORDINGS: [(&str, &str); 3] = [
    ("reference", include_str!("../fixtures/liquidjs/reference.json")),
    ("recorded", include_str!("../fixtures/liquidjs/recorded.json")),
    ("recorded-wide", include_str!("../fixtures/liquidjs/recorded-wide.json")),
];

/// Each difference has a case of the dialect table that says why.
#[test]
fn coho_gives_what_liquidjs_gives_or_the_table_says_why() {
    let requests = recorded::requests(COMBINATIONS).unwrap();
    let (mut shown, mut unexplained) = (String::new(), Vec::new());
    for (recording, answers) in RECORDINGS {
        let (same, differences) = recorded::compare(&requests, recording, answers).unwrap();
        writeln!(shown, "{recording}: {same} the same").unwrap();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for difference in differences {
            match difference.case {
                Some(case) => *counts.entry(case).or_default() += 1,
                None => unexplained.push(format!("{difference:?}")),
            }
        }
        for (case, count) in counts {
            writeln!(shown, "  {count:>4} {case}").unwrap();
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../fixtures/liquidjs");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("differences", shown));
}

#[test]
fn the_dialect_table_is_true() {
    let wrong = recorded::untrue(&recorded::requests(COMBINATIONS).unwrap(), DIALECT).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_that_explains_a_difference_stands_in_the_table() {
    let requests = recorded::requests(COMBINATIONS).unwrap();
    for (recording, answers) in RECORDINGS {
        let (_, differences) = recorded::compare(&requests, recording, answers).unwrap();
        for case in differences.iter().filter_map(|difference| difference.case) {
            let decision = DECISIONS.iter().find(|decision| decision.what == case);
            assert!(decision.is_some_and(|decision| decision.follows != Follows::LiquidJs), "{case}");
        }
    }
}

#[test]
fn the_reference_is_the_page_that_the_tables_make() {
    assert!(page::page().contains("## Where Ruby's Liquid and LiquidJS differ"));
    let (examples, _) = page::examples().unwrap();
    assert!(examples.len() > 95, "{} examples", examples.len());
}
