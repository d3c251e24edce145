//! The outbox: messages that wait to be sent, each claimed by one process at a time, in order for each recipient.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::time::Time;
use rusqlite::{OptionalExtension, Row, params};

use crate::alerts::{delivered, lost};
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{count, micros, stored, time};
use crate::written::{Written, post};

/// A message that is about to be sent, by nobody else before the claim ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its id.
    pub id: String,
    /// Who gets it.
    pub recipient: String,
    /// What it says.
    pub body: String,
    /// When it was written.
    pub created: Time,
    /// How often it was tried, this attempt included.
    pub attempts: u64,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryAttempt {
    /// It was delivered.
    Sent {
        /// What the channel needs to go on with the same thread or incident.
        receipt: Option<String>,
    },
    /// It is tried again.
    Later {
        /// When.
        due: Time,
        /// Why.
        error: String,
    },
    /// It is given up.
    Failed {
        /// Why.
        error: String,
    },
}

/// A recipient whose messages do not get through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Who.
    pub recipient: String,
    /// Since when the oldest message waits, or when the last one was given up.
    pub since: Time,
    /// How many messages wait.
    pub waiting: u64,
    /// When the next attempt is due; none where the last message was given up.
    pub due: Option<Time>,
    /// Why the last attempt failed.
    pub error: String,
}

impl Ledger {
    /// Claims a recipient's oldest message, if it is due and claimed by nobody else.
    pub fn claim(
        &self,
        recipient: &str,
        claim: &str,
        now: Time,
        until: Time,
    ) -> Result<Option<Claimed>, LedgerError> {
        self.transact("claiming a message", |connection| {
            let claimed = connection
                .prepare_cached(
                    "UPDATE outbox SET claim = ?1, claimed_until = ?3, attempts = attempts + 1
                     WHERE due_at <= ?2 AND coalesce(claimed_until, ?2) <= ?2
                       AND number = (SELECT min(number) FROM outbox WHERE state = 'waiting' AND recipient = ?4)
                     RETURNING id, recipient, body, created_at, attempts",
                )?
                .query_row(params![claim, micros(now), micros(until), recipient], raw)
                .optional()?;
            claimed.map(read).transpose()
        })
    }

    /// Writes what came of an attempt. Returns whether the claim still stood: if not, another process answers for the message.
    pub fn settle_message(
        &self,
        id: &str,
        claim: &str,
        attempt: &DeliveryAttempt,
        now: Time,
    ) -> Result<bool, LedgerError> {
        let (state, due, error, receipt) = match attempt {
            DeliveryAttempt::Sent { receipt } => ("sent", None, None, receipt.as_deref()),
            DeliveryAttempt::Later { due, error } => ("waiting", Some(micros(*due)), Some(error), None),
            DeliveryAttempt::Failed { error } => ("failed", None, Some(error), None),
        };
        self.transact("settling a message", |connection| {
            let changed = connection.execute(
                "UPDATE outbox SET state = ?3, due_at = coalesce(?4, due_at), error = masked(?5), receipt = ?6,
                   claim = NULL, claimed_until = NULL, done_at = CASE WHEN ?3 = 'waiting' THEN NULL ELSE ?7 END
                 WHERE id = ?1 AND claim = ?2 AND state = 'waiting'",
                params![id, claim, state, due, error, receipt, micros(now)],
            )?;
            if changed == 0 {
                return Ok(false);
            }
            match attempt {
                DeliveryAttempt::Sent { .. } => delivered(connection, id)?,
                DeliveryAttempt::Failed { .. } => lost(connection, id)?,
                DeliveryAttempt::Later { .. } => {}
            }
            Ok(true)
        })
    }

    /// Writes messages that wait to be sent.
    pub fn post(&self, messages: &[Written], now: Time) -> Result<(), LedgerError> {
        self.transact("writing messages", |connection| post(connection, messages, now))
    }

    /// The receipts of messages that were delivered.
    pub fn receipts(&self, ids: &BTreeSet<String>) -> Result<BTreeMap<String, String>, LedgerError> {
        let names = serde_json::to_string(ids).unwrap_or_default();
        self.read("reading receipts", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, receipt FROM outbox WHERE receipt IS NOT NULL AND id IN (SELECT value FROM json_each(?1))",
            )?;
            let rows = statement.query_map([names], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The messages that wait.
    pub fn waiting_messages(&self) -> Result<BTreeSet<String>, LedgerError> {
        self.read("reading the outbox", |connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM outbox WHERE state = 'waiting'")?;
            let ids = statement.query_map([], |row| row.get(0))?;
            Ok(ids.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The recipients whose last attempt failed.
    pub fn failing(&self) -> Result<Vec<Failing>, LedgerError> {
        self.read("reading the outbox", |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT recipient, coalesce(done_at, created_at), error, CASE WHEN state = 'waiting' THEN due_at END,
                   (SELECT count(*) FROM outbox AS other WHERE other.recipient = one.recipient AND other.state = 'waiting')
                 FROM outbox AS one
                 WHERE error IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outbox AS later
                   WHERE later.recipient = one.recipient AND later.number > one.number
                     AND (later.error IS NOT NULL OR later.state = 'sent'))
                 ORDER BY recipient",
            )?;
            let mut rows = statement.query([])?;
            let mut failing = Vec::new();
            while let Some(row) = rows.next()? {
                failing.push(Failing {
                    recipient: row.get(0)?,
                    since: time(row.get(1)?)?,
                    error: row.get(2)?,
                    due: row.get::<_, Option<i64>>(3)?.map(time).transpose()?,
                    waiting: count(row.get(4)?),
                });
            }
            Ok(failing)
        })
    }

    /// Deletes messages that were done before this moment, but those with which alerts opened that are not over.
    pub fn prune_messages(&self, before: Time) -> Result<u64, LedgerError> {
        self.transact("pruning messages", |connection| {
            let gone = connection.execute(
                "DELETE FROM outbox WHERE done_at < ?1 AND id NOT IN (SELECT opened_by FROM told)",
                [micros(before)],
            )?;
            Ok(count(stored(gone)))
        })
    }
}

type Raw = (String, String, String, i64, i64);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn read((id, recipient, body, created, attempts): Raw) -> Result<Claimed, Fault> {
    Ok(Claimed { id, recipient, body, created: time(created)?, attempts: count(attempts) })
}
