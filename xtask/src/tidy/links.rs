//! Links between documents: every relative link of a Markdown file leads to a file, and its `#anchor` to a heading there.

use std::path::Path;

use super::tree::{File, Tree};
use super::{Finding, docs};

/// Checks all documents.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    docs::documents(tree).flat_map(|document| document_links(tree, document)).collect()
}

fn document_links(tree: &Tree, document: &File) -> Vec<Finding> {
    let links = prose(document).flat_map(|(number, line)| targets(line).map(move |target| (number, target)));
    let dead = links.filter_map(|(number, target)| Some((number, target, why_dead(tree, document, target)?)));
    dead.map(|(number, target, why)| {
        Finding::at(&document.path, number, format!("the link to {target} is dead: {why}"), "mend it")
    })
    .collect()
}

/// The lines outside of code blocks.
fn prose(document: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    document.lines().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// What the links of a line lead to: `[text](target)`, without what stands in backticks.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let outside_of_code = line.split('`').enumerate().filter(|(at, _)| at % 2 == 0).map(|(_, part)| part);
    let targets = outside_of_code.flat_map(|part| part.split("](").skip(1));
    targets.filter_map(|target| target.split_once(')')).map(|(target, _)| target)
}

fn why_dead(tree: &Tree, document: &File, target: &str) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { document.path.clone() } else { resolved(&document.path, path) };
    if !tree.has(&path) {
        return Some("there is no such file");
    }
    let text = tree.text(&path)?;
    let anchor = anchor.filter(|_| is_markdown(&path))?;
    (!anchors(text).any(|found| found == anchor)).then_some("there is no such heading")
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

/// A relative path, seen from the root.
fn resolved(document: &str, path: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept =
            title.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_are_found_in_prose_only() {
        let guide = "\
# A guide
[here](#a-guide), [there](../README.md), [code](../crates/a/), [site](https://example.com/x)
[gone](gone.md) and [no heading](../README.md#nothing), `[not](a-link.md)`
```
[not](a-link.md)
```
";
        let files = [("docs/guide.md", guide), ("README.md", "# Title\n"), ("crates/a/lib.rs", "")];
        let found: Vec<_> =
            check(&Tree::of(&files)).into_iter().map(|found| (found.line, found.message)).collect();
        let expected = [
            (3, "the link to gone.md is dead: there is no such file".to_owned()),
            (3, "the link to ../README.md#nothing is dead: there is no such heading".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
