//! Opening a ledger: what is checked before the first statement, and each way in which it can fail.
//!
//! Where a ledger may be stands in `place`, the schema and its steps in [`crate::schema`].

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::secret::Masker;
use coho_core::time::Time;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::place::{self, Found};
use crate::remote_failure::RemoteError;
use crate::schema::{self, upgrade};
use crate::temporary::TemporaryFolder;
use crate::{functions, mask, unfold};

/// "COHO": what tells a ledger from any other SQLite file.
pub(crate) const APPLICATION: i32 = 0x434f_484f;

/// How long a statement waits for another program's lock.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How a ledger is opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// The time.
    pub now: Time,
    /// What happens where there is none.
    pub create: Create,
    /// What is wanted of it.
    pub access: Access,
}

impl Opening {
    /// For reading and writing, made where there is none.
    pub fn new(now: Time) -> Self {
        Self { now, create: Create::IfAbsent, access: Access::ReadWrite }
    }
}

/// What happens where there is no ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// One is made, with its folder.
    IfAbsent,
    /// [`OpenError::Missing`].
    No,
}

/// What is wanted of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    ReadWrite,
    /// Reading only; of an older ledger a copy is read, which was brought up to date.
    ReadOnly,
}

/// A ledger could not be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum OpenError {
    /// There is none.
    #[error("there is no ledger at `{}`", path.display())]
    Missing { path: PathBuf },
    /// A folder is in its place.
    #[error("the ledger `{}` is a folder", path.display())]
    IsFolder { path: PathBuf },
    /// Its folder cannot be made, or does not let files be made in it.
    #[error("cannot create the ledger in the folder `{}`", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// The file may not be read.
    #[error("cannot read the ledger `{}`", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file, or its folder, may not be written.
    #[error("cannot write the ledger `{}`: the file or its folder is read-only", path.display())]
    ReadOnly { path: PathBuf },
    /// The file is no SQLite file.
    #[error("`{}` is not a ledger: it is not an SQLite file", path.display())]
    NotSqlite { path: PathBuf },
    /// The file is another program's.
    #[error("`{}` is not a ledger: it is an SQLite file of another program", path.display())]
    Foreign { path: PathBuf },
    /// A later Coho wrote it.
    #[error("the ledger `{}` has schema {found}, but this version of Coho supports only {known}", path.display())]
    Newer { found: i64, known: i64, path: PathBuf },
    /// The file has several names.
    #[error("the ledger `{}` has a second name (a hard link)", path.display())]
    SeveralNames { path: PathBuf },
    /// The file itself is a mount.
    #[error("the ledger `{}` is mounted as a single file, without its folder", path.display())]
    Mounted { path: PathBuf },
    /// There is no temporary folder.
    #[error("cannot use the temporary folder `{}`", folder.display())]
    Temporary { folder: PathBuf, source: io::Error },
    /// Another program holds it.
    #[error("the ledger `{}` is locked by another program", path.display())]
    Locked { path: PathBuf },
    /// The disk is full.
    #[error("cannot write the ledger `{}`: the disk is full", path.display())]
    Full { path: PathBuf },
    /// The copy that is made before a schema is changed could not be made.
    #[error("cannot copy the ledger `{}` to `{}` before upgrading it", path.display(), copy.display())]
    Copy { path: PathBuf, copy: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    /// Its file system does not let several connections share it.
    #[error("the ledger `{}` is on a file system that does not support its write-ahead log", path.display())]
    NoLog { path: PathBuf },
    /// The ledger is in no file, and could not be brought here.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Anything else that SQLite says.
    #[error("cannot open the ledger `{}`", path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

impl Failure for OpenError {
    fn code(&self) -> Code {
        if let Self::Remote(error) = self { error.code() } else { Code::LEDGER_FAILED }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Missing { .. } => "run a sync first, or name another file under `ledger:`",
            Self::IsFolder { .. } => "name a file under `ledger:`, such as `.coho/ledger.db`",
            Self::Folder { .. } | Self::Unreadable { .. } | Self::ReadOnly { .. } => {
                "give this user access to the file and its folder"
            }
            Self::NotSqlite { .. } | Self::Foreign { .. } => "name another file under `ledger:`",
            Self::Newer { .. } => "use the version of Coho that wrote it, or a newer one",
            Self::SeveralNames { .. } => {
                "remove the other name, or copy the file: each name would have its own log and lock"
            }
            Self::Mounted { .. } => "mount its folder instead: the ledger's log and lock are files beside it",
            Self::Temporary { .. } => "create the folder, or set TMPDIR to a writable one",
            Self::Locked { .. } => {
                "wait until the other run ends, or close the program that has the file open"
            }
            Self::Full { .. } | Self::Copy { .. } => "free disk space; the ledger is intact",
            Self::NoLog { .. } => "keep the ledger on a local disk",
            // A full disk is told in this way where not even the log's index can be made.
            Self::Sqlite { source, .. } if source.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                "free disk space, or check the disk; nothing is lost"
            }
            Self::Remote(error) => return error.help(),
            Self::Sqlite { .. } => return None,
        };
        Some(help.to_owned())
    }
}

impl OpenError {
    /// What SQLite said of a path.
    pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(_) | None => Self::Sqlite { path, source },
        }
    }
}

/// A connection to a ledger whose schema is up to date.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    /// Where an older ledger is only read, it is read from a copy in this folder.
    pub(crate) copy: Option<(TemporaryFolder, PathBuf)>,
}

