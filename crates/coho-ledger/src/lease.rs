//! The lease: who may write, and how a writer that lost it is kept out.
//!
//! Two things guard a ledger. A lock of the operating system on `<ledger>.lock` is held for as long as the holder's process
//! lives: the system frees it when the process dies, however it dies, so a killed run never blocks the next one on the same
//! machine. A row in the ledger holds an epoch that grows with each holder: every transaction that writes checks it, so that
//! a holder that was taken for dead (on another machine, or where the file system has no locks) is refused, not believed.
//!
//! A lease may be taken if the lock is free and the row is released, expired, or of a process of this very machine, which
//! must be dead, since its lock is free. Where there are no locks, only the row counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::memory::Time;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{micros, stored, time};
use crate::open::{beside, private};

/// Who holds a lease, or wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// A random id, new for each process.
    pub id: String,
    /// The process id.
    pub pid: u32,
    /// The machine's name.
    pub host: String,
}

/// The right to write. It is shown to each function that writes. Dropping it frees the lock, not the row: see
/// [`Ledger::release`].
#[derive(Debug)]
pub struct Lease {
    epoch: i64,
    lock: Option<File>,
}

impl Lease {
    /// The number of this holding; greater than all before it.
    pub fn epoch(&self) -> u64 {
        crate::moment::count(self.epoch)
    }

    /// Whether the operating system guards it too.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }
}

/// A lease could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another run holds it.
    #[error("another run (process {} on {}) holds the ledger since {}", holder.pid, holder.host, since.format("%Y-%m-%dT%H:%M:%SZ"))]
    Held {
        /// Who.
        holder: Holder,
        /// Since when.
        since: Time,
        /// When it may be taken though it was not given back; of no meaning while the holder lives on this machine.
        expires: Time,
    },
    /// Another process is taking it or giving it back at this moment.
    #[error("another process is taking the ledger or giving it back")]
    Changing,
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl LeaseError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Held { .. } | Self::Changing => Code::LEASE_HELD,
            Self::Ledger(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Held { .. } => Some("wait until it ends, or end that process"),
            Self::Changing => Some("try again"),
            Self::Ledger(error) => error.help(),
        }
    }
}

/// The lease's row.
struct Row {
    epoch: i64,
    holder: Holder,
    since: Time,
    expires: Time,
    released: bool,
}

impl Ledger {
    /// Takes the lease until `now + ttl`; [`Ledger::renew`] extends it.
    pub fn acquire(&self, holder: &Holder, now: Time, ttl: Duration) -> Result<Lease, LeaseError> {
        let locked = lock(self.path());
        let (lock, free) = match locked {
            Ok(lock) => (Some(lock), true),
            Err(TryLockError::WouldBlock) => return Err(self.held()?),
            // A file system without locks: only the row tells.
            Err(TryLockError::Error(_)) => (None, false),
        };
        let taken = self.transact("taking the lease", |connection| {
            let Some(row) = row(connection)? else { return take(connection, 1, holder, now, ttl).map(Ok) };
            let dead = free && row.holder.host == holder.host;
            if row.released || row.expires <= now || dead {
                take(connection, row.epoch + 1, holder, now, ttl).map(Ok)
            } else {
                Ok(Err(held_by(row)))
            }
        })?;
        taken.map(|epoch| Lease { epoch, lock })
    }

    fn held(&self) -> Result<LeaseError, LedgerError> {
        let row = self.read("reading the lease", row)?;
        Ok(row.filter(|row| !row.released).map_or(LeaseError::Changing, held_by))
    }

    /// Extends the lease until `now + ttl`.
    pub fn renew(&self, lease: &Lease, now: Time, ttl: Duration) -> Result<(), LedgerError> {
        self.write_in(lease, "renewing the lease", |connection| {
            connection.prepare_cached("UPDATE lease SET expires = ?1")?.execute([until(now, ttl)])?;
            Ok(())
        })
    }

    /// Gives the lease back.
    pub fn release(&self, lease: Lease, now: Time) -> Result<(), LedgerError> {
        let released = self.give_back(&lease, now);
        // The lock goes last, so that whoever gets it finds the row released.
        drop(lease);
        released
    }

    /// Gives the lease back, as [`Ledger::release`] does, while its lock is held on until it is dropped: for guards, which
    /// drop it right after.
    pub fn give_back(&self, lease: &Lease, now: Time) -> Result<(), LedgerError> {
        self.write_in(lease, "giving the lease back", |connection| {
            connection.execute("UPDATE lease SET released = ?1", [micros(now)])?;
            Ok(())
        })
    }

    /// Who holds the lease by its row; it may be of a process that died.
    pub fn holder_of_lease(&self) -> Result<Option<Holder>, LedgerError> {
        let row = self.read("reading the lease", row)?;
        Ok(row.filter(|row| !row.released).map(|row| row.holder))
    }
}

/// Refuses a writer whose lease another one took over.
pub(crate) fn check(connection: &Connection, lease: &Lease) -> Result<(), Fault> {
    check_in(connection, "main", lease)
}

/// The same on a connection that has the ledger under another name.
pub(crate) fn check_in(connection: &Connection, name: &str, lease: &Lease) -> Result<(), Fault> {
    let epoch: Option<i64> = connection
        .prepare_cached(&format!("SELECT epoch FROM {name}.lease WHERE released IS NULL"))?
        .query_row([], |row| row.get(0))
        .optional()?;
    if epoch == Some(lease.epoch) { Ok(()) } else { Err(Fault::LeaseLost) }
}

/// The system's lock on the file beside the ledger. The file stays: removing it would let two processes lock two files.
pub(crate) fn lock(ledger: &Path) -> Result<File, TryLockError> {
    let file = private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(beside(ledger, ".lock"))
        .map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

fn row(connection: &Connection) -> Result<Option<Row>, Fault> {
    type Raw = (i64, Holder, i64, i64, bool);
    let raw: Option<Raw> = connection
        .prepare_cached("SELECT epoch, holder, pid, host, since, expires, released IS NOT NULL FROM lease")?
        .query_row([], |row| {
            let holder = Holder { id: row.get(1)?, pid: row.get(2)?, host: row.get(3)? };
            Ok((row.get(0)?, holder, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .optional()?;
    let Some((epoch, holder, since, expires, released)) = raw else { return Ok(None) };
    Ok(Some(Row { epoch, holder, since: time(since)?, expires: time(expires)?, released }))
}

fn take(
    connection: &Connection,
    epoch: i64,
    holder: &Holder,
    now: Time,
    ttl: Duration,
) -> Result<i64, Fault> {
    connection.execute(
        "INSERT OR REPLACE INTO lease (one, epoch, holder, pid, host, since, expires, released)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, NULL)",
        params![epoch, holder.id, holder.pid, holder.host, micros(now), until(now, ttl)],
    )?;
    Ok(epoch)
}

fn until(now: Time, ttl: Duration) -> i64 {
    micros(now).saturating_add(stored(ttl.as_micros()))
}

fn held_by(row: Row) -> LeaseError {
    LeaseError::Held { holder: row.holder, since: row.since, expires: row.expires }
}
