//! The stable codes: each has its place in the reference, and is given somewhere; the reference has no code that is gone.

use super::tree::{File, Tree};
use super::{Finding, rust};

/// Where the codes are declared, in `codes! { … }`.
const DECLARATIONS: &str = "crates/coho-core/src/code.rs";
const REFERENCE: &str = "docs/reference/error-codes.md";

/// A line such as `NULL_KEY "null-key": "meaning", "remedy";`.
struct Code<'a> {
    line: usize,
    name: &'a str,
    text: &'a str,
}

/// Checks every code.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(file) = tree.files().find(|file| file.path == DECLARATIONS) else {
        return vec![Finding::of(
            DECLARATIONS,
            "the declarations of the codes are missing",
            "declare them in `codes! { … }`",
        )];
    };
    let codes: Vec<_> = file.lines().filter_map(|(line, text)| code(line, text)).collect();
    unused(tree, &codes).into_iter().chain(reference(tree, &codes)).collect()
}

fn code(line: usize, text: &str) -> Option<Code<'_>> {
    let mut parts = text.trim().split('"');
    let name = parts.next()?.trim();
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let code = Code { line, name, text: parts.next()? };
    (is_name && text.ends_with(';')).then_some(code)
}

fn unused(tree: &Tree, codes: &[Code<'_>]) -> Vec<Finding> {
    let sources: Vec<&File> =
        tree.under("crates").filter(|file| file.has_extension("rs") && file.path != DECLARATIONS).collect();
    let is_used = |code: &&Code<'_>| {
        let path = format!("Code::{}", code.name);
        sources.iter().any(|file| {
            rust::production(file).iter().any(|(_, line)| rust::mentions(rust::code(line), &path))
        })
    };
    let unused = codes.iter().filter(|code| !is_used(code));
    unused
        .map(|code| {
            Finding::at(
                DECLARATIONS,
                code.line,
                format!("nothing gives `{}`", code.text),
                "give it where it is due, or remove it",
            )
        })
        .collect()
}

fn reference(tree: &Tree, codes: &[Code<'_>]) -> Vec<Finding> {
    let Some(text) = tree.text(REFERENCE) else {
        return vec![Finding::of(REFERENCE, "the reference is missing", "run `cargo xtask codegen`")];
    };
    let undocumented = codes.iter().filter(|code| !text.contains(&format!("`{}`", code.text)));
    let undocumented = undocumented.map(|code| {
        Finding::at(
            DECLARATIONS,
            code.line,
            format!("{REFERENCE} lacks `{}`", code.text),
            "run `cargo xtask codegen`",
        )
    });
    let entries = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, entry(line)?)));
    let gone = entries.filter(|(_, text)| codes.iter().all(|code| code.text != *text));
    let gone = gone.map(|(line, text)| {
        Finding::at(REFERENCE, line, format!("`{text}` is not a code"), "run `cargo xtask codegen`")
    });
    undocumented.chain(gone).collect()
}

/// The code that a row or heading of the reference is about: `` | `null-key` | … ``, `` ### `null-key` ``.
fn entry(line: &str) -> Option<&str> {
    let (start, rest) = line.split_once('`')?;
    let is_entry = !start.is_empty() && start.bytes().all(|byte| b"|# ".contains(&byte));
    let (text, _) = rest.split_once('`')?;
    is_entry.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_their_use_and_the_reference_belong_together() {
        let declarations = "\
codes! {
    Row {
        NULL_KEY \"null-key\": \"The key is null.\", \"Filter it out.\";
        KEY_TYPE \"key-type\": \"The key's type.\", \"Cast it.\";
    }
}
";
        let files = [
            (DECLARATIONS, declarations),
            ("crates/a/src/lib.rs", "let code = Code::NULL_KEY;\n// Code::KEY_TYPE\n"),
            (
                REFERENCE,
                "| code | meaning |\n|---|---|\n| `null-key` | The key. See `else`. |\n### `old-code`\n",
            ),
        ];
        let found: Vec<_> =
            check(&Tree::of(&files)).into_iter().map(|found| (found.line, found.message)).collect();
        let expected = [
            (4, "nothing gives `key-type`".to_owned()),
            (4, format!("{REFERENCE} lacks `key-type`")),
            (4, "`old-code` is not a code".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
