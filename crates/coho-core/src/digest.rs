//! Digests: 128 bits that stand for a row, a mapping or an operation.
//!
//! A digest says "same" or "not same"; it is never shown as a value. It is XXH3 over Coho's own versioned encoding
//! (see [`crate::row`]), so it stays the same across releases of Coho and of its libraries.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The version of all encodings that are digested. It is stored beside each digest; another version means "render again".
pub const ENCODING: u8 = 1;

/// 128 bits that stand for a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.part(bytes);
        hasher.finish()
    }

    /// The digest of this one and a key together: for tables in memory, where digests of rows are looked for by their keys.
    #[must_use]
    pub fn keyed(self, key: &[u8], scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        scratch.extend_from_slice(&self.0);
        scratch.extend_from_slice(key);
        Self(xxh3_128(scratch).to_be_bytes())
    }

    /// The sixteen bytes, as they are stored.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// A digest from the bytes that [`Digest::to_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A digest from its 32 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 32 {
            return None;
        }
        u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Builds a digest from parts whose borders count: `("ab", "c")` and `("a", "bc")` differ.
#[derive(Default)]
pub struct Hasher(Xxh3);

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one part, with its length before it.
    pub fn part(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The digest of all parts.
    pub fn finish(&self) -> Digest {
        Digest(self.0.digest128().to_be_bytes())
    }
}

/// The same as [`Hasher`] for few bytes, which are digested at once: that takes a third of the time.
#[derive(Debug, Default)]
pub(crate) struct Parts(Vec<u8>);

impl Parts {
    /// No parts any more; the room for them stays.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds one part, with its length before it.
    pub(crate) fn part(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// The digest of all parts.
    pub(crate) fn finish(&self) -> Digest {
        Digest(xxh3_128(&self.0).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_that_are_digested_at_once_have_the_same_digest(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..12)
        ) {
            let (mut hasher, mut at_once) = (Hasher::new(), Parts::default());
            for part in &parts {
                hasher.part(part);
                at_once.part(part);
            }
            prop_assert_eq!(hasher.finish(), at_once.finish());
        }
    }

    #[test]
    fn borders_between_parts_count() {
        let digest = |parts: &[&str]| {
            let mut hasher = Hasher::new();
            for part in parts {
                hasher.part(part.as_bytes());
            }
            hasher.finish()
        };
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    }

    #[test]
    fn hex_reads_back() {
        let digest = Digest::of(b"row");
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
    }

    #[test]
    fn a_digest_never_changes_between_releases() {
        assert_eq!(Digest::of(b"row").to_string(), "6b34542f7947c1a2be1b0a066a3fdfe3");
    }
}
