//! Scopes: the namespaces of memory. One is a sync in a workspace. What else is known of a workspace stands in
//! [`crate::workspace`].

use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{micros, time};

/// A sync in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncScope {
    pub(crate) id: i64,
    workspace: String,
    sync: SyncId,
    object: Object,
}

impl SyncScope {
    /// The workspace.
    pub fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The sync.
    pub fn sync(&self) -> &SyncId {
        &self.sync
    }

    /// The object that its rows become.
    pub fn object(&self) -> Object {
        self.object
    }
}

/// A sync that something is remembered of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSync {
    /// Its id.
    pub sync: SyncId,
    /// The object that its rows become.
    pub object: Object,
    /// The name of the model that it was run with last.
    pub model: Option<String>,
}

/// What became of renaming a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Renamed {
    /// What was remembered under the old id is remembered under the new one.
    Moved,
    /// Under the old id nothing is remembered: nothing was changed.
    NothingThere,
    /// Under both ids something is remembered: nothing was changed.
    BothThere,
}

/// A scope could not be had.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum ScopeError {
    /// The sync wrote records of another object before: its memory is of those.
    #[error("sync `{sync}` used to write {was} records and would now write {now} records")]
    ObjectChanged { sync: SyncId, was: String, now: Object },
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Failure for ScopeError {
    fn code(&self) -> Code {
        match self {
            Self::ObjectChanged { .. } => Code::LEDGER_FAILED,
            Self::Ledger(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::ObjectChanged { .. } => "give the sync a new id: the ledger's state belongs to the old one",
            Self::Ledger(error) => return error.help(),
        };
        Some(help.to_owned())
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
    ) -> Result<SyncScope, ScopeError> {
        let found = self.write_in(lease, "opening a scope", |connection| {
            make(connection, workspace, sync, object)?;
            find(connection, workspace, sync)
        })?;
        match found {
            Some((id, text)) => scope(id, &text, workspace, sync, object),
            None => {
                Err(Fault::damaged("a sync's scope is missing").on(self.named(), "opening a scope").into())
            }
        }
    }

    /// The scope of a sync in a workspace, if there is one: for planning, which writes nothing.
    pub fn find_scope(
        &self,
        workspace: &str,
        sync: &SyncId,
        object: Object,
    ) -> Result<Option<SyncScope>, ScopeError> {
        let found = self.read("looking for a scope", |connection| find(connection, workspace, sync))?;
        found.map(|(id, text)| scope(id, &text, workspace, sync, object)).transpose()
    }

    /// The scope of a sync in a workspace, whatever its object is: for looking at what was run.
    pub fn scope_of(&self, workspace: &str, sync: &SyncId) -> Result<Option<SyncScope>, LedgerError> {
        self.read("looking for a scope", |connection| {
            let Some((id, text)) = find(connection, workspace, sync)? else { return Ok(None) };
            let object = Object::parse(&text)
                .ok_or_else(|| Fault::damaged("a scope is of an object that Coho does not know"))?;
            Ok(Some(SyncScope { id, workspace: workspace.to_owned(), sync: sync.clone(), object }))
        })
    }

    /// The syncs of a workspace that something is remembered of, in the order of their ids.
    pub fn remembered(&self, workspace: &str) -> Result<Vec<KnownSync>, LedgerError> {
        self.read("listing scopes", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sync, object, (SELECT model FROM run_syncs WHERE scope = scopes.id ORDER BY run DESC LIMIT 1)
                 FROM scopes JOIN workspaces ON workspaces.id = workspace
                 WHERE name = ?1 AND EXISTS (SELECT 1 FROM memory WHERE memory.scope = scopes.id) ORDER BY sync",
            )?;
            let mut rows = statement.query([workspace])?;
            let mut syncs = Vec::new();
            while let Some(row) = rows.next()? {
                let object = Object::parse(&row.get::<_, String>(1)?)
                    .ok_or_else(|| Fault::damaged("a scope is of an object that Coho does not know"))?;
                let sync = SyncId::new(row.get::<_, String>(0)?);
                syncs.push(KnownSync { sync, object, model: row.get(2)? });
            }
            Ok(syncs)
        })
    }

    /// When the first run of a scope's sync was planned to its end, if it was.
    pub fn first_run(&self, scope: &SyncScope) -> Result<Option<Time>, LedgerError> {
        self.read("reading a scope", |connection| {
            let at: Option<Option<i64>> = connection
                .query_row("SELECT first_run_at FROM scopes WHERE id = ?1", [scope.id], |row| row.get(0))
                .optional()?;
            at.flatten().map(time).transpose()
        })
    }

    /// Remembers that the first run of a scope's sync was planned to its end. What was remembered first stays.
    pub fn mark_first_run(&self, lease: &Lease, scope: &SyncScope, now: Time) -> Result<(), LedgerError> {
        self.write_in(lease, "marking a first run", |connection| {
            connection.execute(
                "UPDATE scopes SET first_run_at = ?2 WHERE id = ?1 AND first_run_at IS NULL",
                params![scope.id, micros(now)],
            )?;
            Ok(())
        })
    }

    /// Moves all that is remembered of a sync to its new id, in one transaction: memory, history and its first run. Scopes
    /// that were found before are void after it.
    ///
    /// Memory under the new id is never touched. A scope under the new id that only has history gets the old id.
    pub fn rename_scope(
        &self,
        lease: &Lease,
        workspace: &str,
        from: &SyncId,
        to: &SyncId,
    ) -> Result<Renamed, LedgerError> {
        self.write_in(lease, "renaming a sync", |connection| {
            let Some(old) = held(connection, workspace, from)? else { return Ok(Renamed::NothingThere) };
            let new = held(connection, workspace, to)?;
            match (old.holds, new.as_ref().map_or(Holds::Nothing, |new| new.holds)) {
                _ if from == to => Ok(Renamed::NothingThere),
                (Holds::Memory, Holds::Memory) => Ok(Renamed::BothThere),
                (Holds::Nothing, _) | (Holds::FirstRun, Holds::FirstRun | Holds::Memory) => {
                    Ok(Renamed::NothingThere)
                }
                (Holds::Memory, Holds::Nothing | Holds::FirstRun) | (Holds::FirstRun, Holds::Nothing) => {
                    swap(connection, &old, new.as_ref(), from, to)?;
                    Ok(Renamed::Moved)
                }
            }
        })
    }
}

