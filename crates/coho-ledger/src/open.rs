//! Opening a ledger: where it may be, what is checked before the first statement, and each way in which it can fail.
//!
//! The schema and its steps stand in [`crate::schema`].

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coho_core::code::Code;
use coho_core::memory::Time;
use coho_core::secret::Masker;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::mask;
use crate::schema;

/// "COHO": what tells a ledger from any other SQLite file.
pub(crate) const APPLICATION: i32 = 0x434f_484f;

/// How long a statement waits for another program's lock.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// Reading only; an older schema cannot be brought up to date.
    ReadOnly,
}

/// A ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("there is no ledger at `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A folder is in its place.
    #[error("the ledger `{}` is a folder", path.display())]
    IsFolder {
        /// The path.
        path: PathBuf,
    },
    /// Its folder cannot be made, or does not let files be made in it.
    #[error("the ledger cannot be made in the folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// The file may not be read.
    #[error("the ledger `{}` cannot be read", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// The file, or its folder, may not be written.
    #[error("the ledger `{}` cannot be written: the file or its folder is read-only", path.display())]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },
    /// The file is no SQLite file.
    #[error("`{}` is not a ledger: it is no SQLite file", path.display())]
    NotSqlite {
        /// The path.
        path: PathBuf,
    },
    /// The file is another program's.
    #[error("`{}` is not a ledger: it is a SQLite file of another program", path.display())]
    Foreign {
        /// The path.
        path: PathBuf,
    },
    /// A later Coho wrote it.
    #[error("the ledger `{}` has schema {found}, and this version of Coho knows {known}", path.display())]
    Newer {
        /// The schema's version in the file.
        found: i64,
        /// The newest version that is known here.
        known: i64,
        /// The path.
        path: PathBuf,
    },
    /// An earlier Coho wrote it, and it was opened for reading only.
    #[error("the ledger `{}` has the older schema {found} and was opened for reading only", path.display())]
    Older {
        /// The schema's version in the file.
        found: i64,
        /// The newest version that is known here.
        known: i64,
        /// The path.
        path: PathBuf,
    },
    /// Another program holds it.
    #[error("the ledger `{}` is locked by another program", path.display())]
    Locked {
        /// The path.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the ledger `{}` cannot be written: the disk is full", path.display())]
    Full {
        /// The path.
        path: PathBuf,
    },
    /// The copy that is made before a schema is changed could not be made.
    #[error("the ledger `{}` cannot be copied to `{}` before its schema is changed", path.display(), copy.display())]
    Copy {
        /// The path.
        path: PathBuf,
        /// Where the copy was to be.
        copy: PathBuf,
        /// The system's words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its file system does not let several connections share it.
    #[error("the ledger `{}` cannot be kept with a write-ahead log on this file system", path.display())]
    NoLog {
        /// The path.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("opening the ledger `{}` failed", path.display())]
    Sqlite {
        /// The path.
        path: PathBuf,
        /// SQLite's words.
        #[source]
        source: rusqlite::Error,
    },
}

impl OpenError {
    /// The stable code.
    pub fn code(&self) -> Code {
        Code::LEDGER_FAILED
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Missing { .. } => Some("run a sync first, or name another file under `ledger:`"),
            Self::IsFolder { .. } => Some("name a file under `ledger:`, such as `.coho/ledger.db`"),
            Self::Folder { .. } | Self::Unreadable { .. } | Self::ReadOnly { .. } => {
                Some("give this user access to the file and to its folder")
            }
            Self::NotSqlite { .. } | Self::Foreign { .. } => Some("name another file under `ledger:`"),
            Self::Newer { .. } => Some("use the version of Coho that wrote it, or a later one"),
            Self::Older { .. } => Some("run a sync once: it brings the ledger up to date"),
            Self::Locked { .. } => {
                Some("wait until the other run ends, or close the program that has the file open")
            }
            Self::Full { .. } | Self::Copy { .. } => Some("free disk space; the ledger is whole"),
            Self::NoLog { .. } => Some("keep the ledger on a local disk"),
            // A full disk is told in this way where not even the log's index can be made.
            Self::Sqlite { source, .. } => (source.sqlite_error_code() == Some(ErrorCode::SystemIoFailure))
                .then_some("free disk space, or check the disk; nothing is lost"),
        }
    }

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
pub(crate) fn open(path: &Path, opening: &Opening) -> Result<Connection, OpenError> {
    place(path, opening)?;
    let mut connection = connect(path, opening.access)?;
    schema::settle(&mut connection, path, opening)?;
    mask::teach(&connection, Masker::new(&[])).map_err(|source| OpenError::sqlite(path, source))?;
    Ok(connection)
}

/// Another connection, for reading only, to a ledger that is open already.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Sees to it that a readable file is in its place. A new one is private before anything is in it.
fn place(path: &Path, opening: &Opening) -> Result<(), OpenError> {
    let owned = || path.to_owned();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(OpenError::IsFolder { path: owned() }),
        Ok(_) => match fs::File::open(path) {
            Ok(_) => Ok(()),
            Err(source) => Err(OpenError::Unreadable { path: owned(), source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => match (opening.create, opening.access) {
            (Create::IfAbsent, Access::ReadWrite) => make(path),
            (Create::No, _) | (_, Access::ReadOnly) => Err(OpenError::Missing { path: owned() }),
        },
        Err(source) => Err(OpenError::Unreadable { path: owned(), source }),
    }
}

fn make(path: &Path) -> Result<(), OpenError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let failed = |source| OpenError::Folder { path: folder.to_owned(), source };
    make_folder(folder).map_err(failed)?;
    match private(OpenOptions::new().write(true).create_new(true)).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(failed(source)),
    }
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
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
    let connection =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    if access == Access::ReadWrite {
        if connection.is_readonly("main").map_err(failed)? {
            return Err(OpenError::ReadOnly { path: path.to_owned() });
        }
        schema::identify(&connection, path)?;
        log(&connection, path)?;
    }
    Ok(connection)
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
    let logged = set("journal_mode", "wal").map_err(|source| OpenError::sqlite(path, source))?;
    if !logged {
        return Err(OpenError::NoLog { path: path.to_owned() });
    }
    // Plans stay as they were prepared; else each new value of a parameter may cost a new plan.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|source| OpenError::sqlite(path, source))?;
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
             PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(|source| OpenError::sqlite(path, source))
}
