//! Matches: whether several rows of the source would find one and the same record, such as by one e-mail address.
//!
//! Rows only add to a list; it is sorted by SQLite, in bounded memory, when the first question is asked.

use coho_core::digest::Digest;
use rusqlite::params;

use super::{Spool, SpoolError};

/// How far the matches that were seen are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// All of them.
    All,
    /// There are some that came later.
    NotYet,
}

impl Spool {
    /// Remembers that a row of the source finds its record by the value of this digest. Each row is seen once.
    pub fn see_match(&self, digest: Digest) -> Result<(), SpoolError> {
        self.counted.set(Counted::NotYet);
        self.run("INSERT INTO matches (digest) VALUES (?)", params![digest.to_bytes()])
    }

    /// Whether more than one row finds its record by the value of this digest. To be asked when all rows were seen: after
    /// each row that comes later, all are counted anew.
    pub fn is_shared_match(&self, digest: Digest) -> Result<bool, SpoolError> {
        if self.counted.get() == Counted::NotYet {
            self.count_matches()?;
        }
        self.one("SELECT 1 FROM shared WHERE digest = ?", params![digest.to_bytes()])
            .map(|found: Option<i64>| found.is_some())
    }

    fn count_matches(&self) -> Result<(), SpoolError> {
        self.run("DELETE FROM shared", params![])?;
        self.run(
            "INSERT INTO shared SELECT digest FROM matches GROUP BY digest HAVING count(*) > 1 ORDER BY digest",
            params![],
        )?;
        self.counted.set(Counted::All);
        Ok(())
    }
}
