//! Moving a ledger between a file, a bucket and PostgreSQL. Nothing of it changes, so a plan is the same before and after.

use std::path::{Path, PathBuf};

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::time::Time;

use crate::failure::LedgerError;
use crate::holder::Holder;
use crate::ledger::Ledger;
use crate::open::{Access, Create, OpenError, Opening, open, temporary_folder};
use crate::remote::{Bound, Manifest, RemotePlace, put_new, snapshot, take_lease};
use crate::remote_failure::RemoteError;
use crate::temporary::TemporaryFolder;

/// A ledger could not be copied.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum CopyError {
    /// One of the two could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger's file could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Something is where the copy is to be.
    #[error("`{to}` is there already")]
    Exists { to: String },
    /// A run writes the ledger.
    #[error("a run writes the ledger `{from}` (process {} on {})", holder.pid, holder.host)]
    UnderWay { from: String, holder: Holder },
    /// The copy cannot be put in its place.
    #[error("cannot write `{}`", to.display())]
    Written { to: PathBuf, source: std::io::Error },
}

impl From<RemoteError> for CopyError {
    fn from(error: RemoteError) -> Self {
        Self::Open(error.into())
    }
}

impl Failure for CopyError {
    fn code(&self) -> Code {
        match self {
            Self::Open(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::UnderWay { .. } => Code::LEASE_HELD,
            Self::Exists { .. } | Self::Written { .. } => Code::LEDGER_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Open(error) => return error.help(),
            Self::Ledger(error) => return error.help(),
            Self::Exists { .. } => "name another place: a ledger is never written over",
            Self::UnderWay { .. } => {
                "wait until it ends: what it sends after this would be missing in the copy"
            }
            Self::Written { .. } => "give this user access to the folder, and free space",
        };
        Some(help.to_owned())
    }
}

/// Where a ledger is copied from, or to.
#[derive(Clone, Debug)]
pub enum CopyPlace {
    /// A file.
    File(PathBuf),
    /// A bucket, or PostgreSQL.
    Remote(RemotePlace),
}

impl CopyPlace {
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Remote(place) => place.name().to_owned(),
        }
    }
}

/// Copies a ledger to a place where there is none, as one whole: what is there is the ledger, or nothing.
pub fn copy_ledger(from: &CopyPlace, to: &CopyPlace, holder: &Holder, now: Time) -> Result<(), CopyError> {
    let exists = match to {
        CopyPlace::File(path) => path.exists(),
        CopyPlace::Remote(place) => Manifest::read(place)?.is_some(),
    };
    if exists {
        return Err(CopyError::Exists { to: to.name() });
    }
    let (_folder, file) = match from {
        CopyPlace::File(path) => of_file(path, holder, now)?,
        CopyPlace::Remote(place) => of_remote(place, now)?,
    };
    match to {
        CopyPlace::File(path) => to_file(&file, path),
        CopyPlace::Remote(place) => to_remote(&file, place, holder, now),
    }
}

/// A copy of a file of the newest schema, closed.
fn of_file(path: &Path, holder: &Holder, now: Time) -> Result<(TemporaryFolder, PathBuf), CopyError> {
    let opening = Opening { now, create: Create::No, access: Access::ReadOnly };
    let ledger = Ledger::open(path, &opening)?;
    if let Some(run) = ledger.under_way(&holder.host, now)? {
        return Err(CopyError::UnderWay { from: path.display().to_string(), holder: run.holder });
    }
    let folder = temporary_folder()?;
    let copy = folder.path().join("copy.db");
    ledger.copy_to(&copy)?;
    drop(open(&copy, &Opening { access: Access::ReadWrite, ..opening })?);
    Ok((folder, copy))
}

fn of_remote(place: &RemotePlace, now: Time) -> Result<(TemporaryFolder, PathBuf), CopyError> {
    let found = snapshot(place, Bound::Lifted, now)?;
    let (restored, lease) = found.ok_or_else(|| OpenError::Missing { path: place.name().into() })?;
    match lease {
        Some(lease) => Err(CopyError::UnderWay { from: place.name().to_owned(), holder: lease.holder() }),
        None => Ok((restored.folder, restored.path)),
    }
}

/// The copy has another name until it is whole.
fn to_file(file: &Path, to: &Path) -> Result<(), CopyError> {
    let failed = |source| CopyError::Written { to: to.to_owned(), source };
    let folder = crate::place::folder_of(to);
    let mut made = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut read = std::fs::File::open(file).map_err(failed)?;
    std::io::copy(&mut read, made.as_file_mut()).map_err(failed)?;
    made.as_file().sync_all().map_err(failed)?;
    match made.persist_noclobber(to) {
        Ok(_) => {
            crate::place::sync_folder(to);
            Ok(())
        }
        Err(error) => Err(failed(error.error)),
    }
}

fn to_remote(file: &Path, place: &RemotePlace, holder: &Holder, now: Time) -> Result<(), CopyError> {
    let mut lease = take_lease(place, holder, 1, now)?;
    let put = put_new(place, file, lease.object.epoch, &holder.id);
    lease.release(place)?;
    // Its epoch is used up, as far as the lease knows.
    if put? { Ok(()) } else { Err(CopyError::Exists { to: place.name().to_owned() }) }
}
