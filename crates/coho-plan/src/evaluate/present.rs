//! Keys that the model has.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::decide::{
    Change, Decision, Expired, Ownership, PresentChange, Reason, RunKind, decide_present,
};
use coho_core::digest::Digest;
use coho_core::fields::{FieldDiff, FieldValue, Rendered, Rendering, Sent, diff_fields};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Draft, FoundBy, Operation, seal, seal_assumed};
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::row::RowBuf;
use coho_core::row_state::{DeliveryState, Pending, RowState, Seen};
use coho_core::sync::{Matching, Mode};
use coho_core::target::ExternalId;
use coho_core::value::{Value, preview};
use coho_core::verdict::RowStatus;
use coho_ledger::returned::{Met, Sharers};
use coho_ledger::row_state::sent_text;
use coho_mapping::Mapping;

use super::Passed;
use super::absent::policy;
use super::differences::differences;
use super::entry::{email, moves, same_message, same_user};
use super::writer::TableWriter;
use crate::adopt::Agreement;
use crate::failure::PlanError;
use crate::first_run::{is_before, is_odd};
use crate::job::Job;
use crate::table::Table;
use crate::table::line::Line;
use crate::table::note::{Before, Effect, Note, Side};

/// Evaluates rows.
pub(super) struct Evaluated<'a, 'scope> {
    job: &'a Job<'a>,
    table: &'a Table,
    mapping: &'a Mapping,
    writer: TableWriter<'scope>,
    passed: Passed,
    sharers: Sharers,
}

/// The row at hand.
struct Present<'a> {
    key: &'a Key,
    seen: Seen,
    row_state: Option<&'a RowState>,
    decision: Decision<PresentChange>,
    /// The fields that the clock or the run changes.
    volatile: BTreeSet<FieldPath>,
    /// The e-mail address that finds the record, where that does.
    address: Option<String>,
}

impl<'a, 'scope> Evaluated<'a, 'scope> {
    pub(super) fn new(
        job: &'a Job<'a>,
        table: &'a Table,
        mapping: &'a Mapping,
        writer: TableWriter<'scope>,
        passed: Passed,
    ) -> Self {
        Self { job, table, mapping, writer, passed, sharers: Sharers::default() }
    }

    /// What was counted, once all is written.
    pub(super) fn finish(self) -> Result<Passed, PlanError> {
        self.writer.finish()?;
        Ok(self.passed)
    }

    /// A key that the model does not have.
    pub(super) fn gone(&mut self, key: Key) -> Result<(), PlanError> {
        self.writer.push(Line::Gone(key))
    }

    fn note(&mut self, note: Note<'_>) -> Result<(), PlanError> {
        self.writer.push(Line::note(note))
    }

    /// Rows of one key: none of them can be used.
    pub(super) fn twice(&mut self, key: &Key, rows: u64) -> Result<(), PlanError> {
        let message = format!("{rows} rows have the primary key `{}`", preview(key.as_str()));
        let problem = Problem::new(Code::DUPLICATE_KEY, message).help("make the model's key unique");
        self.passed.problem(key, &problem, rows);
        let note = Note {
            side: Side::Rows(rows),
            code: Some(problem.code),
            message: Some(problem.to_string()),
            ..invalid(key, Reason::DuplicateKey)
        };
        self.note(note)
    }

