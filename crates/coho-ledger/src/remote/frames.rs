//! SQLite's write-ahead log: which of its bytes are committed. It only grows, since nobody folds it into the file but the holder.
//!
//! Its form is documented: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>, read on 2026-11-28. A transaction that was too
//! large for memory and was rolled back leaves frames behind, which the next one writes over; they are told by their checksums, and by the
//! frame that ends a commit, which they lack.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The header of the log, and of each frame, in bytes.
const HEADER: usize = 32;
const FRAME: usize = 24;

/// How far a log was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Up to here all is committed and read, in bytes.
    pub(crate) at: u64,
    log: Option<Log>,
}

/// What is known of a log from its header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Log {
    header: Vec<u8>,
    page: usize,
    is_big: bool,
    sums: (u32, u32),
}

impl Reached {
    /// The bytes that were committed since, where they begin, and how far that is; `None` where nothing is new. A log that was begun anew is
    /// read from its start.
    pub(crate) fn committed(&self, path: &Path) -> io::Result<Option<(u64, Vec<u8>, Self)>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut header = vec![0; HEADER];
        match file.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (at, log) = match &self.log {
            Some(log) if log.header == header => (self.at, log.clone()),
            Some(_) | None => match Log::begin(header) {
                Some(log) => (0, log),
                None => return Ok(None),
            },
        };
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let skipped = if at == 0 { HEADER } else { 0 };
        let Some((length, log)) = log.committed(&bytes, skipped) else { return Ok(None) };
        bytes.truncate(length);
        Ok(Some((at, bytes, Self { at: at + length as u64, log: Some(log) })))
    }
}

impl Log {
    /// What a header says, if it is one.
    fn begin(header: Vec<u8>) -> Option<Self> {
        let is_big = match word(&header, 0, true)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let page = usize::try_from(word(&header, 8, true)?).ok()?;
        let log = Self { header, page, is_big, sums: (0, 0) };
        let sums = log.summed(log.sums, log.header.get(..24)?)?;
        let told = (word(&log.header, 24, true)?, word(&log.header, 28, true)?);
        (sums == told && page > 0).then_some(Self { sums, ..log })
    }

    /// How many of these bytes end with a commit, from `skipped` on; `None` where none does.
    fn committed(mut self, bytes: &[u8], skipped: usize) -> Option<(usize, Self)> {
        let (mut at, mut found) = (skipped, None);
        while let Some(frame) = bytes.get(at..at + FRAME + self.page) {
            let Some(sums) = self.sums_of(frame) else { break };
            self.sums = sums;
            at += frame.len();
            if word(frame, 4, true)? > 0 {
                found = Some((at, self.sums));
            }
        }
        let (at, sums) = found?;
        Some((at, Self { sums, ..self }))
    }

    /// The sums up to and with a frame, if it is the next one of this log.
    fn sums_of(&self, frame: &[u8]) -> Option<(u32, u32)> {
        let sums = self.summed(self.sums, frame.get(..8)?)?;
        let sums = self.summed(sums, frame.get(FRAME..)?)?;
        let told = (word(frame, 16, true)?, word(frame, 20, true)?);
        let is_of_log = frame.get(8..16)? == self.header.get(16..24)?;
        (is_of_log && sums == told).then_some(sums)
    }

    fn summed(&self, (mut one, mut two): (u32, u32), bytes: &[u8]) -> Option<(u32, u32)> {
        for pair in bytes.chunks_exact(8) {
            one = one.wrapping_add(word(pair, 0, self.is_big)?).wrapping_add(two);
            two = two.wrapping_add(word(pair, 4, self.is_big)?).wrapping_add(one);
        }
        Some((one, two))
    }
}

fn word(bytes: &[u8], at: usize, is_big: bool) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn count(path: &Path) -> i64 {
        Connection::open(path)
            .unwrap()
            .query_row("SELECT count(*) FROM numbers", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn what_was_committed_is_told_from_what_was_rolled_back() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("a.db"), folder.path().join("a.db-wal"));
        let connection = Connection::open(&path).unwrap();
        let text = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 10;
             CREATE TABLE numbers (n INTEGER, text TEXT); PRAGMA wal_checkpoint(TRUNCATE)";
        connection.execute_batch(text).unwrap();
        let base = std::fs::read(&path).unwrap();
        let mut reached = Reached::default();
        let mut copied = Vec::new();
        let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
             INSERT INTO numbers SELECT i, hex(randomblob(100)) FROM n";
        for (sql, rows) in [
            ("INSERT INTO numbers VALUES (1, 'a')".to_owned(), 1),
            (format!("BEGIN; {many}; ROLLBACK; INSERT INTO numbers VALUES (2, 'b')"), 2),
            (format!("BEGIN; {many}; ROLLBACK"), 2),
            (many.to_owned(), 2_002),
            ("DELETE FROM numbers WHERE n > 1".to_owned(), 2),
        ] {
            connection.execute_batch(&sql).unwrap();
            if let Some((at, bytes, next)) = reached.committed(&log).unwrap() {
                assert_eq!(at, copied.len() as u64);
                copied.extend(bytes);
                reached = next;
            }
            assert_eq!(reached.committed(&log).unwrap(), None, "all was read");
            let copy = folder.path().join("copy.db");
            std::fs::write(&copy, &base).unwrap();
            std::fs::write(folder.path().join("copy.db-wal"), &copied).unwrap();
            assert_eq!(count(&copy), rows, "{sql}");
        }
    }
}
