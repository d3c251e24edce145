//! A bucket: what lies in a folder of it, and the bytes of one object, all of one version.

use std::path::PathBuf;

use coho_core::storage::StorageAddress;
use coho_storage::StorageFault;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Attribute, GetOptions, GetRange, GetResult, ObjectMeta};

use crate::connection::StorageConnection;

/// A bucket that is open.
pub(crate) struct Bucket {
    /// The bucket, and the folder in it.
    pub(crate) address: StorageAddress,
    /// Where private files go.
    pub(super) temporary: PathBuf,
    opened: coho_storage::Bucket,
}

/// An object that was found.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Its key below the source's folder.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) length: u64,
    /// What tells its version.
    pub(crate) tag: Option<String>,
}

impl Bucket {
    /// Opens it; nobody is asked yet.
    pub(crate) fn open(connection: &StorageConnection) -> Result<Self, StorageFault> {
        let opened =
            coho_storage::Bucket::open(&connection.address, &connection.options, connection.patience)?;
        let (address, temporary) = (connection.address.clone(), connection.temporary.clone());
        Ok(Self { address, temporary, opened })
    }

    /// Whether its folder can be listed.
    pub(crate) async fn test(&self) -> Result<(), StorageFault> {
        self.objects("")?.next().await.transpose().map(drop).map_err(|error| self.fault(&error))
    }

    /// The objects in a folder of the source's folder: with those in folders below it, or the names of these folders alone.
    pub(crate) async fn list(
        &self,
        folder: &str,
        below: Below,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Vec<Listed>, StorageFault> {
        let mut found = Vec::new();
        let mut see = |object: ObjectMeta| {
            let name = self.name(&object.location);
            if wanted(&name) {
                found.push(Listed { name, length: object.size, tag: object.e_tag.map(quoted) });
            }
        };
        match below {
            Below::Too => {
                let mut objects = self.objects(folder)?;
                while let Some(object) = objects.try_next().await.map_err(|error| self.fault(&error))? {
                    see(object);
                }
            }
            Below::OnlyNames => {
                let path = self.path(folder)?;
                let listed = self.opened.call().list_with_delimiter(Some(&path)).await;
                let listed = listed.map_err(|error| self.fault(&error))?;
                listed.objects.into_iter().for_each(see);
                for folder in &listed.common_prefixes {
                    wanted(&self.name(folder));
                }
            }
        }
        Ok(found)
    }

    fn objects(
        &self,
        folder: &str,
    ) -> Result<BoxStream<'static, object_store::Result<ObjectMeta>>, StorageFault> {
        let path = self.path(folder)?;
        Ok(self.opened.call().list(Some(&path)))
    }

    /// The name of an object below the source's folder.
    fn name(&self, path: &Path) -> String {
        let key = path.as_ref();
        let rest = key.strip_prefix(self.address.prefix.as_str()).unwrap_or(key);
        rest.trim_start_matches('/').to_owned()
    }

    /// The path of a name below the source's folder.
    fn path(&self, name: &str) -> Result<Path, StorageFault> {
        let key = self.address.key(name);
        Path::parse(key.trim_end_matches('/')).map_err(|_| StorageFault::NoObject)
    }

    /// Asks for bytes of an object: all or a part, of any version or only of this one.
    pub(super) async fn get(
        &self,
        name: &str,
        range: Option<GetRange>,
        tag: Option<&str>,
    ) -> Result<GetResult, StorageFault> {
        let options = GetOptions { range, if_match: tag.map(str::to_owned), ..GetOptions::default() };
        let path = self.path(name)?;
        let result = self.opened.call().get_opts(&path, options).await.map_err(|error| self.fault(&error))?;
        match result.attributes.get(&Attribute::ContentEncoding).map(AsRef::<str>::as_ref) {
            // The last one is what AWS's tools leave behind of how they sent an object.
            None | Some("" | "identity" | "aws-chunked") => {}
            Some(other) => return Err(StorageFault::Encoded(coho_core::value::preview(other))),
        }
        if tag.is_some() && result.meta.e_tag.as_deref() != tag {
            return Err(StorageFault::Changed);
        }
        Ok(result)
    }

    /// What an error of the library means.
    pub(super) fn fault(&self, error: &object_store::Error) -> StorageFault {
        self.opened.fault(error)
    }
}

/// Whether a list has what lies in folders of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// It has.
    Too,
    /// It has the folders' names, as if they were files.
    OnlyNames,
}

/// Azure's lists have tags without the quotes that they have everywhere else.
fn quoted(tag: String) -> String {
    if tag.contains('"') { tag } else { format!("\"{tag}\"") }
}
