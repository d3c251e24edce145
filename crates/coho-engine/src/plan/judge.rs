//! Judging: each key's row and memory become a change, and where that is a write, an operation.

use coho_core::code::Code;
use coho_core::decide::{
    Change, Claim, Completeness, Decision, Nature, Policy, Purpose, Reason, RowState, decide,
};
use coho_core::fields::{Rendered, Sent, Sieved, sieve};
use coho_core::key::Key;
use coho_core::memory::{Memory, Pending, Seen};
use coho_core::operation::{Action, Draft as Sketch, Known, Operation, seal};
use coho_core::problem::Problem;
use coho_core::row::RowBuf;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::compare::{Compared, Comparison, Rows, Same};
use coho_ledger::memory::Memories;
use coho_ledger::spool::{HoldsTarget, NewMemory, Note, Spool};
use coho_mapping::Mapping;

use super::draft::Draft;
use super::read::Read;
use super::{Job, PlanError};

/// How long the memory of a removed record is kept, in days: it tells a record that returns from a new one.
const KEEP_REMOVED_DAYS: i64 = 90;

/// Judges all keys, in their order.
pub(super) fn judge(ledger: &Ledger, job: &Job<'_>, read: Read) -> Result<Draft, PlanError> {
    let memories = match job.scope {
        Some(scope) => ledger.memories(scope)?,
        None => Memories::none(),
    };
    let mapping = read.mapping;
    let same = match job.purpose {
        Purpose::Sync => Same::Count { mapping: mapping.digest() },
        Purpose::Baseline | Purpose::Resend | Purpose::ResendEvents => Same::Yield,
    };
    let mut comparison = Comparison::new(read.rows, memories, same)?;
    let draft = Draft::new(Spool::new(job.folder)?, read.counts, read.problems);
    let mut judge = Judge { ledger, job, mapping, draft };
    for found in &mut comparison {
        judge.found(found?)?;
    }
    let mut draft = judge.draft;
    let unchanged = comparison.same();
    if unchanged > 0 {
        *draft.counts.rows.entry(Fate::Unchanged).or_default() += unchanged;
        draft.tally(Change::Unchanged, Reason::SameRow, unchanged);
    }
    draft.known = comparison.standings().delivered;
    Ok(draft)
}

struct Judge<'a> {
    ledger: &'a Ledger,
    job: &'a Job<'a>,
    mapping: Mapping,
    draft: Draft,
}

