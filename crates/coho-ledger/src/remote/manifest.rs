//! The manifest: the object that has the ledger's own name. Whoever has it has the ledger: the newest base, and where the log goes on.

use coho_storage::Version;
use serde::{Deserialize, Serialize};

use super::record::Position;
use super::store::RemotePlace;
use crate::remote_failure::RemoteError;

/// What a manifest says that it is.
const KIND: &str = "coho-ledger";
/// The version of the objects' form.
const VERSION: u32 = 1;

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    kind: String,
    version: u32,
    /// The name of the newest base.
    pub(crate) base: String,
    /// How many bytes it has.
    pub(crate) length: u64,
    /// Where the log goes on.
    pub(crate) next: Position,
    /// Where it was sealed: these places are never free again.
    pub(crate) seals: Vec<Position>,
}

impl Manifest {
    pub(crate) fn new(base: String, length: u64, next: Position, seals: Vec<Position>) -> Self {
        Self { kind: KIND.to_owned(), version: VERSION, base, length, next, seals }
    }

    pub(crate) fn write(&self) -> std::io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The manifest as it is now; `None` where there is no ledger.
    pub(crate) fn read(place: &RemotePlace) -> Result<Option<(Self, Version)>, RemoteError> {
        let Some((bytes, version)) = place.get("opening", "")? else { return Ok(None) };
        let named = || place.name().to_owned();
        let any: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|_| RemoteError::Foreign { place: named() })?;
        if any.get("kind").and_then(|kind| kind.as_str()) != Some(KIND) {
            return Err(RemoteError::Foreign { place: named() });
        }
        if any.get("version").and_then(serde_json::Value::as_u64) != Some(u64::from(VERSION)) {
            return Err(RemoteError::Newer { place: named() });
        }
        let read = serde_json::from_value(any).map_err(|error| place.damaged(error.to_string()))?;
        Ok(Some((read, version)))
    }
}

/// The name of a base: what it has in it, and whose it is.
pub(crate) fn object_of(until: Position, by: &str) -> String {
    format!("base/{until}-{by}")
}
