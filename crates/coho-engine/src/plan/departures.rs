//! Departures: a key's row became another record, and the old one is treated like one whose row left, under a key of its own.
//!
//! This comes after [`super::targets`]: where the new record turned out to be another row's, the old one stays as it is.

use coho_core::decide::Reason;
use coho_core::key::Key;
use coho_core::memory::{Memory, Pending, Standing};
use coho_core::target::ExternalId;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::scope::Scope;
use coho_ledger::spool::{Entry, NewMemory, Note};

use super::absent::{absent, completeness};
use super::draft::Draft;
use super::{Job, PlanError};

/// Lets the old records of all keys that move depart.
pub(super) fn depart(ledger: &Ledger, job: &Job<'_>, draft: &mut Draft) -> Result<(), PlanError> {
    let Some(scope) = job.scope else { return Ok(()) };
    for entry in draft.spool.movers()? {
        if let Some(memory) = ledger.memory(scope, &entry.key)? {
            move_out(ledger, scope, job, draft, &entry, &memory)?;
        }
    }
    Ok(())
}

fn move_out(
    ledger: &Ledger,
    scope: &Scope,
    job: &Job<'_>,
    draft: &mut Draft,
    entry: &Entry,
    memory: &Memory,
) -> Result<(), PlanError> {
    let (departed, serial) = split(ledger, scope, draft, &entry.key, memory, &entry.target)?;
    let memory = Memory { serial: serial + 1, ..memory.clone() };
    absent(ledger, job, draft, &departed, &memory, job.now, completeness(job))
}

/// Lets the record that a key had so far go on under a key of its own. Gives that, and the serial of what is remembered there.
pub(super) fn split(
    ledger: &Ledger,
    scope: &Scope,
    draft: &Draft,
    key: &Key,
    memory: &Memory,
    target: &ExternalId,
) -> Result<(Key, u64), PlanError> {
    let (departed, serial) = place(ledger, scope, key, memory)?;
    draft.spool.note(&Note {
        key: key.clone(),
        fate: Fate::Kept,
        code: Reason::TargetChanged.to_string(),
        message: memory.target.to_string(),
        memory: NewMemory::Split { to: departed.clone(), target: target.clone() },
    })?;
    Ok((departed, serial))
}

/// The key whose row was the record that a departed key stands for.
pub(crate) fn origin_of(departed: &Key) -> Option<Key> {
    departed.as_str().rsplit_once(" (was ").map(|(origin, _)| Key::new(origin))
}

/// Whether a key stands for a record that the row of another key was before.
pub(super) fn is_departure_of(key: &Key, other: &Key) -> bool {
    other.as_str().strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with(" (was "))
}

/// A key for a record without a row, and the serial of what is remembered there. Only what was let be of the same record
/// may be there: it is older, and nothing else in this plan concerns it.
fn place(ledger: &Ledger, scope: &Scope, key: &Key, memory: &Memory) -> Result<(Key, u64), PlanError> {
    let mut number = 1;
    loop {
        let again = if number == 1 { String::new() } else { format!(", {number}") };
        let departed = Key::new(format!("{key} (was {}{again})", memory.target));
        match ledger.memory(scope, &departed)? {
            None => return Ok((departed, 0)),
            Some(there)
                if there.target == memory.target
                    && there.pending == Pending::None
                    && matches!(there.standing, Standing::Released { .. }) =>
            {
                return Ok((departed, there.serial));
            }
            Some(_) => number += 1,
        }
    }
}
