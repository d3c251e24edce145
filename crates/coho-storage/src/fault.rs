//! Why an object could not be read, in words that never hold what was asked for with a key: addresses that were signed, tokens,
//! or what a server says beyond a code of its own.

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::storage::StorageKind;

use crate::http::Refusal;

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StorageFault {
    /// A setting cannot be used, or one is missing that others need.
    #[error("the settings of the source do not work: {0}")]
    Settings(String),
    /// Neither the source nor the environment nor the machine says who asks.
    #[error("no credentials were found")]
    NoCredentials(StorageKind),
    /// The key or token is not accepted.
    #[error("the credentials were refused{}", in_brackets(.0.as_deref()))]
    Credentials(Option<String>),
    /// The token was valid once.
    #[error("the credentials have expired{}", in_brackets(Some(.0.as_str())))]
    Expired(String),
    /// The signature is of another moment than the server's.
    #[error("this machine's clock differs too much from the server's{}", in_brackets(Some(.0.as_str())))]
    Clock(String),
    /// Whoever asks may not.
    #[error("access was denied{}", in_brackets(.code.as_deref()))]
    Denied {
        /// The server's code, where it gives one.
        code: Option<String>,
        /// Whose storage it is.
        store: StorageKind,
    },
    /// There is no such bucket or container.
    #[error("there is no bucket or container of this name")]
    NoBucket,
    /// There is no such object.
    #[error("there is no such object")]
    NoObject,
    /// The bucket is elsewhere.
    #[error("the bucket is in another region{}", named(.0.as_deref()))]
    Region(Option<String>),
    /// Nobody answers.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// Why there is no answer.
        why: String,
    },
    /// The server is overloaded, or broken, and stayed so.
    #[error("the server answered {status}{} to every attempt", in_brackets(.code.as_deref()))]
    Busy {
        /// Its status.
        status: u16,
        /// Its code, where it gives one.
        code: Option<String>,
    },
    /// The server said something that is not expected.
    #[error("the server answered {status}{}", in_brackets(.code.as_deref()))]
    Answer {
        /// Its status.
        status: u16,
        /// Its code, where it gives one.
        code: Option<String>,
    },
    /// The response is not one of object storage.
    #[error("unexpected response from the server: {0}")]
    Unexpected(String),
    /// The stream ended early and could not be continued.
    #[error("the connection broke after {arrived} of {length} bytes")]
    Cut {
        /// How many bytes came.
        arrived: u64,
        /// How many there are.
        length: u64,
    },
    /// The object is another one than when Coho began to read it.
    #[error("the object was replaced while Coho read it")]
    Changed,
    /// The object has no bytes.
    #[error("the object is empty")]
    Empty,
    /// The object is stored in a compressed form that its name does not tell.
    #[error("the object is stored with `Content-Encoding: {0}`")]
    Encoded(String),
    /// The private file on this machine's disk cannot be written or read.
    #[error("cannot use the temporary file that holds the object")]
    Disk(#[source] std::io::Error),
    /// The store does not write under conditions.
    #[error("the server does not support conditional writes (`If-None-Match`, `If-Match`)")]
    NoConditions,
    /// There was no answer in time, with all attempts.
    #[error("no response in time")]
    TooLong,
    /// Nobody waits for it any more.
    #[error("nobody waits for the object any more")]
    Abandoned,
}

