//! Models of a database server, and its fixtures: each `fixtures/KIND/*.sql` as the rows it gives or the error that a user reads.
//!
//! A fixture is the model's SQL; `-- table: NAME` alone is a model that names a table.

use std::path::{Path, PathBuf};

use coho_core::model::{Model, Relation};
use coho_core::place::Place;
use coho_source::{Connection, ReadScope};

use super::shown;

type Failure = Box<dyn std::error::Error>;

/// A model of this SQL.
pub(crate) fn model(sql: &str) -> Model {
    let relation = match sql.strip_prefix("-- table: ") {
        Some(name) => Relation::Table(name.trim().to_owned()),
        None => Relation::Sql(sql.into()),
    };
    Model {
        name: "m".to_owned(),
        source: "s".to_owned(),
        key: Vec::new(),
        masked: Vec::new(),
        relation,
        place: Place::default(),
    }
}

/// What the model of this SQL gives; the server's address, which differs from run to run, is `SERVER`.
pub(crate) async fn shown_at(port: u16, connection: &Connection, sql: &str) -> String {
    let text = shown::shown(connection, &model(sql), ReadScope::All).await;
    text.replace(&format!("127.0.0.1:{port}"), "SERVER")
}

/// Compares each fixture of a kind of server with its snapshot.
pub(crate) async fn fixtures_match(kind: &str, port: u16, connection: &Connection) -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(kind);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    for path in paths {
        let sql = std::fs::read_to_string(&path)?;
        shown::snapshot(&path, &shown_at(port, connection, &sql).await)?;
    }
    Ok(())
}
