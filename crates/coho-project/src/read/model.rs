//! Models: YAML files, and SQL files with comments at their top.

use std::sync::Arc;

use coho_core::code::Code;
use coho_core::jinja;
use coho_core::model::{Csv, DbtModel, FileFormat, Header, Model, Relation, SqlText, Undeclared};
use coho_core::place::Place;
use coho_core::problem::{Problem, nearest};
use coho_core::row::ColumnType;

use crate::conform::conform;
use crate::keys::model::{MODEL, SQL_MODEL};
use crate::yaml::{Content, Entry, Meaning, Node, begin, parse};

/// What a model's file says, as far as it can be read.
#[derive(Default)]
pub(crate) struct ReadModel {
    /// `None` if a problem was told of it.
    pub(crate) model: Option<Model>,
    /// The source's name, and where it stands.
    pub(crate) source: Option<(String, Place)>,
    /// Where the file says what is read: at `sql`, `table`, `dbt` or `file`.
    pub(crate) relation_place: Place,
}

/// Reads a YAML file.
pub(crate) fn from_yaml(name: &str, file: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> ReadModel {
    let before = problems.len();
    let Some(root) = parse(file, text, problems) else { return ReadModel::default() };
    conform(&root, &MODEL, problems);
    let relation = relation(&root, text, problems).filter(|_| problems.len() == before);
    let place = root.entries().iter().find(|entry| MODEL.one_of.contains(&entry.key.as_str()));
    let place = place.map_or_else(|| Place::file(file.clone()), |entry| entry.at.clone());
    finish(name, file, &root, relation, place)
}

/// Reads an SQL file.
pub(crate) fn from_sql(name: &str, file: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> ReadModel {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let before = problems.len();
    let root = front(file, text, problems);
    conform(&root, &SQL_MODEL, problems);
    if text.lines().all(is_comment_or_blank) {
        problems.push(
            Problem::new(Code::MISSING_KEY, "the file has no query")
                .at(&Place::file(file.clone()))
                .help("write it below the comments: `select id, name from customers`"),
        );
    }
    let place = Place { line: 1, column: 1, ..Place::file(file.clone()) };
    let sql = SqlText { text: query(text), place, indent: 0 };
    check_jinja(&sql, problems);
    let relation = (problems.len() == before).then_some(Relation::Sql(sql));
    finish(name, file, &root, relation, Place::file(file.clone()))
}

fn finish(
    name: &str,
    file: &Arc<str>,
    root: &Node,
    relation: Option<Relation>,
    relation_place: Place,
) -> ReadModel {
    let source = root.get("source").and_then(|node| Some((node.text()?.to_owned(), node.place.clone())));
    let model = || {
        Some(Model {
            name: name.to_owned(),
            source: source.as_ref()?.0.clone(),
            key: root.get("primary_key")?.texts(),
            masked: root.get("mask").map(Node::texts).unwrap_or_default(),
            relation: relation?,
            place: Place::file(file.clone()),
        })
    };
    ReadModel { model: model(), source, relation_place }
}

/// SQL that was taken over from dbt as it is: no database understands it.
fn check_jinja(sql: &SqlText, problems: &mut Vec<Problem>) {
    let Some(found) = jinja::find(&sql.text) else { return };
    let tag = found.text.lines().next().unwrap_or_default();
    let length = u32::try_from(tag.chars().count()).unwrap_or(1);
    let place = sql.place_of(found.line, found.column).unwrap_or_else(|| sql.place.clone());
    let problem = Problem::new(Code::DBT_SYNTAX, found.message()).help(found.help());
    problems.push(problem.at(&Place { length, ..place }));
}

/// The query without a semicolon at its end, since sources put queries into others.
fn query(text: &str) -> String {
    let text = text.trim_end();
    text.strip_suffix(';').unwrap_or(text).trim_end().to_owned()
}

fn is_comment_or_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("--")
}

/// The keys in the comments before the first line of SQL, as a mapping.
fn front(file: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> Node {
    let mut entries: Vec<Entry> = Vec::new();
    for (at, line) in text.lines().enumerate().take_while(|(_, line)| is_comment_or_blank(line)) {
        let Some((before, content)) = line.split_once("--").filter(|(_, content)| is_key_like(content))
        else {
            continue;
        };
        // Padded, so that places are those of the file.
        let padded = format!("{}{}  {content}", "\n".repeat(at), " ".repeat(before.chars().count()));
        let Some(node) = parse(file, &padded, problems) else { continue };
        for entry in node.entries() {
            if entries.iter().any(|earlier| earlier.key == entry.key) {
                problems.push(
                    Problem::new(Code::YAML_SYNTAX, format!("`{}` is given twice", entry.key))
                        .at(&entry.at)
                        .help("remove one of them"),
                );
            } else {
                entries.push(entry.clone());
            }
        }
    }
    Node { content: Content::Map(entries), place: Place::file(file.clone()) }
}

/// Whether a comment begins with a key of [`SQL_MODEL`], or with what looks like a mistyped one.
fn is_key_like(comment: &str) -> bool {
    comment
        .split_once(':')
        .is_some_and(|(word, _)| nearest(word.trim(), SQL_MODEL.keys.iter().map(|key| key.name)).is_some())
}

fn relation(root: &Node, text: &str, problems: &mut Vec<Problem>) -> Option<Relation> {
    if let Some(node) = root.get("sql")
        && let Some(sql) = node.text()
    {
        let (place, indent) = begin(node, text);
        let sql = SqlText { text: query(sql), place, indent };
        check_jinja(&sql, problems);
        return Some(Relation::Sql(sql));
    }
    if let Some(node) = root.get("dbt")
        && let Some(name) = node.text()
    {
        let (name, place) = (name.to_owned(), node.place.clone());
        return Some(Relation::Dbt(DbtModel { name, place, relation: None }));
    }
    if let Some(table) = root.text_of("table") {
        return Some(Relation::Table(table.to_owned()));
    }
    let file = root.get("file")?;
    let path = file.text()?;
    let format = format(root, path).or_else(|| {
        problems.push(
            Problem::new(Code::MISSING_KEY, "the file's extension does not say its format")
                .at(&file.place)
                .help("add `format: csv`, `format: ndjson` or `format: parquet`"),
        );
        None
    })?;
    check_format_keys(root, &format, problems);
    check_header(root, problems);
    Some(Relation::File { path: path.to_owned(), format })
}

fn format(root: &Node, path: &str) -> Option<FileFormat> {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let name = root.text_of("format").map(str::to_owned).or(ending)?;
    match name.as_str() {
        "csv" | "tsv" => Some(FileFormat::Csv(csv(root, &name))),
        "ndjson" | "jsonl" => Some(FileFormat::Ndjson { types: types(root) }),
        "parquet" => Some(FileFormat::Parquet),
        _ => None,
    }
}

fn csv(root: &Node, ending: &str) -> Csv {
    let default = if ending == "tsv" { b'\t' } else { b',' };
    Csv {
        delimiter: root.text_of("delimiter").and_then(super::delimiter).unwrap_or(default),
        header: header(root),
        types: types(root),
        undeclared: if flag(root, "infer") == Some(false) { Undeclared::Text } else { Undeclared::Infer },
    }
}

/// `header: [id, name]` is short for `header: false` with `columns: [id, name]`.
fn header(root: &Node) -> Header {
    let has_line = flag(root, "header");
    match (root.get("header").map(Node::texts), root.get("columns").map(Node::texts)) {
        (_, Some(names)) if has_line == Some(false) => Header::Named(names),
        (_, Some(names)) => Header::Replaced(names),
        (Some(names), None) if has_line.is_none() => Header::Named(names),
        (Some(_) | None, None) => Header::FirstLine,
    }
}

fn flag(root: &Node, key: &str) -> Option<bool> {
    match root.get(key)?.scalar()?.meaning() {
        Meaning::Bool(flag) => Some(flag),
        Meaning::Null | Meaning::Number(_) | Meaning::Doubtful(_) | Meaning::Text(_) => None,
    }
}

fn types(root: &Node) -> Vec<(String, ColumnType)> {
    let declared = root.get("types").map_or(&[][..], Node::entries);
    declared.iter().filter_map(|entry| Some((entry.key.clone(), column_type(entry.value.text()?)?))).collect()
}

/// The column type of this name.
pub(crate) fn column_type(name: &str) -> Option<ColumnType> {
    ColumnType::ALL.into_iter().find(|kind| kind.name() == name)
}

fn check_header(root: &Node, problems: &mut Vec<Problem>) {
    let Some(header) = root.get("header") else { return };
    let problem = match (flag(root, "header"), root.get("columns")) {
        (Some(false), None) => Problem::new(Code::WRONG_VALUE, "a file without a header needs column names")
            .help("name them, in order: `columns: [id, name]`"),
        (None, Some(_)) => Problem::new(Code::WRONG_VALUE, "the columns are named twice")
            .help("keep `columns`, with `header: false` if the first line of the file is a row"),
        (Some(_), Some(_)) | (Some(true) | None, None) => return,
    };
    problems.push(problem.at(&header.place));
}

fn check_format_keys(root: &Node, format: &FileFormat, problems: &mut Vec<Problem>) {
    let (name, foreign): (_, &[&str]) = match format {
        FileFormat::Csv(_) => return,
        FileFormat::Ndjson { .. } => ("ndjson", &["delimiter", "header", "columns", "infer"]),
        FileFormat::Parquet => ("parquet", &["delimiter", "header", "columns", "infer", "types"]),
    };
    for entry in root.entries().iter().filter(|entry| foreign.contains(&entry.key.as_str())) {
        problems.push(
            Problem::new(Code::WRONG_VALUE, format!("`{}` has no effect on a {name} file", entry.key))
                .at(&entry.at)
                .help("remove it"),
        );
    }
}
