//! Names say what a thing is: words that fit everything are not names.
//!
//! Checked are the names of files, folders, modules, types, traits and functions. A test's name is a sentence and may use any
//! word, and a method of a foreign trait is not ours to name.

use std::path::Path;

use super::tree::{File, Tree};
use super::{Finding, rust};

/// Words that fit everything.
const EMPTY: [&str; 13] = [
    "manager",
    "managers",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "misc",
    "processor",
    "handler",
    "data",
    "info",
    "base",
];

const REMEDY: &str = "name it after what it is, with a word of docs/glossary.md";

/// Checks every Rust file.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust().flat_map(|file| path(file).into_iter().chain(declarations(file))).collect()
}

fn path(file: &File) -> Option<Finding> {
    let mut parts = file.path.split('/').filter_map(|part| Path::new(part).file_stem()?.to_str());
    let word = parts.find_map(empty_word)?;
    Some(Finding::of(&file.path, format!("`{word}` in the path fits everything"), REMEDY))
}

fn declarations(file: &File) -> Vec<Finding> {
    let mut scope = Scope::default();
    let mut findings = Vec::new();
    let lines = if rust::is_test_file(file) { file.lines().collect() } else { rust::production(file) };
    for (number, line) in lines {
        let is_ours = scope.enter(line);
        let Some(found) = rust::declaration(line) else { continue };
        if let Some(word) = empty_word(found.name).filter(|_| found.keyword != "fn" || is_ours) {
            let message = format!("`{word}` in `{} {}` fits everything", found.keyword, found.name);
            findings.push(Finding::at(&file.path, number, message, REMEDY));
        }
    }
    findings
}

/// The word in a name that fits everything; the base of an address is a term.
fn empty_word(name: &str) -> Option<String> {
    let words = rust::words(name);
    let is_base_url = words.windows(2).any(|pair| pair == ["base", "url"]);
    words.into_iter().find(|word| EMPTY.contains(&word.as_str()) && !(is_base_url && word == "base"))
}

/// Where in a file we are, as far as it says whether a function's name is ours.
#[derive(Default)]
struct Scope {
    /// The indentation of the `impl … for …` block around us.
    foreign: Option<usize>,
    /// An `impl` whose `{` has not come yet.
    header: Option<(usize, String)>,
    /// Whether the next function is a test.
    test: bool,
}

impl Scope {
    /// Goes on to the next line; says whether a function that begins there has a name of ours.
    fn enter(&mut self, line: &str) -> bool {
        let code = rust::code(line).trim_end();
        let depth = code.len() - code.trim_start().len();
        if self.foreign == Some(depth) && code.trim_start() == "}" {
            self.foreign = None;
        }
        self.read_header(code, depth);
        let is_ours = self.foreign.is_none() && !self.test;
        match code.trim_start() {
            attribute if attribute.starts_with("#[") => self.test |= rust::mentions(attribute, "test"),
            "" => {}
            _ => self.test = false,
        }
        is_ours
    }

    fn read_header(&mut self, code: &str, depth: usize) {
        if code.trim_start().starts_with("impl") && self.header.is_none() {
            self.header = Some((depth, String::new()));
        }
        let Some((depth, text)) = &mut self.header else { return };
        text.push_str(code);
        text.push(' ');
        if code.ends_with('{') || code.ends_with('}') {
            let is_of_a_trait = text.contains(" for ") && !code.ends_with('}');
            self.foreign = if is_of_a_trait { Some(*depth) } else { self.foreign };
            self.header = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|found| format!("{}: {}", found.line, found.message))
            .collect()
    }

    #[test]
    fn empty_words_are_found_in_names() {
        let source =
            "struct RowData;\nstruct Database;\nenum BaseUrl {}\nfn base_url() {}\nfn send_info() {}\n";
        let expected =
            ["1: `data` in `struct RowData` fits everything", "5: `info` in `fn send_info` fits everything"];
        assert_eq!(messages("a.rs", source), expected);
    }

    #[test]
    fn empty_words_are_found_in_paths() {
        assert_eq!(messages("crates/a/src/utils/row.rs", ""), ["1: `utils` in the path fits everything"]);
    }

    #[test]
    fn methods_of_foreign_traits_and_tests_are_not_ours_to_name() {
        let source = "\
impl<T> Body
    for Sent<T>
where
    T: Copy,
{
    fn data(&self) {}
}
impl Sent {
    fn data(&self) {}
}
    #[test]
    #[cfg(unix)]
    fn a_common_name_is_kept() {}
";
        assert_eq!(messages("a.rs", source), ["9: `data` in `fn data` fits everything"]);
    }
}