    /// A row with what is remembered of its key.
    pub(super) fn evaluate(
        &mut self,
        key: &Key,
        row: &RowBuf,
        fingerprint: Digest,
        row_state: Option<&RowState>,
    ) -> Result<(), PlanError> {
        let seen = Seen { row: fingerprint, mapping: self.mapping.digest() };
        let policy = policy(self.job, Ownership::OursAlone, Expired::No);
        let decision = decide_present(seen, row_state, &policy);
        let cells = row.all_cells();
        let mut present =
            Present { key, seen, row_state, decision, volatile: BTreeSet::new(), address: None };
        match decision.change {
            PresentChange::Unchanged => self.unchanged(&present),
            PresentChange::Hold => self.hold(&present, decision.reason, None),
            // Only a verdict closes an open intent.
            PresentChange::Learn if present.is_open() => self.hold(&present, Reason::OutcomeUnknown, None),
            PresentChange::Learn
            | PresentChange::Add
            | PresentChange::Compare
            | PresentChange::Update
            | PresentChange::Retry
            | PresentChange::Resolve => match self.mapping.render_row(key, &cells, &self.job.facts) {
                Ok(rendered) => {
                    let rendered = same_message(self.job.sync.object, rendered, row_state);
                    let rendered = if decision.change == PresentChange::Learn {
                        same_user(self.job.sync, rendered, row_state)
                    } else {
                        rendered
                    };
                    present.volatile = self.mapping.volatile(&cells, &rendered, &self.job.facts);
                    present.address = email(self.job.sync, &rendered);
                    self.rendered(&present, &rendered)
                }
                Err(problems) => {
                    let target = self.mapping.target(Some(key), &cells).ok();
                    let passes = decision.change == PresentChange::Learn;
                    self.refuse(&present, target.as_ref(), &problems, passes)
                }
            },
        }
    }

    /// A row of which nothing is to be sent. An event that was let go is here again: from now on it counts as seen. So does
    /// one whose row changed, since nothing is ever sent of that.
    fn unchanged(&mut self, present: &Present<'_>) -> Result<(), PlanError> {
        let reason = present.decision.reason;
        let void = present.row_state.is_some_and(|row_state| {
            let returned = matches!(row_state.delivery, DeliveryState::Released { .. });
            row_state.pending != Pending::None || returned || row_state.seen != Some(present.seen)
        });
        if !void {
            self.passed.pass_rows(RowStatus::Unchanged, Change::Unchanged, reason, 1);
            return Ok(());
        }
        let effect = Effect::Seen(present.seen);
        self.note(Note { effect, ..present.note(Change::Unchanged, reason, RowStatus::Unchanged) })
    }

    fn hold(
        &mut self,
        present: &Present<'_>,
        reason: Reason,
        message: Option<String>,
    ) -> Result<(), PlanError> {
        self.note(Note { message, ..present.note(Change::Hold, reason, RowStatus::Held) })
    }

    /// An invalid row. Its record is not removed for another key that left it. An event that a first run passes over is passed
    /// over for good, whether its row is mended later or not.
    fn refuse(
        &mut self,
        present: &Present<'_>,
        target: Option<&ExternalId>,
        problems: &[Problem],
        passes: bool,
    ) -> Result<(), PlanError> {
        let problems: Vec<_> = problems.iter().map(|problem| self.job.private.problem(problem)).collect();
        for problem in &problems {
            self.passed.problem(present.key, problem, 1);
        }
        let effect = match target {
            Some(_) if passes && self.job.sync.object == Object::Event => {
                Effect::Learned(sent_text(&Sent::new()), present.seen)
            }
            Some(_) | None => Effect::None,
        };
        let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        self.note(Note {
            target,
            code: problems.first().map(|problem| problem.code),
            message: Some(message),
            effect,
            ..invalid(present.key, present.decision.reason)
        })
    }

