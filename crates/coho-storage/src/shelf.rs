//! A bucket for code that blocks: whole objects, and writes under a condition. [`crate::calls`] makes the calls.

use std::fs::File;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::path::{self, PathBuf};
use std::time::Duration;

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error, GetOptions, PutMode, PutMultipartOptions, PutOptions, UpdateVersion};

use crate::bucket::Bucket;
use crate::calls::Calls;
use crate::fault::StorageFault;

/// How long a call of one small object may take, with all its attempts.
const LONGEST: Duration = Duration::from_secs(90);
/// How many bytes are sent at once of a large object.
const PART: usize = 8 * 1024 * 1024;

/// What tells one version of an object from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Its ETag.
    pub tag: Option<String>,
    /// Its generation or version, where the store has them.
    pub number: Option<String>,
}

/// When an object is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// If there is none.
    Absent,
    /// If it is still this one.
    Unchanged(Version),
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was written, and is this one now.
    Done(Version),
    /// The condition was not met. That may be because an earlier attempt of the same write was made, and its answer lost.
    Refused,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub length: u64,
}

/// A bucket whose functions block.
#[derive(Clone, Debug)]
pub struct Shelf {
    bucket: Bucket,
    calls: Calls,
}

impl Shelf {
    /// A shelf of this bucket. Its thread ends with the last one that has it.
    pub fn new(bucket: Bucket) -> Result<Self, StorageFault> {
        let calls = Calls::start("bucket").map_err(StorageFault::Disk)?;
        Ok(Self { bucket, calls })
    }

    /// An object; `None` where there is none.
    pub fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>, StorageFault> {
        let path = located(key)?;
        self.wait(Some(LONGEST), |bucket| async move {
            let found = bucket.call().get_opts(&path, GetOptions::default()).await;
            let Some(found) = present(&bucket, found)? else { return Ok(None) };
            let version = Version { tag: found.meta.e_tag.clone(), number: found.meta.version.clone() };
            let bytes = found.bytes().await.map_err(|error| bucket.fault(&error))?;
            Ok(Some((bytes.to_vec(), version)))
        })
    }

    /// Writes an object under a condition.
    pub fn put(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<Put, StorageFault> {
        let (path, bytes) = (located(key)?, bytes.to_vec());
        let mode = match condition {
            Condition::Absent => PutMode::Create,
            Condition::Unchanged(Version { tag, number }) => {
                PutMode::Update(UpdateVersion { e_tag: tag.clone(), version: number.clone() })
            }
        };
        self.wait(Some(LONGEST), |bucket| async move {
            let options = PutOptions { mode, ..PutOptions::default() };
            match bucket.call().put_opts(&path, bytes.into(), options).await {
                Ok(put) => Ok(Put::Done(Version { tag: put.e_tag, number: put.version })),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }) => {
                    Ok(Put::Refused)
                }
                Err(Error::NotImplemented { .. }) => Err(StorageFault::NoConditions),
                Err(error) => Err(bucket.fault(&error)),
            }
        })
    }

    /// Writes a file as an object, whatever is there.
    pub fn upload(&self, key: &str, file: &path::Path) -> Result<(), StorageFault> {
        let (path, file) = (located(key)?, file.to_owned());
        self.wait(None, |bucket| async move {
            let mut file = File::open(file).map_err(StorageFault::Disk)?;
            let first = part(&mut file)?;
            let failed = |error: Error| bucket.fault(&error);
            if first.len() < PART {
                let put = bucket.call().put_opts(&path, first.into(), PutOptions::default()).await;
                return put.map(drop).map_err(failed);
            }
            let begun = bucket.call().put_multipart_opts(&path, PutMultipartOptions::default()).await;
            let mut upload = begun.map_err(failed)?;
            let mut next = first;
            while !next.is_empty() {
                upload.put_part(next.into()).await.map_err(failed)?;
                next = part(&mut file)?;
            }
            upload.complete().await.map(drop).map_err(failed)
        })
    }

    /// Writes an object into a file. Gives how many bytes it has; `None` where there is none.
    pub fn download(&self, key: &str, file: &path::Path) -> Result<Option<u64>, StorageFault> {
        let (path, file): (Path, PathBuf) = (located(key)?, file.to_owned());
        self.wait(None, |bucket| async move {
            let found = bucket.call().get_opts(&path, GetOptions::default()).await;
            let Some(found) = present(&bucket, found)? else { return Ok(None) };
            let length = found.meta.size;
            let mut file = File::create(file).map_err(StorageFault::Disk)?;
            let mut stream = found.into_stream();
            let mut arrived = 0;
            while let Some(bytes) = stream.next().await {
                let bytes = bytes.map_err(|_| StorageFault::Cut { arrived, length })?;
                file.write_all(&bytes).map_err(StorageFault::Disk)?;
                arrived += bytes.len() as u64;
            }
            if arrived == length { Ok(Some(length)) } else { Err(StorageFault::Cut { arrived, length }) }
        })
    }

    /// The objects in a folder and below.
    pub fn list(&self, folder: &str) -> Result<Vec<Listed>, StorageFault> {
        let path = located(folder)?;
        self.wait(None, |bucket| async move {
            let objects = bucket.call().list(Some(&path)).try_collect::<Vec<_>>().await;
            let objects = objects.map_err(|error| bucket.fault(&error))?;
            let listed = |object: object_store::ObjectMeta| Listed {
                key: object.location.to_string(),
                length: object.size,
            };
            Ok(objects.into_iter().map(listed).collect())
        })
    }

    /// Removes objects; those that are not there are let be.
    pub fn remove(&self, keys: &[String]) -> Result<(), StorageFault> {
        let paths = keys.iter().map(|key| located(key)).collect::<Result<Vec<_>, _>>()?;
        self.wait(None, |bucket| async move {
            let paths = futures_util::stream::iter(paths.into_iter().map(Ok)).boxed();
            let mut removed = bucket.call().delete_stream(paths);
            while let Some(one) = removed.next().await {
                match one {
                    Ok(_) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(bucket.fault(&error)),
                }
            }
            Ok(())
        })
    }

    /// Makes calls on the shelf's thread, and waits for what they give.
    fn wait<T, F>(&self, most: Option<Duration>, work: impl FnOnce(Bucket) -> F) -> Result<T, StorageFault>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StorageFault>> + Send + 'static,
    {
        let work = work(self.bucket.clone());
        let call = async move {
            match most {
                Some(most) => tokio::time::timeout(most, work).await.unwrap_or(Err(StorageFault::TooLong)),
                None => work.await,
            }
        };
        self.calls.wait(call).unwrap_or(Err(StorageFault::Abandoned))
    }
}

fn located(key: &str) -> Result<Path, StorageFault> {
    Path::parse(key).map_err(|_| StorageFault::NoObject)
}

/// What was found; that the bucket is missing is an error.
fn present<T>(bucket: &Bucket, found: object_store::Result<T>) -> Result<Option<T>, StorageFault> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) => {
            let fault = bucket.fault(&error);
            if matches!(fault, StorageFault::NoObject) { Ok(None) } else { Err(fault) }
        }
    }
}

/// The next bytes of a file; fewer than a part only at its end.
fn part(file: &mut File) -> Result<Vec<u8>, StorageFault> {
    let mut bytes = Vec::new();
    file.take(PART as u64).read_to_end(&mut bytes).map_err(StorageFault::Disk)?;
    Ok(bytes)
}
