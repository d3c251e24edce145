//! The bytes of a file, here or in object storage, each reader at a place of its own.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{ChunkReader, Length};
use bytes::Bytes;

use crate::storage::{Arrival, StorageFault};

/// Reads a file from some place on.
#[derive(Clone)]
pub(super) struct Contents {
    bytes: Origin,
    length: u64,
    at: u64,
}

/// Where the bytes are.
#[derive(Clone)]
enum Origin {
    File(Arc<File>),
    Object(Arc<Arrival>),
}

impl Contents {
    /// Of a file with so many bytes.
    pub(super) fn file(file: Arc<File>, length: u64) -> Self {
        Self { bytes: Origin::File(file), length, at: 0 }
    }

    /// Of an object.
    pub(super) fn object(object: Arc<Arrival>) -> Self {
        let length = object.length();
        Self { bytes: Origin::Object(object), length, at: 0 }
    }

    /// The same from another place on.
    pub(super) fn from(&self, at: u64) -> Self {
        Self { at, ..self.clone() }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> u64 {
        self.at
    }

    /// Brings parts of an object that will be read.
    pub(super) fn bring(&self, parts: impl IntoIterator<Item = Range<u64>>) -> Result<(), StorageFault> {
        let Origin::Object(object) = &self.bytes else { return Ok(()) };
        parts.into_iter().try_for_each(|part| object.bring(part))
    }
}

impl Read for Contents {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let read = match &self.bytes {
            Origin::File(file) => file.read_at(buffer, self.at),
            Origin::Object(object) => object.read_at(buffer, self.at),
        }?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for Contents {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Contents {
    type T = BufReader<Self>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.from(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // What a damaged footer says of a length is not believed.
        let mut buffer = Vec::with_capacity(length.min(1024 * 1024));
        let read = self.from(start).take(length as u64).read_to_end(&mut buffer)?;
        if read < length {
            let words = format!("expected {length} bytes at {start}, found {read}");
            return Err(ParquetError::EOF(words));
        }
        Ok(buffer.into())
    }
}
