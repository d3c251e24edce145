//! The plan's table, in a private SQLite file: a row for each operation and for each key that needs a note.
//!
//! A [`note`] is what is said of what is not sent. A `line` is ready to be inserted, for a note or for an operation; `insert` does that,
//! and `contents` knows of what kinds they were. [`read`] gives operations and notes, [`list`] what people look at, `wire` is how an
//! operation is written, in `bytes`. The file lies in the temporary folder without any durability: it is worth nothing after a crash.
//! Where the system allows it, the file has no name while it is open, so that a process that is killed leaves no rows in clear.

pub mod note;
pub(crate) mod line;
mod insert;
pub mod read;
pub mod list;
pub(crate) mod contents;
mod bytes;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::value::preview;
use coho_ledger::scope::SyncScope;
use coho_ledger::{Ledger, LedgerError};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode};

use self::contents::{Contents, Kind};
pub(crate) use self::wire::read_differences;
use crate::stop::Stop;

/// The plan's file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum TableError {
    /// The file could not be made.
    #[error("cannot create a temporary file in `{}`", folder.display())]
    Create { folder: PathBuf, source: std::io::Error },
    /// The file could not be written or read.
    #[error("cannot write the plan to a temporary file in `{}`", folder.display())]
    Sql { folder: PathBuf, source: rusqlite::Error },
    /// What was read is not what was written.
    #[error("the plan's temporary file is damaged")]
    Damaged,
    /// Somebody asked to end.
    #[error("planning was interrupted")]
    Interrupted,
}

impl Failure for TableError {
    fn code(&self) -> Code {
        match self {
            Self::Create { .. } | Self::Sql { .. } | Self::Damaged => Code::SPOOL_FAILED,
            Self::Interrupted => Code::INTERRUPTED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Create { .. } | Self::Sql { .. } | Self::Damaged => {
                "free disk space there, or set TMPDIR to a folder with more space"
            }
            Self::Interrupted => return None,
        };
        Some(help.to_owned())
    }
}

