//! Intents of whole batches: one row says of a hundred writes that they may arrive, and goes when they are settled. Nobody reads
//! it while its run lives.
//!
//! A run that died leaves it: see [`crate::unfold`].

use rusqlite::{Connection, params};

use crate::failure::Fault;
use crate::intent::{self, Intent, Opened};
use crate::moment::micros;
use crate::row_state::store;
use crate::scope::SyncScope;
use crate::unfold::Write;

/// The intent of a batch that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(i64);

/// What became of the intents of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct OpenedBatch {
    /// The batch; absent where none of its writes may be sent.
    pub id: Option<BatchId>,
    /// Each write.
    pub opened: Vec<Opened>,
}

/// Opens the intents of a batch, of those writes whose memory is the expected one.
pub(crate) fn open(
    connection: &Connection,
    scope: &SyncScope,
    intents: &[Intent],
) -> Result<OpenedBatch, Fault> {
    let opened = intents
        .iter()
        .map(|intent| intent::look(connection, scope, intent))
        .collect::<Result<Vec<_>, _>>()?;
    let durable = intents.iter().zip(&opened).filter(|pair| matches!(pair.1, Opened::Durable { .. }));
    let writes: Vec<Write<&str>> = durable.map(|(intent, _)| write(intent)).collect();
    let (Some(first), false) = (intents.first(), writes.is_empty()) else {
        return Ok(OpenedBatch { id: None, opened });
    };
    let text = serde_json::to_string(&writes).map_err(|_| Fault::damaged("a batch cannot be encoded"))?;
    connection
        .prepare_cached("INSERT INTO batches (scope, since, writes) VALUES (?1, ?2, ?3)")?
        .execute(params![scope.id, micros(first.since), text])?;
    Ok(OpenedBatch { id: Some(BatchId(connection.last_insert_rowid())), opened })
}

fn write(intent: &Intent) -> Write<&str> {
    let verb = store::verb(intent.verb);
    let digest = intent.operation.to_string();
    (
        intent.key.row(),
        intent.key.departure(),
        intent.target.as_str(),
        verb,
        digest,
        intent.would_send.as_str(),
    )
}

/// Closes batches whose writes are settled in the same transaction.
pub(crate) fn close(connection: &Connection, batches: &[BatchId]) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached("DELETE FROM batches WHERE id = ?1")?;
    batches.iter().try_for_each(|batch| statement.execute([batch.0]).map(drop).map_err(Fault::from))
}
