//! The layer: SQLite's own file system, whose files tell of each write, sync and deletion.
//!
//! SQLite calls a file system through tables of functions. This one is a copy of the system's table, with `xOpen` and `xDelete`
//! replaced; a file that it opens gets a copy of its own table, with `xWrite`, `xTruncate`, `xSync` and `xClose` replaced. So
//! everything else, locks and shared memory above all, is SQLite's own code on SQLite's own structures.

#![expect(unsafe_code, reason = "SQLite calls a file system through pointers (docs/decisions/0052)")]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::ffi::{
    SQLITE_IOERR, SQLITE_OK, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find,
    sqlite3_vfs_register,
};

use crate::journal::{self, Done, Journal, Operation};

/// The layer's name, as SQLite knows it.
const NAME: &CStr = c"coho-powercut";

/// The system's file system, and the layer on it. Both live as long as the process.
struct Layer {
    system: *mut sqlite3_vfs,
    ours: *mut sqlite3_vfs,
}

// SAFETY: SQLite itself calls a file system from all threads. The pointers are never written through after `install`.
unsafe impl Send for Layer {}
// SAFETY: as above.
unsafe impl Sync for Layer {}

static LAYER: OnceLock<Layer> = OnceLock::new();

/// An open file that is recorded.
#[derive(Clone)]
struct Followed {
    journal: Arc<Journal>,
    file: PathBuf,
    /// The system's functions for it.
    system: sqlite3_io_methods,
}

/// The files that are open and recorded, by the address of what SQLite knows them by.
static FILES: Mutex<BTreeMap<usize, Followed>> = Mutex::new(BTreeMap::new());

/// Our tables of functions, by the address of the system's table that each is a copy of: databases and logs have different ones.
static TABLES: Mutex<BTreeMap<usize, &'static sqlite3_io_methods>> = Mutex::new(BTreeMap::new());

/// Puts the layer between SQLite and the file system, once.
pub(crate) fn install() -> io::Result<()> {
    let layer = LAYER.get_or_init(|| {
        // SAFETY: `sqlite3_vfs_find` gives a table that lives as long as the process, or null. The copy is leaked, so that
        // it lives as long too. Our functions have the types that the table wants.
        unsafe {
            let system = sqlite3_vfs_find(std::ptr::null());
            if system.is_null() {
                return Layer { system, ours: system };
            }
            let mut ours = Box::new(*system);
            ours.zName = NAME.as_ptr();
            ours.pNext = std::ptr::null_mut();
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            let ours = Box::into_raw(ours);
            sqlite3_vfs_register(ours, 1);
            Layer { system, ours }
        }
    });
    if layer.ours.is_null() { Err(io::Error::other("SQLite has no file system")) } else { Ok(()) }
}

/// A path as SQLite hands it over; none for files without a name.
///
/// # Safety
///
/// `name` is null or a C string.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller vouches for it.
    let name = unsafe { CStr::from_ptr(name) };
    let path = Path::new(name.to_str().ok()?);
    // A file that is about to be made has no canonical path, but its folder has.
    let folder = fs::canonicalize(path.parent()?).ok()?;
    Some(folder.join(path.file_name()?))
}

fn say((journal, file): &(Arc<Journal>, PathBuf), done: Done) {
    journal.push(Operation { file: file.clone(), done });
}

impl Followed {
    fn say(&self, done: Done) {
        self.journal.push(Operation { file: self.file.clone(), done });
    }
}

/// What is known of a file. Only files with our table get here, and they are known until they are closed.
fn followed(file: *mut sqlite3_file) -> Option<Followed> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner).get(&file.addr()).cloned()
}

/// # Safety
///
/// Called by SQLite only, with `file` pointing to as many bytes as the system's file system asks for.
unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the name is SQLite's.
    let path = unsafe { path(name) };
    let of = path.as_deref().and_then(journal::of);
    // A file that is followed already is not opened a second time: closing it would free the locks that SQLite has on it.
    let first = of.as_ref().filter(|of| !is_followed(of)).and(path);
    let found = first.as_deref().map(|path| fs::read(path).map_or(Done::Made, Done::Found));
    let Some(layer) = LAYER.get() else { return SQLITE_IOERR };
    // SAFETY: the system's function gets the system's table and SQLite's own arguments.
    let opened = unsafe {
        match (*layer.system).xOpen {
            Some(open) => open(layer.system, name, file, flags, out),
            None => SQLITE_IOERR,
        }
    };
    if let (SQLITE_OK, Some(of)) = (opened, of) {
        // SAFETY: the system has just opened the file, so `file` points to a file with a table of functions.
        if let Some(system) = unsafe { listen(file) } {
            if let Some(found) = found {
                say(&of, found);
            }
            let (journal, path) = of;
            let followed = Followed { journal, file: path, system };
            FILES.lock().unwrap_or_else(PoisonError::into_inner).insert(file.addr(), followed);
        }
    }
    opened
}

