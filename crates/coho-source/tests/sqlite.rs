//! SQLite files as the rows they give, or the error that a user reads.

use std::fmt::Write as _;
use std::path::Path;

use coho_core::model::{Model, Relation};
use coho_core::place::Place;
use coho_source::{Connection, ReadScope};

#[path = "support/shown.rs"]
mod shown;

type Failure = Box<dyn std::error::Error>;

const SETUP: &str = r#"
    CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY, active BOOLEAN, ratio REAL, name TEXT, born DATE, price NUMERIC(10,2), any);
    INSERT INTO "odd ""name" VALUES (1, 1, 0.5, 'Ada', '1815-12-10', 1.50, NULL), (2, 0, 2, NULL, 19061209, '12345678901234567890.10', 'x');
    INSERT INTO "odd ""name" VALUES (3, 'yes', 'none', 7, NULL, NULL, 7), (4, 2, NULL, '', NULL, 9223372036854775807, 0.1);
    CREATE TABLE photos (id INTEGER, photo BLOB);
    INSERT INTO photos VALUES (1, NULL), (2, x'00ff');
"#;

#[test]
fn sqlite_gives_what_each_cell_stores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(SETUP).unwrap();
    let mut seen = String::new();
    for relation in [
        Relation::Table("\"odd \"\"name\"".to_owned()),
        Relation::Table("photos".to_owned()),
        sql("SELECT id, 'a' || id AS label FROM photos; -- a comment\n"),
        sql("SELECT 9e999 AS \"Big\""),
        sql("SELECT CAST(x'ff' AS TEXT) AS name"),
        sql("SELECT 1 AS one; SELECT 2"),
        sql("DELETE FROM photos RETURNING id"),
        sql("PRAGMA journal_mode = WAL"),
        sql("SELECT ?1 AS id"),
        sql("-- nothing"),
        sql("SELECT id,\n       nmae\nFROM photos"),
        sql("SELECT id\nFROM {{ source('shop', 'photos') }}"),
        Relation::Table("nowhere".to_owned()),
        Relation::Table("a.b.c".to_owned()),
    ] {
        let text = shown(&path, relation.clone()).unwrap();
        match &relation {
            Relation::Sql(sql) => writeln!(seen, "Sql({:?})\n{text}", sql.text).unwrap(),
            Relation::Table(_) | Relation::File { .. } | Relation::Dbt(_) => {
                writeln!(seen, "{relation:?}\n{text}").unwrap();
            }
        }
    }
    shown::snapshot(Path::new("fixtures/sqlite/cells.txt"), &seen).unwrap();
}

#[test]
fn names_and_types_of_any_bytes_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (id INTEGER, odd OTHER, \"name-é\" TEXT); INSERT INTO t VALUES (1, 2, 'x'); \
             PRAGMA writable_schema = ON; \
             UPDATE sqlite_master SET sql = CAST(replace(CAST(sql AS BLOB), 'OTHER', x'FFFEFFFEFF') AS TEXT)",
        )
        .unwrap();
    drop(connection);
    let seen = shown(&path, Relation::Table("t".to_owned())).unwrap();
    assert_eq!(seen, "id (integer) | odd (mixed) | name-é (text)\n1 | 2 | \"x\"\n");
}

#[test]
fn what_nobody_reads_fails_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(SETUP).unwrap();
    let connection = Connection::Sqlite { path };
    let sql = "SELECT id, photo, 1 AS twice, 2 AS twice FROM photos";
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let read = |needed| {
        runtime.block_on(shown::only(&connection, &model(self::sql(sql)), ReadScope::All, Some(needed)))
    };
    assert_eq!(read(&["id"]), "id (integer) | photo (mixed) | twice (mixed)\n1 | null | 1\n2 | null | 1\n");
    assert!(read(&["id", "twice"]).contains("two columns named `twice`"));
    assert!(read(&["id", "photo"]).contains("a BLOB"));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.db");
    std::fs::write(&text, "this is not a database, however long it goes on").unwrap();
    let mut seen = shown(&text, sql("SELECT 1 AS one")).unwrap();
    let missing = folder.path().join("missing.db");
    seen += &shown(&missing, sql("SELECT 1 AS one")).unwrap();
    assert!(!missing.exists());
    let seen = seen.replace(&folder.path().display().to_string(), "FOLDER");
    shown::snapshot(Path::new("fixtures/sqlite/no-database.txt"), &seen).unwrap();
}

#[test]
fn a_dropped_reading_ends_its_query() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let endless =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n";
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let connection = Connection::Sqlite { path };
    drop(runtime.block_on(coho_source::read(&connection, &model(sql(endless)), ReadScope::All)).unwrap());
    // The runtime waits for its blocking threads: this returns only because the query was interrupted.
    drop(runtime);
}

fn sql(sql: &str) -> Relation {
    Relation::Sql(sql.into())
}

fn model(relation: Relation) -> Model {
    Model {
        name: "m".to_owned(),
        source: "s".to_owned(),
        key: Vec::new(),
        masked: Vec::new(),
        relation,
        place: Place::default(),
    }
}

fn shown(path: &Path, relation: Relation) -> Result<String, Failure> {
    let connection = Connection::Sqlite { path: path.to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(shown::shown(&connection, &model(relation), ReadScope::All)))
}
