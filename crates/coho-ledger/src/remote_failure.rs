//! What may go wrong with a ledger in a bucket or in PostgreSQL.

use std::io;

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::time::Time;
use coho_storage::StorageFault;
use coho_storage::postgres::PostgresFault;

use crate::holder::Holder;

/// A ledger that is in no file could not be read or written. What was stored before stays.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum RemoteError {
    /// The store, or the way there.
    #[error("failed while {doing} the ledger `{place}`")]
    Store { place: String, doing: &'static str, source: StoreFault },
    /// The bucket writes whatever the condition is.
    #[error("the bucket of the ledger `{place}` ignores conditions of writes (`If-None-Match`, `If-Match`)")]
    NoConditions { place: String },
    /// The address has a bucket, and no more.
    #[error("the ledger's address `{place}` names no object")]
    NoName { place: String },
    /// Another program's object is in its place.
    #[error("`{place}` is not a ledger")]
    Foreign { place: String },
    /// A later Coho wrote it.
    #[error("a newer version of Coho wrote the ledger `{place}`")]
    Newer { place: String },
    /// An object has something in it that Coho never writes.
    #[error("the ledger `{place}` is damaged: {what}")]
    Damaged { place: String, what: String },
    /// There is too much of it.
    #[error("the ledger `{place}` has {} MB; one that is in no file may have {} MB", megabytes(*size), megabytes(*most))]
    TooLarge { place: String, size: u64, most: u64 },
    /// Another run holds it.
    #[error("another run (process {} on {}) has held the ledger since {}", holder.pid, holder.host, since.format("%Y-%m-%dT%H:%M:%SZ"))]
    Held { holder: Holder, since: Time, expires: Time },
    /// Another one took it over.
    #[error("another run took over the ledger `{place}`")]
    Lost { place: String },
    /// A write failed before, or it was given back.
    #[error("the ledger `{place}` is not written any more")]
    Ended { place: String },
    /// Others wrote it again and again while it was read.
    #[error("the ledger `{place}` was replaced each time it was read")]
    Restless { place: String },
    /// The private copy on this machine cannot be written or read.
    #[error("cannot use the private copy of the ledger `{place}`")]
    Disk { place: String, source: io::Error },
    /// The same, said by SQLite.
    #[error("cannot use the private copy of the ledger `{place}`")]
    Sqlite { place: String, source: rusqlite::Error },
}

/// What a store says.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// A bucket.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] PostgresFault),
}

impl StoreFault {
    /// Whether the next attempt may go better.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Postgres(fault) => fault.passes(),
            Self::Storage(fault) => matches!(
                fault,
                StorageFault::Unreachable { .. }
                    | StorageFault::Busy { .. }
                    | StorageFault::Unexpected(_)
                    | StorageFault::Cut { .. }
                    | StorageFault::TooLong
            ),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Storage(fault) => storage(fault),
            Self::Postgres(fault) => fault.help(),
        }
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

impl Failure for RemoteError {
    fn code(&self) -> Code {
        match self {
            Self::Held { .. } => Code::LEASE_HELD,
            Self::Lost { .. } => Code::LEASE_LOST,
            Self::Store { .. }
            | Self::NoConditions { .. }
            | Self::NoName { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::Ended { .. }
            | Self::Restless { .. }
            | Self::Disk { .. }
            | Self::Sqlite { .. } => Code::LEDGER_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Store { source, .. } => return source.help(),
            Self::NoConditions { .. } => {
                "use a bucket of S3, Google or Azure, or a server that supports conditional writes"
            }
            Self::NoName { .. } => "write `ledger: s3://BUCKET/FOLDER/ledger.db`",
            Self::Foreign { .. } => {
                "name another place under `ledger:`; `coho ledger copy FILE ADDRESS` puts a ledger's file there"
            }
            Self::Newer { .. } => "use the version of Coho that wrote it, or a newer one",
            Self::Damaged { .. } => {
                "restore an earlier version of the bucket's objects, or a backup of the schema"
            }
            Self::TooLarge { .. } => {
                "keep less history (`history: { keep: 7d }`), or move it to a disk: `coho ledger copy ADDRESS ledger.db`"
            }
            Self::Held { expires, .. } => {
                return Some(format!(
                    "wait until it ends; if it was killed, the ledger can be taken over after {}",
                    expires.format("%H:%M:%SZ")
                ));
            }
            Self::Lost { .. } | Self::Ended { .. } => "run again: Coho finds out what is missing",
            Self::Restless { .. } => "try again",
            Self::Disk { .. } | Self::Sqlite { .. } => {
                "free some space where temporary files are, or set TMPDIR to a folder with more"
            }
        };
        Some(help.to_owned())
    }
}

/// The fault's own help speaks of sources.
fn storage(fault: &StorageFault) -> Option<String> {
    let help = match fault {
        StorageFault::Settings(_) => "check the environment variables of your cloud",
        StorageFault::Credentials(_) => "check the key or token that the environment gives",
        StorageFault::Denied { .. } => {
            "allow reading, writing, listing and deleting of the ledger's object and of those below `LEDGER.d/`"
        }
        StorageFault::NoBucket | StorageFault::NoObject => {
            "check the bucket in `ledger:`, the account, and the endpoint"
        }
        StorageFault::Region(Some(region)) => return Some(format!("set AWS_REGION={region}")),
        StorageFault::Region(None) => "set AWS_REGION to the bucket's region",
        StorageFault::Unreachable { .. } | StorageFault::Cut { .. } => {
            "check the network and the endpoint, and run again: nothing is sent before its intent is stored"
        }
        StorageFault::Answer { .. } | StorageFault::Unexpected(_) => {
            "check that the endpoint is a server of object storage"
        }
        StorageFault::NoCredentials(_)
        | StorageFault::Expired(_)
        | StorageFault::Clock(_)
        | StorageFault::Busy { .. }
        | StorageFault::Changed
        | StorageFault::Empty
        | StorageFault::Encoded(_)
        | StorageFault::Disk(_)
        | StorageFault::NoConditions
        | StorageFault::TooLong
        | StorageFault::Abandoned => return fault.help(),
    };
    Some(help.to_owned())
}
