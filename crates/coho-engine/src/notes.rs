//! Notes: what a plan remembers without sending, carried out before the first write.

use coho_core::code::Code;
use coho_core::fields::Sent;
use coho_core::memory::{Memory, Origin, Pending, Seen, Standing, Time};
use coho_core::plan::ProblemCounts;
use coho_core::target::ExternalId;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::Scope;
use coho_ledger::settle::RowFate;
use coho_ledger::spool::{NewMemory, Note, Spool};

use crate::context::EngineError;
use crate::standing::Told;

/// Notes that are made durable at once.
const AT_ONCE: usize = 500;

/// Carries out all notes of a plan. Gives the keys that they are of.
pub(crate) fn apply(
    ledger: &Ledger,
    lease: &Lease,
    run: &Run,
    scope: &Scope,
    spool: &Spool,
    now: Time,
) -> Result<Told, EngineError> {
    let (mut after, mut told) = (0, Told::default());
    loop {
        let notes = spool.notes(after, AT_ONCE).map_err(crate::plan::PlanError::from)?;
        let Some((last, _)) = notes.last() else { return Ok(told) };
        after = *last;
        let mut memories = Vec::new();
        for (_, note) in &notes {
            match &note.memory {
                NewMemory::Same => {}
                NewMemory::Split { to, target } => ledger.split(lease, scope, &note.key, to, target, now)?,
                NewMemory::Forgotten => memories.push((note.key.clone(), None)),
                NewMemory::Seen(seen) => {
                    let memory = ledger.memory(scope, &note.key)?.map(|memory| touched(memory, *seen));
                    memories.extend(memory.map(|memory| (note.key.clone(), Some(memory))));
                }
                NewMemory::Learned { target, sent, seen } => {
                    let before = ledger.memory(scope, &note.key)?;
                    memories.push((note.key.clone(), Some(learned(before, target, sent, *seen))));
                }
                NewMemory::Released => {
                    let memory = ledger.memory(scope, &note.key)?.map(released);
                    memories.extend(memory.map(|memory| (note.key.clone(), Some(memory))));
                }
            }
        }
        ledger.write(lease, scope, &memories, now)?;
        let fates: Vec<_> = notes.iter().filter_map(|(_, note)| fate(note, now)).collect();
        fates.iter().filter_map(|fate| fate.key.as_ref()).for_each(|key| told.add(key));
        ledger.record(lease, run, scope, &fates)?;
    }
}

/// The most rows without a key that are recorded for one problem; the run's counts have all of them.
const MOST_NAMELESS: u64 = 1_000;

/// The fates of rows that have no key, and so no note.
pub(crate) fn nameless(problems: &ProblemCounts, at: Time) -> Vec<RowFate> {
    let without_key = problems.values().filter(|problem| problem.key.is_none());
    let fates = without_key.flat_map(|problem| {
        let fate = RowFate {
            key: None,
            op_type: None,
            fate: Fate::Invalid,
            reason: problem.first.code.to_string(),
            code: Some(problem.first.code),
            message: Some(problem.first.message.clone()),
            changes: Vec::new(),
            at,
        };
        (0..problem.count.min(MOST_NAMELESS)).map(move |_| fate.clone())
    });
    fates.collect()
}

/// The row was looked at, and nothing differs from what was acknowledged.
fn touched(memory: Memory, seen: Seen) -> Memory {
    let standing = match memory.standing {
        Standing::Released { sent, id, origin } => Standing::Delivered { sent, n: 1, id, origin },
        other @ (Standing::Never
        | Standing::Assumed { .. }
        | Standing::Delivered { .. }
        | Standing::Removed { .. }) => other,
    };
    Memory { standing, pending: Pending::None, seen: Some(seen), ..memory }
}

/// The row is taken as delivered. What was delivered before stays so, and ours.
fn learned(before: Option<Memory>, target: &ExternalId, sent: &Sent, seen: Seen) -> Memory {
    let sent = sent.clone();
    let standing = match before.filter(|memory| memory.target == *target).map(|memory| memory.standing) {
        Some(Standing::Delivered { n, id, origin, .. }) => Standing::Delivered { sent, n, id, origin },
        Some(Standing::Released { id, origin, .. }) => Standing::Delivered { sent, n: 1, id, origin },
        Some(Standing::Never | Standing::Assumed { .. } | Standing::Removed { .. }) | None => {
            Standing::Assumed { sent }
        }
    };
    Memory { target: target.clone(), standing, pending: Pending::None, seen: Some(seen), serial: 0 }
}

/// The row left, and its record is let be.
fn released(memory: Memory) -> Memory {
    let standing = match memory.standing {
        Standing::Delivered { sent, id, origin, .. } => Standing::Released { sent, id, origin },
        Standing::Assumed { sent } => Standing::Released { sent, id: None, origin: Origin::Found },
        other @ (Standing::Never | Standing::Released { .. } | Standing::Removed { .. }) => other,
    };
    Memory { standing, pending: Pending::None, ..memory }
}

/// Keys that are only moved have no fate of their own, and what is unchanged is not recorded.
fn fate(note: &Note, at: Time) -> Option<RowFate> {
    if matches!(note.fate, Fate::Kept | Fate::Unchanged) {
        return None;
    }
    Some(RowFate {
        key: Some(note.key.clone()),
        op_type: None,
        fate: note.fate,
        reason: note.code.clone(),
        code: Code::parse(&note.code),
        message: if note.message.is_empty() { None } else { Some(note.message.clone()) },
        changes: Vec::new(),
        at,
    })
}
