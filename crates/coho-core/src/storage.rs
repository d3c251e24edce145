//! Addresses of folders in object storage, and the settings that a source may give besides. The project checks them,
//! the source opens them, and lineage names datasets by them.

use std::fmt;

/// Whose object storage it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind {
    /// Amazon S3, or a server that speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// The address of a folder in object storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageAddress {
    /// Whose it is.
    pub store: StorageKind,
    /// The address up to and with the bucket, as it was written: `s3://exports`.
    pub root: String,
    /// The bucket, or the container in Azure.
    pub bucket: String,
    /// The folder, without slashes at its ends; empty for the whole bucket.
    pub prefix: String,
}

/// Why a text that looks like an address in object storage is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageAddressError {
    /// Another scheme.
    #[error("`{0}://` is not a scheme of object storage that Coho reads")]
    Scheme(String),
    /// There is no bucket in it, or not only one.
    #[error("the address names no bucket")]
    Bucket,
    /// Passwords, queries and fragments have no meaning here.
    #[error("the address has more than a bucket and a folder")]
    Extra,
    /// A folder that is empty, `.` or `..`.
    #[error("the address has a folder that is empty, `.` or `..`")]
    Folder,
}

impl StorageAddress {
    /// Whether a path is meant as an address, right or wrong.
    pub fn is_meant(path: &str) -> bool {
        path.contains("://")
    }

    /// Reads `s3://bucket/folder`, `gs://bucket/folder`, `az://container/folder` or
    /// `abfss://container@account.dfs.core.windows.net/folder`.
    pub fn parse(text: &str) -> Result<Self, StorageAddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(StorageAddressError::Bucket)?;
        let store = match scheme {
            "s3" | "s3a" => StorageKind::S3,
            "gs" => StorageKind::Google,
            "az" | "abfs" | "abfss" => StorageKind::Azure,
            other => return Err(StorageAddressError::Scheme(other.to_owned())),
        };
        let (host, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let bucket = match host.split_once('@') {
            Some((container, account)) if store == StorageKind::Azure && account.contains('.') => container,
            Some(_) => return Err(StorageAddressError::Extra),
            None => host,
        };
        if bucket.is_empty() || bucket.chars().any(char::is_whitespace) {
            return Err(StorageAddressError::Bucket);
        }
        if rest.contains(['?', '#']) || bucket.contains(':') {
            return Err(StorageAddressError::Extra);
        }
        let prefix = folder.trim_end_matches('/');
        if !prefix.is_empty() && prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(StorageAddressError::Folder);
        }
        Ok(Self {
            store,
            root: format!("{scheme}://{host}"),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }

    /// The key of a file below the folder.
    pub fn key(&self, file: &str) -> String {
        if self.prefix.is_empty() { file.to_owned() } else { format!("{}/{file}", self.prefix) }
    }

    /// The address of a key, as messages show it.
    pub fn of_key(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }
}

impl fmt::Display for StorageAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.root, self.prefix)
    }
}

/// A setting that a source in object storage may give besides its address. What it does not give comes from the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorageOption {
    /// The region of the bucket.
    Region,
    /// The address of another server.
    Endpoint,
    /// The name of a key.
    AccessKeyId,
    /// The key itself.
    SecretAccessKey,
    /// What makes a temporary key valid.
    SessionToken,
    /// The JSON of a service account's key.
    ServiceAccount,
    /// The name of a storage account.
    Account,
    /// The key of a storage account.
    AccountKey,
    /// A shared access signature.
    SasToken,
}

impl StorageOption {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Region,
        Self::Endpoint,
        Self::AccessKeyId,
        Self::SecretAccessKey,
        Self::SessionToken,
        Self::ServiceAccount,
        Self::Account,
        Self::AccountKey,
        Self::SasToken,
    ];

    /// Its key in `coho.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Endpoint => "endpoint",
            Self::AccessKeyId => "access_key_id",
            Self::SecretAccessKey => "secret_access_key",
            Self::SessionToken => "session_token",
            Self::ServiceAccount => "service_account",
            Self::Account => "account",
            Self::AccountKey => "account_key",
            Self::SasToken => "sas_token",
        }
    }

    /// Whether it means something there.
    pub fn is_of(self, store: StorageKind) -> bool {
        match self {
            Self::Endpoint => true,
            Self::Region | Self::AccessKeyId | Self::SecretAccessKey | Self::SessionToken => {
                store == StorageKind::S3
            }
            Self::ServiceAccount => store == StorageKind::Google,
            Self::Account | Self::AccountKey | Self::SasToken => store == StorageKind::Azure,
        }
    }

    /// Whether it says who asks.
    pub fn is_credential(self) -> bool {
        match self {
            Self::Region | Self::Endpoint | Self::Account => false,
            Self::AccessKeyId
            | Self::SecretAccessKey
            | Self::SessionToken
            | Self::ServiceAccount
            | Self::AccountKey
            | Self::SasToken => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_folder() {
        let address = StorageAddress::parse("s3://exports/crm/daily/").unwrap();
        assert_eq!((address.bucket.as_str(), address.prefix.as_str()), ("exports", "crm/daily"));
        assert_eq!(address.of_key(&address.key("a.csv")), "s3://exports/crm/daily/a.csv");
        let address = StorageAddress::parse("gs://exports").unwrap();
        assert_eq!(address.of_key(&address.key("a.csv")), "gs://exports/a.csv");
        let address = StorageAddress::parse("abfss://exports@acme.dfs.core.windows.net/crm").unwrap();
        assert_eq!((address.store, address.bucket.as_str()), (StorageKind::Azure, "exports"));
        assert_eq!(address.root, "abfss://exports@acme.dfs.core.windows.net");
    }

    #[test]
    fn what_is_no_address_is_told() {
        let error = |text| StorageAddress::parse(text).unwrap_err();
        assert_eq!(error("hdfs://a/b"), StorageAddressError::Scheme("hdfs".to_owned()));
        assert_eq!(error("s3:///crm"), StorageAddressError::Bucket);
        assert_eq!(error("s3://key:secret@exports/crm"), StorageAddressError::Extra);
        assert_eq!(error("s3://exports/crm?region=eu"), StorageAddressError::Extra);
        assert_eq!(error("s3://exports/crm//daily"), StorageAddressError::Folder);
        assert_eq!(error("s3://exports/../other"), StorageAddressError::Folder);
    }
}
