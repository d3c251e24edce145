//! Surveys from both ends: together both see each memory, once; and what is written meanwhile, neither of them sees.

use std::ops::ControlFlow;
use std::sync::mpsc::channel;

use coho_core::key::Key;
use coho_core::row_state::{DeliveryState, RowState};
use coho_ledger::row_state::{Look, Surveyed};

use super::stage::{Stage, Tested, at, delivered, sent};

/// Some pages of 2,048 memories.
const KEYS: usize = 10_000;

fn key(number: usize) -> String {
    format!("{number:05}")
}

fn stage() -> Result<Stage, Box<dyn std::error::Error>> {
    let stage = Stage::new()?;
    let row_state = delivered("x")?;
    let all: Vec<_> = (0..KEYS).map(|number| (Key::new(key(number)), Some(row_state.clone()))).collect();
    stage.ledger.write(&stage.lease, &stage.scope, &all, at(1))?;
    Ok(stage)
}

/// What one of both saw: the keys, and the number and the last key of each page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Saw {
    keys: Vec<String>,
    pages: Vec<(usize, String)>,
}

impl Saw {
    /// True at the end of a page.
    fn look(&mut self, look: Look<'_>) -> bool {
        match look {
            Look::Settled { key, .. } => self.keys.push(String::from_utf8_lossy(key).into_owned()),
            Look::Other => self.keys.push("another".to_owned()),
            Look::Page(page) => self.pages.push((page.number, page.last.0.clone())),
        }
        matches!(look, Look::Page(_))
    }

    /// What this one saw, and behind it so many pages of what the other saw.
    fn and(mut self, other: Self, pages: usize) -> Self {
        let pages: Vec<_> = other.pages.into_iter().take(pages).collect();
        let seen = pages.iter().map(|(number, _)| number).sum();
        let keys: Vec<_> = other.keys.into_iter().take(seen).collect();
        self.keys.extend(keys.into_iter().rev());
        self.pages.extend(pages.into_iter().rev());
        self
    }
}

#[test]
fn both_ends_meet_at_each_memory_once() -> Tested {
    let stage = stage()?;
    let mut row_states = stage.ledger.row_states_surveyed(&stage.scope, Surveyed::FromBothEnds)?;
    let (mut first, mut last) = (Saw::default(), Saw::default());
    let (told, seen) = channel();
    let from_last = &mut last;
    let others = row_states.survey_from_both_ends(
        |look| {
            // The other one has come that far before this one goes on.
            if first.look(look) && first.pages.len() == 3 {
                seen.recv().unwrap_or_default();
            }
            ControlFlow::Continue(())
        },
        move |look| {
            if from_last.look(look) && from_last.pages.len() == 3 {
                told.send(()).unwrap_or_default();
            }
            ControlFlow::Continue(())
        },
    )?;
    assert_eq!(others, 1);
    let all = first.and(last, others);
    assert_eq!(all.keys, (0..KEYS).map(key).collect::<Vec<_>>());
    let numbers: Vec<_> = all.pages.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [2_048, 2_048, 2_048, KEYS - 4 * 2_048, 2_048]);
    let mut end = 0;
    for (number, last) in all.pages {
        end += number;
        assert_eq!(last, key(end - 1));
    }
    // It stands before the first one again.
    assert_eq!(row_states.count(), KEYS);
    Ok(())
}

#[test]
fn what_is_written_before_both_look_is_seen_by_neither() -> Tested {
    let stage = stage()?;
    let mut row_states = stage.ledger.row_states_surveyed(&stage.scope, Surveyed::FromBothEnds)?;
    stage.write("later", Some(delivered("x")?))?;
    let (mut first, mut last) = (Saw::default(), Saw::default());
    let others = row_states.survey_from_both_ends(
        |look| {
            first.look(look);
            ControlFlow::Continue(())
        },
        |look| {
            last.look(look);
            ControlFlow::Continue(())
        },
    )?;
    assert_eq!((others, last), (0, Saw::default()));
    assert_eq!(first.keys, (0..KEYS).map(key).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn where_the_second_breaks_off_all_is_for_the_first() -> Tested {
    let stage = stage()?;
    let mut row_states = stage.ledger.row_states_surveyed(&stage.scope, Surveyed::FromBothEnds)?;
    let mut first = Saw::default();
    let others = row_states.survey_from_both_ends(
        |look| {
            first.look(look);
            ControlFlow::Continue(())
        },
        |look| if matches!(look, Look::Page(_)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) },
    )?;
    assert_eq!(others, 0);
    assert_eq!(first.keys, (0..KEYS).map(key).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn of_a_page_that_was_surveyed_the_keys_are_enough() -> Tested {
    let stage = stage()?;
    let mut row_states = stage.ledger.row_states_surveyed(&stage.scope, Surveyed::FromBothEnds)?;
    let mut pages = Vec::new();
    let others = row_states.survey_from_both_ends(
        |look| {
            pages.extend(if let Look::Page(page) = look { Some(page.clone()) } else { None });
            ControlFlow::Continue(())
        },
        |_| ControlFlow::Break(()),
    )?;
    assert_eq!(others, 0);
    let mut number = 0;
    for page in &pages {
        row_states.turn_to_keys(page)?;
        while !row_states.begins_page() {
            let row_state = row_states.take_next()?;
            assert_eq!(row_state.key(), Key::new(key(number)));
            number += 1;
        }
    }
    assert!(row_states.is_over()?);
    assert_eq!((number, row_states.counts()), (KEYS, stage.counts()?));
    Ok(())
}

#[test]
fn keys_that_need_nothing_are_those_that_a_survey_says_are_settled() -> Tested {
    let stage = Stage::new()?;
    let row_state = delivered("x")?;
    let waiting = RowState { seen: None, ..row_state.clone() };
    let removed = RowState { delivery: DeliveryState::Removed { at: at(1) }, ..row_state.clone() };
    let assumed = RowState { delivery: DeliveryState::Assumed { sent: sent("a") }, ..row_state.clone() };
    for (key, row_state) in [("a", row_state.clone()), ("b", waiting), ("c", removed), ("d", assumed)] {
        stage.write(key, Some(row_state))?;
    }
    let keys = ["d", "c", "b", "a", "missing"].map(Key::new);
    let settled = stage.ledger.settled(&stage.scope, &keys)?;
    let names = keys.iter().zip(&settled).filter(|(_, seen)| seen.is_some()).map(|(key, _)| key.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["d", "a"]);
    assert_eq!(settled.first(), Some(&row_state.seen));
    let mut saw = Saw::default();
    stage.ledger.row_states(&stage.scope)?.survey(|look| {
        saw.look(look);
        ControlFlow::Continue(())
    })?;
    assert_eq!(saw.keys, ["a", "another", "another", "d"]);
    Ok(())
}
