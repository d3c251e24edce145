//! Alerts: their states, what each recipient was told, and mutes. What is to be told is decided by the caller, within the
//! transaction that reads what is remembered and writes the messages, so that no two processes tell one change.
//!
//! No lease is needed for that: who only wants to know what is due, or mutes a sync, need not wait for a run that is under way.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::alert::remembered::{Alert, Detail, Mute, Remembered, Told};
use coho_core::alert::{AlertKey, Level, Subject, Trigger};
use coho_core::json::Json;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use rusqlite::{Connection, Row, params};
use serde_json::json;

use crate::failure::{Fault, LedgerError};
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::run::{Run, RunEnding, conclude};
use crate::written::{Written, post};

/// What changes of what is remembered of alerts, and what is sent because of it.
#[derive(Clone, Debug, Default)]
pub struct Telling {
    /// The alerts as they are now: all of them.
    pub alerts: BTreeMap<AlertKey, Alert>,
    /// What recipients were told, as soon as the messages are delivered.
    pub told: Vec<((AlertKey, String), Told)>,
    /// The messages.
    pub messages: Vec<Written>,
    /// The names of all recipients: what is remembered of others is forgotten.
    pub recipients: BTreeSet<String>,
}

impl Ledger {
    /// Decides what is told, and writes it with the states. The number is that of the outbox's next message.
    pub fn tell(
        &self,
        now: Time,
        decide: impl FnOnce(Remembered, u64) -> Telling,
    ) -> Result<(), LedgerError> {
        self.transact("remembering alerts", |connection| {
            let telling = decide(remembered(connection)?, next(connection)?);
            write(connection, &telling, now)
        })
    }

    /// Ends a run, and in the same transaction decides and writes what is told of it.
    pub fn end_run_telling(
        &self,
        lease: &Lease,
        run: &Run,
        ending: &RunEnding,
        decide: impl FnOnce(Remembered, u64) -> Telling,
    ) -> Result<(), LedgerError> {
        self.write_in(lease, "ending a run", |connection| {
            conclude(connection, run, ending)?;
            let telling = decide(remembered(connection)?, next(connection)?);
            write(connection, &telling, ending.at)
        })
    }

    /// What is remembered of alerts.
    pub fn alerts(&self) -> Result<Remembered, LedgerError> {
        self.read("reading alerts", remembered)
    }

    /// Silences a sync.
    pub fn mute(&self, mute: &Mute) -> Result<(), LedgerError> {
        self.transact("muting a sync", |connection| {
            connection.execute(
                "INSERT OR REPLACE INTO mutes (sync, until, why, since) VALUES (?1, ?2, masked(?3), ?4)",
                params![mute.sync.as_str(), micros(mute.until), mute.why, micros(mute.since)],
            )?;
            Ok(())
        })
    }

    /// Lifts a silence. Returns whether there was one.
    pub fn unmute(&self, sync: &SyncId) -> Result<bool, LedgerError> {
        self.transact("lifting a mute", |connection| {
            Ok(connection.execute("DELETE FROM mutes WHERE sync = ?1", [sync.as_str()])? > 0)
        })
    }
}

fn next(connection: &Connection) -> Result<u64, Fault> {
    let last: Option<i64> = connection.query_row("SELECT max(number) FROM outbox", [], |row| row.get(0))?;
    Ok(count(last.unwrap_or_default()) + 1)
}

fn remembered(connection: &Connection) -> Result<Remembered, Fault> {
    Ok(Remembered { alerts: alerts(connection)?, told: told(connection)?, mutes: mutes(connection)? })
}

fn alerts(connection: &Connection) -> Result<BTreeMap<AlertKey, Alert>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT subject, watched, level, streak, since, brief, what, rows, examples, remedy, run FROM alerts",
    )?;
    let mut rows = statement.query([])?;
    let mut alerts = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let examples: Vec<String> = serde_json::from_str(&row.get::<_, String>(8)?).map_err(|_| wrong())?;
        let detail = Detail {
            brief: row.get(5)?,
            what: row.get(6)?,
            count: row.get::<_, Option<i64>>(7)?.map(count),
            examples,
            remedy: row.get(9)?,
            run: row.get(10)?,
        };
        let streak = u32::try_from(row.get::<_, i64>(3)?).unwrap_or(u32::MAX);
        let alert = Alert { level: level(row, 2)?, streak, since: time(row.get(4)?)?, detail };
        alerts.insert(key(row)?, alert);
    }
    Ok(alerts)
}

fn told(connection: &Connection) -> Result<BTreeMap<(AlertKey, String), Told>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT subject, watched, level, recipient, at, message, opened_by, opened_at FROM told",
    )?;
    let mut rows = statement.query([])?;
    let mut told = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let one = Told {
            level: level(row, 2)?,
            at: time(row.get(4)?)?,
            message: row.get(5)?,
            opened_by: row.get(6)?,
            opened_at: time(row.get(7)?)?,
        };
        told.insert((key(row)?, row.get(3)?), one);
    }
    Ok(told)
}

fn mutes(connection: &Connection) -> Result<Vec<Mute>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT sync, until, why, since FROM mutes ORDER BY sync")?;
    let mut rows = statement.query([])?;
    let mut mutes = Vec::new();
    while let Some(row) = rows.next()? {
        let sync = SyncId::new(row.get::<_, String>(0)?);
        mutes.push(Mute { sync, until: time(row.get(1)?)?, why: row.get(2)?, since: time(row.get(3)?)? });
    }
    Ok(mutes)
}

