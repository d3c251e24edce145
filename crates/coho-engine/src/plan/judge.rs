//! Judging: each key's row and memory become a change, and where that is a write, an operation. Keys without a row are
//! [`super::absent`]'s.

use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::decide::{Change, Claim, Decision, Expired, Purpose, Reason, RowState, decide};
use coho_core::digest::Digest;
use coho_core::fields::{Rendered, Rendering, Sent, Sieved, sieve};
use coho_core::key::Key;
use coho_core::memory::{Memory, Pending, Seen, Standing};
use coho_core::object::Object;
use coho_core::operation::{Draft as Sketch, FoundBy, Operation, email_of, seal};
use coho_core::path::FieldPath;
use coho_core::plan::Sample;
use coho_core::problem::Problem;
use coho_core::row::RowBuf;
use coho_core::sync::{Matching, Mode};
use coho_core::target::ExternalId;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::compare::{Compared, Comparison, Rows, Same};
use coho_ledger::memory::Memories;
use coho_ledger::spool::{HoldsTarget, NewMemory, Note};
use coho_mapping::Mapping;

use super::absent::{absent, completeness, policy};
use super::adopt::Agreement;
use super::beginning::{is_before, is_odd};
use super::departures::{is_departure_of, split};
use super::draft::Draft;
use super::read::{Read, match_digest, target_digest};
use super::{Job, PlanError};

/// Judges all keys, in their order.
pub(super) fn judge(ledger: &Ledger, job: &Job<'_>, read: Read) -> Result<Draft, PlanError> {
    let memories = match job.scope {
        Some(scope) => ledger.memories(scope)?,
        None => Memories::none(),
    };
    let mapping = read.mapping;
    let same = match job.purpose {
        Purpose::Sync => Same::Count { mapping: mapping.digest() },
        Purpose::Baseline | Purpose::Adopt | Purpose::Resend | Purpose::ResendEvents => Same::Yield,
    };
    let mut comparison = Comparison::new(read.rows, memories, same)?;
    let mut draft = Draft::new(read.spool, read.counts, read.problems);
    draft.rules = crate::permit::rules(job.sync, &job.workspace, mapping.digest());
    let mut judge = Judge { ledger, job, mapping, volatile: BTreeSet::new(), draft };
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
    /// The fields of the row at hand that the clock or the run changes.
    volatile: BTreeSet<FieldPath>,
    draft: Draft,
}

