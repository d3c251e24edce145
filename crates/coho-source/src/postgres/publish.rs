//! Writing a cache: one transaction, in which it gets another name and its keys change.
//!
//! Whoever gives the table its next name holds that row until the end, so of two who publish at the same time one comes after the
//! other, and finds a name that it does not expect.

use coho_core::digest::Digest;
use tokio_postgres::types::ToSql;

use super::refusal::PostgresError;
use super::session::{Access, Session};
use crate::buckets::dialect::{CacheTexts, POSTGRES, of_cache, of_schema};
use crate::cache_table::{CacheEntry, CacheTable};
use crate::connection::PostgresConnection;

/// A change of a cache that is under way. Dropped, it changes nothing.
pub(crate) struct Publishing {
    session: Session,
    table: CacheTable,
    texts: &'static CacheTexts,
}

impl Publishing {
    /// Begins; `None` where the table does not have the name that is expected.
    pub(crate) async fn begin(
        settings: &PostgresConnection,
        table: &CacheTable,
        expects: Option<Digest>,
        name: Digest,
    ) -> Result<Option<Self>, PostgresError> {
        let Some(texts) = POSTGRES.cache else { return Ok(None) };
        let session = Session::open_with(settings, "coho: cache", Access::Write).await?;
        let mut publishing = Self { session, table: table.clone(), texts };
        let name = name.to_string();
        if let Some(expected) = expects {
            let changed = publishing.run(texts.rename, &[&name, &expected.to_string()]).await?;
            return Ok((changed == 1).then_some(publishing));
        }
        publishing.make().await?;
        publishing.run(texts.name, &[&name]).await?;
        publishing.run(texts.clear, &[]).await?;
        Ok(Some(publishing))
    }

    /// Makes the table where there is none, and its schema where there is none.
    async fn make(&mut self) -> Result<(), PostgresError> {
        if self.session.is_true(&of_cache(self.texts.exists, &self.table)).await? {
            return Ok(());
        }
        for text in [self.texts.make_schema, self.texts.make] {
            self.session.execute(&of_cache(text, &self.table)).await?;
        }
        Ok(())
    }

    pub(crate) async fn put(&mut self, entries: &[CacheEntry]) -> Result<(), PostgresError> {
        let keys: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let fingerprints: Vec<_> = entries.iter().map(|entry| hex(entry.halves)).collect();
        let seen: Vec<_> = entries.iter().map(|entry| entry.seen.to_string()).collect();
        self.run(self.texts.put, &[&keys, &fingerprints, &seen]).await?;
        Ok(())
    }

    pub(crate) async fn take(&mut self, keys: &[String]) -> Result<(), PostgresError> {
        self.run(self.texts.take, &[&keys]).await?;
        Ok(())
    }

    pub(crate) async fn commit(mut self) -> Result<(), PostgresError> {
        self.session.execute("COMMIT").await
    }

    /// Runs a statement. Gives how many rows it changed.
    async fn run(&mut self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, PostgresError> {
        self.session.change(&of_cache(text, &self.table), values).await
    }
}

/// Whether there may be a cache in this schema.
pub(crate) async fn may_write(settings: &PostgresConnection, schema: &str) -> Result<bool, PostgresError> {
    let Some(texts) = POSTGRES.cache else { return Ok(true) };
    Session::open(settings, "coho: cache").await?.is_true(&of_schema(texts.rights, schema)).await
}

/// A fingerprint as hexadecimal digits, as the server writes it.
fn hex([high, low]: [u64; 2]) -> String {
    format!("{high:016x}{low:016x}")
}
