//! A ledger in a bucket that is written: what is committed to the private copy is stored before it counts.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coho_core::time::Time;
use coho_storage::{Condition, Version};
use rusqlite::Connection;

use super::frames::Reached;
use super::lease::{self, HeldLease};
use super::manifest::{self, Manifest};
use super::record::{Position, Record, Why};
use super::restore::{Bound, Restored, check_size, restore};
use super::store::RemotePlace;
use crate::holder::Holder;
use crate::open::{Create, OpenError, Opening, beside, open, temporary_folder};
use crate::remote_failure::RemoteError;
use crate::temporary::TemporaryFolder;

/// How often a ledger is read anew that was replaced meanwhile.
const TRIES: u32 = 5;
/// The most bytes of one object of the log, before they are compressed.
const LARGEST: usize = 16 * 1024 * 1024;
/// How long the write-ahead log becomes before a new base is stored in the middle of a run.
const FOLD: u64 = 256 * 1024 * 1024;

/// The holding of a ledger.
#[derive(Debug)]
pub(crate) struct Hold {
    place: RemotePlace,
    /// The private copy.
    path: PathBuf,
    /// Whose records these are: random.
    by: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    lease: HeldLease,
    manifest: Manifest,
    version: Version,
    /// Where the next record goes.
    next: Position,
    seals: Vec<Position>,
    reached: Reached,
    /// Whether the log has records that no base has.
    is_behind: bool,
    /// Whether something could not be stored, or another one took over: then nothing more is.
    is_over: bool,
}

/// What comes after a new base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// More of this holder.
    More,
    /// Another holder.
    Another,
}

impl Hold {
    /// Takes the lease, and brings the ledger here; where there is none, one is made if that is wanted.
    pub(crate) fn take(
        place: &RemotePlace,
        opening: &Opening,
        holder: &Holder,
    ) -> Result<(Self, TemporaryFolder), OpenError> {
        let found = Manifest::read(place)?;
        if found.is_none() && opening.create == Create::No {
            return Err(OpenError::Missing { path: place.name().into() });
        }
        let epoch = found.map_or(1, |(manifest, _)| manifest.next.epoch);
        let mut lease = lease::take_lease(place, holder, epoch, opening.now)?;
        match bring(place, opening, &mut lease, &holder.id) {
            Ok(restored) => {
                let Restored { folder, path, manifest, version, seals, end: next } = restored;
                let (reached, is_behind) = (Reached::default(), manifest.next != next);
                let state =
                    State { lease, manifest, version, next, seals, reached, is_behind, is_over: false };
                let (place, by, state) = (place.clone(), holder.id.clone(), Mutex::new(state));
                Ok((Self { place, path, by, state }, folder))
            }
            Err(error) => {
                // The error is the one to tell; a lease that stays behind expires.
                drop(lease.release(place));
                Err(error)
            }
        }
    }

    /// The private copy.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what was committed. Where that fails, nothing that was committed since counts, and nothing more is stored.
    pub(crate) fn store(&self) -> Result<(), RemoteError> {
        let mut state = self.state();
        self.unless_over(&mut state, |state| self.store_in(state))
    }

    /// The same, with a new base where the log has become long. Nobody else may write meanwhile, which the connection shows.
    pub(crate) fn store_and_fold(&self, connection: &Connection) -> Result<(), RemoteError> {
        let mut state = self.state();
        self.unless_over(&mut state, |state| {
            self.store_in(state)?;
            // Where somebody reads an older state, the log goes on: it says all the same.
            if state.reached.at > FOLD && self.checkpoint(connection)? {
                self.fold(state, Then::More)?;
            }
            Ok(())
        })
    }

    /// Stores a file that was written anew: as a base, or where somebody still reads an older state, as a part of the log.
    pub(crate) fn store_whole(&self, connection: &Connection) -> Result<(), RemoteError> {
        let mut state = self.state();
        self.unless_over(&mut state, |state| {
            if self.checkpoint(connection)? { self.fold(state, Then::More) } else { self.store_in(state) }
        })
    }

    /// Removes what the newest base replaced, where that must not stay.
    pub(crate) fn remove_replaced(&self) -> Result<(), RemoteError> {
        self.remove_older(&self.state())
    }

