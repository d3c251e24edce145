//! A cache in the source: a table of Coho's own with a fingerprint for each key, so that only rows that changed leave the database.
//!
//! It holds nothing that would be missed. What it says is believed only under the name under which it was published last, which the
//! ledger knows; whoever drops it, or changes its name, makes the next run read all rows. [`crate::buckets::dialect`] has the
//! texts, [`crate::postgres`] runs them. [`publish`] writes what a run came to, as a whole or not at all.

use coho_core::digest::Digest;

use crate::buckets::dialect::POSTGRES;
pub use crate::cache_table::{CacheEntry, CacheTable};
use crate::connection::Connection;
use crate::postgres::{self, PostgresError};
use crate::read::SourceError;
use crate::table::identifier;

/// A change of a cache that is under way. Dropped, it changes nothing.
pub struct Publishing(postgres::Publishing);

/// Begins to publish under a new name. `expects` is the name that the table must still have; without one all that is in there is taken
/// out first, and the table is made where there is none. `None` where it has another name by now: somebody else published.
pub async fn publish(
    connection: &Connection,
    table: &CacheTable,
    expects: Option<Digest>,
    name: Digest,
) -> Result<Option<Publishing>, SourceError> {
    let Connection::Postgres(settings) = connection else { return Ok(None) };
    let begun = postgres::Publishing::begin(settings, table, expects, name).await?;
    Ok(begun.map(Publishing))
}

impl Publishing {
    /// Puts keys in.
    pub async fn put(&mut self, entries: &[CacheEntry]) -> Result<(), SourceError> {
        Ok(self.0.put(entries).await?)
    }

    /// Takes keys out.
    pub async fn take(&mut self, keys: &[String]) -> Result<(), SourceError> {
        Ok(self.0.take(keys).await?)
    }

    /// Makes it so.
    pub async fn commit(self) -> Result<(), SourceError> {
        Ok(self.0.commit().await?)
    }
}

impl std::fmt::Debug for Publishing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publishing").finish_non_exhaustive()
    }
}

/// Why a cache could not be written, in the server's own words where it said some.
pub fn why(error: &SourceError) -> String {
    if let SourceError::Postgres(PostgresError::Refused(refusal)) = error {
        return refusal.message.clone();
    }
    error.to_string()
}

/// Whether Coho may keep caches in this schema; also where the source can have none.
pub async fn may_write(connection: &Connection, schema: &str) -> Result<bool, SourceError> {
    let Connection::Postgres(settings) = connection else { return Ok(true) };
    Ok(postgres::may_write(settings, schema).await?)
}

/// The statements that let Coho keep caches in this schema, for whoever owns the database. `None` where the source can have none.
pub fn grants(connection: &Connection, schema: &str) -> Option<String> {
    let Connection::Postgres(settings) = connection else { return None };
    let user = settings.user().unwrap_or_else(|| "USER".to_owned());
    let texts = POSTGRES.cache?;
    let grants = texts.grants.replace("{schema}", &identifier(schema));
    Some(grants.replace("{user}", &identifier(&user)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::PostgresConnection;

    #[test]
    fn the_rights_are_those_of_the_user_in_the_address() {
        let url = "postgres://Reader:secret@db/warehouse".to_owned().into();
        let connection = Connection::Postgres(PostgresConnection { url, statement_timeout: None });
        let expected = "CREATE SCHEMA IF NOT EXISTS coho;\nGRANT USAGE, CREATE ON SCHEMA coho TO \"Reader\";";
        assert_eq!(grants(&connection, "coho").as_deref(), Some(expected));
        assert_eq!(grants(&Connection::Sqlite { path: "a.db".into() }, "coho"), None);
    }
}
