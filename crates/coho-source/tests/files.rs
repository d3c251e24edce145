//! Every CSV and NDJSON file in `fixtures/files` as the rows it gives, or the error that a user reads.
//!
//! `case.settings` beside a file is the model's: `delimiter: ;`, `names: a, b`, `replaced: a, b`, `undeclared: text`,
//! `types: a integer, b date`; and which columns are read, `needed: a, b`; or whether
//! it is told why types are what they are, `inferred: told`.

use std::path::Path;

use coho_core::model::{Csv, FileFormat, Header, Model, Relation, Undeclared};
use coho_core::place::Place;
use coho_core::row::ColumnType;
use coho_source::{Connection, ReadScope};

#[path = "support/shown.rs"]
mod shown;

type Failure = Box<dyn std::error::Error>;

fn check(path: &Path) -> datatest_stable::Result<()> {
    let folder = path.parent().ok_or("the fixture has no folder")?;
    let file = path.file_name().and_then(|name| name.to_str()).ok_or("the fixture has no name")?;
    let settings = std::fs::read_to_string(path.with_extension("settings")).unwrap_or_default();
    let format = format(path, &settings)?;
    let model = Model {
        name: "fixture".to_owned(),
        source: "files".to_owned(),
        key: Vec::new(),
        masked: Vec::new(),
        relation: Relation::File { path: file.to_owned(), format },
        place: Place::default(),
    };
    let connection = Connection::Files { folder: folder.to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let needed = settings.lines().find_map(|line| line.strip_prefix("needed: "));
    let needed: Option<Vec<&str>> = needed.map(|names| names.split(", ").collect());
    let shown = shown::only(&connection, &model, ReadScope::All, needed.as_deref());
    let mut shown = runtime.block_on(shown);
    if settings.contains("inferred: told") {
        shown += &runtime.block_on(shown::inferred(&connection, &model))?;
    }
    shown::snapshot(path, &shown)
}

fn format(file: &Path, settings: &str) -> Result<FileFormat, Failure> {
    let mut csv = Csv::default();
    for line in settings.lines() {
        let (key, value) = line.split_once(": ").ok_or("a setting has no value")?;
        let values = value.split(", ");
        match key {
            "delimiter" => csv.delimiter = *value.as_bytes().first().ok_or("no delimiter")?,
            "names" => csv.header = Header::Named(values.map(str::to_owned).collect()),
            "replaced" => csv.header = Header::Replaced(values.map(str::to_owned).collect()),
            "needed" | "inferred" => {}
            "undeclared" => csv.undeclared = Undeclared::Text,
            "types" => csv.types = values.map(declared).collect::<Result<_, _>>()?,
            other => return Err(format!("unknown setting {other}").into()),
        }
    }
    let is_csv = file.extension().is_some_and(|extension| extension == "csv");
    Ok(if is_csv { FileFormat::Csv(csv) } else { FileFormat::Ndjson { types: csv.types } })
}

fn declared(text: &str) -> Result<(String, ColumnType), Failure> {
    let (name, kind) = text.split_once(' ').ok_or("a type has no name")?;
    let kind = ColumnType::ALL.into_iter().find(|known| known.name() == kind).ok_or("unknown type")?;
    Ok((name.to_owned(), kind))
}

datatest_stable::harness! {
    { test = check, root = "fixtures/files", pattern = r"\.(csv|ndjson)$" },
}
