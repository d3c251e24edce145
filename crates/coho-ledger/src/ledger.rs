//! The ledger's handle: one connection behind a lock, and the two ways through it, reading and writing. Who reads while another
//! thread writes does so on a connection of its own, and sees what was committed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use coho_core::secret::Masker;
use coho_core::storage::StorageAddress;
use coho_core::time::Time;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::failure::{Fault, LedgerError};
use crate::holder::Holder;
use crate::lease::{self, Lease};
use crate::mask;
use crate::open::{self, Access, Create, OpenError, Opened, Opening};
use crate::remote::{self, Bound, Hold, LeaseObject, RemotePlace};
use crate::shape::known::Shapes;
use crate::temporary::TemporaryFolder;

/// A ledger. All of its functions block; it may be shared between threads.
#[derive(Debug)]
pub struct Ledger {
    /// For reading while the other one is busy; made when it is needed. It is closed first: what is in the write-ahead log goes
    /// into the file when the last connection is closed, and one that only reads cannot do it.
    reader: Mutex<Option<Connection>>,
    connection: Mutex<Connection>,
    /// What is masked, on this connection and on those that join with it.
    masker: Mutex<Masker>,
    /// The shapes of texts, as far as they are known.
    shapes: Mutex<Shapes>,
    /// The file that is read and written.
    path: PathBuf,
    /// The file that others know: where an older ledger is read from a copy, it is another one.
    shared: PathBuf,
    /// Of a ledger that is in no file: how it is written.
    hold: Option<Hold>,
    /// Of one that is only read: who held it then.
    holder: Option<LeaseObject>,
    /// Of a temporary ledger: its folder, which is removed with it.
    _folder: Option<TemporaryFolder>,
}

impl Ledger {
    /// Opens the ledger at this path, or makes it. An older schema is brought up to date after a copy was made.
    pub fn open(path: &Path, opening: &Opening) -> Result<Self, OpenError> {
        let Opened { connection, copy } = open::open(path, opening)?;
        let shared = path.to_owned();
        Ok(match copy {
            Some((folder, path)) => Self::of(connection, path, shared, Some(folder)),
            None => Self::of(connection, shared.clone(), shared, None),
        })
    }

    /// Opens a ledger that is in no file, for writing as this holder, or as it is at this moment. What is written is stored there before the
    /// function that writes it returns; [`Ledger::finish`] ends that.
    pub fn open_remote(place: &RemotePlace, opening: &Opening, holder: &Holder) -> Result<Self, OpenError> {
        let shared = PathBuf::from(place.name());
        if opening.access == Access::ReadOnly {
            let found = remote::snapshot(place, Bound::Kept, opening.now)?;
            let (restored, holder) = found.ok_or_else(|| OpenError::Missing { path: shared.clone() })?;
            // Nobody else has this copy, so an older one may be brought up to date where it is.
            let writing = Opening { access: Access::ReadWrite, create: Create::No, ..*opening };
            let Opened { connection, .. } = open::open(&restored.path, &writing)?;
            let ledger = Self::of(connection, restored.path, shared, Some(restored.folder));
            return Ok(Self { holder, ..ledger });
        }
        let (hold, folder) = Hold::take(place, opening, holder)?;
        let path = hold.path().to_owned();
        let is_older = open::is_older(&path)?;
        let Opened { connection, .. } = open::open(&path, &Opening { create: Create::No, ..*opening })?;
        open::private_copy(&connection).map_err(|source| OpenError::sqlite(&path, source))?;
        if is_older {
            hold.store_whole(&connection)?;
        }
        let ledger = Self::of(connection, path, shared, Some(folder));
        Ok(Self { hold: Some(hold), ..ledger })
    }

    /// The last thing that is done with a ledger that was written: one that is in no file is stored where it is as one whole, and may be written by
    /// others. Nothing is written after it. Where it fails, all that was written is stored all the same.
    pub fn finish(&self) -> Result<(), LedgerError> {
        let Some(hold) = &self.hold else { return Ok(()) };
        // Who reads an older state keeps the log from being folded.
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let connection = self.connection();
        Ok(hold.finish(&connection)?)
    }

