//! Object storage: Amazon S3 and servers that speak its protocol, Google Cloud Storage, Azure Blob Storage.
//!
//! `coho-storage` opens buckets, makes their calls and says why one failed. [`bucket`] finds objects and asks for them; [`arrival`] is an object on its way into a private file, from which
//! [`crate::files`] reads it as any other file.

mod bucket;
mod waiter;
mod arrival;

pub use coho_storage::StorageFault;

pub(crate) use arrival::{Arrival, Spool, Way};
pub(crate) use bucket::{Below, Bucket, Listed};
pub(crate) use waiter::Waiter;

use crate::connection::StorageConnection;

/// Whether the bucket can be reached and its folder listed.
pub(crate) async fn test(connection: &StorageConnection) -> Result<(), StorageFault> {
    Bucket::open(connection)?.test().await
}