fn key(row: &Row<'_>) -> Result<AlertKey, Fault> {
    let subject = Subject::parse(&row.get::<_, String>(0)?).ok_or_else(wrong)?;
    let trigger = Trigger::parse(&row.get::<_, String>(1)?).ok_or_else(wrong)?;
    Ok(AlertKey { subject, trigger })
}

fn level(row: &Row<'_>, column: usize) -> Result<Option<Level>, Fault> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|text| Level::parse(&text)))
}

fn wrong() -> Fault {
    Fault::damaged("an alert holds what Coho never writes")
}

fn write(connection: &Connection, telling: &Telling, now: Time) -> Result<(), Fault> {
    forget_recipients(connection, &telling.recipients)?;
    for (key, told) in &telling.told {
        write_told(connection, key, told)?;
    }
    post(connection, &telling.messages, now)?;
    connection.execute("DELETE FROM alerts", [])?;
    for (key, alert) in &telling.alerts {
        write_alert(connection, key, alert)?;
    }
    forget_what_is_over(connection)?;
    connection.execute("DELETE FROM mutes WHERE until <= ?1", [micros(now)])?;
    Ok(())
}

/// What is well, and known to be, need not be remembered.
fn forget_what_is_over(connection: &Connection) -> Result<(), Fault> {
    connection.execute(
        "DELETE FROM alerts WHERE level IS NULL AND streak = 0 AND NOT EXISTS (
           SELECT 1 FROM told WHERE told.subject = alerts.subject AND told.watched = alerts.watched)",
        [],
    )?;
    Ok(())
}

/// Who is in the project no more is told nothing.
fn forget_recipients(connection: &Connection, recipients: &BTreeSet<String>) -> Result<(), Fault> {
    let names = serde_json::to_string(recipients).unwrap_or_default();
    connection.execute(
        "DELETE FROM outbox WHERE state = 'waiting' AND recipient NOT IN (SELECT value FROM json_each(?1))",
        [&names],
    )?;
    connection
        .execute("DELETE FROM told WHERE recipient NOT IN (SELECT value FROM json_each(?1))", [&names])?;
    Ok(())
}

fn write_alert(connection: &Connection, key: &AlertKey, alert: &Alert) -> Result<(), Fault> {
    let detail = &alert.detail;
    connection
        .prepare_cached(
            "INSERT INTO alerts (subject, watched, level, streak, since, brief, what, rows, examples, remedy, run)
             VALUES (?1, ?2, ?3, ?4, ?5, masked(?6), masked(?7), ?8, ?9, masked(?10), ?11)",
        )?
        .execute(params![
            key.subject.to_string(),
            key.trigger.as_str(),
            alert.level.map(Level::as_str),
            i64::from(alert.streak),
            micros(alert.since),
            detail.brief,
            detail.what,
            detail.count.map(stored),
            json!(detail.examples).to_string(),
            detail.remedy,
            detail.run,
        ])?;
    Ok(())
}

/// What was told before is kept until the message is delivered.
fn write_told(connection: &Connection, key: &(AlertKey, String), told: &Told) -> Result<(), Fault> {
    let (alert, recipient) = key;
    connection
        .prepare_cached(
            "INSERT INTO told (subject, watched, recipient, level, at, message, opened_by, opened_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT DO UPDATE SET level = ?4, at = ?5, message = ?6, opened_by = ?7, opened_at = ?8,
               before = json_object('level', level, 'at', at, 'message', message, 'opened_by', opened_by, 'opened_at', opened_at)",
        )?
        .execute(params![
            alert.subject.to_string(),
            alert.trigger.as_str(),
            recipient,
            told.level.map(Level::as_str),
            micros(told.at),
            told.message,
            told.opened_by,
            micros(told.opened_at),
        ])?;
    Ok(())
}

/// A message was delivered: what it told is known, and what is known to be well is forgotten.
pub(crate) fn delivered(connection: &Connection, message: &str) -> Result<(), Fault> {
    connection.execute("DELETE FROM told WHERE message = ?1 AND level IS NULL", [message])?;
    connection.execute("UPDATE told SET before = NULL WHERE message = ?1", [message])?;
    forget_what_is_over(connection)
}

/// A message is not going to be delivered: what was told before holds again, so that a later message tells the difference.
pub(crate) fn lost(connection: &Connection, message: &str) -> Result<(), Fault> {
    connection.execute("DELETE FROM told WHERE message = ?1 AND before IS NULL", [message])?;
    let rows: Vec<(String, String, String, String)> = connection
        .prepare("SELECT subject, watched, recipient, before FROM told WHERE message = ?1")?
        .query_map([message], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (subject, watched, recipient, before) in rows {
        let before: Json = serde_json::from_str(&before).map_err(|_| wrong())?;
        let text = |name: &str| before.get(name).and_then(Json::as_str);
        let number = |name: &str| before.get(name).and_then(Json::as_i64);
        connection.execute(
            "UPDATE told SET level = ?4, at = ?5, message = ?6, opened_by = ?7, opened_at = ?8, before = NULL
             WHERE subject = ?1 AND watched = ?2 AND recipient = ?3",
            params![
                subject,
                watched,
                recipient,
                text("level"),
                number("at"),
                text("message"),
                text("opened_by"),
                number("opened_at")
            ],
        )?;
    }
    Ok(())
}
