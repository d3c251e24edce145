//! Test files: rows, and what must become of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use coho_core::case::{Case, Expected, ExpectedProblem, Given, Suite, SuiteSubject};
use coho_core::code::Code;
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::snippet::Snippets;
use coho_core::sync::{Blanks, SyncId, TemplateText, UndefinedPolicy};
use coho_core::value::preview;

use super::model::column_type;
use super::sync::word;
use super::value::value;
use crate::conform::conform;
use crate::keys::test::TEST;
use crate::names::unknown_name;
use crate::yaml::{Entry, Node, begin, parse};

/// Reads a test file. `syncs` are the ids of all syncs; absent where they are not known, and nothing can be said about the
/// sync that is tested. `None` if a problem was told of it.
pub(crate) fn read(
    file: &Arc<str>,
    text: &str,
    syncs: Option<&[&str]>,
    problems: &mut Vec<Problem>,
) -> Option<Suite> {
    let before = problems.len();
    let root = parse(file, text, problems)?;
    conform(&root, &TEST, problems);
    let subject = subject(&root, text, syncs, problems);
    let cases: Vec<&Node> = root.get("tests").map_or(&[][..], Node::items).iter().collect();
    check_names(&cases, problems);
    check_answers(&root, &cases, problems);
    let cases: Vec<Option<Case>> = cases.into_iter().map(|node| case(node, problems)).collect();
    let suite = Suite {
        file: file.clone(),
        subject: subject?,
        columns: columns(&root),
        cases: cases.into_iter().collect::<Option<_>>()?,
    };
    (problems.len() == before).then_some(suite)
}

fn subject(
    root: &Node,
    text: &str,
    syncs: Option<&[&str]>,
    problems: &mut Vec<Problem>,
) -> Option<SuiteSubject> {
    if let Some(node) = root.get("template") {
        let (place, indent) = begin(node, text);
        let undefined =
            word(root, "undefined", &UndefinedPolicy::ALL, UndefinedPolicy::name).unwrap_or_default();
        let text = node.text()?.to_owned();
        return Some(SuiteSubject::Template(TemplateText {
            text,
            place,
            indent,
            undefined,
            snippets: Snippets::default(),
            blanks: Blanks::default(),
        }));
    }
    sync(root, syncs, problems).map(SuiteSubject::Sync)
}

/// A sync makes records, a template values.
fn check_answers(root: &Node, cases: &[&Node], problems: &mut Vec<Problem>) {
    let (wrong, right, subject) = match (root.entry("sync"), root.entry("template")) {
        (Some(_), None) => ("value", "record", "sync"),
        (None, Some(_)) => ("record", "value", "template"),
        (Some(_), Some(_)) | (None, None) => return,
    };
    for entry in cases.iter().filter_map(|case| case.entry(wrong)) {
        let message = format!("`{wrong}` does not go with `{subject}`");
        let problem = Problem::new(Code::WRONG_VALUE, message).at(&entry.at);
        problems.push(problem.help(format!("write `{right}: …`, or `problems: […]`")));
    }
}

fn sync(root: &Node, syncs: Option<&[&str]>, problems: &mut Vec<Problem>) -> Option<SyncId> {
    let node = root.get("sync")?;
    let name = node.text()?;
    let Some(syncs) = syncs.filter(|syncs| !syncs.contains(&name)) else {
        return Some(SyncId::new(name));
    };
    problems.push(unknown_name("sync", name, syncs.iter().copied()).at(&node.place));
    None
}

fn columns(root: &Node) -> Vec<(String, coho_core::row::ColumnType)> {
    let declared = root.get("columns").map_or(&[][..], Node::entries);
    declared.iter().filter_map(|entry| Some((entry.key.clone(), column_type(entry.value.text()?)?))).collect()
}

fn check_names(cases: &[&Node], problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<&str, u32> = BTreeMap::new();
    for node in cases.iter().filter_map(|case| case.get("name")) {
        let Some(name) = node.text() else { continue };
        if let Some(line) = first.get(name) {
            problems.push(
                Problem::new(Code::DUPLICATE_ID, format!("two tests are called `{}`", preview(name)))
                    .at(&node.place)
                    .help(format!("rename one of them; the other stands on line {line}")),
            );
        } else {
            first.insert(name, node.place.line);
        }
    }
}

fn case(node: &Node, problems: &mut Vec<Problem>) -> Option<Case> {
    let row = node.get("row").map(|row| given(row, problems));
    let expected = expected(node, problems);
    let name = node.get("name")?;
    let (expected, at) = expected?;
    Some(Case {
        name: name.text()?.to_owned(),
        place: name.place.clone(),
        row: row??,
        expected,
        expected_at: at.at.clone(),
    })
}

fn given(row: &Node, problems: &mut Vec<Problem>) -> Option<Vec<Given>> {
    let cells: Vec<Option<Given>> = row
        .entries()
        .iter()
        .map(|entry| {
            let value = value(&entry.value, problems)?;
            Some(Given { column: entry.key.clone(), value, place: entry.at.clone() })
        })
        .collect();
    cells.into_iter().collect()
}

fn expected<'a>(node: &'a Node, problems: &mut Vec<Problem>) -> Option<(Expected, &'a Entry)> {
    if let Some(entry) = node.entry("record") {
        return Some((Expected::Record(value(&entry.value, problems)?), entry));
    }
    if let Some(entry) = node.entry("value") {
        return Some((Expected::Value(value(&entry.value, problems)?), entry));
    }
    let entry = node.entry("problems")?;
    let wanted = entry.value.items().iter().map(wanted).collect::<Option<_>>()?;
    Some((Expected::Problems(wanted), entry))
}

fn wanted(node: &Node) -> Option<ExpectedProblem> {
    if let Some(text) = node.text() {
        return Some(ExpectedProblem { code: Code::parse(text)?, field: None });
    }
    let field = node.text_of("field").map(FieldPath::new);
    Some(ExpectedProblem { code: Code::parse(node.text_of("code")?)?, field })
}