    fn rendered(&mut self, present: &Present<'_>, rendered: &Rendered) -> Result<(), PlanError> {
        let learns = present.decision.change == PresentChange::Learn;
        if learns && self.job.run_kind == RunKind::Adopt {
            return self.adopt(present, rendered);
        }
        let moved = present.row_state.is_some_and(|row_state| moves(self.job.sync, row_state, rendered));
        // The record that the key held before is looked after once all writes are known.
        let before = present.row_state.filter(|_| !moved);
        let met = self.met(present.key, rendered, before)?;
        let early = present.decision.change == PresentChange::Add && is_before(self.job.first_run, rendered);
        let learns = learns || early;
        self.passed.odd_times += u64::from(is_odd(rendered, self.job.now));
        if learns && before.is_none() {
            return self.assume(present, rendered, moved);
        }
        let field_diff = differences(rendered, before, &met);
        if !learns && (present.is_touched(before, &field_diff) || self.is_empty_update(before, &field_diff)) {
            return self.touch(present, rendered, before);
        }
        self.passed.cut_times += u64::from(has_cut_time(rendered));
        let (change, reason) = if moved {
            (Change::Add, Reason::TargetChanged)
        } else {
            (present.decision.change.into(), present.decision.reason)
        };
        let draft = Draft {
            key: present.key,
            object: self.job.sync.object,
            mode: self.job.sync.mode,
            found_by: match self.job.sync.matching {
                Matching::Email { .. } => FoundBy::Email,
                Matching::ExternalId(_) | Matching::Message(_) => FoundBy::ExternalId,
            },
            rendered,
            field_diff,
            row_state: before,
            change,
            reason,
            seen: present.seen,
        };
        match seal(draft) {
            Ok(operation) if learns => {
                let sent = operation.remembered().into_iter().flatten();
                self.learn(present, &rendered.target, sent, moved)
            }
            Ok(operation) => self.write(present, operation, moved),
            Err(problems) => self.refuse(present, Some(&rendered.target), &problems, learns),
        }
    }

    /// A row that is only remembered, of whose record nothing is known so far. Most rows of a baseline are such.
    fn assume(&mut self, present: &Present<'_>, rendered: &Rendered, moved: bool) -> Result<(), PlanError> {
        self.passed.cut_times += u64::from(has_cut_time(rendered));
        match seal_assumed(self.job.sync.object, self.job.sync.mode, rendered) {
            Ok(sent) => self.learn(present, &rendered.target, sent, moved),
            Err(problems) => self.refuse(present, Some(&rendered.target), &problems, true),
        }
    }

    /// Who had the record meanwhile to which a row returns: other syncs may have deleted it, or the plans before this one take it.
    fn met(&mut self, key: &Key, rendered: &Rendered, before: Option<&RowState>) -> Result<Met, PlanError> {
        let (Some(scope), Some(DeliveryState::Released { .. })) =
            (self.job.scope, before.map(|row_state| &row_state.delivery))
        else {
            return Ok(Met::default());
        };
        let mut met = self.sharers.of(self.job.ledger, &self.table.connection(), scope, key)?;
        for (_, table) in self.job.before {
            met.syncs = met.syncs || table.takes(&rendered.target)?;
        }
        Ok(met)
    }

    fn touch(
        &mut self,
        present: &Present<'_>,
        rendered: &Rendered,
        before: Option<&RowState>,
    ) -> Result<(), PlanError> {
        let returned =
            before.is_some_and(|row_state| matches!(row_state.delivery, DeliveryState::Released { .. }));
        self.note(Note {
            target: Some(&rendered.target),
            effect: Effect::Seen(present.seen),
            before: if returned { Before::returned() } else { Before::NOTHING },
            ..present.note(Change::Unchanged, Reason::SamePayload, RowStatus::Touched)
        })
    }

    fn write(
        &mut self,
        present: &Present<'_>,
        mut operation: Operation,
        moved: bool,
    ) -> Result<(), PlanError> {
        if let (true, Some(row_state)) = (moved, present.row_state) {
            // One more: the memory is split before the operation is sent.
            operation.version = row_state.version + 1;
        }
        let before = Before::of(present.row_state, &operation.target, moved);
        let digest = self.job.approved.map(|_| operation.digest());
        self.writer.push(Line::operation(&operation, &before, digest, None))
    }

    fn learn<'f>(
        &mut self,
        present: &Present<'_>,
        target: &ExternalId,
        sent: impl IntoIterator<Item = (&'f FieldPath, impl Borrow<Value>)>,
        moved: bool,
    ) -> Result<(), PlanError> {
        // An event is never compared with: that it was there is all that counts, and when it happened.
        let is_event = self.job.sync.object == Object::Event;
        let counts = |path: &FieldPath| !is_event || path.as_field() == Some("timestamp");
        let sent = sent_text(sent.into_iter().filter(|(path, _)| counts(path)));
        self.note(Note {
            target: Some(target),
            effect: Effect::Learned(sent, present.seen),
            before: Before::of(present.row_state, target, moved),
            ..present.note(Change::Learn, Reason::Baseline, RowStatus::Learned)
        })
    }

