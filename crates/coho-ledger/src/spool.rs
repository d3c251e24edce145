//! The spool: a plan's operations and notes on disk, so that a plan may be larger than memory.
//!
//! It is a private SQLite file in the temporary folder, without any durability: it is worth nothing after a crash, and the
//! file is gone when the spool is dropped. In which order operations are carried out stands in `lane`, what is asked across all
//! of them in `targets` and `matches`, how they are written in `wire`.

mod lane;
mod note;
mod targets;
mod matches;
mod wire;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_core::target::ExternalId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, params};

pub use self::lane::{Entry, HoldsTarget, Lane};
use self::matches::Counted;
pub use self::note::{NewMemory, Note};

/// The spool could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file could not be made.
    #[error("cannot make a temporary file in {}", folder.display())]
    Create {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file could not be written or read.
    #[error("cannot write the plan's operations to a temporary file in {}", folder.display())]
    Sql {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// What was read is not what was written.
    #[error("the plan's temporary file is damaged")]
    Damaged,
}

impl SpoolError {
    /// The stable code.
    pub fn code(&self) -> Code {
        Code::SPOOL_FAILED
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "free disk space there, or set TMPDIR to a folder with more"
    }
}

/// Operations, notes and absent keys of one sync's plan.
pub struct Spool {
    connection: Connection,
    folder: PathBuf,
    /// Whether every match that was seen is counted.
    counted: Cell<Counted>,
    _file: tempfile::TempPath,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("folder", &self.folder).finish_non_exhaustive()
    }
}

