//! The names of caches, and what is in them. [`crate::cache`] says what a cache is.

use coho_core::digest::Digest;

use crate::table::quote;

/// The most characters of a sync's name in that of its table: with what is around them they stay within the 63 of PostgreSQL.
const LONGEST_NAME: usize = 40;

/// How many hexadecimal digits tell tables of equal names apart.
const DIGITS: usize = 12;

/// The table of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl CacheTable {
    /// The table of a sync in this schema. Syncs of one name, of other projects or workspaces, have other tables.
    pub fn of(schema: &str, sync: &str, whole: Digest) -> Self {
        let plain =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        let sync: String = sync.chars().map(plain).take(LONGEST_NAME).collect();
        let digits: String = whole.to_string().chars().take(DIGITS).collect();
        Self { schema: schema.to_owned(), name: format!("coho_{sync}_{digits}") }
    }

    /// Its name in a statement.
    pub fn quoted(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.name))
    }
}

/// What a key was when it was last known to need nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// The key, as Coho writes it.
    pub key: String,
    /// Both halves of the fingerprint that the source gave of its row.
    pub halves: [u64; 2],
    /// What Coho saw.
    pub seen: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_after_its_sync_and_all_that_it_is_of() {
        let table = CacheTable::of("coho", "Accounts: \"all\"", Digest::of(b"one"));
        assert_eq!(table.name.strip_prefix("coho_accounts___all__").map(str::len), Some(DIGITS));
        assert_ne!(table, CacheTable::of("coho", "Accounts: \"all\"", Digest::of(b"two")));
        let long = CacheTable::of("co\"ho", &"x".repeat(100), Digest::of(b"one"));
        assert!(long.name.len() <= 63);
        assert!(long.quoted().starts_with("\"co\"\"ho\".\"coho_xxx"));
    }
}