impl Judge<'_> {
    fn found(&mut self, found: Compared) -> Result<(), PlanError> {
        let updated = found.memory.as_ref().map(coho_ledger::memory::MemoryRow::updated_at);
        let memory = found.memory.map(|row| row.decode()).transpose()?;
        match found.rows {
            Rows::One { row, fingerprint } => self.present(&found.key, &row, fingerprint, memory.as_ref()),
            Rows::Many { count } => self.twice(&found.key, count),
            Rows::None => match (memory, updated) {
                (Some(memory), Some(updated)) => {
                    let completeness = completeness(self.job);
                    let (ledger, job, draft) = (self.ledger, self.job, &mut self.draft);
                    absent(ledger, job, draft, &found.key, &memory, updated, completeness)
                }
                _ => Ok(()),
            },
        }
    }

    fn twice(&mut self, key: &Key, count: u64) -> Result<(), PlanError> {
        let message =
            format!("{count} rows have the primary key `{}`", coho_core::value::preview(key.as_str()));
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
        fingerprint: Digest,
        memory: Option<&Memory>,
    ) -> Result<(), PlanError> {
        let seen = Seen { row: fingerprint, mapping: self.mapping.digest() };
        let policy = policy(self.job, Claim::OursAlone, Expired::No);
        let decision = decide(RowState::Present(seen), memory, &policy);
        let open = memory.is_some_and(|memory| matches!(memory.pending, Pending::Open { .. }));
        match decision.change {
            // Only a verdict closes an open intent.
            Change::Learn if open => {
                self.draft.tally(Change::Hold, Reason::OutcomeUnknown, 1);
                self.draft.counts.row(Fate::Held);
                self.note(key, Fate::Held, Reason::OutcomeUnknown, NewMemory::Same)
            }
            Change::Unchanged => {
                self.draft.tally(Change::Unchanged, decision.reason, 1);
                self.draft.counts.row(Fate::Unchanged);
                // An event that was let go is here again: from now on it counts as seen. So does one whose row changed, since
                // nothing is ever sent of that.
                let void = memory.is_some_and(|memory| {
                    let returned = matches!(memory.standing, Standing::Released { .. });
                    memory.pending != Pending::None || returned || memory.seen != Some(seen)
                });
                if void {
                    self.note(key, Fate::Unchanged, decision.reason, NewMemory::Seen(seen))
                } else {
                    Ok(())
                }
            }
            Change::Hold => {
                self.draft.tally(Change::Hold, decision.reason, 1);
                self.draft.counts.row(Fate::Held);
                self.note(key, Fate::Held, decision.reason, NewMemory::Same)
            }
            Change::Learn
            | Change::Add
            | Change::Compare
            | Change::Update
            | Change::Retry
            | Change::Resolve
            // These are of rows without a usable key, or of keys without a row.
            | Change::Invalid
            | Change::Probe
            | Change::Remove
            | Change::Release
            | Change::Keep
            | Change::Forget => match self.mapping.render_row(key, row, &self.job.facts) {
                Ok(rendered) => {
                    let rendered = self.same_record(same_message(rendered, memory), memory, decision.change);
                    self.volatile = self.mapping.volatile(row, &rendered, &self.job.facts);
                    self.rendered(key, &rendered, seen, memory, decision)
                }
                Err(problems) => {
                    self.draft.tally(Change::Invalid, decision.reason, 1);
                    let target = self.mapping.target(Some(key), row).ok();
                    let passes = decision.change == Change::Learn;
                    self.refused(key, target.as_ref(), &problems, seen, passes)
                }
            },
        }
    }

    /// Counts an invalid row. Its record is not removed for another key that left it. An event that a first run passes over is
    /// passed over for good, whether its row is mended later or not.
    fn refused(
        &mut self,
        key: &Key,
        target: Option<&ExternalId>,
        problems: &[Problem],
        seen: Seen,
        passes: bool,
    ) -> Result<(), PlanError> {
        if let Some(target) = target {
            self.draft.spool.dispute(target)?;
        }
        let memory = match target {
            Some(target) if passes && self.job.sync.object == Object::Event => {
                NewMemory::Learned { target: target.clone(), sent: Sent::new(), seen }
            }
            Some(_) | None => NewMemory::Same,
        };
        Ok(self.draft.invalid_but(key, problems, memory)?)
    }

    fn rendered(
        &mut self,
        key: &Key,
        rendered: &Rendered,
        seen: Seen,
        memory: Option<&Memory>,
        decision: Decision,
    ) -> Result<(), PlanError> {
        let shared = match self.shared_email(rendered)? {
            None if decision.change == Change::Learn => self.shared_target(rendered)?,
            shared => shared,
        };
        if let Some(problem) = shared {
            self.draft.tally(Change::Invalid, decision.reason, 1);
            return self.refused(key, Some(&rendered.target), &[problem], seen, false);
        }
        if decision.change == Change::Learn {
            self.let_go(key, rendered, memory)?;
        }
        if decision.change == Change::Learn && self.job.purpose == Purpose::Adopt {
            return self.adopt(key, rendered, seen);
        }
        let moved = memory.is_some_and(|memory| self.moves(memory, rendered));
        let reason = if moved { Reason::TargetChanged } else { decision.reason };
        // The record that the key held before is looked after once all writes are known: see `departures`.
        let before = memory.filter(|_| !moved);
        let sieved = self.sieved(key, rendered, before)?;
        self.draft.odd_times += u64::from(is_odd(rendered, self.job.now));
        let early = decision.change == Change::Add && is_before(self.job.first_run, rendered);
        let learns = decision.change == Change::Learn || early;
        if !learns
            && (self.touches(decision.change, before, &sieved) || self.is_empty_update(before, &sieved))
        {
            self.draft.tally(Change::Unchanged, Reason::SamePayload, 1);
            self.draft.counts.row(Fate::Touched);
            if before.is_some_and(|memory| matches!(memory.standing, Standing::Released { .. })) {
                self.draft.spool.returns(key)?;
            }
            return self.touch(key, seen, Reason::SamePayload);
        }
        let (object, mode) = (self.job.sync.object, self.job.sync.mode);
        let found_by = match self.job.sync.matching {
            Matching::Email { .. } => FoundBy::Email,
            Matching::ExternalId(_) | Matching::Message(_) => FoundBy::ExternalId,
        };
        let sketch = Sketch { key, object, mode, found_by, rendered, sieved, memory: before, reason, seen };
        match seal(sketch) {
            Ok(operation) if learns => self.learn(&operation, seen),
            Ok(operation) => self.push(operation, memory.filter(|_| moved), before),
            Err(problems) => {
                self.draft.tally(Change::Invalid, reason, 1);
                self.refused(key, Some(&rendered.target), &problems, seen, learns)
            }
        }
    }

    /// What differs from what Vitally holds. Where a row returns whose record another key had meanwhile, what that key sent
    /// counts as much as what the row itself did: see [`contested`].
    fn sieved(&self, key: &Key, rendered: &Rendered, before: Option<&Memory>) -> Result<Sieved, PlanError> {
        let mut others = Vec::new();
        if let (Some(scope), Some(memory)) = (self.job.scope, before)
            && matches!(memory.standing, Standing::Released { .. })
        {
            let others_only = |other: &Key| !is_departure_of(key, other);
            for other in self.ledger.holder(scope, &rendered.target)?.into_iter().filter(others_only) {
                others.extend(self.ledger.memory(scope, &other)?.filter(|_| other != *key));
            }
        }
        let mut sieved = sieved(rendered, before, &others);
        // Nothing is left of a record that was removed meanwhile.
        if others.iter().any(|other| matches!(other.standing, Standing::Removed { .. })) {
            sieved = sieve(rendered, &Sent::new());
        }
        Ok(sieved)
    }

    fn push(
        &mut self,
        mut operation: Operation,
        departed: Option<&Memory>,
        before: Option<&Memory>,
    ) -> Result<(), PlanError> {
        let holds = match departed {
            Some(departed) => {
                // One more: the memory is split before the operation is sent.
                operation.serial = departed.serial + 1;
                HoldsTarget::Another
            }
            None => HoldsTarget::of(before, &operation.target),
        };
        Ok(self.draft.push(&operation, holds)?)
    }

    /// A user that was found by its address stays the record that it is, whatever external id its row has by now: a baseline
    /// must not make it another one's.
    fn same_record(&self, rendered: Rendered, memory: Option<&Memory>, change: Change) -> Rendered {
        match memory {
            Some(memory) if change == Change::Learn && self.is_found_by_address() && has_record(memory) => {
                Rendered { target: memory.target.clone(), ..rendered }
            }
            Some(_) | None => rendered,
        }
    }

    /// Whether a row became another record. One that is found by its e-mail address is the same whatever else the row says: its
    /// external id is only what a new one gets.
    fn moves(&self, memory: &Memory, rendered: &Rendered) -> bool {
        !self.is_found_by_address() && memory.target != rendered.target && has_record(memory)
    }

    fn is_found_by_address(&self) -> bool {
        self.job.sync.matching.email().is_some()
    }

    /// A problem where the row's e-mail address is another row's too: both would be one record.
    fn shared_email(&self, rendered: &Rendered) -> Result<Option<Problem>, PlanError> {
        let Some(email) = email(self.job.sync, rendered) else { return Ok(None) };
        if !self.draft.spool.is_shared_match(match_digest(&email))? {
            return Ok(None);
        }
        let preview = coho_core::value::preview(&email);
        let message = format!("the e-mail address `{preview}` is also that of another row of the model");
        let problem = Problem::new(Code::DUPLICATE_TARGET, message);
        Ok(Some(problem.help("make the e-mail address unique in the model")))
    }

    /// A problem where rows that are only remembered have one external id: nobody else looks at those.
    fn shared_target(&self, rendered: &Rendered) -> Result<Option<Problem>, PlanError> {
        if !self.draft.spool.is_shared_match(target_digest(&rendered.target))? {
            return Ok(None);
        }
        let id = coho_core::value::preview(rendered.target.as_str());
        let problem = Problem::new(
            Code::DUPLICATE_TARGET,
            format!("external id `{id}` is also that of another row of the model"),
        );
        Ok(Some(problem.help("make the external id unique in the model")))
    }

    /// A row that is only remembered, and was another record before: that goes on under a key of its own.
    fn let_go(&mut self, key: &Key, rendered: &Rendered, memory: Option<&Memory>) -> Result<(), PlanError> {
        let moved = memory.filter(|memory| self.moves(memory, rendered));
        if let (Some(scope), Some(memory)) = (self.job.scope, moved) {
            split(self.ledger, scope, &self.draft, key, memory, &rendered.target)?;
        }
        Ok(())
    }

    /// Remembers what Vitally holds of a row.
    fn adopt(&mut self, key: &Key, rendered: &Rendered, seen: Seen) -> Result<(), PlanError> {
        let name = email(self.job.sync, rendered).map(|email| email.to_lowercase());
        let name = name.as_deref().unwrap_or(rendered.target.as_str());
        let Some(adopted) = self.job.held.and_then(|held| held.adopt(name, self.job.sync.object, rendered))
        else {
            let reason = Reason::Waiting(Code::NOT_FOUND);
            self.draft.tally(Change::Hold, reason, 1);
            self.draft.counts.row(Fate::Held);
            return Ok(self.draft.spool.note(&Note {
                key: key.clone(),
                fate: Fate::Held,
                code: reason.to_string(),
                message: "Vitally has no such record: the next run adds it".to_owned(),
                memory: NewMemory::Same,
            })?);
        };
        self.draft.tally(Change::Learn, Reason::Baseline, 1);
        self.draft.counts.row(Fate::Learned);
        let seen = match adopted.agreement {
            Agreement::Whole => seen,
            Agreement::Part => {
                let differences = sieve(rendered, &adopted.sent).differences;
                self.draft.differs(Sample {
                    key: key.clone(),
                    target: rendered.target.clone(),
                    change: Change::Learn,
                    reason: Reason::Baseline,
                    differences,
                });
                // No row has this digest, so that the next run looks at it again.
                Seen { row: Digest::of(b""), ..seen }
            }
        };
        self.draft.ids.extend(adopted.ids);
        let learned = NewMemory::Learned { target: rendered.target.clone(), sent: adopted.sent, seen };
        self.note(key, Fate::Learned, Reason::Baseline, learned)
    }

    /// Update mode, and not one field has a value: there is nothing to ask of Vitally.
    fn is_empty_update(&self, before: Option<&Memory>, sieved: &Sieved) -> bool {
        let open = before.is_some_and(|memory| matches!(memory.pending, Pending::Open { .. }));
        self.job.sync.mode == Mode::Update && sieved.complete.is_empty() && !open
    }

    /// Whether it is enough to remember that nothing differs from what was acknowledged. What differs only because a
    /// template reads the clock or the run is no reason to send.
    fn touches(&self, change: Change, memory: Option<&Memory>, sieved: &Sieved) -> bool {
        let acknowledged = memory.is_some_and(|memory| memory.standing.sent().is_some());
        let still = sieved.differences.iter().all(|difference| self.volatile.contains(&difference.path));
        matches!(change, Change::Compare | Change::Retry) && acknowledged && still
    }

    fn learn(&mut self, operation: &Operation, seen: Seen) -> Result<(), PlanError> {
        self.draft.tally(Change::Learn, Reason::Baseline, 1);
        self.draft.counts.row(Fate::Learned);
        let target = operation.target.clone();
        let mut sent = operation.would_send();
        // An event is never compared with: that it was there is all that counts, and when it happened.
        if operation.object == Object::Event {
            sent.retain(|path, _| *path == FieldPath::new("timestamp"));
        }
        let learned = NewMemory::Learned { target, sent, seen };
        self.note(&operation.key, Fate::Learned, Reason::Baseline, learned)
    }

    fn touch(&mut self, key: &Key, seen: Seen, reason: Reason) -> Result<(), PlanError> {
        self.note(key, Fate::Touched, reason, NewMemory::Seen(seen))
    }

    fn note(&mut self, key: &Key, fate: Fate, reason: Reason, memory: NewMemory) -> Result<(), PlanError> {
        Ok(self.draft.note(key, fate, reason, memory)?)
    }
}