    /// Extends the lease.
    pub(crate) fn renew(&self, now: Time, ttl: Duration) -> Result<(), RemoteError> {
        let mut state = self.state();
        self.unless_over(&mut state, |state| {
            if state.lease.renew(&self.place, now, ttl)? { Ok(()) } else { Err(self.place.lost()) }
        })
    }

    /// Stores a new base, if anything was written, and gives the lease back. After a fault, which was told, only that.
    pub(crate) fn finish(&self, connection: &Connection) -> Result<(), RemoteError> {
        let mut state = self.state();
        let done = if state.is_over {
            Ok(())
        } else {
            self.unless_over(&mut state, |state| {
                self.store_in(state)?;
                if state.is_behind && self.checkpoint(connection)? {
                    self.fold(state, Then::Another)
                } else {
                    Ok(())
                }
            })
        };
        state.is_over = true;
        // Whoever comes next seals the log where it was not folded.
        let released = state.lease.release(&self.place);
        done.and(released.map(drop))
    }

    /// Ends without a word, as a process does that is killed.
    #[cfg(test)]
    pub(crate) fn abandon(&self) {
        self.state().is_over = true;
    }

    /// After a fault nobody knows whether the last record is there, so no other may follow it.
    fn unless_over(
        &self,
        state: &mut State,
        work: impl FnOnce(&mut State) -> Result<(), RemoteError>,
    ) -> Result<(), RemoteError> {
        if state.is_over {
            return Err(RemoteError::Ended { place: self.place.name().to_owned() });
        }
        let done = work(state);
        state.is_over |= done.is_err();
        done
    }

    fn store_in(&self, state: &mut State) -> Result<(), RemoteError> {
        let committed = state.reached.committed(&beside(&self.path, "-wal"));
        let Some((at, bytes, reached)) = committed.map_err(|error| self.place.disk(error))? else {
            return Ok(());
        };
        let mut at = at;
        for bytes in bytes.chunks(LARGEST) {
            self.append(state, &Record::Frames { at, bytes: bytes.to_vec() })?;
            state.next = state.next.next();
            at += bytes.len() as u64;
        }
        (state.reached, state.is_behind) = (reached, true);
        Ok(())
    }

    /// Wins the next place of the log, or has lost the ledger.
    fn append(&self, state: &State, record: &Record) -> Result<(), RemoteError> {
        let object = record.write(&self.by).map_err(|error| self.place.disk(error))?;
        let put = self.place.put("writing the log of", &state.next.name(), &object, &Condition::Absent)?;
        put.map(drop).ok_or_else(|| self.place.lost())
    }

    /// A new base, once all is in the file. The link in the log is won first: whoever lost the ledger can name no base.
    fn fold(&self, state: &mut State, then: Then) -> Result<(), RemoteError> {
        let length = std::fs::metadata(&self.path).map_err(|error| self.place.disk(error))?.len();
        check_size(&self.place, length, Bound::Kept)?;
        let next = match then {
            Then::More => state.next.next(),
            Then::Another => Position::first(state.next.epoch + 1),
        };
        self.append(state, &Record::Link { next, why: Why::Folded })?;
        let name = manifest::object_of(state.next, &self.by);
        let path = &self.path;
        self.place.patiently("uploading", || self.place.objects.upload(&name, path))?;
        let manifest = Manifest::new(name, length, next, state.seals.clone());
        state.version = self.name(&manifest, state.version.clone())?;
        (state.manifest, state.next, state.is_behind) = (manifest, next, false);
        // What is left behind is removed after the next base.
        drop(self.remove_older(state));
        Ok(())
    }

    /// Names a base as the newest one. An older holder may have named one just now that it had won before it was taken for dead.
    fn name(&self, manifest: &Manifest, mut version: Version) -> Result<Version, RemoteError> {
        for _ in 0..TRIES {
            if let Some(named) = put_manifest(&self.place, manifest, &Condition::Unchanged(version))? {
                return Ok(named);
            }
            match Manifest::read(&self.place)? {
                Some((found, newer)) if found.next < manifest.next => version = newer,
                Some(_) | None => break,
            }
        }
        Err(self.place.lost())
    }

    /// Whether the write-ahead log is in the file now.
    fn checkpoint(&self, connection: &Connection) -> Result<bool, RemoteError> {
        let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        busy.map(|busy| busy == 0).map_err(|error| self.place.sqlite(error))
    }