impl Judge<'_> {
    fn found(&mut self, found: Compared) -> Result<(), PlanError> {
        let memory = found.memory.map(|row| row.decode()).transpose()?;
        match found.rows {
            Rows::One { row, fingerprint } => self.present(&found.key, &row, fingerprint, memory.as_ref()),
            Rows::Many { count } => self.twice(&found.key, count),
            Rows::None => match memory {
                Some(memory) => self.absent(&found.key, &memory, self.job.filter.completeness()),
                None => Ok(()),
            },
        }
    }

    fn policy(&self, memory: Option<&Memory>) -> Result<Policy, PlanError> {
        let claim = match (self.job.scope, memory) {
            (Some(scope), Some(memory))
                if self.ledger.claimed_elsewhere(scope, self.job.sync.object, &memory.target)? =>
            {
                Claim::Shared
            }
            _ => Claim::OursAlone,
        };
        Ok(Policy {
            purpose: self.job.purpose,
            nature: Nature::Record,
            removal: self.job.sync.removal,
            claim,
            now: self.job.now,
            forget_removed_before: self.job.now - chrono::TimeDelta::days(KEEP_REMOVED_DAYS),
        })
    }

    fn twice(&mut self, key: &Key, count: u64) -> Result<(), PlanError> {
        let message = format!("{count} rows have the primary key `{}`", coho_core::value::preview(key.as_str()));
        let problem = Problem::new(Code::DUPLICATE_KEY, message).help("make the model's key unique");
        self.draft.tally(Change::Invalid, Reason::DuplicateKey, count);
        for _ in 1..count {
            self.draft.counts.row(Fate::Invalid);
        }
        Ok(self.draft.invalid(key, &[problem])?)
    }

    fn present(
        &mut self,
        key: &Key,
        row: &RowBuf,
        fingerprint: coho_core::digest::Digest,
        memory: Option<&Memory>,
    ) -> Result<(), PlanError> {
        let seen = Seen { row: fingerprint, mapping: self.mapping.digest() };
        let policy = Policy { claim: Claim::OursAlone, ..self.policy(None)? };
        let decision = decide(RowState::Present(seen), memory, &policy);
        match decision.change {
            Change::Unchanged => {
                self.draft.tally(Change::Unchanged, decision.reason, 1);
                self.draft.counts.row(Fate::Unchanged);
                let void = memory.is_some_and(|memory| memory.pending != Pending::None);
                if void { self.touch(key, seen, decision.reason) } else { Ok(()) }
            }
            Change::Hold => {
                self.draft.tally(Change::Hold, decision.reason, 1);
                self.draft.counts.row(Fate::Held);
                self.note(key, Fate::Held, decision.reason, NewMemory::Same)
            }
            _ => match self.mapping.render(row) {
                Ok(rendered) => self.rendered(key, &rendered, seen, memory, decision),
                Err(problems) => {
                    self.draft.tally(Change::Invalid, decision.reason, 1);
                    Ok(self.draft.invalid(key, &problems)?)
                }
            },
        }
    }

    fn rendered(
        &mut self,
        key: &Key,
        rendered: &Rendered,
        seen: Seen,
        memory: Option<&Memory>,
        decision: Decision,
    ) -> Result<(), PlanError> {
        let moved = memory.filter(|memory| memory.target != rendered.target && has_record(memory));
        let (memory, reason) = match moved {
            Some(memory) => {
                self.depart(key, memory, rendered)?;
                (None, Reason::TargetChanged)
            }
            None => (memory, decision.reason),
        };
        let nothing = Sent::new();
        let sent = memory.and_then(|memory| memory.standing.sent()).unwrap_or(&nothing);
        let sieved = sieve(rendered, sent);
        if moved.is_none() && touches(decision.change, memory, &sieved) {
            self.draft.tally(Change::Unchanged, Reason::SamePayload, 1);
            self.draft.counts.row(Fate::Touched);
            return self.touch(key, seen, Reason::SamePayload);
        }
        let sketch = Sketch {
            key,
            object: self.job.sync.object,
            mode: self.job.sync.mode,
            rendered,
            sieved,
            memory,
            reason,
            seen,
        };
        match seal(sketch) {
            Ok(mut operation) => {
                if let Some(departed) = moved {
                    operation.serial = departed.serial + 1;
                }
                Ok(self.draft.push(&operation, HoldsTarget::of(memory, &rendered.target))?)
            }
            Err(problems) => {
                self.draft.tally(Change::Invalid, reason, 1);
                Ok(self.draft.invalid(key, &problems)?)
            }
        }
    }

    /// The key's row became another record: the old one is treated like one whose row left, under a key of its own.
    fn depart(&mut self, key: &Key, memory: &Memory, rendered: &Rendered) -> Result<(), PlanError> {
        let departed = Key::new(format!("{key} (was {})", memory.target));
        self.draft.spool.note(&Note {
            key: key.clone(),
            fate: Fate::Kept,
            code: Reason::TargetChanged.to_string(),
            message: memory.target.to_string(),
            memory: NewMemory::Split { to: departed.clone(), target: rendered.target.clone() },
        })?;
        let serial = match self.job.scope {
            Some(scope) => self.ledger.memory(scope, &departed)?.map_or(0, |memory| memory.serial),
            None => 0,
        };
        let memory = Memory { serial: serial + 1, ..memory.clone() };
        self.absent(&departed, &memory, self.job.filter.completeness())
    }

    fn absent(&mut self, key: &Key, memory: &Memory, completeness: Completeness) -> Result<(), PlanError> {
        self.draft.counts.absent += 1;
        let decision = decide(RowState::Absent(completeness), Some(memory), &self.policy(Some(memory))?);
        if completeness == Completeness::Complete {
            self.draft.spool.absent(key)?;
        }
        let (fate, new) = match decision.change {
            Change::Remove => return self.operate(key, memory, decision, Action::Remove),
            Change::Probe => return self.operate(key, memory, decision, probe(memory)),
            Change::Forget => (Fate::Forgotten, NewMemory::Forgotten),
            Change::Release => (Fate::Released, NewMemory::Released),
            Change::Hold => (Fate::Held, NewMemory::Same),
            _ => (Fate::Kept, NewMemory::Same),
        };
        self.draft.tally(decision.change, decision.reason, 1);
        self.draft.counts.key(fate);
        if fate == Fate::Kept { Ok(()) } else { self.note(key, fate, decision.reason, new) }
    }

    fn operate(
        &mut self,
        key: &Key,
        memory: &Memory,
        decision: Decision,
        action: Action,
    ) -> Result<(), PlanError> {
        let operation = Operation {
            key: key.clone(),
            object: self.job.sync.object,
            target: memory.target.clone(),
            action,
            known: Known::of(Some(memory)),
            reason: decision.reason,
            seen: memory.seen,
            serial: memory.serial,
        };
        Ok(self.draft.push(&operation, HoldsTarget::Already)?)
    }

    fn touch(&mut self, key: &Key, seen: Seen, reason: Reason) -> Result<(), PlanError> {
        self.note(key, Fate::Touched, reason, NewMemory::Seen(seen))
    }

    fn note(&mut self, key: &Key, fate: Fate, reason: Reason, memory: NewMemory) -> Result<(), PlanError> {
        let code = reason.to_string();
        Ok(self.draft.spool.note(&Note { key: key.clone(), fate, code, message: String::new(), memory })?)
    }
}

/// Whether Vitally may hold a record that this memory speaks of.
fn has_record(memory: &Memory) -> bool {
    memory.standing.sent().is_some() || matches!(memory.pending, Pending::Open { .. })
}

/// Whether it is enough to remember that nothing differs from what was acknowledged.
fn touches(change: Change, memory: Option<&Memory>, sieved: &Sieved) -> bool {
    let acknowledged = memory.is_some_and(|memory| memory.standing.sent().is_some());
    matches!(change, Change::Compare | Change::Retry) && acknowledged && sieved.differences.is_empty()
}

fn probe(memory: &Memory) -> Action {
    match &memory.pending {
        Pending::Open { verb, would_send, .. } => Action::Probe { verb: *verb, would_send: would_send.clone() },
        Pending::None | Pending::Waiting { .. } => Action::Remove,
    }
}

