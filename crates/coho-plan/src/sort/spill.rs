//! Records in memory and in temporary files: the same bytes in both.
//!
//! A record is the length of its key (4 bytes), the length of its row (8), the row's fingerprint (16), the key and the row.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use coho_core::digest::Digest;

/// The length of a record without key and row.
pub(super) const HEADER: usize = 28;

/// Bytes that a file is written in and read in at once.
const BUFFER: usize = 64 << 10;

/// A record in memory.
pub(super) struct Record<'a> {
    pub(super) key: &'a [u8],
    pub(super) fingerprint: Digest,
    pub(super) row: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Adds a record.
pub(super) fn append(bytes: &mut Vec<u8>, key: &[u8], fingerprint: Digest, row: &[u8]) {
    // A key has at most 1,024 bytes; see `coho_core::key`.
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&(row.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&fingerprint.to_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(row);
}

/// The record that begins at this place.
pub(super) fn record(bytes: &[u8], start: usize) -> Record<'_> {
    let rest = bytes.get(start..).unwrap_or_default();
    let Some((header, content)) = rest.split_first_chunk::<HEADER>() else {
        return Record { key: &[], fingerprint: Digest::from_bytes([0; 16]), row: &[], whole: &[] };
    };
    let (key, row, fingerprint) = lengths(header);
    Record {
        key: content.get(..key).unwrap_or_default(),
        fingerprint,
        row: content.get(key..key + row).unwrap_or_default(),
        whole: rest.get(..HEADER + key + row).unwrap_or_default(),
    }
}

fn lengths(header: &[u8; HEADER]) -> (usize, usize, Digest) {
    let mut key = [0; 4];
    let mut row = [0; 8];
    let mut fingerprint = [0; 16];
    key.copy_from_slice(&header[..4]);
    row.copy_from_slice(&header[4..12]);
    fingerprint.copy_from_slice(&header[12..]);
    let row = usize::try_from(u64::from_le_bytes(row)).unwrap_or(usize::MAX);
    (u32::from_le_bytes(key) as usize, row, Digest::from_bytes(fingerprint))
}

/// A file of records in the order of their keys.
#[derive(Debug)]
pub(super) struct Spill {
    file: BufReader<File>,
    /// How often its records were merged.
    pub(super) generation: u32,
}

/// A spill that is being written.
pub(super) struct Writing(BufWriter<File>);

impl Writing {
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
}

impl Spill {
    /// A new file in this folder, which only this process can find, with what is written to it.
    pub(super) fn write(
        folder: &Path,
        generation: u32,
        write: impl FnOnce(&mut Writing) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut writing = Writing(BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(folder)?));
        write(&mut writing)?;
        let mut file = writing.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Self { file: BufReader::with_capacity(BUFFER, file), generation })
    }

    /// Reads the next record into these buffers. `None` at the end.
    pub(super) fn read(&mut self, key: &mut Vec<u8>, row: &mut Vec<u8>) -> io::Result<Option<Digest>> {
        let mut header = [0; HEADER];
        if self.file.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.file.read_exact(&mut header)?;
        let (key_length, row_length, fingerprint) = lengths(&header);
        key.resize(key_length, 0);
        row.resize(row_length, 0);
        self.file.read_exact(key)?;
        self.file.read_exact(row)?;
        Ok(Some(fingerprint))
    }
}