/// Opens a ledger, or makes it.
pub(crate) fn open(path: &Path, opening: &Opening) -> Result<Opened, OpenError> {
    let makes = opening.create == Create::IfAbsent && opening.access == Access::ReadWrite;
    if opening.access == Access::ReadWrite {
        place::clear(path);
    }
    match place::look(path)? {
        Found::Nothing if makes => place::make(path, opening.now)?,
        Found::Nothing => return Err(OpenError::Missing { path: path.to_owned() }),
        Found::File => {}
    }
    let mut connection = connect(path, opening.access)?;
    match (schema::identify(&connection, path)?, opening.access) {
        (schema::VERSION, _) => {}
        // Nothing was ever in it: a crash left it so.
        (0, _) if !makes => return Err(OpenError::Missing { path: path.to_owned() }),
        (_, Access::ReadWrite) => upgrade::upgrade(&mut connection, path, opening.now)?,
        (_, Access::ReadOnly) => return copied(&connection, path, opening.now),
    }
    mask::teach(&connection, Masker::new(&[])).map_err(|source| OpenError::sqlite(path, source))?;
    Ok(Opened { connection, copy: None })
}

/// A ledger in which a dead run left intents of batches, as a run would find it. `None` where there are none.
pub(crate) fn unfolded(connection: &Connection, path: &Path, now: Time) -> Result<Option<Opened>, OpenError> {
    let has_batches = unfold::has_batches(connection).map_err(|source| OpenError::sqlite(path, source))?;
    if !has_batches {
        return Ok(None);
    }
    copied(connection, path, now).map(Some)
}

/// An older ledger that is only read stays as it is: a private copy of it is brought up to date.
fn copied(connection: &Connection, path: &Path, now: Time) -> Result<Opened, OpenError> {
    let folder = temporary_folder()?;
    let copy = folder.path().join("ledger.db");
    let failed = |source| OpenError::Copy { path: path.to_owned(), copy: copy.clone(), source };
    let name = copy.to_str().ok_or_else(|| failed("the path is not UTF-8".into()))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| failed(error.into()))?;
    let mut written = connect(&copy, Access::ReadWrite)?;
    schema::climb(&mut written, now).map_err(|error| failed(error.into()))?;
    unfold::unfold(&written).map_err(|fault| failed(fault.on(&copy, "opening intents").into()))?;
    drop(written);
    let connection = connect(&copy, Access::ReadOnly)?;
    Ok(Opened { connection, copy: Some((folder, copy)) })
}

/// What the private copy of a ledger that is in no file is opened with: its write-ahead log is stored as it grows, so nobody folds it into the file,
/// and it need not reach this machine's disk.
pub(crate) fn private_copy(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF")
}

/// Whether a private copy has an older schema than this Coho writes.
pub(crate) fn is_older(path: &Path) -> Result<bool, OpenError> {
    let failed = |source| OpenError::sqlite(path, source);
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    Ok(schema::identify(&connection, path)? < schema::VERSION)
}

/// A folder for a ledger that only this process needs.
pub(crate) fn temporary_folder() -> Result<TemporaryFolder, OpenError> {
    TemporaryFolder::new().map_err(|source| OpenError::Temporary { folder: std::env::temp_dir(), source })
}

/// Another connection, for reading only, to a ledger that is open already.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    settle_plans(&connection)?;
    functions::teach(&connection)?;
    Ok(connection)
}

/// Statements are kept, and their plans stay as they were prepared; else each new value of a parameter may cost a new plan.
fn settle_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Files that are made with these options can be read by their owner only.
#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

/// Files that are made with these options have the rights of their folder.
#[cfg(not(unix))]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// The path with something added to its file name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn connect(path: &Path, access: Access) -> Result<Connection, OpenError> {
    let flags = match access {
        Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let failed = |source| OpenError::sqlite(path, source);
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|source| unopened(path, source))?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    settle_plans(&connection).map_err(failed)?;
    functions::teach(&connection).map_err(failed)?;
    if access == Access::ReadWrite {
        if connection.is_readonly("main").map_err(failed)? {
            return Err(OpenError::ReadOnly { path: path.to_owned() });
        }
        schema::identify(&connection, path)?;
        log(&connection, path)?;
    }
    Ok(connection)
}

/// Why SQLite could not open a file: the system says it more plainly. Only a file that SQLite has not opened is looked at so,
/// since closing a file frees the locks that SQLite has on it in this process.
fn unopened(path: &Path, source: rusqlite::Error) -> OpenError {
    match (source.sqlite_error_code(), fs::File::open(path)) {
        (Some(ErrorCode::CannotOpen), Err(source)) => OpenError::Unreadable { path: path.to_owned(), source },
        _ => OpenError::sqlite(path, source),
    }
}

/// Tries again where SQLite does not wait by itself: two processes that turn a file to its write-ahead log meet at once.
fn patiently<T>(mut work: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    const WAIT: Duration = Duration::from_millis(10);
    for _ in 0..PATIENCE.as_millis() / WAIT.as_millis() {
        match work() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                std::thread::sleep(WAIT);
            }
            done => return done,
        }
    }
    work()
}

/// Every commit reaches the disk before it returns: an intent must be there before the first byte of its write leaves.
///
/// Statement journals stay in memory: as files they begin with a buffer of 64 KiB for each row that is written, which
/// costs more than the row.
fn log(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let set = |pragma: &str, value: &str| {
        connection.pragma_update_and_check(None, pragma, value, |row| {
            row.get_ref(0).map(|value| matches!(value, rusqlite::types::ValueRef::Text(b"wal")))
        })
    };
    let logged =
        patiently(|| set("journal_mode", "wal")).map_err(|source| OpenError::sqlite(path, source))?;
    if !logged {
        return Err(OpenError::NoLog { path: path.to_owned() });
    }
    // Our words come from closed enums; a check of a list of words costs a temporary index for each row.
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
             PRAGMA ignore_check_constraints = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(|source| OpenError::sqlite(path, source))
}
