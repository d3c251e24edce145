//! Buckets of object storage (Amazon S3 and servers that speak its protocol, Google Cloud Storage, Azure Blob Storage), and PostgreSQL.
//!
//! **What it is:** [`Bucket::open`] opens a bucket with the settings and credentials that a source or the environment gives; `http` makes
//! its calls, and remembers why the last one failed; [`StorageFault`] says that in words that hold no secret. [`Shelf`] is a bucket for
//! code that blocks: whole objects, and writes that happen only under a condition. [`postgres`] reaches servers of PostgreSQL, and keeps the
//! same objects in the tables of a schema. [`trust`] says which servers of databases are trusted.
//!
//! **What it is not:** it does not know what the objects are. `coho-source` reads rows from them, `coho-ledger` keeps its ledger in them.
//!
//! ```
//! use coho_core::storage::StorageAddress;
//! use coho_storage::{Bucket, Shelf, StorageFault};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let address = StorageAddress::parse("s3://exports/crm")?;
//! // Nobody is asked before the first object.
//! let shelf = Shelf::new(Bucket::open(&address, &[], Bucket::PATIENCE)?)?;
//! let read = |name: &str| -> Result<Option<Vec<u8>>, StorageFault> {
//!     Ok(shelf.get(&address.key(name))?.map(|(bytes, _)| bytes))
//! };
//! # let _ = read;
//! # Ok(())
//! # }
//! ```

mod fault;
mod http;
mod settings;
mod bucket;
mod calls;
mod shelf;
pub mod trust;
pub mod postgres;

pub use bucket::Bucket;
pub use fault::StorageFault;
pub use shelf::{Condition, Listed, Put, Shelf, Version};
