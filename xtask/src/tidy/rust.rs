//! Rust source as far as the checks must understand it: formatted by rustfmt, read line by line.

use super::tree::File;

/// The lines before a file's own test module; none of a file that holds only tests.
pub(crate) fn production(file: &File) -> Vec<(usize, &str)> {
    if is_test_file(file) {
        return Vec::new();
    }
    let lines: Vec<_> = file.lines().collect();
    let begins = |pair: &[(usize, &str)]| match pair {
        [(_, "#[cfg(test)]"), (_, next)] => next.starts_with("mod ") && next.ends_with('{'),
        _ => false,
    };
    let end = lines.windows(2).position(begins).unwrap_or(lines.len());
    lines.into_iter().take(end).collect()
}

/// Whether the whole file is a test: `tests/…`, `src/…/tests.rs`.
pub(crate) fn is_test_file(file: &File) -> bool {
    file.is_in("tests") || file.path.ends_with("/tests.rs")
}

/// The line without a comment at its end. A `//` inside a text is taken for a comment too, which hides nothing that matters.
pub(crate) fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// Whether the word stands in the code, not as a part of a longer word.
pub(crate) fn mentions(code: &str, word: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|before| before.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// What a line declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Declaration<'a> {
    /// `fn`, `struct`, `enum`, `trait`, `type` or `mod`.
    pub(crate) keyword: &'a str,
    pub(crate) name: &'a str,
}

/// The declaration that begins on this line.
pub(crate) fn declaration(line: &str) -> Option<Declaration<'_>> {
    let mut words = line.split_whitespace();
    let keyword = words.find(|word| {
        let is_prefix =
            matches!(*word, "pub" | "async" | "const" | "unsafe" | "default") || word.starts_with("pub(");
        !is_prefix
    })?;
    if !["fn", "struct", "enum", "trait", "type", "mod"].contains(&keyword) {
        return None;
    }
    let name = words.next()?.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?;
    (!name.is_empty()).then_some(Declaration { keyword, name })
}

/// The words of a name in lower case: `BaseUrl` and `base_url` are `base`, `url`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if (letter.is_uppercase() || !letter.is_alphanumeric())
            && words.last().is_some_and(|word| !word.is_empty())
        {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn production_ends_where_the_test_module_begins() {
        let source = file(
            "src/a.rs",
            "fn a() {}\n#[cfg(test)]\nfn only_for_tests() {}\n#[cfg(test)]\nmod tests {\n}\n",
        );
        assert_eq!(production(&source).len(), 3);
        assert_eq!(production(&file("crates/a/tests/b.rs", "fn a() {}\n")).len(), 0);
    }

    #[test]
    fn words_are_split_at_capitals_and_underscores() {
        assert_eq!(words("BaseUrl"), ["base", "url"]);
        assert_eq!(words("row_data"), ["row", "data"]);
        assert_eq!(words("Database"), ["database"]);
    }

    #[test]
    fn declarations_are_found_behind_their_prefixes() {
        assert_eq!(
            declaration("    pub(crate) async fn send<T>(x: T)").map(|found| found.name),
            Some("send")
        );
        assert_eq!(declaration("pub struct Row(u8);").map(|found| found.name), Some("Row"));
        assert_eq!(declaration("let data = fn_of(x);"), None);
        assert_eq!(declaration("const MANAGER: u8 = 1;"), None);
    }

    #[test]
    fn a_word_is_not_found_within_a_longer_one() {
        assert!(mentions("use tokio::net;", "tokio"));
        assert!(!mentions("use tokio_postgres::Row;", "tokio"));
        assert!(mentions("std::time::Instant::now()", "Instant::now"));
    }
}
