//! The bucket of each memory, in a file without a name: there may be tens of millions of them, and each is looked at once.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::sort::SortError;

/// Bytes that the file is written in and read in at once.
const BUFFER: usize = 64 << 10;

/// Buckets in the order in which they were pushed.
#[derive(Debug)]
pub(super) struct Places {
    file: BufWriter<File>,
    folder: PathBuf,
    /// How many there are.
    pub(super) number: usize,
}

impl Places {
    /// None yet.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, SortError> {
        let file = tempfile::tempfile_in(folder).map_err(|source| failed(folder, source))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER, file), folder: folder.to_owned(), number: 0 })
    }

    /// Adds the next one.
    pub(super) fn push(&mut self, bucket: u32) -> Result<(), SortError> {
        self.number += 1;
        self.file.write_all(&bucket.to_le_bytes()).map_err(|source| failed(&self.folder, source))
    }

    /// What is said of each.
    pub(super) fn read(self, say: impl Fn(u32) -> bool) -> Result<Vec<bool>, SortError> {
        let Self { file, folder, number } = self;
        let read = || -> io::Result<Vec<bool>> {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.rewind()?;
            let mut file = BufReader::with_capacity(BUFFER, file);
            let mut said = Vec::with_capacity(number);
            for _ in 0..number {
                let mut bucket = [0; size_of::<u32>()];
                file.read_exact(&mut bucket)?;
                said.push(say(u32::from_le_bytes(bucket)));
            }
            Ok(said)
        };
        read().map_err(|source| failed(&folder, source))
    }
}

fn failed(folder: &Path, source: io::Error) -> SortError {
    SortError::Spill { folder: folder.to_owned(), source }
}