    /// Writes a copy to a file that is not there yet.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), LedgerError> {
        let copied = self.connection().execute("VACUUM INTO ?1", [path.to_string_lossy()]);
        copied.map(drop).map_err(|error| Fault::from(error).on(self.named(), "copying"))
    }

    /// Of a ledger that is in no file and is written.
    pub(crate) fn hold(&self) -> Option<&Hold> {
        self.hold.as_ref()
    }

    /// Who held a ledger that is in no file when it was read.
    pub(crate) fn held_remotely(&self) -> Option<&LeaseObject> {
        self.holder.as_ref()
    }

    /// What messages call it.
    pub(crate) fn named(&self) -> &Path {
        if self.is_remote() { &self.shared } else { &self.path }
    }

    /// Whether it is in no file.
    pub(crate) fn is_remote(&self) -> bool {
        self.shared.to_str().is_some_and(StorageAddress::is_meant)
    }

    /// This ledger as a run would find it: where a dead run left intents of batches, a private copy in which each of their rows
    /// has an open intent. A plan is made from it, and changes nothing. Only where no run is under way: its batches are not left.
    pub fn unfolded(self, now: Time) -> Result<Self, OpenError> {
        let found = open::unfolded(&self.connection(), &self.path, now)?;
        Ok(match found {
            Some(Opened { connection, copy: Some((folder, path)) }) => {
                Self::of(connection, path, self.shared, Some(folder))
            }
            Some(_) | None => self,
        })
    }

    /// An empty ledger in a private temporary folder, gone when it is dropped: for planning where there is none yet.
    pub fn temporary(now: Time) -> Result<Self, OpenError> {
        let folder = open::temporary_folder()?;
        let path = folder.path().join("ledger.db");
        let connection = open::open(&path, &Opening::new(now))?.connection;
        Ok(Self::of(connection, path.clone(), path, Some(folder)))
    }

    fn of(connection: Connection, path: PathBuf, shared: PathBuf, folder: Option<TemporaryFolder>) -> Self {
        let (connection, reader, masker) =
            (Mutex::new(connection), Mutex::default(), Mutex::new(Masker::new(&[])));
        let shapes = Mutex::default();
        Self { connection, reader, masker, shapes, path, shared, hold: None, holder: None, _folder: folder }
    }

    /// From now on these secrets are masked in all that is told and kept: messages, errors, requests and answers. What is
    /// compared with, the values that were sent, stays as it is.
    pub fn mask(&self, masker: &Masker) -> Result<(), LedgerError> {
        masker.clone_into(&mut self.masker.lock().unwrap_or_else(PoisonError::into_inner));
        // The next one learns it.
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
        mask::teach(&self.connection(), masker.clone())
            .map_err(|error| Fault::from(error).on(self.named(), "opening"))
    }

    /// What is masked.
    pub(crate) fn masker(&self) -> Masker {
        self.masker.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ledger's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that other processes know it by.
    pub(crate) fn shared(&self) -> &Path {
        &self.shared
    }

    /// The connection. A thread that died while it held it left no transaction open, since those roll back when dropped.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, in one transaction, so that all is of one moment. What is being written meanwhile is not waited for.
    pub(crate) fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let done = match self.connection.try_lock() {
            Ok(mut connection) => read(&mut connection, work),
            Err(TryLockError::Poisoned(poisoned)) => read(&mut poisoned.into_inner(), work),
            Err(TryLockError::WouldBlock) => self.read_beside(work),
        };
        done.map_err(|fault| fault.on(self.named(), doing))
    }

    fn read_beside<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = if let Some(connection) = reader.take() {
            connection
        } else {
            let connection = open::reader(&self.path)?;
            mask::teach(&connection, self.masker())?;
            connection
        };
        read(reader.insert(connection), work)
    }

    /// Writes, in one transaction that ends with all of it or nothing, and only while the lease stands.
    pub(crate) fn write_in<T>(
        &self,
        lease: &Lease,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let (done, writes) = self.transact(doing, |transaction| {
            let writes = lease::check(transaction, lease)?;
            Ok((work(transaction)?, writes))
        })?;
        lease.wrote(writes);
        Ok(done)
    }

    /// As [`Ledger::write_in`], with the shapes that texts have. What was made of them goes with what was written, and whoever deletes
    /// some has them forgotten, before anybody else can use them.
    pub(crate) fn write_shaped<T>(
        &self,
        lease: &Lease,
        doing: &'static str,
        work: impl FnOnce(&Connection, &mut Shapes) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.write_in(lease, doing, |connection| {
            shapes.know(connection, lease.epoch())?;
            work(connection, &mut shapes)
        });
        if done.is_err() {
            shapes.forget();
        }
        done
    }

    /// As [`Ledger::write_in`], without a lease: only for taking one.
    pub(crate) fn transact<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, LedgerError> {
        let mut connection = self.connection();
        let done = transact(&mut connection, work).map_err(|fault| fault.on(self.named(), doing))?;
        if let Some(hold) = &self.hold {
            hold.store_and_fold(&connection)?;
        }
        Ok(done)
    }
}

