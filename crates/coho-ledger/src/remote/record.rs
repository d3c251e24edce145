//! The records of the log: a line of JSON, then what a commit added to the write-ahead log, compressed. Each is of one holder alone, so
//! that a holder knows its own again.

use std::fmt;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Of which holder.
    pub(crate) epoch: u64,
    /// Counted from one.
    pub(crate) number: u64,
}

impl Position {
    /// The first of an epoch.
    pub(crate) fn first(epoch: u64) -> Self {
        Self { epoch, number: 1 }
    }

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// The object's name.
    pub(crate) fn name(self) -> String {
        format!("log/{self}")
    }

    /// Reads `3-17`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (epoch, number) = text.split_once('-')?;
        Some(Self { epoch: epoch.parse().ok()?, number: number.parse().ok()? })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.number)
    }
}

/// Why the log goes on elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    /// Another holder took over.
    Sealed,
    /// A new base has all that came before.
    Folded,
}

/// What is at a place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Bytes of the write-ahead log, from there on.
    Frames { at: u64, bytes: Vec<u8> },
    /// The log goes on there.
    Link { next: Position, why: Why },
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Why>,
}

impl Record {
    /// The object's bytes, of this holder.
    pub(crate) fn write(&self, by: &str) -> std::io::Result<Vec<u8>> {
        let head = Head { version: 1, by: by.to_owned(), at: None, length: None, next: None, why: None };
        let (head, body) = match self {
            Self::Frames { at, bytes } => {
                (Head { at: Some(*at), length: Some(bytes.len() as u64), ..head }, bytes.as_slice())
            }
            Self::Link { next, why } => (Head { next: Some(*next), why: Some(*why), ..head }, &[][..]),
        };
        let mut object = serde_json::to_vec(&head)?;
        object.push(b'\n');
        let mut compressed = ZlibEncoder::new(object, Compression::fast());
        compressed.write_all(body)?;
        compressed.finish()
    }

    /// Reads an object; `None` where it is none of ours, or not whole.
    pub(crate) fn read(object: &[u8]) -> Option<Self> {
        let end = object.iter().position(|byte| *byte == b'\n')?;
        let (head, body) = object.split_at_checked(end)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        if head.version != 1 {
            return None;
        }
        if let (Some(next), Some(why)) = (head.next, head.why) {
            return Some(Self::Link { next, why });
        }
        let mut bytes = Vec::new();
        ZlibDecoder::new(body.get(1..)?).read_to_end(&mut bytes).ok()?;
        (bytes.len() as u64 == head.length?).then_some(Self::Frames { at: head.at?, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_a_cut_one_does_not() {
        let frames = Record::Frames { at: 32, bytes: vec![7; 5_000] };
        let link = Record::Link { next: Position::first(4), why: Why::Sealed };
        for record in [&frames, &link] {
            assert_eq!(Record::read(&record.write("a").unwrap()).as_ref(), Some(record));
        }
        let object = frames.write("a").unwrap();
        assert_eq!(Record::read(&object[..object.len() - 1]), None);
        assert_eq!(Record::read(b"<html>"), None);
        assert_eq!(Position::parse("3-17"), Some(Position { epoch: 3, number: 17 }));
    }
}
