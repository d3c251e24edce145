//! The lease: who may write, and how a writer that lost it is kept out.
//!
//! Two things guard a ledger. A lock of the operating system on `<ledger>.lock` is held for as long as the holder's process
//! lives: the system frees it when the process dies, however it dies, so a killed run never blocks the next one on the same
//! machine. A row in the ledger holds an epoch that grows with each holder: every transaction that writes checks it, so that
//! a holder that was taken for dead (on another machine, or where the file system has no locks) is refused, not believed.
//!
//! A lease may be taken if the lock is free and the row is released, expired, or of a process of this very machine, which
//! must be dead, since its lock is free. Where there are no locks, only the row counts. Who comes while the holder's run has ended
//! and only tidies up (it prunes the history) waits for some seconds.
//!
//! In the locked file stands how many transactions were written. A ledger that knows of fewer has lost its write-ahead log, or
//! is an older copy: see [`Lease::lost_writes`]. The number is written after each commit and not synced: a power cut may leave
//! it behind the ledger, never ahead of it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
pub use crate::holder::Holder;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::open::private;
use crate::remote::LeaseObject;
use crate::run::RunId;
use crate::{place, unfold};

/// How often a lock is asked for that is taken: somebody may only have looked whether it is.
const TRIES: u32 = 5;
/// The same while its holder's run has ended, and only tidies up.
const TIDYING_TRIES: u32 = 2_500;
/// How long is waited in between.
const BETWEEN: Duration = Duration::from_millis(2);

/// The right to write. It is shown to each function that writes. Dropping it frees the lock, not the row: see
/// [`Ledger::release`].
#[derive(Debug)]
pub struct Lease {
    epoch: i64,
    lock: Option<File>,
    lost_writes: u64,
}

impl Lease {
    /// The number of this holding; greater than all before it.
    pub fn epoch(&self) -> u64 {
        count(self.epoch)
    }

    /// How many of the last transactions the ledger did not know any more when the lease was taken: its write-ahead log was
    /// removed, or an older copy was put in its place.
    pub fn lost_writes(&self) -> u64 {
        self.lost_writes
    }

    /// Notes how many transactions were written. Where it cannot be noted, a loss is not noticed, and that is all.
    pub(crate) fn wrote(&self, writes: i64) {
        if let Some(mut lock) = self.lock.as_ref() {
            drop(lock.rewind().and_then(|()| lock.write_all(format!("{writes:020}\n").as_bytes())));
        }
    }

    /// Whether the operating system guards it too.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }
}

/// A lease could not be taken.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum LeaseError {
    /// Another run holds it.
    #[error("another run (process {} on {}) has held the ledger since {}", holder.pid, holder.host, since.format("%Y-%m-%dT%H:%M:%SZ"))]
    Held {
        holder: Holder,
        since: Time,
        /// When it may be taken though it was not given back; of no meaning while the holder lives on this machine.
        expires: Time,
    },
    /// Another process is taking it or giving it back at this moment.
    #[error("another process is just acquiring or releasing the ledger")]
    Changing,
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Failure for LeaseError {
    fn code(&self) -> Code {
        match self {
            Self::Held { .. } | Self::Changing => Code::LEASE_HELD,
            Self::Ledger(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Held { .. } => "wait until it ends, or end that process",
            Self::Changing => "try again",
            Self::Ledger(error) => return error.help(),
        };
        Some(help.to_owned())
    }
}

/// Who holds the ledger while somebody only reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The process.
    pub holder: Holder,
    /// Since when.
    pub since: Time,
    /// Its run, where it began one.
    pub run: Option<RunId>,
}

/// `a run 01a2… has been under way since 2026-11-24T10:47:16Z (process 7 on build-1)`
impl fmt::Display for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.run.as_ref().map(|run| format!(" {}", run.as_str())).unwrap_or_default();
        let (since, holder) = (self.since.format("%Y-%m-%dT%H:%M:%SZ"), &self.holder);
        write!(f, "a run{run} has been under way since {since} (process {} on {})", holder.pid, holder.host)
    }
}

/// The lease's row.
struct Row {
    epoch: i64,
    run: Option<RunId>,
    writes: i64,
    holder: Holder,
    since: Time,
    expires: Time,
    released: bool,
}

