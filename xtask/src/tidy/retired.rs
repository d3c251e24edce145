//! Retired words: `docs/retired-words.txt` says which words Coho no longer uses, and what it says instead. They are found in
//! documents, outside of code, and in the messages of product code: its texts of several words that are not SQL.

use super::tree::{File, Tree};
use super::{Finding, docs, rust};

/// `WORD: WHAT IS SAID INSTEAD`, one a line.
const LIST: &str = "docs/retired-words.txt";

/// Documents of the past, which keep the words of their day, and the reference of the ledger, which is made of its steps: these
/// never change.
const HISTORY: [&str; 3] = ["docs/decisions/", "CHANGELOG.md", "docs/reference/ledger.md"];

/// What only SQL has.
const SQL: [&str; 9] =
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", " JOIN ", " WHERE ", " IN (", "?", "fates."];

/// A word that is no longer used.
struct Word<'a> {
    retired: &'a str,
    instead: &'a str,
}

/// Checks documents and messages.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let words = words(tree);
    let documents =
        docs::documents(tree).filter(|file| !HISTORY.iter().any(|past| file.path.starts_with(past)));
    let prose =
        documents.flat_map(|file| unfenced(file).map(move |(number, line)| (file, number, prose(line))));
    let code = tree.rust().filter(|file| file.path.starts_with("crates/") && file.is_in("src"));
    let messages =
        code.flat_map(|file| messages(file).into_iter().map(move |(number, text)| (file, number, text)));
    let texts = prose.chain(messages);
    texts.flat_map(|(file, number, text)| findings(&words, file, number, &text)).collect()
}

fn words(tree: &Tree) -> Vec<Word<'_>> {
    let lines = tree.text(LIST).unwrap_or_default().lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once(": "));
    pairs.map(|(retired, instead)| Word { retired, instead }).collect()
}

fn findings(words: &[Word<'_>], file: &File, number: usize, text: &str) -> Vec<Finding> {
    let text = text.to_lowercase();
    let found = words.iter().filter(|word| rust::mentions(&text, word.retired));
    let finding = |word: &Word<'_>| {
        let remedy = format!("say “{}” ({LIST})", word.instead);
        Finding::at(&file.path, number, format!("the word “{}” is retired", word.retired), remedy)
    };
    found.map(finding).collect()
}

/// The lines outside of blocks of code.
fn unfenced(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    file.lines().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// A line of a document without its code, the codes of errors in brackets, and the targets of its links.
fn prose(line: &str) -> String {
    let is_code = |word: &&str| word.starts_with('[') && word.ends_with(']');
    let outside = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let outside = outside.split_whitespace().filter(|word| !is_code(word)).collect::<Vec<_>>().join(" ");
    let parts = outside
        .split("](")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once(')').map_or("", |(_, rest)| rest) });
    parts.collect()
}

/// The texts of product code that have several words: what people read, and no names.
fn messages(file: &File) -> Vec<(usize, String)> {
    let lines = rust::production(file).into_iter().filter(|(_, line)| {
        let line = line.trim_start();
        !line.starts_with("//") && !line.contains("reason = \"")
    });
    let texts = lines
        .flat_map(|(number, line)| line.split('"').skip(1).step_by(2).map(move |text| (number, prose(text))));
    texts.filter(|(_, text)| text.split_whitespace().count() > 2 && !is_sql(text)).collect()
}

/// Tables and columns of the ledger keep the names that they have.
fn is_sql(text: &str) -> bool {
    let is_numbered = |at| text.get(at..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    SQL.iter().any(|word| text.match_indices(word).any(|(at, _)| *word != "?" || is_numbered(at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let list = (LIST, "# why\nsieve: field diff\n");
        let files: Vec<_> = files.iter().copied().chain([list]).collect();
        check(&Tree::of(&files)).into_iter().map(|found| format!("{}:{}", found.path, found.line)).collect()
    }

    #[test]
    fn retired_words_are_found_in_prose_and_messages() {
        let files = [
            ("docs/a.md", "the `sieve` of [it](sieve.md)\nThe sieve finds it.\n"),
            ("docs/decisions/0001-a.md", "the sieve\n"),
            (
                "crates/a/src/lib.rs",
                "// the sieve\nfail(\"the sieve found nothing\");\nlet sieve = \"sieve\";\n",
            ),
        ];
        assert_eq!(found(&files), ["docs/a.md:2", "crates/a/src/lib.rs:2"]);
    }

    #[test]
    fn sql_keeps_the_names_of_tables() {
        let text = |text: &str| found(&[("crates/a/src/lib.rs", &format!("let text = \"{text}\";\n"))]).len();
        for sql in ["SELECT key FROM sieve", "sieve = ?1 AND key", "sieve IN ('a', 'b')"] {
            assert_eq!(text(sql), 0, "{sql}");
        }
        for message in ["what is the sieve?", "where is the sieve", "the sieve fell in (a) hole"] {
            assert_eq!(text(message), 1, "{message}");
        }
    }

    #[test]
    fn longer_words_are_other_words() {
        assert_eq!(found(&[("README.md", "sieves and sieved\n")]), Vec::<String>::new());
    }
}