/// An event that was tried before keeps its id, whatever the sync is called by now: it may have arrived.
fn same_message(rendered: Rendered, memory: Option<&Memory>) -> Rendered {
    let is_event = rendered.fields.contains_key(&FieldPath::new("event"));
    match memory {
        Some(memory) if is_event => Rendered { target: memory.target.clone(), ..rendered },
        Some(_) | None => rendered,
    }
}

/// The e-mail address of a row, where that is what finds its record.
fn email(sync: &coho_core::sync::Sync, rendered: &Rendered) -> Option<String> {
    sync.matching.email()?;
    match rendered.fields.get(&FieldPath::new("email")) {
        Some(Rendering::Set(value)) => email_of(&[(FieldPath::new("email"), value.clone())].into()),
        Some(Rendering::Null(_)) | None => None,
    }
}

/// Whether Vitally may hold a record that this memory speaks of.
fn has_record(memory: &Memory) -> bool {
    memory.standing.sent().is_some() || matches!(memory.pending, Pending::Open { .. })
}

/// What differs from what Vitally holds. Where an earlier write may have arrived, that counts too: what it may have set is
/// cleared like what is known to be set, and what nobody knows is not remembered.
fn sieved(rendered: &Rendered, memory: Option<&Memory>, others: &[Memory]) -> Sieved {
    let nothing = Sent::new();
    let sent = memory.and_then(|memory| memory.standing.sent()).unwrap_or(&nothing);
    let sent = &contested(rendered, sent, others);
    let Some(Pending::Open { would_send, .. }) = memory.map(|memory| &memory.pending) else {
        return sieve(rendered, sent);
    };
    let mut either = sent.clone();
    either
        .extend(would_send.iter().filter(|(_, value)| !value.is_null()).map(|(p, v)| (p.clone(), v.clone())));
    let mut sieved = sieve(rendered, &either);
    let Sieved { complete, would_send: remembered, .. } = &mut sieved;
    remembered.retain(|path, value| {
        complete.contains_key(path) || [sent, would_send].iter().all(|held| held.get(path) == Some(value))
    });
    sieved
}

/// What Vitally surely holds, where several keys wrote one record and nobody knows which was the last: what all of them sent
/// alike. A field that the row sets otherwise counts as never sent, one that it nulls as set.
fn contested(rendered: &Rendered, sent: &Sent, others: &[Memory]) -> Sent {
    let mut sure = sent.clone();
    for other in others.iter().filter_map(|other| other.standing.sent()) {
        for (path, value) in other {
            sure.entry(path.clone()).or_insert_with(|| value.clone());
        }
        sure.retain(|path, value| {
            let theirs = other.get(path);
            let sets = matches!(rendered.fields.get(path), Some(Rendering::Set(_)));
            if let Some(theirs) = theirs.filter(|theirs| value.is_null() && !theirs.is_null()) {
                *value = theirs.clone();
            }
            !sets || (theirs == Some(value) && sent.get(path) == Some(value))
        });
    }
    sure
}
