//! Messages as they are written into the outbox, together with what they tell of; [`crate::outbox`] says how they leave it.

use coho_core::time::Time;
use rusqlite::{Connection, params};

use crate::failure::Fault;
use crate::moment::micros;

/// A message as it is written into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its id.
    pub id: String,
    /// Who gets it.
    pub recipient: String,
    /// What it says.
    pub body: String,
}

/// Writes messages that wait to be sent. What is there under the same id was written before.
pub(crate) fn post(connection: &Connection, messages: &[Written], now: Time) -> Result<(), Fault> {
    for message in messages {
        connection
            .prepare_cached(
                "INSERT INTO outbox (id, recipient, body, state, created_at, due_at)
                 VALUES (?1, ?2, masked(?3), 'waiting', ?4, ?4) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![message.id, message.recipient, message.body, micros(now)])?;
    }
    Ok(())
}
