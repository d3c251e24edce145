//! What a run leaves in the source's cache: how each row was that needs nothing now.
//!
//! It is written when all parts of the run are over, in one transaction of the source, and only then remembered in the ledger. Whatever
//! ends in between costs a reading of all rows, and nothing else: the cache has a name then that the ledger does not know.

use coho_core::digest::{Digest, Hasher};
use coho_core::time::Time;
use coho_plan::cache::Publication;
use coho_plan::failure::PlanError;
use coho_source::cache::{Publishing, publish, why};
use coho_source::{Connection, SourceError};

use super::parts::{ends, goes_on};
use super::{Part, Shared};
use crate::context::Engine;
use crate::failure::EngineError;

/// Why a cache was not written.
enum Unwritten {
    /// The source did not take it.
    Refused(SourceError),
    /// Somebody else wrote it meanwhile.
    Overtaken,
    /// Somebody asked to end.
    Interrupted,
    /// The run cannot go on.
    Failed(EngineError),
}

impl From<SourceError> for Unwritten {
    fn from(error: SourceError) -> Self {
        Self::Refused(error)
    }
}

impl From<PlanError> for Unwritten {
    fn from(error: PlanError) -> Self {
        if matches!(error, PlanError::Interrupted) {
            return Self::Interrupted;
        }
        Self::Failed(error.into())
    }
}

impl Engine<'_> {
    /// Writes the cache of a part, if it has one. Where that fails nothing is lost, and the run says so.
    pub(super) async fn publish(&self, shared: &Shared<'_>, part: &mut Part<'_>) -> Result<(), EngineError> {
        let publication = part.planned.as_mut().and_then(|planned| planned.publication.take());
        let Some(mut publication) = publication.filter(|_| !ends(shared)) else { return Ok(()) };
        let connection = self.connection(self.model(part.sync)?)?;
        let now = self.setup.clock.now();
        let name = name(shared.run.id().as_str(), part.sync.id.as_str(), now);
        let written = write(&connection, shared, part, &mut publication, name);
        let written = shared.stop.until().first(written).await;
        match written.unwrap_or(Err(Unwritten::Interrupted)) {
            Ok(()) => {
                let learned = publication.learned(name);
                shared.ledger.learn_buckets(shared.lease, &part.scope, &learned, self.setup.clock.now())?;
            }
            Err(Unwritten::Failed(error)) => return Err(error),
            Err(Unwritten::Interrupted) => {}
            Err(Unwritten::Refused(error)) => part.sent.notes.push(refused(&error)),
            Err(Unwritten::Overtaken) => part.sent.notes.push(OVERTAKEN.to_owned()),
        }
        Ok(())
    }
}

const OVERTAKEN: &str = "the cache in the source was not updated, because somebody else changed it during the run: the next run reads all rows";

/// What is said where the source does not take a cache.
fn refused(error: &SourceError) -> String {
    let why = why(error);
    format!(
        "the cache in the source was not updated: {why}; nothing is lost, but the next run reads more rows: \
         `coho check --grants` prints the statements that give the rights"
    )
}

/// A name that no other cache ever had, since no two runs have one id.
fn name(run: &str, sync: &str, now: Time) -> Digest {
    let mut hasher = Hasher::new();
    hasher.part(run.as_bytes());
    hasher.part(sync.as_bytes());
    hasher.part(&now.timestamp_micros().to_le_bytes());
    hasher.finish()
}

/// Writes all that is to be in the cache, or nothing.
async fn write(
    connection: &Connection,
    shared: &Shared<'_>,
    part: &Part<'_>,
    publication: &mut Publication,
    name: Digest,
) -> Result<(), Unwritten> {
    let begun = publish(connection, &publication.table, publication.expects, name).await?;
    let Some(mut publishing) = begun else { return Err(Unwritten::Overtaken) };
    while let Some(written) = publication.next(shared.ledger, &part.scope)? {
        if !goes_on(shared) {
            return Err(Unwritten::Interrupted);
        }
        hand_over(&mut publishing, written).await?;
    }
    Ok(publishing.commit().await?)
}

async fn hand_over(
    publishing: &mut Publishing,
    written: coho_plan::cache::CacheChange,
) -> Result<(), SourceError> {
    if !written.take.is_empty() {
        publishing.take(&written.take).await?;
    }
    if !written.put.is_empty() {
        publishing.put(&written.put).await?;
    }
    Ok(())
}