/// A plan as a table.
pub struct Table {
    connection: Mutex<Connection>,
    contents: Mutex<Contents>,
    folder: PathBuf,
    /// Where a file that is open cannot be without a name.
    _file: Option<tempfile::TempPath>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What evaluation inserts. Settings are those of this file alone: the ledger is attached later. Its rows are written and read in
/// their order, so pages are large: each is a call of the system. Beside the table itself stands what not all rows have: what is
/// sent, the fields that it clears, the records that it refers to.
const SCHEMA: &str = "
    PRAGMA main.page_size = 16384;
    PRAGMA main.journal_mode = OFF;
    PRAGMA main.synchronous = OFF;
    PRAGMA main.locking_mode = EXCLUSIVE;
    PRAGMA main.cache_size = -16384;
    CREATE TABLE plan (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL,
        departure INTEGER NOT NULL,     -- 0, or the how-manieth record that the row left
        side INTEGER NOT NULL,          -- 0 a row of the model, 1 a key without one
        rows INTEGER NOT NULL,          -- how many rows of the model it stands for
        target TEXT,
        leaves TEXT,                    -- the record that the key has so far, where it is another one
        holds INTEGER,                  -- whether the key has its target already: 0 not yet, 1 already, 2 it has another one
        keeps INTEGER,                  -- whether it holds on to what it `leaves`: that was neither let be nor removed
        returned INTEGER,               -- whether its row came back to a record that needs no write
        splits_to INTEGER,              -- the departure under which the record that it leaves goes on
        mover INTEGER,                  -- of such a departure: the seq of the write by which its row leaves it
        phase INTEGER,
        change TEXT NOT NULL,
        reason TEXT NOT NULL,
        status TEXT NOT NULL,           -- planned, or the status in which it ends
        code TEXT,
        message TEXT,
        effect TEXT,                    -- what is remembered without sending: seen, learned, released, forgotten
        least INTEGER, most INTEGER, searches INTEGER, messages INTEGER,
        created INTEGER,                -- of a removal: whether this sync created the record
        vitally_id TEXT,                -- of a removal: Vitally's id of the record, where it is remembered
        address TEXT,                   -- the e-mail address that finds the record, where that does
        match BLOB,                     -- stands for it, whatever its case
        digest BLOB,                    -- of the operation, where an approved plan is asked
        seen_row BLOB, seen_mapping BLOB);
    CREATE TABLE bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL); -- an operation's bytes, or what is remembered as JSON
    CREATE TABLE differing (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE nulled (seq INTEGER NOT NULL, path TEXT NOT NULL);
    CREATE TABLE refs (seq INTEGER NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL);
    CREATE TABLE ids (object TEXT NOT NULL, external_id TEXT NOT NULL, vitally_id TEXT NOT NULL);
    CREATE TABLE matches (digest BLOB NOT NULL);
    CREATE TABLE gone (id INTEGER PRIMARY KEY, key TEXT NOT NULL, departure INTEGER NOT NULL, source INTEGER NOT NULL,
        serial INTEGER, mover INTEGER);
    CREATE TABLE agreed (key TEXT NOT NULL, verb TEXT NOT NULL, digest BLOB NOT NULL, rules INTEGER NOT NULL, PRIMARY KEY (key, verb, digest))
        WITHOUT ROWID;
    CREATE TABLE cut (status TEXT NOT NULL, reason TEXT NOT NULL, last INTEGER, PRIMARY KEY (status, reason)) WITHOUT ROWID;
    CREATE TEMP VIEW ends AS
        SELECT seq, CASE departure WHEN 0 THEN key ELSE key || ' (was ' || target || ')' END AS key, status,
            coalesce(code, reason) AS reason, known_code(coalesce(code, reason)) AS code, message
        FROM main.plan WHERE status NOT IN ('planned', 'unchanged', 'kept')
          AND NOT EXISTS (SELECT 1 FROM main.cut WHERE cut.status = plan.status AND cut.reason = coalesce(code, plan.reason)
            AND cut.last < seq);
    CREATE TEMP VIEW told AS
        SELECT key FROM main.plan WHERE departure = 0 AND status NOT IN ('unchanged', 'kept')
        UNION ALL
        SELECT key || ' (was ' || target || ')' FROM main.plan WHERE departure > 0 AND status NOT IN ('unchanged', 'kept');
    CREATE TEMP VIEW left AS SELECT key FROM main.gone WHERE departure = 0;
    CREATE TEMP VIEW notes AS
        SELECT seq, key, departure, effect, target, body AS sent, seen_row, seen_mapping,
            CASE WHEN status IN ('planned', 'learned') THEN splits_to END AS splits_to
        FROM main.plan LEFT JOIN main.bodies USING (seq) WHERE effect IS NOT NULL OR splits_to IS NOT NULL;";

/// How many steps SQLite takes between two looks whether somebody asked to end: a few milliseconds.
const STEPS: i32 = 100_000;

impl Table {
    /// An empty table in a private file of this folder. While the plan is made, `stop` ends whatever statement runs.
    pub fn new(folder: &Path, stop: &Stop) -> Result<Self, TableError> {
        let create = |source| TableError::Create { folder: folder.to_owned(), source };
        let file = tempfile::Builder::new().prefix("coho-plan-").tempfile_in(folder).map_err(create)?;
        let path = file.into_temp_path();
        let fail = |source| TableError::Sql { folder: folder.to_owned(), source };
        let mut connection = Connection::open(&path).map_err(fail)?;
        prepare(&mut connection, stop).map_err(fail)?;
        let file = nameless(path);
        let (connection, contents) = (Mutex::new(connection), Mutex::default());
        Ok(Self { connection, contents, folder: folder.to_owned(), _file: file })
    }

    /// Lets statements join with the ledger. All that follows is one transaction, until [`Table::close`].
    pub(crate) fn open(&self, ledger: &Ledger, scope: Option<&SyncScope>) -> Result<(), LedgerError> {
        ledger.lend(&self.connection(), scope)
    }

    pub(crate) fn begin(&self) -> Result<(), TableError> {
        self.with(|connection| connection.execute_batch("BEGIN"))
    }

    /// Ends the making: from now on nothing is joined, and reading is not interrupted.
    pub(crate) fn commit(&self) -> Result<(), TableError> {
        let mut connection = self.connection();
        let committed = connection
            .progress_handler(STEPS, None::<fn() -> bool>)
            .and_then(|()| connection.execute_batch("COMMIT"));
        committed.map_err(|source| self.fail(source))
    }

    pub(crate) fn close(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        ledger.take_back(&self.connection())
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was inserted so far.
    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything of this kind was inserted.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.contents().has(kind)
    }

    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, TableError> {
        work(&self.connection()).map_err(|source| self.fail(source))
    }

    /// Runs statements that give nothing.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), TableError> {
        self.with(|connection| connection.execute_batch(sql))
    }

    /// Lets the rows that have a record be found by it: rows alone, since keys without a row are compared with them.
    pub(crate) fn index_targets(&self) -> Result<(), TableError> {
        self.batch(
            "CREATE INDEX IF NOT EXISTS plan_by_target ON plan (target) WHERE side = 0 AND target IS NOT NULL",
        )
    }

    /// Runs one statement, and says how many rows it changed.
    pub(crate) fn change<P: rusqlite::Params>(&self, sql: &str, params: P) -> Result<u64, TableError> {
        let changed = self.with(|connection| connection.prepare_cached(sql)?.execute(params))?;
        Ok(changed as u64)
    }

    /// The one number that a query gives; 0 where it gives none.
    pub(crate) fn number<P: rusqlite::Params>(&self, sql: &str, params: P) -> Result<u64, TableError> {
        let number: Option<i64> =
            self.with(|connection| connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)))?;
        Ok(number.map(i64::unsigned_abs).unwrap_or_default())
    }

    pub(crate) fn fail(&self, source: rusqlite::Error) -> TableError {
        match (source.sqlite_error_code(), &source) {
            (Some(ErrorCode::OperationInterrupted), _) => TableError::Interrupted,
            (_, rusqlite::Error::InvalidQuery) => TableError::Damaged,
            _ => TableError::Sql { folder: self.folder.clone(), source },
        }
    }
}

fn prepare(connection: &mut Connection, stop: &Stop) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(SCHEMA)?;
    // Messages of whole passes show keys and ids, which may be long.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection
        .create_scalar_function("preview", 1, flags, |context| Ok(preview(context.get_raw(0).as_str()?)))?;
    // A reason says mostly why a row is looked at, but of one that waits, what it waits with.
    connection.create_scalar_function("known_code", 1, flags, |context| {
        Ok(Code::parse(context.get_raw(0).as_str()?).map(Code::as_str))
    })?;
    let stop = stop.clone();
    connection.progress_handler(STEPS, Some(move || stop.is_asked()))
}

/// A process that is killed leaves no file behind that has no name any more.
#[cfg(unix)]
fn nameless(path: tempfile::TempPath) -> Option<tempfile::TempPath> {
    match std::fs::remove_file(&path) {
        Ok(()) => path.keep().map(|_| None).unwrap_or_default(),
        Err(_) => Some(path),
    }
}

/// A file that is open keeps its name here, and is removed when it is closed.
#[cfg(not(unix))]
fn nameless(path: tempfile::TempPath) -> Option<tempfile::TempPath> {
    Some(path)
}
