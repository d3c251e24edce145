//! Sorting and comparing: against an oracle, with budgets that force spills, and with many rows.

use coho_core::failure::Failure as _;
use std::collections::BTreeMap;

use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_core::row::{Cell, RowBuf};
use coho_core::row_state::{DeliveryState, Pending, RowState, Seen};
use coho_ledger::row_state::{RowStates, Surveyed};
use coho_plan::compare::{Comparison, KnownRows, Rows, Same};
use coho_plan::failure::PlanError;
use coho_plan::sort::{SortError, Sorter};
use coho_plan::stop::Stop;
use proptest::prelude::*;

use crate::stage::{Stage, Tested, at, delivered, digest, target};

type Failure = Box<dyn std::error::Error>;

/// What a comparison says of a key, as text: what the source has, and whether there is a memory.
type Said = BTreeMap<String, (String, bool)>;

fn row(number: i64) -> RowBuf {
    RowBuf::from_cells([Cell::Int(number), Cell::Text("a name of some length")])
}

fn fingerprint(number: i64) -> Digest {
    row(number).fingerprint(&[0])
}

fn seen(number: i64) -> Seen {
    Seen { row: fingerprint(number), mapping: digest("mapping") }
}

/// A memory whose row was seen with this number.
fn row_state(number: i64, delivery: DeliveryState) -> Result<RowState, Failure> {
    Ok(RowState {
        target: target("x")?,
        delivery,
        pending: Pending::None,
        seen: Some(seen(number)),
        version: 1,
    })
}

fn row_states(stage: &Stage, known: &BTreeMap<String, i64>) -> Tested {
    let written = known.iter().map(|(key, number)| {
        Ok((Key::new(key.as_str()), Some(row_state(*number, delivered("x")?.delivery)?)))
    });
    let written: Vec<_> = written.collect::<Result<_, Failure>>()?;
    Ok(stage.ledger.write(&stage.lease, &stage.scope, &written, at(1))?)
}

fn sorter(stage: &Stage, rows: &[(String, i64)], budget: usize) -> Result<Sorter, SortError> {
    let mut sorter = Sorter::new(budget, stage.folder.path());
    for (key, number) in rows {
        sorter.push(&Key::new(key), fingerprint(*number), &row(*number))?;
    }
    Ok(sorter)
}

fn compared(comparison: &mut Comparison) -> Result<Said, Failure> {
    let mut said = Said::new();
    let mut last = None;
    for compared in comparison {
        let compared = compared?;
        let source = match &compared.rows {
            Rows::One { row, fingerprint } => format!("{row:?} {fingerprint}"),
            Rows::Many { count } => format!("{count} rows"),
            Rows::None => "no row".to_owned(),
        };
        assert!(last.as_ref() < Some(&compared.key), "keys come in order, each once");
        last = Some(compared.key.clone());
        said.insert(compared.key.to_string(), (source, compared.row_state.is_some()));
    }
    Ok(said)
}

fn oracle(rows: &[(String, i64)], known: &BTreeMap<String, i64>, same: Same) -> Said {
    let mut numbers: BTreeMap<String, Vec<i64>> = known.keys().map(|key| (key.clone(), Vec::new())).collect();
    for (key, number) in rows {
        numbers.entry(key.clone()).or_default().push(*number);
    }
    if same != Same::Yield {
        numbers.retain(|key, numbers| known.get(key).is_none_or(|number| numbers.as_slice() != [*number]));
    }
    numbers
        .into_iter()
        .map(|(key, numbers)| {
            let source = match numbers.as_slice() {
                [] => "no row".to_owned(),
                [one] => format!("{:?} {}", row(*one), fingerprint(*one)),
                many => format!("{} rows", many.len()),
            };
            let remembered = known.contains_key(&key);
            (key, (source, remembered))
        })
        .collect()
}

fn agrees(rows: &[(String, i64)], known: &BTreeMap<String, i64>, budget: usize) -> Tested {
    let stage = Stage::new()?;
    row_states(&stage, known)?;
    for same in [Same::Yield, Same::Count { mapping: digest("mapping") }] {
        let sorted = sorter(&stage, rows, budget)?.finish()?;
        let mut comparison = Comparison::new(sorted, stage.ledger.row_states(&stage.scope)?, same);
        let said = compared(&mut comparison)?;
        assert_eq!(said, oracle(rows, known, same));
        assert_eq!(comparison.counts().delivered, known.len() as u64);
        let all = oracle(rows, known, Same::Yield).len();
        assert_eq!(comparison.same(), (all - said.len()) as u64);
    }
    // With a table of the first page only, and with one of all.
    [0, 1 << 20].into_iter().try_for_each(|table| meeting_agrees(&stage, rows, known, budget, table))
}