/// How much there is under a sync's id.
#[derive(Clone, Copy)]
enum Holds {
    /// Neither memory nor a first run.
    Nothing,
    /// A first run after which nothing is remembered.
    FirstRun,
    /// Memory.
    Memory,
}

/// A scope by its number, with what there is in it.
struct Held {
    id: i64,
    holds: Holds,
}

fn held(connection: &Connection, workspace: &str, sync: &SyncId) -> Result<Option<Held>, Fault> {
    let Some((id, _)) = find(connection, workspace, sync)? else { return Ok(None) };
    let (row_state, began): (bool, bool) = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM memory WHERE scope = ?1), first_run_at IS NOT NULL FROM scopes WHERE id = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let holds = match (row_state, began) {
        (true, _) => Holds::Memory,
        (false, true) => Holds::FirstRun,
        (false, false) => Holds::Nothing,
    };
    Ok(Some(Held { id, holds }))
}

/// Gives the old scope the new id. The scope that had it stays, since history refers to it: no two scopes of a workspace may
/// have one id, so it goes by its number for a moment.
fn swap(
    connection: &Connection,
    old: &Held,
    new: Option<&Held>,
    from: &SyncId,
    to: &SyncId,
) -> Result<(), Fault> {
    let mut rename = connection.prepare_cached("UPDATE scopes SET sync = ?2 WHERE id = ?1")?;
    if let Some(new) = new {
        rename.execute(params![new.id, format!("\u{0}{}", new.id)])?;
    }
    rename.execute(params![old.id, to.as_str()])?;
    if let Some(new) = new {
        rename.execute(params![new.id, from.as_str()])?;
    }
    Ok(())
}

fn scope(
    id: i64,
    found: &str,
    workspace: &str,
    sync: &SyncId,
    object: Object,
) -> Result<SyncScope, ScopeError> {
    let (workspace, sync) = (workspace.to_owned(), sync.clone());
    if found == object.name() {
        Ok(SyncScope { id, workspace, sync, object })
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

/// The scope with this number.
pub(crate) fn of_number(connection: &Connection, id: i64) -> Result<Option<SyncScope>, Fault> {
    let found: Option<(String, String, String)> = connection
        .prepare_cached(
            "SELECT name, sync, object FROM scopes JOIN workspaces ON workspaces.id = workspace WHERE scopes.id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((workspace, sync, object)) = found else { return Ok(None) };
    let object = Object::parse(&object)
        .ok_or_else(|| Fault::damaged("a scope is of an object that Coho does not know"))?;
    Ok(Some(SyncScope { id, workspace, sync: SyncId::new(sync), object }))
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