const SCHEMA: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA cache_size = -16384;
    CREATE TABLE operations (
        seq INTEGER PRIMARY KEY, key TEXT NOT NULL, lane INTEGER NOT NULL, target TEXT NOT NULL,
        holds_target INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE INDEX operations_by_target ON operations (target);
    CREATE INDEX operations_by_key ON operations (key);
    CREATE INDEX operations_by_lane ON operations (lane);
    CREATE TABLE nulled (path TEXT NOT NULL, seq INTEGER NOT NULL);
    CREATE TABLE notes (seq INTEGER PRIMARY KEY, splits INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE disputed (target TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE returned (key TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE absent (key TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE refs (object TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (object, id)) WITHOUT ROWID;
    CREATE TABLE matches (digest BLOB NOT NULL);
    CREATE TABLE shared (digest BLOB PRIMARY KEY) WITHOUT ROWID;
    BEGIN;";

impl Spool {
    /// An empty spool in a private file of this folder.
    pub fn new(folder: &Path) -> Result<Self, SpoolError> {
        let file = tempfile::Builder::new()
            .prefix("coho-plan-")
            .tempfile_in(folder)
            .map_err(|source| SpoolError::Create { folder: folder.to_owned(), source })?
            .into_temp_path();
        let folder = folder.to_owned();
        let fail = |source| SpoolError::Sql { folder: folder.clone(), source };
        let connection = Connection::open(&file).map_err(fail)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fail)?;
        connection.execute_batch(SCHEMA).map_err(fail)?;
        Ok(Self { connection, folder, counted: Cell::new(Counted::All), _file: file })
    }

    /// Adds an operation. Whether the key's memory holds the same target already decides what duplicates are looked for.
    pub fn push(&self, operation: &Operation, holds_target: HoldsTarget) -> Result<(), SpoolError> {
        let body = wire::write(operation);
        self.run(
            "INSERT INTO operations (key, lane, target, holds_target, body) VALUES (?, ?, ?, ?, ?)",
            params![
                operation.key.as_str(),
                Lane::of(operation).number(),
                operation.target.as_str(),
                holds_target.number(),
                body
            ],
        )?;
        let seq = self.connection.last_insert_rowid();
        for path in wire::nulled(operation) {
            self.run("INSERT INTO nulled (path, seq) VALUES (?, ?)", params![path.to_string(), seq])?;
        }
        for (object, id) in operation.references() {
            self.run(
                "INSERT OR IGNORE INTO refs (object, id) VALUES (?, ?)",
                params![object.name(), id.as_str()],
            )?;
        }
        Ok(())
    }

    /// Adds a note.
    pub fn note(&self, note: &Note) -> Result<(), SpoolError> {
        let splits = matches!(note.memory, NewMemory::Split { .. });
        self.run("INSERT INTO notes (splits, body) VALUES (?, ?)", params![splits, wire::write_note(note)])
    }

    /// Takes out the notes that split a key: where its new record is not written, it keeps the old one.
    pub fn drop_splits(&self) -> Result<(), SpoolError> {
        self.run("DELETE FROM notes WHERE splits = 1", params![])
    }

    /// Takes out the note that splits this key: it keeps its old record. Gives the key that the old record would have had.
    pub fn take_split(&self, key: &Key) -> Result<Option<Key>, SpoolError> {
        let to: Option<String> = self.one(
            "SELECT json_extract(body, '$.memory.Split[0]') FROM notes
             WHERE splits = 1 AND json_extract(body, '$.key') = ?",
            params![key.as_str()],
        )?;
        if to.is_some() {
            self.run(
                "DELETE FROM notes WHERE splits = 1 AND json_extract(body, '$.key') = ?",
                params![key.as_str()],
            )?;
        }
        Ok(to.map(Key::new))
    }

    /// The numbers of all operations of this key.
    pub fn numbers_of(&self, key: &Key) -> Result<Vec<i64>, SpoolError> {
        self.column("SELECT seq FROM operations WHERE key = ? ORDER BY seq", params![key.as_str()])
    }

    /// Remembers that the model does not have this key.
    pub fn absent(&self, key: &Key) -> Result<(), SpoolError> {
        self.run("INSERT OR IGNORE INTO absent (key) VALUES (?)", params![key.as_str()])
    }

    /// Whether the model does not have this key.
    pub fn is_absent(&self, key: &Key) -> Result<bool, SpoolError> {
        self.one("SELECT 1 FROM absent WHERE key = ?", params![key.as_str()])
            .map(|found: Option<i64>| found.is_some())
    }

    /// Takes an operation out. Pages that are read on behind it are not disturbed.
    pub fn remove(&self, seq: i64) -> Result<(), SpoolError> {
        self.run("DELETE FROM nulled WHERE seq = ?", params![seq])?;
        self.run("DELETE FROM operations WHERE seq = ?", params![seq])
    }

    /// The most operations that clear one and the same field, and that field.
    pub fn most_nulled(&self) -> Result<Option<(String, u64)>, SpoolError> {
        self.connection
            .query_row(
                "SELECT path, count(*) AS n FROM nulled GROUP BY path ORDER BY n DESC, path LIMIT 1",
                [],
                |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())),
            )
            .optional()
            .map_err(|source| self.fail(source))
    }

    /// The operations that clear this field.
    pub fn nulling(&self, path: &str) -> Result<Vec<i64>, SpoolError> {
        self.column("SELECT seq FROM nulled WHERE path = ? ORDER BY seq", params![path])
    }

    /// The records that operations refer to, without repetition.
    pub fn references(&self) -> Result<Vec<(Object, ExternalId)>, SpoolError> {
        let mut statement = self
            .connection
            .prepare("SELECT object, id FROM refs ORDER BY object, id")
            .map_err(|source| self.fail(source))?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
            .map_err(|source| self.fail(source))?;
        rows.map(|row| {
            let (object, id) = row.map_err(|source| self.fail(source))?;
            let object = Object::parse(&object).ok_or(SpoolError::Damaged)?;
            Ok((object, ExternalId::parse(&id).map_err(|_| SpoolError::Damaged)?))
        })
        .collect()
    }

    /// The next operations of this lane behind `after`, in the order of their keys.
    pub fn operations(
        &self,
        lane: Lane,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, Operation)>, SpoolError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT seq, body FROM operations WHERE lane = ? AND seq > ? ORDER BY seq LIMIT ?",
            )
            .map_err(|source| self.fail(source))?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![lane.number(), after, most], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .map_err(|source| self.fail(source))?;
        rows.map(|row| {
            let (seq, body) = row.map_err(|source| self.fail(source))?;
            Ok((seq, wire::read(&body).ok_or(SpoolError::Damaged)?))
        })
        .collect()
    }

    /// The operation of this number.
    pub fn operation(&self, seq: i64) -> Result<Option<Operation>, SpoolError> {
        let body: Option<String> = self.one("SELECT body FROM operations WHERE seq = ?", params![seq])?;
        body.map(|body| wire::read(&body).ok_or(SpoolError::Damaged)).transpose()
    }

    /// The numbers of all operations of this lane.
    pub fn numbers(&self, lane: Lane) -> Result<Vec<i64>, SpoolError> {
        self.column("SELECT seq FROM operations WHERE lane = ? ORDER BY seq", params![lane.number()])
    }

    /// The next notes behind `after`.
    pub fn notes(&self, after: i64, most: usize) -> Result<Vec<(i64, Note)>, SpoolError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, body FROM notes WHERE seq > ? ORDER BY seq LIMIT ?")
            .map_err(|source| self.fail(source))?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![after, most], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .map_err(|source| self.fail(source))?;
        rows.map(|row| {
            let (seq, body) = row.map_err(|source| self.fail(source))?;
            Ok((seq, wire::read_note(&body).ok_or(SpoolError::Damaged)?))
        })
        .collect()
    }

    fn column<P: rusqlite::Params>(&self, sql: &str, params: P) -> Result<Vec<i64>, SpoolError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|source| self.fail(source))?;
        let rows = statement.query_map(params, |row| row.get(0)).map_err(|source| self.fail(source))?;
        rows.collect::<Result<_, _>>().map_err(|source| self.fail(source))
    }

    fn one<T: rusqlite::types::FromSql, P: rusqlite::Params>(
        &self,
        sql: &str,
        params: P,
    ) -> Result<Option<T>, SpoolError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|source| self.fail(source))?;
        statement.query_row(params, |row| row.get(0)).optional().map_err(|source| self.fail(source))
    }

    fn run<P: rusqlite::Params>(&self, sql: &str, params: P) -> Result<(), SpoolError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|source| self.fail(source))?;
        statement.execute(params).map(|_| ()).map_err(|source| self.fail(source))
    }

    fn fail(&self, source: rusqlite::Error) -> SpoolError {
        SpoolError::Sql { folder: self.folder.clone(), source }
    }
}