/// The same with rows that are met while they are read.
fn meeting_agrees(
    stage: &Stage,
    rows: &[(String, i64)],
    known: &BTreeMap<String, i64>,
    budget: usize,
    table: usize,
) -> Tested {
    let mut comparison = met_first(stage, rows, budget, table)?;
    let said = compared(&mut comparison)?;
    assert_eq!(said, oracle(rows, known, Same::Count { mapping: digest("mapping") }));
    assert_eq!(comparison.counts().delivered, known.len() as u64);
    assert_eq!(comparison.same(), (oracle(rows, known, Same::Yield).len() - said.len()) as u64);
    Ok(())
}

/// A comparison of rows of which those are not sorted that were met as they were, by a table of so many bytes.
fn met_first(
    stage: &Stage,
    rows: &[(String, i64)],
    budget: usize,
    table: usize,
) -> Result<Comparison, Failure> {
    let mut row_states = stage.ledger.row_states_surveyed(&stage.scope, Surveyed::FromBothEnds)?;
    let stop = Stop::new();
    let mut known = KnownRows::within(table, &mut row_states, digest("mapping"), &stop)?;
    let mut sorter = Sorter::new(budget, stage.folder.path());
    for (key, number) in rows {
        if !known.meets(&Key::new(key), fingerprint(*number)) {
            sorter.push(&Key::new(key), fingerprint(*number), &row(*number))?;
        }
    }
    let same = Same::Count { mapping: digest("mapping") };
    Ok(Comparison::new(sorter.finish()?, row_states, same).knowing(known.done(), &stop))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_comparison_agrees_with_a_map_in_memory(
        rows in prop::collection::vec(("[abé\u{10000}]{0,3}|same-prefix-[0-9]", 0..3_i64), 0..200),
        known in prop::collection::btree_map("[abé\u{10000}]{0,3}|same-prefix-[0-9]", 0..3_i64, 0..40),
        budget in prop::sample::select(vec![0, 100, 500, 3_000, 1_000_000]),
    ) {
        agrees(&rows, &known, budget).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn pages_of_which_nothing_changed_are_passed_like_others() -> Tested {
    const KEYS: i64 = 9_000;
    let key = |number: i64| format!("{number:05}");
    let known: BTreeMap<String, i64> = (0..KEYS).map(|number| (key(number), 1)).collect();
    let rows: Vec<_> = known.iter().map(|(key, number)| (key.clone(), *number)).collect();
    let stage = Stage::new()?;
    row_states(&stage, &known)?;
    meeting_agrees(&stage, &rows, &known, 1 << 20, 1 << 20)?;
    // Beside the borders of pages, which have 2,048 memories from either end on, and in the midst of one.
    for odd in [0, 2_047, 2_048, 3_000, KEYS - 2_048, KEYS - 1] {
        let at = usize::try_from(odd)?;
        let mut changed = rows.clone();
        changed[at].1 = 2;
        let mut gone = rows.clone();
        gone.remove(at);
        let (new, twice) = ((format!("{}+", key(odd)), 1), (key(odd), 1));
        let more = [vec![new], vec![twice.clone()], vec![twice.clone(), twice], vec![(key(odd), 2)]];
        let more = more.into_iter().map(|more| [rows.clone(), more].concat());
        for rows in [changed, gone].into_iter().chain(more) {
            meeting_agrees(&stage, &rows, &known, 1 << 20, 1 << 20)?;
        }
    }
    Ok(())
}

#[test]
fn only_what_is_settled_counts_as_the_same() -> Tested {
    let stage = Stage::new()?;
    let delivery = delivered("x")?.delivery;
    let removed = DeliveryState::Removed { at: at(0) };
    let open = Pending::Open {
        operation: digest("o"),
        would_send: coho_core::fields::Sent::new(),
        verb: coho_core::row_state::Verb::Write,
        since: at(0),
    };
    stage.write("delivered", Some(row_state(1, delivery.clone())?))?;
    stage.write("open", Some(RowState { pending: open, ..row_state(1, delivery.clone())? }))?;
    stage.write("other-row", Some(row_state(2, delivery.clone())?))?;
    stage.write("removed", Some(row_state(1, removed)?))?;
    stage.write("unseen", Some(RowState { seen: None, ..row_state(1, delivery)? }))?;
    let rows = ["delivered", "open", "other-row", "removed", "unseen"].map(|key| (key.to_owned(), 1));
    let sorted = sorter(&stage, &rows, 1 << 20)?.finish()?;
    let same = Same::Count { mapping: digest("mapping") };
    let comparison = Comparison::new(sorted, stage.ledger.row_states(&stage.scope)?, same);
    for mut comparison in [comparison, met_first(&stage, &rows, 1 << 20, 1 << 20)?] {
        let keys: Vec<_> = compared(&mut comparison)?.into_keys().collect();
        assert_eq!(keys, ["open", "other-row", "removed", "unseen"]);
    }
    Ok(())
}

#[test]
fn many_rows_are_compared_with_a_small_budget() -> Tested {
    const ROWS: u64 = 300_000;
    let stage = Stage::new()?;
    let mut sorter = Sorter::new(1 << 20, stage.folder.path());
    // Multiplying by a number that shares no factor with the count visits each number once, in no order.
    for number in (0..ROWS).map(|number| number * 7_919 % ROWS) {
        let row = RowBuf::from_cells([Cell::Text("one value that is the same everywhere")]);
        sorter.push(&Key::new(format!("{number:08}")), fingerprint(1), &row)?;
    }
    let mut comparison = Comparison::new(sorter.finish()?, RowStates::none(), Same::Yield);
    let mut expected = 0;
    for compared in comparison.by_ref() {
        assert_eq!(compared?.key.as_str(), format!("{expected:08}"));
        expected += 1;
    }
    assert_eq!(expected, ROWS);
    Ok(())
}

#[test]
fn a_folder_that_takes_no_spill_is_named() -> Tested {
    let stage = Stage::new()?;
    let folder = stage.folder.path().join("gone");
    let mut sorter = Sorter::new(0, &folder);
    sorter.push(&Key::new("a"), fingerprint(1), &row(1))?;
    let error = sorter.push(&Key::new("b"), fingerprint(1), &row(1)).err().ok_or("it spilled")?;
    let told = format!("cannot spill rows to the temporary folder `{}`", folder.display());
    assert_eq!(error.to_string(), told);
    assert_eq!(
        error.help().as_deref(),
        Some("free disk space there, or set TMPDIR to a folder on a larger disk")
    );
    Ok(())
}

#[test]
fn a_record_that_a_row_left_is_a_key_without_a_row() -> Tested {
    let stage = Stage::new()?;
    for key in
        [Key::departed("a", 1, "x"), Key::new("b"), Key::departed("b", 1, "x"), Key::departed("b", 2, "x")]
    {
        stage.ledger.write(&stage.lease, &stage.scope, &[(key, Some(delivered("x")?))], at(1))?;
    }
    let rows = ["a", "b", "b (was x)"].map(|key| (key.to_owned(), 1));
    let sorted = sorter(&stage, &rows, 1 << 20)?.finish()?;
    let comparison = Comparison::new(sorted, stage.ledger.row_states(&stage.scope)?, Same::Yield);
    let mut said = Vec::new();
    for found in comparison {
        let found = found?;
        let row = if found.rows == Rows::None { "no row" } else { "a row" };
        let row_state = if found.row_state.is_some() { "a memory" } else { "no memory" };
        said.push(format!("{} {}: {row}, {row_state}", found.key.row(), found.key.departure()));
    }
    let expected = [
        "a 0: a row, no memory",
        "a 1: no row, a memory",
        "b 0: a row, a memory",
        "b 1: no row, a memory",
        "b 2: no row, a memory",
        "b (was x) 0: a row, no memory",
    ];
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn who_asks_to_end_is_heard_while_spills_are_merged() -> Tested {
    let stage = Stage::new()?;
    let stop = Stop::new();
    let mut sorter = Sorter::new(0, stage.folder.path()).until(&stop);
    let mut pushed = (0..2_000).map(|number| {
        if number == 500 {
            stop.ask();
        }
        sorter.push(&Key::new(format!("{number:04}")), fingerprint(1), &row(1))
    });
    assert!(pushed.any(|pushed| matches!(pushed, Err(SortError::Interrupted))));
    Ok(())
}

#[test]
fn who_asks_to_end_is_heard_while_nothing_is_found() -> Tested {
    let stage = Stage::new()?;
    let rows: Vec<_> = (0..1_500).map(|number| (format!("{number:04}"), 1)).collect();
    row_states(&stage, &rows.iter().cloned().collect())?;
    let same = Same::Count { mapping: digest("mapping") };
    // One key with many rows is one step too.
    let alike: Vec<_> = (0..1_500).map(|_| ("0".to_owned(), 1)).collect();
    for rows in [rows, alike] {
        let stop = Stop::new();
        let mut sorter = Sorter::new(1 << 20, stage.folder.path()).until(&stop);
        for (key, number) in &rows {
            sorter.push(&Key::new(key), fingerprint(*number), &row(*number))?;
        }
        let mut comparison = Comparison::new(sorter.finish()?, stage.ledger.row_states(&stage.scope)?, same);
        stop.ask();
        assert!(matches!(comparison.next(), Some(Err(PlanError::Interrupted))));
    }
    let stop = Stop::new();
    stop.ask();
    let known = KnownRows::of(&mut stage.ledger.row_states(&stage.scope)?, digest("mapping"), &stop);
    assert!(matches!(known, Err(PlanError::Interrupted)));
    Ok(())
}
