//! `cargo xtask case new TOPIC NAME`: writes a case of the engine's runs for somebody to change, and says how to run and accept it.
//!
//! It is a copy of `starter.yaml`, which is a case itself: what it shows is true.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::arguments::Arguments;
use crate::say;
use crate::workspace::root;

const FOLDER: &str = "crates/coho-engine/fixtures/runs";
const STARTER: &str = include_str!("../../crates/coho-engine/fixtures/runs/starter.yaml");

/// `cargo xtask case new TOPIC NAME`
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let (verb, topic, name) = (arguments.word(), arguments.word(), arguments.word());
    arguments.nothing_left()?;
    let (Some("new"), Some(topic), Some(name)) = (verb.as_deref(), topic, name) else {
        bail!("expected `case new TOPIC NAME`, such as `case new guards half-of-the-rows-leave`");
    };
    write(&topic, &name)
}

fn write(topic: &str, name: &str) -> Result<()> {
    for word in [topic, name] {
        if !is_name(word) {
            bail!("expected small letters, digits and hyphens, found `{word}`");
        }
    }
    let folder = root().join(FOLDER).join(topic);
    let topics = topics()?;
    if !topics.contains(&topic.to_owned()) {
        say::talk(&format!("`{topic}` is a new topic; the existing ones are {}", topics.join(", ")));
    }
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let file: PathBuf = folder.join(format!("{name}.yaml"));
    if file.exists() {
        bail!("{} exists; choose another name", file.display());
    }
    fs::write(&file, text(name)).with_context(|| format!("writing {}", file.display()))?;
    say::line(&format!("{FOLDER}/{topic}/{name}.yaml"));
    say::talk(&steps(topic, name));
    Ok(())
}

/// The folders of cases that there are.
fn topics() -> Result<Vec<String>> {
    let folder = root().join(FOLDER);
    let mut topics = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.path().is_dir() {
            topics.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    topics.sort();
    Ok(topics)
}

fn is_name(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !word.is_empty() && word.chars().all(letters) && !word.starts_with('-') && !word.ends_with('-')
}

/// What a new case says of itself, below its name.
const ADVICE: &str = "\
# Say in the line above what this case shows. Then change what follows, and delete every key and comment that it does not need.
# crates/coho-engine/fixtures/runs/README.md explains cases and snapshots.
";

/// The starter, with the name as the sentence that it shows, and without what the starter says of itself.
fn text(name: &str) -> String {
    let sentence = name.replace('-', " ");
    let (first, rest) = sentence.split_at(1);
    let (_, body) = STARTER.split_once("\n\n").unwrap_or(("", STARTER));
    format!("# {}{rest}.\n#\n{ADVICE}\n{body}", first.to_uppercase())
}

fn steps(topic: &str, name: &str) -> String {
    format!(
        "\n1. edit the case:       it is a working example with every key\n\
         2. run and accept it:   INSTA_UPDATE=always cargo test -p coho-engine --test runs {topic}/{name}\n\
         3. read its snapshot:   {FOLDER}/{topic}/{name}.snap\n\
         4. run it again:        cargo test -p coho-engine --test runs {topic}/{name}\n\
         5. commit both files:   cargo xtask tidy finds one without the other\n\n\
         If the snapshot shows what Coho should not do, you have found a bug: edit the snapshot to show the correct result."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_begins_with_its_name_as_a_sentence() {
        let text = text("half-of-the-rows-leave");
        assert!(text.starts_with("# Half of the rows leave.\n#\n"), "{text}");
        assert!(text.contains("\nsyncs:\n") && text.contains("\nruns:\n"));
        assert!(!text.contains("copies"), "it is no starter itself: {text}");
    }

    #[test]
    fn names_are_sentences_with_hyphens() {
        assert!(is_name("an-account-2-leaves"));
        for name in ["", "-a", "a-", "A-b", "a b", "a/b", "a.yaml"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
