//! Quotes: console blocks of documents whose output a snapshot says.
//!
//! The line `<!-- from: PATH.snap -->` before a ```` ```console ```` block makes it a quote of that snapshot: each of its commands
//! stands there, in this order, with this output; with `<!-- from: PATH.snap# COMMENT -->`, below that comment. A line `…` stands
//! for any number of lines. `$ echo $?` shows how the command before it ended.

use std::ops::Range;

use super::snapshot::Snapshot;
use super::volatile;

const MARK: &str = "<!-- from: ";

/// What stands for lines that are left out.
const GAP: &str = "…";

/// A quote within a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    /// The snapshot's path, seen from the root.
    pub(crate) path: String,
    /// The comment below which its commands stand.
    pub(crate) section: Option<String>,
    /// The lines within the fences, from 0.
    pub(crate) lines: Range<usize>,
}

/// A command of a quote with the lines below it.
struct Part<'a> {
    command: &'a str,
    shown: Vec<String>,
}

/// The quotes of a document.
pub(crate) fn quotes(text: &str) -> Vec<Quote> {
    let lines: Vec<&str> = text.lines().collect();
    let marks = lines.iter().enumerate().filter_map(|(at, line)| Some((at, path(line)?)));
    let quotes = marks.filter_map(|(at, path)| {
        let start = at + 2;
        lines.get(at + 1).filter(|fence| **fence == "```console")?;
        let length = lines.get(start..)?.iter().position(|line| *line == "```")?;
        let (path, section) =
            path.split_once("# ").map_or((path, None), |(path, section)| (path, Some(section)));
        let section = section.map(str::to_owned);
        Some(Quote { path: path.to_owned(), section, lines: start..start + length })
    });
    quotes.collect()
}

/// The lines of marks that no console block follows.
pub(crate) fn dangling(text: &str) -> Vec<usize> {
    let whole: Vec<usize> = quotes(text).iter().map(|quote| quote.lines.start - 2).collect();
    let marks = text.lines().enumerate().filter(|(_, line)| path(line).is_some());
    marks.map(|(at, _)| at).filter(|at| !whole.contains(at)).collect()
}

fn path(line: &str) -> Option<&str> {
    line.trim().strip_prefix(MARK)?.strip_suffix(" -->")
}

/// What the quote must say, if that is not what it says. The error says why the snapshot cannot tell.
pub(crate) fn renewed(
    lines: &[&str],
    section: Option<&str>,
    snapshot: &Snapshot,
) -> Result<Option<Vec<String>>, String> {
    let mut from = match section {
        Some(comment) => {
            snapshot.section(comment).ok_or_else(|| format!("the snapshot has no comment `# {comment}`"))?
        }
        None => 0,
    };
    let mut code = 0;
    let mut stale = false;
    let mut new = Vec::new();
    for part in parts(lines)? {
        let expected = if part.command == "echo $?" {
            vec![code.to_string()]
        } else {
            let (at, output) = snapshot
                .output(part.command, from)
                .ok_or_else(|| format!("the snapshot has no further `$ {}`", part.command))?;
            (from, code) = (at + 1, output.code);
            output.lines.clone()
        };
        new.push(format!("$ {}", part.command));
        if matches(&part.shown, &expected) {
            new.extend(part.shown);
        } else {
            stale = true;
            new.extend(filled(&part, &expected)?);
        }
    }
    Ok(stale.then_some(new))
}

fn parts<'a>(lines: &[&'a str]) -> Result<Vec<Part<'a>>, String> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for line in lines {
        match (line.strip_prefix("$ "), parts.last_mut()) {
            (Some(command), _) => parts.push(Part { command, shown: Vec::new() }),
            (None, Some(part)) => part.shown.push((*line).to_owned()),
            (None, None) => return Err("a quote begins with a command: `$ coho …`".to_owned()),
        }
    }
    Ok(parts)
}

/// Whether the output is what is shown, but for lines that are left out.
fn matches(shown: &[String], expected: &[String]) -> bool {
    let runs: Vec<&[String]> = shown.split(|line| line == GAP).collect();
    let [first, .., last] = runs.as_slice() else { return volatile::same(shown, expected) };
    let ends = expected.len().checked_sub(last.len());
    let Some(ends) = ends.filter(|ends| *ends >= first.len()) else { return false };
    let (middle, tail) = expected.split_at(ends);
    let (head, mut middle) = middle.split_at(first.len());
    let between = runs.get(1..runs.len() - 1).unwrap_or_default();
    volatile::same(first, head)
        && volatile::same(last, tail)
        && between.iter().all(|run| {
            let at = (0..=middle.len().saturating_sub(run.len()))
                .find(|at| middle.get(*at..at + run.len()).is_some_and(|part| volatile::same(run, part)));
            middle = at.and_then(|at| middle.get(at + run.len()..)).unwrap_or_default();
            at.is_some()
        })
}

/// The output with as many lines at its beginning and at its end as are shown.
fn filled(part: &Part<'_>, expected: &[String]) -> Result<Vec<String>, String> {
    let runs: Vec<&[String]> = part.shown.split(|line| line == GAP).collect();
    match runs.as_slice() {
        [_] => Ok(expected.to_vec()),
        [first, last] if first.len() + last.len() <= expected.len() => {
            let (head, rest) = expected.split_at(first.len());
            let tail = rest.get(rest.len() - last.len()..).unwrap_or_default();
            Ok([head, &[GAP.to_owned()], tail].concat())
        }
        _ => Err(format!("`$ {}` prints something else now; mend the quote by hand", part.command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: &str = "\
---
source: a.rs
---
# A comment.
$ coho check
! coho.yaml:1:1: unknown key `mod`
!
! error: 1 problem
[exit code 3]
$ coho runs
id  at
<id>  <day> <time>
";

    fn renewed_lines(quote: &str) -> Result<Option<Vec<String>>, String> {
        renewed(&quote.lines().collect::<Vec<_>>(), Some("A comment."), &Snapshot::parse(SNAPSHOT))
    }

    #[test]
    fn a_quote_that_is_true_stays_as_it_is() {
        let quote = "$ coho check\ncoho.yaml:1:1: unknown key `mod`\n…\n$ echo $?\n3\n$ coho runs\nid                                    at\n0197b2c4-1a2b-7000-8000-000000000001  2026-11-24 10:11:12Z";
        assert_eq!(renewed_lines(quote), Ok(None));
    }

    #[test]
    fn a_stale_quote_is_filled_and_keeps_its_gap() {
        let quote = "$ coho check\ncoho.yaml:1:1: no key `mod`\n…\n$ echo $?\n2";
        let expected = ["$ coho check", "coho.yaml:1:1: unknown key `mod`", "…", "$ echo $?", "3"];
        assert_eq!(renewed_lines(quote), Ok(Some(expected.map(str::to_owned).to_vec())));
    }

    #[test]
    fn a_command_that_the_snapshot_lacks_is_an_error() {
        let twice = "$ coho runs\n…\n$ coho runs\n…";
        assert_eq!(renewed_lines(twice), Err("the snapshot has no further `$ coho runs`".to_owned()));
    }

    #[test]
    fn marks_belong_to_console_blocks() {
        let text = "a\n<!-- from: b.snap# Here. -->\n```console\n$ c\n```\n<!-- from: d.snap -->\n\n```console\n```\n";
        let quote = Quote { path: "b.snap".to_owned(), section: Some("Here.".to_owned()), lines: 3..4 };
        assert_eq!(quotes(text), [quote]);
        assert_eq!(dangling(text), [5]);
    }
}