fn in_brackets(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

fn named(region: Option<&str>) -> String {
    region.map(|region| format!(": `{region}`")).unwrap_or_default()
}

impl StorageFault {
    /// What a refused call means.
    pub(crate) fn of(refusal: Refusal, store: StorageKind) -> Self {
        match refusal {
            Refusal::Silence { host, .. } if is_metadata(&host) => Self::NoCredentials(store),
            Refusal::Silence { host, why } => Self::Unreachable { host, why },
            Refusal::Answer { host, .. } if is_metadata(&host) => Self::NoCredentials(store),
            Refusal::Answer { status, code, region, host } => match code {
                Some(code) => Self::of_code(code, status, region, store),
                None if is_of_tokens(&host) && status < 500 => Self::Credentials(None),
                None => Self::of_status(status, None, region, store),
            },
        }
    }

    fn of_code(code: String, status: u16, region: Option<String>, store: StorageKind) -> Self {
        match code.as_str() {
            "NoSuchBucket" | "ContainerNotFound" => Self::NoBucket,
            "NoSuchKey" | "BlobNotFound" => Self::NoObject,
            "NotImplemented" => Self::NoConditions,
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Self::Expired(code),
            "RequestTimeTooSkewed" | "RequestExpired" => Self::Clock(code),
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "AuthenticationFailed"
            | "NoAuthenticationInformation"
            | "InvalidAuthenticationInfo"
            | "InvalidToken"
            | "InvalidSecurity"
            | "InvalidClientTokenId"
            | "InvalidIdentityToken"
            | "invalid_grant"
            | "invalid_client" => Self::Credentials(Some(code)),
            "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" => {
                Self::Region(region)
            }
            _ => Self::of_status(status, Some(code), region, store),
        }
    }

    fn of_status(status: u16, code: Option<String>, region: Option<String>, store: StorageKind) -> Self {
        match status {
            301 | 302 | 307 => Self::Region(region),
            401 => Self::Credentials(code),
            403 => Self::Denied { code, store },
            404 => Self::NoObject,
            412 => Self::Changed,
            416 => Self::Empty,
            429 | 500.. => Self::Busy { status, code },
            _ => Self::Answer { status, code },
        }
    }
}

/// Where a machine of a cloud asks who it is.
fn is_metadata(host: &str) -> bool {
    host.starts_with("169.254.") || host.starts_with("metadata")
}

/// Where tokens come from.
fn is_of_tokens(host: &str) -> bool {
    ["sts.", "oauth2.", "login.", "accounts."].iter().any(|start| host.starts_with(start))
}

impl Failure for StorageFault {
    fn code(&self) -> Code {
        match self {
            Self::NoCredentials(_) | Self::Credentials(_) | Self::Expired(_) | Self::Denied { .. } => {
                Code::SOURCE_REFUSED
            }
            Self::NoBucket | Self::NoObject => Code::FILE_UNREADABLE,
            Self::Settings(_)
            | Self::Clock(_)
            | Self::Region(_)
            | Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::Answer { .. }
            | Self::Unexpected(_)
            | Self::Cut { .. }
            | Self::Changed
            | Self::Empty
            | Self::Encoded(_)
            | Self::Disk(_)
            | Self::NoConditions
            | Self::TooLong
            | Self::Abandoned => Code::SOURCE_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Settings(_) => "check the source's keys and the environment variables of your cloud",
            Self::NoCredentials(store) => where_from(*store),
            Self::Credentials(_) => {
                "check the key or token that the source or the environment gives, and that it belongs to this server"
            }
            Self::Expired(_) => "get new temporary credentials, and run again",
            Self::Clock(_) => "set this machine's clock, best by NTP, and run again",
            Self::Denied { store, .. } => rights(*store),
            Self::NoBucket => "check the bucket in the source's `path`, its `endpoint`, and the account",
            Self::NoObject => {
                "the model's `file` is relative to the source's `path`; upper and lower case differ"
            }
            Self::Region(Some(region)) => return Some(format!("write `region: {region}` in the source")),
            Self::Region(None) => "write the bucket's region in the source: `region: eu-central-1`",
            Self::Unreachable { .. } => {
                "check the source's `endpoint` and `region`, the network, and its proxy"
            }
            Self::Busy { .. } | Self::TooLong => "run again later",
            Self::Answer { .. } | Self::Unexpected(_) => {
                "check that the source's `endpoint` is a server of object storage"
            }
            Self::Cut { .. } => "run again: nothing of an object that is cut short counts as read",
            Self::Changed => "run again when no program is writing the object",
            Self::Empty => "check the program that writes it",
            Self::Encoded(_) => "store the object without an encoding; Parquet may be compressed inside",
            Self::Disk(_) => "free some space where temporary files are, or set TMPDIR to a folder with more",
            Self::NoConditions => "use a server that supports conditional writes, as S3, Google and Azure do",
            Self::Abandoned => return None,
        };
        Some(help.to_owned())
    }
}

fn where_from(store: StorageKind) -> &'static str {
    match store {
        StorageKind::S3 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine or pod a role; profiles in `~/.aws` are not read"
        }
        StorageKind::Google => {
            "set GOOGLE_APPLICATION_CREDENTIALS to a key file, or give the machine a service account"
        }
        StorageKind::Azure => {
            "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or give the machine an identity"
        }
    }
}

fn rights(store: StorageKind) -> &'static str {
    match store {
        StorageKind::S3 => {
            "allow `s3:GetObject` on the objects and, for patterns, `s3:ListBucket` on the bucket; without the second, S3 also denies access to objects that do not exist"
        }
        StorageKind::Google => "grant the role Storage Object Viewer on the bucket",
        StorageKind::Azure => "assign the role Storage Blob Data Reader on the container",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(host: &str, status: u16, code: Option<&str>) -> StorageFault {
        let (host, code) = (host.to_owned(), code.map(str::to_owned));
        StorageFault::of(Refusal::Answer { host, status, code, region: None }, StorageKind::S3)
    }

    #[test]
    fn codes_say_more_than_statuses() {
        let s3 = "s3.eu-central-1.amazonaws.com";
        assert!(matches!(answer(s3, 404, Some("NoSuchBucket")), StorageFault::NoBucket));
        assert!(matches!(answer(s3, 404, None), StorageFault::NoObject));
        assert!(matches!(answer(s3, 400, Some("ExpiredToken")), StorageFault::Expired(_)));
        assert!(matches!(answer(s3, 403, Some("RequestTimeTooSkewed")), StorageFault::Clock(_)));
        assert!(matches!(answer(s3, 403, Some("SignatureDoesNotMatch")), StorageFault::Credentials(Some(_))));
        assert!(matches!(answer(s3, 403, Some("AccessDenied")), StorageFault::Denied { .. }));
        assert!(matches!(answer(s3, 301, None), StorageFault::Region(None)));
        assert!(matches!(answer(s3, 412, None), StorageFault::Changed));
        assert!(matches!(answer(s3, 503, Some("SlowDown")), StorageFault::Busy { status: 503, .. }));
        assert!(matches!(answer(s3, 400, Some("KeyTooLong")), StorageFault::Answer { status: 400, .. }));
        assert!(matches!(
            answer("sts.eu-central-1.amazonaws.com", 403, None),
            StorageFault::Credentials(None)
        ));
        assert!(matches!(answer("169.254.169.254", 404, None), StorageFault::NoCredentials(_)));
    }
}