impl Ledger {
    /// Takes the lease until `now + ttl`; [`Ledger::renew`] extends it.
    pub fn acquire(&self, holder: &Holder, now: Time, ttl: Duration) -> Result<Lease, LeaseError> {
        let (lock, free) = match lock_patiently(self.path(), || self.is_tidied()) {
            Ok(lock) => (Some(lock), true),
            Err(TryLockError::WouldBlock) => return Err(self.held()?),
            // A file system without locks: only the row tells.
            Err(TryLockError::Error(_)) => (None, false),
        };
        let noted = lock.as_ref().and_then(noted);
        let taken = self.transact("taking the lease", |connection| {
            let Some(row) = row(connection)? else {
                return take(connection, 1, 1, holder, now, ttl).map(|()| Ok((1, 1, 0)));
            };
            // Who holds a ledger that is in no file is told by the lease of its store, which is taken before.
            let dead = self.hold().is_some() || free && row.holder.host == holder.host;
            if !(row.released || row.expires <= now || dead) {
                return Ok(Err(held_by(row)));
            }
            let lost = noted.map_or(0, |noted| noted.saturating_sub(count(row.writes)));
            let (epoch, writes) = (row.epoch + 1, row.writes + 1);
            take(connection, epoch, writes, holder, now, ttl)?;
            unfold::unfold(connection)?;
            Ok(Ok((epoch, writes, lost)))
        })?;
        let (epoch, writes, lost_writes) = taken?;
        let lease = Lease { epoch, lock, lost_writes };
        lease.wrote(writes);
        Ok(lease)
    }

    /// Whether the run of its holder has ended. What cannot be read now is told by whoever acquires it.
    fn is_tidied(&self) -> bool {
        let ended = |connection: &Connection| {
            let run = "SELECT EXISTS (SELECT 1 FROM lease JOIN runs USING (run) WHERE lease.released IS NULL AND runs.ended_at IS NOT NULL)";
            Ok(connection.prepare_cached(run)?.query_row([], |row| row.get(0))?)
        };
        self.read("reading the lease", ended).unwrap_or(false)
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
        })?;
        if let Some(hold) = self.hold() {
            hold.renew(now, ttl)?;
        }
        Ok(())
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
        self.write_in(lease, "returning the lease", |connection| {
            connection.execute("UPDATE lease SET released = ?1", [micros(now)])?;
            Ok(())
        })
    }

    /// Who holds the ledger at this moment, as it is seen from a machine: a process that lives, as far as locks tell, or one of
    /// another machine whose lease has not ended.
    pub fn under_way(&self, host: &str, now: Time) -> Result<Option<UnderWay>, LedgerError> {
        let row = self.read("reading the lease", row)?;
        if self.is_remote() {
            let run = row.and_then(|row| row.run);
            let under_way =
                |lease: &LeaseObject| UnderWay { holder: lease.holder(), since: lease.since(), run };
            return Ok(self.held_remotely().map(under_way));
        }
        let Some(row) = row.filter(|row| !row.released) else { return Ok(None) };
        let lives = match look(self.shared()) {
            Held::Yes => true,
            Held::No => row.holder.host != host && row.expires > now,
            Held::Unknown => row.expires > now,
        };
        Ok(lives.then_some(UnderWay { holder: row.holder, since: row.since, run: row.run }))
    }
}

/// Refuses a writer whose lease another one took over, and counts what it writes.
pub(crate) fn check(connection: &Connection, lease: &Lease) -> Result<i64, Fault> {
    check_in(connection, "main", lease)
}

/// The same on a connection that has the ledger under another name.
pub(crate) fn check_in(connection: &Connection, name: &str, lease: &Lease) -> Result<i64, Fault> {
    let writes = connection
        .prepare_cached(&format!(
            "UPDATE {name}.lease SET writes = writes + 1 WHERE epoch = ?1 AND released IS NULL RETURNING writes"
        ))?
        .query_row([lease.epoch], |row| row.get(0))
        .optional()?;
    writes.ok_or(Fault::LeaseLost)
}

