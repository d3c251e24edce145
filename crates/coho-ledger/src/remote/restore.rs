//! A ledger as its objects have it, in a private file: the base, and what the log has after it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use coho_core::time::Time;
use coho_storage::Version;
use rusqlite::Connection;

use super::MOST_BYTES;
use super::lease::{self, LeaseObject};
use super::manifest::Manifest;
use super::record::{Position, Record, Why};
use super::store::RemotePlace;
use crate::open::beside;
use crate::remote_failure::RemoteError;
use crate::temporary::TemporaryFolder;

/// How often a ledger is read anew that was replaced meanwhile.
const TRIES: u32 = 5;

/// A ledger in a private file.
#[derive(Debug)]
pub(crate) struct Restored {
    pub(crate) folder: TemporaryFolder,
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) version: Version,
    /// The first place of the log that nothing is in.
    pub(crate) end: Position,
    /// Where the log was sealed.
    pub(crate) seals: Vec<Position>,
}

/// Whether more is restored than a ledger in a bucket may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It is refused.
    Kept,
    /// It is restored: to be copied elsewhere.
    Lifted,
}

/// The ledger as it is at this moment, with who holds it; `None` where there is none.
pub(crate) fn snapshot(
    place: &RemotePlace,
    bound: Bound,
    now: Time,
) -> Result<Option<(Restored, Option<LeaseObject>)>, RemoteError> {
    for _ in 0..TRIES {
        let held = lease::held(place, now)?;
        let Some((manifest, version)) = Manifest::read(place)? else { return Ok(None) };
        if let Some(restored) = restore(place, manifest, version, bound)?
            && restored.is_current(place)?
        {
            return Ok(Some((restored, held)));
        }
    }
    Err(RemoteError::Restless { place: place.name().to_owned() })
}

/// The ledger of a manifest; `None` where its base is gone, since there is a newer one.
pub(crate) fn restore(
    place: &RemotePlace,
    manifest: Manifest,
    version: Version,
    bound: Bound,
) -> Result<Option<Restored>, RemoteError> {
    check_size(place, manifest.length, bound)?;
    let folder = TemporaryFolder::new().map_err(|error| place.disk(error))?;
    let path = folder.path().join("ledger.db");
    let found = place.patiently("downloading", || place.objects.download(&manifest.base, &path))?;
    match found {
        None => return Ok(None),
        Some(length) if length != manifest.length => return Err(place.damaged("its base has another length")),
        Some(_) => {}
    }
    let (end, seals) = (manifest.next, manifest.seals.clone());
    let mut restored = Restored { folder, path, manifest, version, end, seals };
    restored.follow(place)?;
    let length = fs::metadata(&restored.path).map_err(|error| place.disk(error))?.len();
    check_size(place, length, bound)?;
    Ok(Some(restored))
}

/// Refuses a ledger that is too large.
pub(crate) fn check_size(place: &RemotePlace, size: u64, bound: Bound) -> Result<(), RemoteError> {
    if bound == Bound::Kept && size > MOST_BYTES {
        let place = place.name().to_owned();
        return Err(RemoteError::TooLarge { place, size, most: MOST_BYTES });
    }
    Ok(())
}

impl Restored {
    /// Takes in what the log has from its last known end on, and folds it into the file.
    pub(crate) fn follow(&mut self, place: &RemotePlace) -> Result<(), RemoteError> {
        while let Some((object, _)) = place.get("reading the log of", &self.end.name())? {
            let record = Record::read(&object);
            let record =
                record.ok_or_else(|| place.damaged(format!("`{}` is not whole", self.end.name())))?;
            match record {
                Record::Frames { at, bytes } => {
                    self.append(place, at, &bytes)?;
                    self.end = self.end.next();
                }
                Record::Link { next, why } => {
                    if why == Why::Sealed {
                        self.seals.push(self.end);
                    }
                    self.end = next;
                }
            }
        }
        self.fold(place)
    }

    /// Whether the manifest is still the one that was restored.
    pub(crate) fn is_current(&self, place: &RemotePlace) -> Result<bool, RemoteError> {
        Ok(Manifest::read(place)?.is_some_and(|(_, version)| version == self.version))
    }

    fn append(&self, place: &RemotePlace, at: u64, bytes: &[u8]) -> Result<(), RemoteError> {
        let disk = |error: io::Error| place.disk(error);
        if at == 0 {
            self.fold(place)?;
        }
        let log = beside(&self.path, "-wal");
        let mut file = OpenOptions::new().create(true).append(true).open(log).map_err(disk)?;
        if file.metadata().map_err(disk)?.len() != at {
            return Err(place.damaged(format!("`{}` does not follow on what is before it", self.end.name())));
        }
        file.write_all(bytes).map_err(disk)
    }

    /// What the write-ahead log has goes into the file.
    fn fold(&self, place: &RemotePlace) -> Result<(), RemoteError> {
        if !beside(&self.path, "-wal").exists() {
            return Ok(());
        }
        fold(&self.path).map_err(|error| place.sqlite(error))
    }
}

/// The last connection that is closed folds the log into the file.
fn fold(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}