    /// Remembers what Vitally holds of a row.
    fn adopt(&mut self, present: &Present<'_>, rendered: &Rendered) -> Result<(), PlanError> {
        let name = present.address.as_ref().map(|address| address.to_lowercase());
        let name = name.as_deref().unwrap_or(rendered.target.as_str());
        let held = self.job.held.as_ref();
        let Some(adopted) = held.and_then(|held| held.adopt(name, self.job.sync.object, rendered)) else {
            let message = "Vitally has no such record: the next run adds it".to_owned();
            return self.hold(present, Reason::Waiting(Code::NOT_FOUND), Some(message));
        };
        let moved = present.row_state.is_some_and(|row_state| moves(self.job.sync, row_state, rendered));
        let (seen, differing) = match adopted.agreement {
            Agreement::Whole => (present.seen, None),
            Agreement::Part => {
                // No row has this digest, so that the next run looks at it again.
                let unseen = Seen { row: Digest::of(b""), ..present.seen };
                (unseen, Some(diff_fields(rendered, &adopted.sent).differences))
            }
        };
        self.note(Note {
            target: Some(&rendered.target),
            effect: Effect::Learned(sent_text(&adopted.sent), seen),
            before: Before::of(present.row_state, &rendered.target, moved),
            ..present.note(Change::Learn, Reason::Baseline, RowStatus::Learned)
        })?;
        if let Some(differences) = differing {
            self.writer.push(Line::differences(&differences))?;
        }
        self.writer.push(Line::Names(adopted.ids))
    }

    /// Update mode, and not one field has a value: there is nothing to ask of Vitally.
    fn is_empty_update(&self, before: Option<&RowState>, field_diff: &FieldDiff) -> bool {
        let open = before.is_some_and(|row_state| matches!(row_state.pending, Pending::Open { .. }));
        self.job.sync.mode == Mode::Update && field_diff.complete.is_empty() && !open
    }
}

impl Present<'_> {
    fn is_open(&self) -> bool {
        self.row_state.is_some_and(|row_state| matches!(row_state.pending, Pending::Open { .. }))
    }

    /// Whether it is enough to remember that nothing differs from what was acknowledged. What differs only because a template
    /// reads the clock or the run is no reason to send.
    fn is_touched(&self, before: Option<&RowState>, field_diff: &FieldDiff) -> bool {
        let compared = matches!(self.decision.change, PresentChange::Compare | PresentChange::Retry);
        let acknowledged = before.is_some_and(|row_state| row_state.delivery.sent().is_some());
        let still = field_diff.differences.iter().all(|difference| self.volatile.contains(&difference.path));
        compared && acknowledged && still
    }

    /// A note of this row that says nothing more.
    fn note(&self, change: Change, reason: Reason, status: RowStatus) -> Note<'_> {
        Note { change, status, address: self.address.as_deref(), ..invalid(self.key, reason) }
    }
}

/// Whether a time of the record has digits that are cut off when it is sent.
fn has_cut_time(rendered: &Rendered) -> bool {
    rendered.fields.values().any(|rendering| match rendering {
        Rendering::Set(FieldValue::Value(value)) => value.has_finer_time(),
        Rendering::Set(_) | Rendering::Null(_) => false,
    })
}

/// A note of a row that cannot be sent.
fn invalid(key: &Key, reason: Reason) -> Note<'_> {
    Note {
        key,
        side: Side::Rows(1),
        target: None,
        change: Change::Invalid,
        reason,
        status: RowStatus::Invalid,
        code: None,
        message: None,
        effect: Effect::None,
        address: None,
        before: Before::NOTHING,
        mover: None,
    }
}
