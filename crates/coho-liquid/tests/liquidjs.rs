//! What LiquidJS gives, as recorded by `cargo xtask conform --liquidjs`, beside what Coho gives. Node is not needed.

#[path = "../examples/conform/differences.rs"]
mod differences;
#[path = "../examples/conform/recorded.rs"]
mod recorded;

use std::collections::BTreeMap;
use std::fmt::Write;

use coho_liquid::{DECISIONS, Follows};

const COMBINATIONS: &str = include_str!("../fixtures/liquidjs/combinations.json");
const DIALECT: &str = include_str!("../fixtures/liquidjs/dialect.json");
const RECORDINGS: [(&str, &str); 2] = [
    ("reference", include_str!("../fixtures/liquidjs/reference.json")),
    ("recorded", include_str!("../fixtures/liquidjs/recorded.json")),
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