    /// Removes bases and records that are older than the newest base. Seals stay: their places must never be free again.
    fn remove_older(&self, state: &State) -> Result<(), RemoteError> {
        let listed = self.place.patiently("listing", || self.place.objects.list())?;
        let until = state.manifest.next;
        let is_before = |at: Option<Position>| at.is_some_and(|at| at < until);
        let is_older = |name: &str| match name.split_once('/') {
            Some(("log", rest)) => {
                let at = Position::parse(rest);
                is_before(at) && !at.is_some_and(|at| state.seals.contains(&at))
            }
            Some(("base", rest)) => name != state.manifest.base && is_before(position_of(rest)),
            Some(_) | None => false,
        };
        let older: Vec<_> = listed.into_iter().map(|one| one.key).filter(|name| is_older(name)).collect();
        if older.is_empty() {
            return Ok(());
        }
        self.place.patiently("tidying up", || self.place.objects.remove(&older))
    }
}

/// Whoever ends without having finished leaves the log as it is, and gives the lease back where it is still its own.
impl Drop for Hold {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !state.is_over {
            drop(state.lease.release(&self.place));
        }
    }
}

/// `3-17` of `3-17-b7a…`.
fn position_of(name: &str) -> Option<Position> {
    let mut parts = name.splitn(3, '-');
    Some(Position { epoch: parts.next()?.parse().ok()?, number: parts.next()?.parse().ok()? })
}

/// Names a base as the newest one; `None` where another manifest is there.
fn put_manifest(
    place: &RemotePlace,
    manifest: &Manifest,
    condition: &Condition,
) -> Result<Option<Version>, RemoteError> {
    let bytes = manifest.write().map_err(|error| place.disk(error))?;
    place.put("naming the base of", "", &bytes, condition)
}

/// The ledger in a private file, with a log that ends with this holder's epoch.
fn bring(
    place: &RemotePlace,
    opening: &Opening,
    lease: &mut HeldLease,
    by: &str,
) -> Result<Restored, OpenError> {
    for _ in 0..TRIES {
        let Some((manifest, version)) = Manifest::read(place)? else {
            make(place, opening.now, lease.object.epoch, by)?;
            continue;
        };
        let Some(mut restored) = restore(place, manifest, version, Bound::Kept)? else { continue };
        seal(place, &mut restored, lease, by)?;
        // A base that was named meanwhile may have freed the place of the seal.
        if restored.is_current(place)? {
            return Ok(restored);
        }
    }
    Err(RemoteError::Restless { place: place.name().to_owned() }.into())
}

/// Makes the log end with the holder's epoch: what another holder left open is sealed.
fn seal(
    place: &RemotePlace,
    restored: &mut Restored,
    lease: &mut HeldLease,
    by: &str,
) -> Result<(), RemoteError> {
    while restored.end != Position::first(lease.object.epoch) {
        if restored.end.epoch >= lease.object.epoch && !lease.go_on(place, restored.end.epoch + 1)? {
            return Err(place.lost());
        }
        let next = Position::first(lease.object.epoch);
        let link = Record::Link { next, why: Why::Sealed };
        let object = link.write(by).map_err(|error| place.disk(error))?;
        place.put("sealing the log of", &restored.end.name(), &object, &Condition::Absent)?;
        // Ours, or what another one wrote in its place.
        restored.follow(place)?;
    }
    Ok(())
}

/// Makes an empty ledger, unless another one is faster.
fn make(place: &RemotePlace, now: Time, epoch: u64, by: &str) -> Result<(), OpenError> {
    let folder = temporary_folder()?;
    let path = folder.path().join("ledger.db");
    drop(open(&path, &Opening::new(now))?);
    put_new(place, &path, epoch, by).map(drop).map_err(OpenError::from)
}

/// Puts a closed file into the bucket as a new ledger. Gives whether there was none.
pub(crate) fn put_new(place: &RemotePlace, path: &Path, epoch: u64, by: &str) -> Result<bool, RemoteError> {
    let name = manifest::object_of(Position { epoch, number: 0 }, by);
    let length = std::fs::metadata(path).map_err(|error| place.disk(error))?.len();
    check_size(place, length, Bound::Kept)?;
    place.patiently("uploading", || place.objects.upload(&name, path))?;
    let manifest = Manifest::new(name, length, Position::first(epoch), Vec::new());
    Ok(put_manifest(place, &manifest, &Condition::Absent)?.is_some())
}
