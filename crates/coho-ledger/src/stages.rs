//! Stages: when each part of a sync's run began and ended. They are written as they happen, so that a page can show where a run
//! is; a run that died leaves one without an end.

use coho_core::digest::ENCODING;
use coho_core::started::{FullWhy, Stage};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::run::{Run, RunId};
use crate::scope::SyncScope;

/// A stage that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageStart {
    /// Which.
    pub stage: Stage,
    /// Of sending: what is sent, such as `fresh`.
    pub phase: Option<&'static str>,
    /// When.
    pub at: Time,
}

/// A stage as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRecord {
    /// The sync.
    pub sync: SyncId,
    /// Which.
    pub stage: Stage,
    /// Of sending: what was sent: fresh, retry, remove, probe, backfill.
    pub phase: Option<String>,
    /// When it began.
    pub began: Time,
    /// When it ended; absent while it goes on, and where the run died in it.
    pub ended: Option<Time>,
    /// How many rows or operations went through it, where that is counted.
    pub rows: Option<u64>,
}

impl Ledger {
    /// Ends the stage that goes on, with how many rows went through it, and begins the next one, if there is one.
    pub fn next_stage(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        ended: (Time, Option<u64>),
        next: Option<StageStart>,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "recording a stage", |connection| {
            let (at, rows) = ended;
            connection
                .prepare_cached(
                    "UPDATE stages SET ended_at = ?3, rows = ?4 WHERE run = ?1 AND scope = ?2 AND ended_at IS NULL",
                )?
                .execute(params![run.row, scope.id, micros(at), rows.map(stored)])?;
            let Some(next) = next else { return Ok(()) };
            connection
                .prepare_cached(
                    "INSERT INTO stages (run, scope, number, stage, phase, began_at)
                     SELECT ?1, ?2, coalesce(max(number), 0) + 1, ?3, ?4, ?5 FROM stages WHERE run = ?1 AND scope = ?2",
                )?
                .execute(params![run.row, scope.id, next.stage.as_str(), next.phase, micros(next.at)])?;
            Ok(())
        })
    }

    /// The stages of all syncs of a run, in the order in which they began.
    pub fn stages(&self, run: &RunId) -> Result<Vec<StageRecord>, LedgerError> {
        self.read("reading stages", |connection| stages(connection, run))
    }

    /// Whether what is remembered of a sync was digested in another way than now. A run that ends well digests all anew, so one
    /// row tells of all.
    pub fn has_other_encoding(&self, scope: &SyncScope) -> Result<bool, LedgerError> {
        self.read("reading an encoding", |connection| {
            let first: Option<u8> = connection
                .prepare_cached("SELECT encoding FROM memory WHERE scope = ?1 LIMIT 1")?
                .query_row([scope.id], |row| row.get(0))
                .optional()?;
            Ok(first.is_some_and(|encoding| encoding != ENCODING))
        })
    }

    /// Remembers why a run evaluates every row of a sync.
    pub fn mark_full(
        &self,
        lease: &Lease,
        run: &Run,
        scope: &SyncScope,
        why: FullWhy,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "marking a full run", |connection| {
            connection
                .prepare_cached("UPDATE run_syncs SET full_why = ?3 WHERE run = ?1 AND scope = ?2")?
                .execute(params![run.row, scope.id, why.as_str()])?;
            Ok(())
        })
    }
}

fn stages(connection: &Connection, run: &RunId) -> Result<Vec<StageRecord>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT scopes.sync, stage, phase, began_at, stages.ended_at, rows FROM runs
         JOIN stages ON stages.run = runs.id JOIN scopes ON scopes.id = stages.scope
         WHERE runs.run = ?1 ORDER BY began_at, stages.scope, number",
    )?;
    let mut rows = statement.query([run.as_str()])?;
    let mut stages = Vec::new();
    while let Some(row) = rows.next()? {
        let stage = row.get::<_, String>(1)?;
        stages.push(StageRecord {
            sync: SyncId::new(row.get::<_, String>(0)?),
            stage: Stage::parse(&stage)
                .ok_or_else(|| Fault::damaged("a stage is not one that Coho knows"))?,
            phase: row.get(2)?,
            began: time(row.get(3)?)?,
            ended: row.get::<_, Option<i64>>(4)?.map(time).transpose()?,
            rows: row.get::<_, Option<i64>>(5)?.map(count),
        });
    }
    Ok(stages)
}
