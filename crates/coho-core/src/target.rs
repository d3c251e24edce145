//! Targets: which record of Vitally a row becomes.

use std::fmt;

/// The longest external id, in bytes. Vitally documents no limit; this one keeps addresses below what servers take.
pub const LONGEST_EXTERNAL_ID: usize = 1_024;

/// The id that a record has outside of Vitally: never empty, and fit to be a segment of an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

/// Why a text is no external id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalIdError {
    /// Nothing but white space.
    #[error("the external id is empty")]
    Empty,
    /// `.` or `..`, which no address can carry.
    #[error("the external id `{0}` cannot be used in a URL")]
    Dots(String),
    /// Longer than [`LONGEST_EXTERNAL_ID`].
    #[error("the external id is {0} bytes long")]
    Long(usize),
}

impl ExternalId {
    /// Checks a text. It is kept exactly as it is.
    pub fn parse(text: &str) -> Result<Self, ExternalIdError> {
        match text {
            "." | ".." => Err(ExternalIdError::Dots(text.to_owned())),
            _ if text.trim().is_empty() => Err(ExternalIdError::Empty),
            _ if text.len() > LONGEST_EXTERNAL_ID => Err(ExternalIdError::Long(text.len())),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id that Vitally itself gave to a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VitallyId(String);

impl VitallyId {
    /// Whether a text has the form of Vitally's ids, which are UUIDs.
    pub fn is_formed(text: &str) -> bool {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    }

    /// An id as Vitally answered it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VitallyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
