//! Identities: which keys hold a record, and whether another sync does.

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use coho_core::target::{ExternalId, VitallyId};
use rusqlite::{Connection, Row, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::stored;
use crate::scope::SyncScope;

impl Ledger {
    /// Which keys of other syncs of the scope's workspace hold a record, as [`Elsewhere::Now`] means it.
    pub fn claimants(
        &self,
        scope: &SyncScope,
        object: Object,
        target: &ExternalId,
        id: Option<&VitallyId>,
    ) -> Result<Vec<(SyncId, Key)>, LedgerError> {
        self.read("looking for owners", |connection| {
            let mut found = claimants(connection, BY_TARGET, scope, object, target.as_str())?;
            if let Some(id) = id {
                found.extend(claimants(connection, BY_ID, scope, object, id.as_str())?);
            }
            Ok(found)
        })
    }

    /// What other syncs of the scope's workspace have to do with each of these records, by its external id or by Vitally's: a user
    /// that was found by its e-mail address may have another external id than its rows say. A record that one of them wrote before
    /// was there before: whoever writes it later has not made it.
    pub fn held_elsewhere(
        &self,
        scope: &SyncScope,
        object: Object,
        records: &[KnownRecord<'_>],
    ) -> Result<Vec<Elsewhere>, LedgerError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.read("looking for other holders", |connection| {
            if !has_others(connection, scope, object)? {
                return Ok(vec![Elsewhere::Never; records.len()]);
            }
            records.iter().map(|record| record.elsewhere(connection, scope, object)).collect()
        })
    }

    /// The keys whose memory has this id of Vitally's, in order: more than one where two rows found one record, such as by
    /// its e-mail address.
    pub fn holder_of_id(&self, scope: &SyncScope, id: &VitallyId) -> Result<Vec<Key>, LedgerError> {
        self.read("looking for an id", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key, departure, target FROM memory INDEXED BY memory_by_vitally_id
                 WHERE scope = ?1 AND substr(vitally_id, -12) = substr(?2, -12) AND vitally_id = ?2 ORDER BY key, departure",
            )?;
            let keys = statement.query_map(params![scope.id, id.as_str()], key)?;
            Ok(keys.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// At most so many delivered records of a workspace whose Vitally ids are known, those that changed last first: samples
    /// of which workspace it is. Nothing is pending on them. Reads all memory of the workspace.
    pub fn some_records(
        &self,
        workspace: &str,
        most: usize,
    ) -> Result<Vec<(Object, ExternalId, VitallyId)>, LedgerError> {
        self.read("looking for delivered records", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT object, target, vitally_id FROM workspaces
                 JOIN scopes ON scopes.workspace = workspaces.id JOIN memory ON memory.scope = scopes.id
                 WHERE name = ?1 AND standing = 'delivered' AND pending = 'none' AND vitally_id IS NOT NULL
                 ORDER BY updated_at DESC, scopes.id, key LIMIT ?2",
            )?;
            let mut rows = statement.query(params![workspace, stored(most)])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                let object = Object::parse(&row.get::<_, String>(0)?).ok_or_else(wrong)?;
                let target = ExternalId::parse(&row.get::<_, String>(1)?).map_err(|_| wrong())?;
                records.push((object, target, VitallyId::new(row.get::<_, String>(2)?)));
            }
            Ok(records)
        })
    }
}

/// A key from its columns: text, departure, target.
fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    let target: String = row.get(2)?;
    Ok(Key::departed(row.get::<_, String>(0)?, row.get(1)?, &target))
}

/// A record by which other syncs may know it too.
#[derive(Clone, Copy, Debug)]
pub struct KnownRecord<'r> {
    /// Its external id.
    pub target: &'r ExternalId,
    /// Vitally's id, where it is known.
    pub id: Option<&'r VitallyId>,
}

impl KnownRecord<'_> {
    fn elsewhere(
        self,
        connection: &Connection,
        scope: &SyncScope,
        object: Object,
    ) -> Result<Elsewhere, Fault> {
        let by_target = elsewhere(connection, BY_TARGET, scope, object, self.target.as_str())?;
        let by_id = match self.id {
            Some(id) => elsewhere(connection, BY_ID, scope, object, id.as_str())?,
            None => Elsewhere::Never,
        };
        Ok(by_target.max(by_id))
    }
}

/// Whether another sync of the scope's workspace sends such records: mostly none does, and no record has to be looked for.
fn has_others(connection: &Connection, scope: &SyncScope, object: Object) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM scopes
         WHERE workspace = (SELECT workspace FROM scopes WHERE id = ?1) AND object = ?2 AND id <> ?1",
    )?;
    Ok(statement.exists(params![scope.id, object.name()])?)
}

/// What other syncs have to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Elsewhere {
    /// None of them remembers it.
    Never,
    /// One of them wrote it, and its row left, or the record was removed; or a write of it was tried.
    Before,
    /// One of them holds it: it delivered it or assumes it, and its row has not left; or it has an open write of it.
    Now,
}

/// The index by which a record is found, and how.
const BY_TARGET: (&str, &str) = ("memory_by_target", "target = ?3");
const BY_ID: (&str, &str) =
    ("memory_by_vitally_id", "substr(vitally_id, -12) = substr(?3, -12) AND vitally_id = ?3");

fn claimants(
    connection: &Connection,
    (index, is_it): (&str, &str),
    scope: &SyncScope,
    object: Object,
    value: &str,
) -> Result<Vec<(SyncId, Key)>, Fault> {
    let sql = format!(
        "SELECT key, departure, target, scopes.sync FROM scopes JOIN memory INDEXED BY {index} ON memory.scope = scopes.id
         WHERE workspace = (SELECT workspace FROM scopes WHERE id = ?1) AND object = ?2 AND scopes.id <> ?1 AND {is_it}
           AND (standing IN ('delivered', 'assumed') OR (pending = 'open' AND verb = 'write'))"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map(params![scope.id, object.name(), value], |row| {
        Ok((SyncId::new(row.get::<_, String>(3)?), key(row)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn elsewhere(
    connection: &Connection,
    (index, is_it): (&str, &str),
    scope: &SyncScope,
    object: Object,
    value: &str,
) -> Result<Elsewhere, Fault> {
    let sql = format!(
        "SELECT max(standing IN ('delivered', 'assumed') OR (pending = 'open' AND verb = 'write'))
         FROM scopes JOIN memory INDEXED BY {index} ON memory.scope = scopes.id
         WHERE workspace = (SELECT workspace FROM scopes WHERE id = ?1) AND object = ?2 AND scopes.id <> ?1
           AND {is_it}"
    );
    let held: Option<bool> = connection
        .prepare_cached(&sql)?
        .query_row(params![scope.id, object.name(), value], |row| row.get(0))?;
    Ok(match held {
        Some(true) => Elsewhere::Now,
        Some(false) => Elsewhere::Before,
        None => Elsewhere::Never,
    })
}

fn wrong() -> Fault {
    Fault::damaged("a row state is of a kind of record that Coho never writes")
}
