//! Scopes: the namespaces of memory. One is a sync in a workspace.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;

/// A sync in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub(crate) id: i64,
    workspace: String,
    sync: SyncId,
    object: Object,
}

impl Scope {
    /// The workspace.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The sync.
    pub fn sync(&self) -> &SyncId {
        &self.sync
    }

    /// What its rows become.
    pub fn object(&self) -> Object {
        self.object
    }
}

/// A scope could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// The sync wrote records of another object before: its memory is of those.
    #[error("the sync `{sync}` wrote {was} records before and would now write {now} records")]
    ObjectChanged {
        /// The sync.
        sync: SyncId,
        /// What it wrote.
        was: String,
        /// What it would write.
        now: Object,
    },
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ScopeError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::ObjectChanged { .. } => Code::LEDGER_FAILED,
            Self::Ledger(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::ObjectChanged { .. } => {
                Some("give the sync a new id: what is remembered belongs to the old one")
            }
            Self::Ledger(error) => error.help(),
        }
    }
}

impl Ledger {
    /// The scope of a sync in a workspace; it is made where there is none. A scope without memory may take another object.
    pub fn scope(
        &self,
        lease: &Lease,
        workspace: &str,
        sync: &SyncId,
        object: Object,
    ) -> Result<Scope, ScopeError> {
        let found = self.write_in(lease, "opening a scope", |connection| {
            make(connection, workspace, sync, object)?;
            find(connection, workspace, sync)
        })?;
        match found {
            Some((id, text)) => scope(id, &text, workspace, sync, object),
            None => Err(Fault::damaged("a scope is gone").on(self.path(), "opening a scope").into()),
        }
    }

    /// The scope of a sync in a workspace, if there is one: for planning, which writes nothing.
    pub fn find_scope(
        &self,
        workspace: &str,
        sync: &SyncId,
        object: Object,
    ) -> Result<Option<Scope>, ScopeError> {
        let found = self.read("looking for a scope", |connection| find(connection, workspace, sync))?;
        found.map(|(id, text)| scope(id, &text, workspace, sync, object)).transpose()
    }
}

fn scope(id: i64, found: &str, workspace: &str, sync: &SyncId, object: Object) -> Result<Scope, ScopeError> {
    let (workspace, sync) = (workspace.to_owned(), sync.clone());
    if found == object.name() {
        Ok(Scope { id, workspace, sync, object })
    } else {
        Err(ScopeError::ObjectChanged { sync, was: found.to_owned(), now: object })
    }
}

fn make(connection: &Connection, workspace: &str, sync: &SyncId, object: Object) -> Result<(), Fault> {
    let workspace = workspace_id(connection, workspace)?;
    connection.execute(
        "INSERT INTO scopes (workspace, sync, object) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET object = ?3
         WHERE NOT EXISTS (SELECT 1 FROM memory WHERE memory.scope = scopes.id)",
        params![workspace, sync.as_str(), object.name()],
    )?;
    Ok(())
}

fn find(connection: &Connection, workspace: &str, sync: &SyncId) -> Result<Option<(i64, String)>, Fault> {
    let found = connection
        .prepare_cached(
            "SELECT scopes.id, object FROM scopes JOIN workspaces ON workspaces.id = workspace
             WHERE name = ?1 AND sync = ?2",
        )?
        .query_row(params![workspace, sync.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

/// The number of a workspace; it is made where there is none.
pub(crate) fn workspace_id(connection: &Connection, workspace: &str) -> Result<i64, Fault> {
    connection
        .prepare_cached("INSERT INTO workspaces (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([workspace])?;
    let id = connection
        .prepare_cached("SELECT id FROM workspaces WHERE name = ?1")?
        .query_row([workspace], |row| row.get(0))?;
    Ok(id)
}