fn read<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction()?;
    work(&transaction)
}

/// The write lock is taken at the beginning, so that what was checked still holds when it is written.
fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coho_core::key::Key;
    use coho_core::object::Object;
    use coho_core::row_state::{DeliveryState, Pending, RowState};
    use coho_core::sync::SyncId;
    use coho_core::target::ExternalId;

    use super::*;
    use crate::holder::Holder;

    #[test]
    fn a_full_disk_is_told_and_keeps_the_ledger_whole() {
        let now = Time::UNIX_EPOCH;
        let ledger = Ledger::temporary(now).unwrap();
        let holder = Holder { id: "a".into(), pid: 1, host: "a".into() };
        let lease = ledger.acquire(&holder, now, Duration::from_secs(60)).unwrap();
        let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account).unwrap();
        let row_state = RowState {
            target: ExternalId::parse("acme").unwrap(),
            delivery: DeliveryState::Removed { at: now },
            pending: Pending::None,
            seen: None,
            version: 0,
        };
        let of = |key: String| (Key::new(key), Some(row_state.clone()));
        ledger.write(&lease, &scope, &[of("first".to_owned())], now).unwrap();
        // SQLite cannot tell a file that may not grow from a disk that is full.
        ledger.connection().execute_batch("PRAGMA max_page_count = 1").unwrap();
        let many: Vec<_> = (0..5_000).map(|number| of(number.to_string())).collect();
        let error = ledger.write(&lease, &scope, &many, now).unwrap_err();
        let told = format!("cannot write the ledger `{}`: the disk is full", ledger.path().display());
        assert_eq!(error.to_string(), told);
        assert!(ledger.row_state(&scope, &Key::new("first")).unwrap().is_some());
        assert!(ledger.row_state(&scope, &Key::new("0")).unwrap().is_none());
    }

    #[test]
    fn a_closed_ledger_is_one_file_also_where_it_was_read_while_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open(&path, &Opening::new(Time::UNIX_EPOCH)).unwrap();
        let written = ledger.connection();
        written.execute_batch("CREATE TABLE of_this_test (id INTEGER)").unwrap();
        let count = "SELECT count(*) FROM of_this_test";
        let read = |connection: &Connection| Ok(connection.query_row(count, [], |row| row.get::<_, i64>(0))?);
        assert_eq!(ledger.read("reading", read).unwrap(), 0);
        assert!(ledger.reader.lock().unwrap().is_some(), "it was read beside");
        drop(written);
        drop(ledger);
        assert!(!open::beside(&path, "-wal").exists());
        let alone = folder.path().join("copy.db");
        std::fs::copy(&path, &alone).unwrap();
        assert_eq!(Connection::open(&alone).unwrap().query_row(count, [], |row| row.get::<_, i64>(0)), Ok(0));
    }
}
