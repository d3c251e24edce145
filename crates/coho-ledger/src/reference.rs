//! References: which Vitally id belongs to an external id, and the anchor by which a workspace is told from another.

use std::collections::BTreeMap;

use coho_core::digest::Digest;
use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{micros, time};
use crate::scope::workspace_id;

/// One delivered record of a workspace: a token that answers otherwise for it belongs to another workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceFingerprint {
    /// The address that the token was used at.
    pub destination: String,
    /// Stands for the token that read the record; another one has to read it again first. It does not tell the token.
    pub token: Digest,
    /// The record's object.
    pub object: Object,
    /// The record's external id.
    pub external_id: ExternalId,
    /// The record's Vitally id.
    pub vitally_id: VitallyId,
    /// When Vitally answered it.
    pub at: Time,
}

impl Ledger {
    /// The Vitally ids of these records, as far as they are known: from what was looked up, else from the memory of any sync
    /// of the workspace. What was looked up comes first, since that is done where a remembered id was refused.
    pub fn references(
        &self,
        workspace: &str,
        object: Object,
        ids: &[ExternalId],
    ) -> Result<BTreeMap<ExternalId, VitallyId>, LedgerError> {
        self.read("looking for references", |connection| {
            let mut found = BTreeMap::new();
            for id in ids {
                if let Some(vitally_id) = reference(connection, workspace, object, id)? {
                    found.insert(id.clone(), vitally_id);
                }
            }
            Ok(found)
        })
    }

    /// Remembers Vitally ids that were looked up.
    pub fn put_references(
        &self,
        lease: &Lease,
        workspace: &str,
        object: Object,
        ids: &[(ExternalId, VitallyId)],
        now: Time,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "saving references", |connection| {
            let workspace = workspace_id(connection, workspace)?;
            let mut statement = connection.prepare_cached(
                "INSERT OR REPLACE INTO refs (workspace, object, external_id, vitally_id, seen_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (external_id, vitally_id) in ids {
                let (external_id, vitally_id) = (external_id.as_str(), vitally_id.as_str());
                statement.execute(params![workspace, object.name(), external_id, vitally_id, micros(now)])?;
            }
            Ok(())
        })
    }

    /// Forgets Vitally ids that turned out to be wrong.
    pub fn drop_references(
        &self,
        lease: &Lease,
        workspace: &str,
        object: Object,
        ids: &[ExternalId],
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "forgetting references", |connection| {
            let mut statement = connection.prepare_cached(
                "DELETE FROM refs WHERE workspace = (SELECT id FROM workspaces WHERE name = ?1) AND object = ?2
                   AND external_id = ?3",
            )?;
            for id in ids {
                statement.execute(params![workspace, object.name(), id.as_str()])?;
            }
            Ok(())
        })
    }

    /// The anchor of a workspace, if one was laid.
    pub fn fingerprint(&self, workspace: &str) -> Result<Option<WorkspaceFingerprint>, LedgerError> {
        self.read("reading the workspace fingerprint", |connection| fingerprint(connection, workspace))
    }

    /// Lays the anchor of a workspace, in the place of the one there was.
    pub fn keep_fingerprint(
        &self,
        lease: &Lease,
        workspace: &str,
        fingerprint: &WorkspaceFingerprint,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "saving the workspace fingerprint", |connection| {
            let workspace = workspace_id(connection, workspace)?;
            connection.execute(
                "UPDATE workspaces SET destination = ?2, anchor_object = ?3, anchor_external_id = ?4,
                   anchor_vitally_id = ?5, anchored_at = ?6, token_digest = ?7 WHERE id = ?1",
                params![
                    workspace,
                    fingerprint.destination,
                    fingerprint.object.name(),
                    fingerprint.external_id.as_str(),
                    fingerprint.vitally_id.as_str(),
                    micros(fingerprint.at),
                    fingerprint.token.to_bytes()
                ],
            )?;
            Ok(())
        })
    }
}

fn reference(
    connection: &Connection,
    workspace: &str,
    object: Object,
    id: &ExternalId,
) -> Result<Option<VitallyId>, Fault> {
    let found: Option<String> = connection
        .prepare_cached(
            "SELECT vitally_id FROM (
               SELECT 2 AS rank, vitally_id, memory.updated_at AS at
               FROM workspaces JOIN scopes ON scopes.workspace = workspaces.id
               JOIN memory INDEXED BY memory_by_target ON memory.scope = scopes.id
               WHERE name = ?1 AND object = ?2 AND target = ?3 AND vitally_id IS NOT NULL
               UNION ALL
               SELECT 1, vitally_id, seen_at FROM refs
               WHERE workspace = (SELECT id FROM workspaces WHERE name = ?1) AND object = ?2 AND external_id = ?3)
             ORDER BY rank, at DESC LIMIT 1",
        )?
        .query_row(params![workspace, object.name(), id.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.map(VitallyId::new))
}

fn fingerprint(connection: &Connection, workspace: &str) -> Result<Option<WorkspaceFingerprint>, Fault> {
    type Raw = (String, String, String, String, i64, [u8; 16]);
    let raw: Option<Raw> = connection
        .query_row(
            "SELECT destination, anchor_object, anchor_external_id, anchor_vitally_id, anchored_at, token_digest
             FROM workspaces WHERE name = ?1 AND anchored_at IS NOT NULL AND token_digest IS NOT NULL",
            [workspace],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
        )
        .optional()?;
    let Some((destination, object, external_id, vitally_id, at, token)) = raw else { return Ok(None) };
    let wrong = || Fault::damaged("a workspace fingerprint holds a value that Coho never writes");
    Ok(Some(WorkspaceFingerprint {
        destination,
        token: Digest::from_bytes(token),
        object: Object::parse(&object).ok_or_else(wrong)?,
        external_id: ExternalId::parse(&external_id).map_err(|_| wrong())?,
        vitally_id: VitallyId::new(vitally_id),
        at: time(at)?,
    }))
}
