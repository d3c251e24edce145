//! The corpus of the fuzz target, and what a few thousand fixed changes make of it: the suite's share of fuzzing.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "../fuzz/feed.rs"]
mod feed;

use std::path::Path;

use feed::feed;

fn corpus() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/template");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()).collect()
}

#[test]
fn each_input_gives_values_or_problems() {
    let inputs = corpus();
    assert!(inputs.len() > 40, "the corpus has {} inputs", inputs.len());
    for input in &inputs {
        feed(input);
    }
}

/// The beginning of each input, cut at many places.
#[test]
fn inputs_that_break_off_give_values_or_problems() {
    for input in corpus() {
        let step = input.chars().count() / 24 + 1;
        for (end, _) in input.char_indices().step_by(step) {
            feed(input.get(..end).unwrap_or_default());
        }
    }
}

/// The beginning of one input with the end of another.
#[test]
fn inputs_that_are_joined_give_values_or_problems() {
    let inputs = corpus();
    let attack = |input: &&String| input.len() < 4_096;
    let short: Vec<&String> = inputs.iter().filter(attack).collect();
    for (at, left) in short.iter().enumerate() {
        for turn in 1..=12 {
            let right = short[(at * 5 + turn * 7) % short.len()];
            let cut = |text: &str| {
                text.char_indices().nth(text.chars().count() * turn / 13).map_or(0, |(end, _)| end)
            };
            let (left, right) =
                (left.get(..cut(left)).unwrap_or_default(), right.get(cut(right)..).unwrap_or_default());
            feed(&format!("{left}{right}"));
        }
    }
}