/// The system's lock on the file beside the ledger. The file stays: removing it would let two processes lock two files.
pub(crate) fn lock(ledger: &Path) -> Result<File, TryLockError> {
    let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(place::lock_of(ledger))
        .map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

/// The same, where somebody may be looking at it right now, or is tidying up what it guards.
fn lock_patiently(ledger: &Path, mut is_tidied: impl FnMut() -> bool) -> Result<File, TryLockError> {
    for tried in 1..TIDYING_TRIES {
        match lock(ledger) {
            Err(TryLockError::WouldBlock) if tried < TRIES || is_tidied() => std::thread::sleep(BETWEEN),
            other => return other,
        }
    }
    lock(ledger)
}

/// How many transactions were written, as the locked file says.
fn noted(mut lock: &File) -> Option<u64> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.take(64).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether a living process has the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    No,
    Unknown,
}

/// Looks whether the lock is taken, without taking it for longer than that takes.
fn look(ledger: &Path) -> Held {
    match File::open(place::lock_of(ledger)).map(|file| file.try_lock_shared()) {
        Ok(Ok(())) => Held::No,
        Ok(Err(TryLockError::WouldBlock)) => Held::Yes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Held::No,
        Ok(Err(TryLockError::Error(_))) | Err(_) => Held::Unknown,
    }
}

fn row(connection: &Connection) -> Result<Option<Row>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT epoch, holder, pid, host, since, expires, released IS NOT NULL, run, writes FROM lease",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Row {
        epoch: row.get(0)?,
        holder: Holder { id: row.get(1)?, pid: row.get(2)?, host: row.get(3)? },
        since: time(row.get(4)?)?,
        expires: time(row.get(5)?)?,
        released: row.get(6)?,
        run: row.get::<_, Option<String>>(7)?.map(RunId::new),
        writes: row.get(8)?,
    }))
}

fn take(
    connection: &Connection,
    epoch: i64,
    writes: i64,
    holder: &Holder,
    now: Time,
    ttl: Duration,
) -> Result<(), Fault> {
    connection.execute(
        "INSERT OR REPLACE INTO lease (one, epoch, holder, pid, host, since, expires, released, run, writes)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, NULL, NULL, ?7)",
        params![epoch, holder.id, holder.pid, holder.host, micros(now), until(now, ttl), writes],
    )?;
    Ok(())
}

fn until(now: Time, ttl: Duration) -> i64 {
    micros(now).saturating_add(stored(ttl.as_micros()))
}

fn held_by(row: Row) -> LeaseError {
    LeaseError::Held { holder: row.holder, since: row.since, expires: row.expires }
}

#[cfg(test)]
mod tests {
    use coho_core::decide::RunKind;
    use coho_core::started::Started;

    use super::*;
    use crate::run::{RunEnding, RunStatus};

    #[test]
    fn a_lock_is_waited_for_while_its_holder_tidies_up() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        let mut held = Some(lock(&ledger).unwrap());
        let mut looks = 0;
        let tidied = || {
            looks += 1;
            if looks == 3 {
                held = None;
            }
            true
        };
        lock_patiently(&ledger, tidied).unwrap();
        assert_eq!(looks, 3);
    }

    #[test]
    fn a_run_tidies_up_between_its_end_and_its_release() {
        let now = Time::UNIX_EPOCH;
        let ledger = Ledger::temporary(now).unwrap();
        let holder = Holder { id: "a".into(), pid: 1, host: "a".into() };
        let lease = ledger.acquire(&holder, now, Duration::from_secs(60)).unwrap();
        let started = Started::default();
        let run = ledger.begin_run(&lease, &RunId::new("r"), RunKind::Sync, &started, now).unwrap();
        assert!(!ledger.is_tidied(), "under way");
        let ending = RunEnding { status: RunStatus::Success, error: None, at: now };
        ledger.end_run(&lease, &run, &ending).unwrap();
        assert!(ledger.is_tidied(), "ended");
        ledger.release(lease, now).unwrap();
        assert!(!ledger.is_tidied(), "released");
    }

    #[test]
    fn a_lock_of_a_run_under_way_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        let _held = lock(&ledger).unwrap();
        let mut looks = 0;
        let tidied = || {
            looks += 1;
            false
        };
        assert!(matches!(lock_patiently(&ledger, tidied), Err(TryLockError::WouldBlock)));
        assert_eq!(looks, 1);
    }
}