/// Whether another descriptor of the file is open, or one was: then its record says what is on the disk, and not the file.
fn is_followed((journal, file): &(Arc<Journal>, PathBuf)) -> bool {
    journal.with(|operations| {
        let last = operations.iter().rfind(|operation| operation.file == *file);
        last.is_some_and(|operation| operation.done != Done::Deleted)
    })
}

/// Gives an open file our table of functions, and us the system's.
///
/// # Safety
///
/// `file` was opened by the system's file system.
unsafe fn listen(file: *mut sqlite3_file) -> Option<sqlite3_io_methods> {
    // SAFETY: an open file has a table that lives as long as the process, or none.
    let (address, system) = unsafe {
        let table = (*file).pMethods;
        (table.addr(), *table.as_ref()?)
    };
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let ours = tables.entry(address).or_insert_with(|| {
        Box::leak(Box::new(sqlite3_io_methods {
            xWrite: Some(write),
            xTruncate: Some(truncate),
            xSync: Some(sync),
            xClose: Some(close),
            ..system
        }))
    });
    // SAFETY: our table lives as long as the process.
    unsafe { (*file).pMethods = std::ptr::from_ref(*ours) };
    Some(system)
}

/// # Safety
///
/// Called by SQLite only.
unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    let Some(followed) = followed(file) else { return SQLITE_IOERR };
    let Some(write) = followed.system.xWrite else { return SQLITE_IOERR };
    // SAFETY: SQLite's own arguments.
    let written = unsafe { write(file, bytes, length, at) };
    if let (SQLITE_OK, Ok(at), Ok(length)) = (written, usize::try_from(at), usize::try_from(length)) {
        // SAFETY: SQLite gives as many bytes as it says.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
        followed.say(Done::Written(at, bytes.to_vec()));
    }
    written
}

/// # Safety
///
/// Called by SQLite only.
unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    let Some(followed) = followed(file) else { return SQLITE_IOERR };
    let Some(truncate) = followed.system.xTruncate else { return SQLITE_IOERR };
    // SAFETY: SQLite's own arguments.
    let cut = unsafe { truncate(file, length) };
    if let (SQLITE_OK, Ok(length)) = (cut, usize::try_from(length)) {
        followed.say(Done::Cut(length));
    }
    cut
}

/// # Safety
///
/// Called by SQLite only.
unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    let Some(followed) = followed(file) else { return SQLITE_IOERR };
    let Some(sync) = followed.system.xSync else { return SQLITE_IOERR };
    // SAFETY: SQLite's own arguments.
    let synced = unsafe { sync(file, flags) };
    if synced == SQLITE_OK {
        followed.say(Done::Synced);
    }
    synced
}

/// # Safety
///
/// Called by SQLite only.
unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let followed = FILES.lock().unwrap_or_else(PoisonError::into_inner).remove(&file.addr());
    let Some(close) = followed.and_then(|followed| followed.system.xClose) else { return SQLITE_IOERR };
    // SAFETY: SQLite's own arguments.
    unsafe { close(file) }
}

/// # Safety
///
/// Called by SQLite only.
unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let Some(layer) = LAYER.get() else { return SQLITE_IOERR };
    // SAFETY: the name is SQLite's.
    let of = unsafe { path(name) }.and_then(|path| journal::of(&path));
    // SAFETY: the system's function gets the system's table and SQLite's own arguments.
    let deleted = unsafe {
        match (*layer.system).xDelete {
            Some(delete) => delete(layer.system, name, sync_folder),
            None => SQLITE_IOERR,
        }
    };
    if let (SQLITE_OK, Some(of)) = (deleted, of) {
        say(&of, Done::Deleted);
        if sync_folder != 0 {
            say(&of, Done::Synced);
        }
    }
    deleted
}
