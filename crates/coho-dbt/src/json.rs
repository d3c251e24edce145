//! JSON that other programs write: what is of no use is passed over without being kept, and `null` is like nothing.

use std::io::{BufReader, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Why an artifact cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is not JSON, or not of the form that dbt writes.
    #[error("not a JSON file that dbt writes: {0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON without what a file of this kind has.
    #[error("it has no `{key}`, so it is not dbt's {file}")]
    OtherFile {
        /// What is missing.
        key: &'static str,
        /// Which file it should be.
        file: &'static str,
    },
}

/// Reads JSON from its beginning to its end, in bounded memory besides what is kept.
pub(crate) fn read<T: DeserializeOwned>(source: impl Read) -> Result<T, ArtifactError> {
    Ok(serde_json::from_reader(BufReader::with_capacity(1 << 16, source))?)
}

/// A member that may also be `null`.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
