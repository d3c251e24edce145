//! Concluding: from a verdict to an outcome and a new memory. Pure; law 2 and law 6 live here.

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::fields::Sent;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Verb, Why};
use coho_core::sync::Removal;
use coho_core::target::VitallyId;
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::{Outcome, Verdict};
use coho_ledger::identity::Elsewhere;

/// How often a refused row is tried again before Coho waits until it changes.
pub const MOST_TRIES: u16 = 10;

/// What an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// What became of the operation.
    pub outcome: Outcome,
    /// What is remembered from now on; `None` drops the memory.
    pub row_state: Option<RowState>,
    /// Why it did not succeed.
    pub code: Option<Code>,
    /// Vitally's own words, or what was not found.
    pub message: String,
}

/// What is known of an operation's record beside the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The memory that the operation was made from.
    pub before: Option<&'a RowState>,
    /// When its first intent that is not settled was made durable: earlier than `now` where the answer took its time, or an
    /// earlier run did not hear it.
    pub since: Time,
    /// The moment now.
    pub now: Time,
    /// What the sync does with a record whose row left.
    pub removal: Removal,
    /// What other syncs of the ledger have to do with the record.
    pub elsewhere: Elsewhere,
}

/// Concludes an operation.
pub fn conclude(operation: &Operation, verdict: &Verdict, circumstances: Circumstances<'_>) -> Conclusion {
    let case = Case { operation, known: circumstances };
    match verdict {
        Verdict::Applied { id, origin, lost, .. } => case.applied(id.as_ref(), *origin, lost),
        Verdict::Accepted => case.accepted(),
        Verdict::Gone => case.gone(),
        Verdict::Missing => case.missing(),
        Verdict::Exists => case.waits(Why::Skipped, Code::ALREADY_EXISTS, "Vitally already has this record"),
        Verdict::Ambiguous => case.waits(Why::Rejected, Code::AMBIGUOUS_MATCH, "several records match"),
        Verdict::Rejected { code, message } => case.waits(Why::Rejected, *code, message),
        Verdict::Deferred { message } => case.deferred(&format!("{message} is not in Vitally yet")),
        Verdict::Unsent { why } => case.unsent(Code::NOT_ATTEMPTED, why),
        Verdict::Halt { code, message } => case.unsent(*code, message),
        Verdict::Unsure { why } => case.unsure(why),
    }
}

/// What is remembered once a look has shown what became of an earlier write: nothing is unclear any more. `look` is the probe,
/// `found` its verdict.
pub fn looked_at(look: &Operation, found: &Verdict, circumstances: Circumstances<'_>) -> Option<RowState> {
    let case = Case { operation: look, known: circumstances };
    let never = || case.row_state(DeliveryState::Never, Pending::None);
    Some(conclude(look, found, circumstances).row_state.unwrap_or_else(never))
}

struct Case<'a> {
    operation: &'a Operation,
    known: Circumstances<'a>,
}

impl Case<'_> {
    fn row_state(&self, delivery: DeliveryState, pending: Pending) -> RowState {
        RowState {
            target: self.operation.target.clone(),
            delivery,
            pending,
            seen: self.operation.seen,
            version: self.known.before.map_or(0, |row_state| row_state.version) + 1,
        }
    }

    /// What was acknowledged before. That another record was removed says nothing of this one.
    fn delivery(&self) -> DeliveryState {
        let before = self.known.before.filter(|row_state| {
            let was_removed = matches!(row_state.delivery, DeliveryState::Removed { .. });
            row_state.target == self.operation.target || !was_removed
        });
        before.map_or(DeliveryState::Never, |row_state| row_state.delivery.clone())
    }

    fn applied(&self, id: Option<&VitallyId>, origin: Origin, lost: &[(FieldPath, Value)]) -> Conclusion {
        let n = match self.known.before.map(|row_state| &row_state.delivery) {
            Some(DeliveryState::Delivered { n, .. }) => *n,
            _ => 0,
        };
        let known = self.known.before.and_then(|row_state| row_state.delivery.id());
        let origin = self.proven(origin);
        let delivery = DeliveryState::Delivered {
            sent: without(self.operation.would_send(), lost, self.known.before),
            n: n.saturating_add(1),
            id: id.or(known).cloned(),
            origin,
        };
        let row_state = Some(self.row_state(delivery, Pending::None));
        if matches!(self.operation.action, Action::Probe { .. }) && self.is_to_go(origin) {
            let message = "the record still exists; the next run removes it".to_owned();
            let code = Some(Code::OUTCOME_UNKNOWN);
            return Conclusion { outcome: Outcome::Deferred, row_state, code, message };
        }
        Conclusion { outcome: Outcome::Delivered, row_state, code: None, message: String::new() }
    }

    /// A record that another sync knows may have been made by it. What this sync is known to have made stays its own.
    fn proven(&self, origin: Origin) -> Origin {
        let was_ours = self
            .known
            .before
            .and_then(|row_state| row_state.delivery.origin())
            .is_some_and(|was| was == Origin::Created);
        match (origin, self.known.elsewhere) {
            (Origin::Created, Elsewhere::Before | Elsewhere::Now) if !was_ours => Origin::Found,
            (origin, Elsewhere::Before | Elsewhere::Now | Elsewhere::Never) => origin,
        }
    }

    /// Whether a record whose row left is removed.
    fn is_to_go(&self, origin: Origin) -> bool {
        match self.known.removal {
            Removal::Keep => false,
            Removal::Delete => true,
            Removal::DeleteCreated => origin == Origin::Created,
        }
    }

    /// The Analytics API took it. Whose the record is it does not say, so it counts as one that existed before.
    fn accepted(&self) -> Conclusion {
        let origin =
            self.known.before.and_then(|row_state| row_state.delivery.origin()).unwrap_or(Origin::Found);
        let conclusion = self.applied(None, origin, &[]);
        let row_state = conclusion.row_state.map(|mut row_state| {
            // An event is never compared with: that it was taken is all that counts, and when it happened, by which it is known
            // again under another key.
            if let (DeliveryState::Delivered { sent, .. }, Object::Event) =
                (&mut row_state.delivery, self.operation.object)
            {
                sent.retain(|path, _| *path == FieldPath::new("timestamp"));
            }
            row_state
        });
        Conclusion { outcome: Outcome::Accepted, row_state, ..conclusion }
    }

    fn gone(&self) -> Conclusion {
        let row_state = Some(self.row_state(DeliveryState::Removed { at: self.known.now }, Pending::None));
        Conclusion { outcome: Outcome::Removed, row_state, code: None, message: String::new() }
    }

    /// For a write: update mode found nothing. For a look: the write of a row that left never arrived.
    fn missing(&self) -> Conclusion {
        if !matches!(self.operation.action, Action::Probe { .. }) {
            return self.waits(Why::Skipped, Code::NOT_FOUND, "Vitally has no such record");
        }
        let row_state = match self.delivery() {
            DeliveryState::Never => None,
            DeliveryState::Assumed { .. }
            | DeliveryState::Delivered { .. }
            | DeliveryState::Released { .. }
            | DeliveryState::Removed { .. } => {
                Some(self.row_state(DeliveryState::Removed { at: self.known.now }, Pending::None))
            }
        };
        let message = "the write of this row did not arrive".to_owned();
        Conclusion { outcome: Outcome::Skipped, row_state, code: Some(Code::NOT_FOUND), message }
    }

    fn waits(&self, why: Why, code: Code, message: &str) -> Conclusion {
        let tries = self.tries().saturating_add(1);
        let outcome = match why {
            Why::Rejected => Outcome::Rejected,
            Why::Deferred => Outcome::Deferred,
            Why::Skipped => Outcome::Skipped,
        };
        let row_state =
            self.operation.seen.or(self.known.before.and_then(|row_state| row_state.seen)).map(|tried| {
                let due = due(why, tries, self.known.now);
                let verb = self.operation.verb();
                self.row_state(self.delivery(), Pending::Waiting { why, code, tried, tries, due, verb })
            });
        let row_state = row_state.or_else(|| self.known.before.cloned());
        Conclusion { outcome, row_state, code: Some(code), message: message.to_owned() }
    }

    /// What a record refers to is missing. Where an earlier write may have arrived, its intent stays open.
    fn deferred(&self, message: &str) -> Conclusion {
        let open =
            self.known.before.is_some_and(|row_state| matches!(row_state.pending, Pending::Open { .. }));
        let code = Code::REFERENCE_MISSING;
        if open {
            return Conclusion { outcome: Outcome::Deferred, ..self.unsent(code, message) };
        }
        self.waits(Why::Deferred, code, message)
    }

    /// How often it was tried already, with the row as it is now.
    fn tries(&self) -> u16 {
        match self.known.before.map(|row_state| &row_state.pending) {
            Some(Pending::Waiting { tries, tried, verb, .. })
                if *verb == self.operation.verb()
                    && (*verb == Verb::Remove || Some(*tried) == self.operation.seen) =>
            {
                *tries
            }
            _ => 0,
        }
    }

    /// Nothing left us: all is as it was.
    fn unsent(&self, code: Code, why: &str) -> Conclusion {
        let row_state =
            self.known.before.map(|before| RowState { version: before.version + 1, ..before.clone() });
        Conclusion { outcome: Outcome::NotAttempted, row_state, code: Some(code), message: why.to_owned() }
    }

    /// It may have arrived: the intent stays open, and the next run looks before it writes.
    fn unsure(&self, why: &str) -> Conclusion {
        let open = Pending::Open {
            operation: self.operation.digest(),
            would_send: self.operation.would_send(),
            verb: self.operation.verb(),
            since: self.known.since,
        };
        let row_state = RowState {
            seen: self.known.before.and_then(|row_state| row_state.seen),
            ..self.row_state(self.delivery(), open)
        };
        let code = Some(Code::OUTCOME_UNKNOWN);
        Conclusion { outcome: Outcome::Deferred, row_state: Some(row_state), code, message: why.to_owned() }
    }
}

/// What is remembered as sent, without what Vitally does not show: of links, those that are missing; of a field, what was known
/// of it before takes the place.
fn without(mut sent: Sent, lost: &[(FieldPath, Value)], before: Option<&RowState>) -> Sent {
    let earlier = before.and_then(|row_state| row_state.delivery.sent());
    for (path, value) in lost {
        match sent.get_mut(path) {
            Some(held) if held == value => match earlier.and_then(|earlier| earlier.get(path)) {
                Some(earlier) => *held = earlier.clone(),
                None => drop(sent.remove(path)),
            },
            Some(Value::Array(ids)) => ids.retain(|held| held != value),
            Some(_) | None => {}
        }
    }
    sent
}

/// Rejected and skipped rows wait longer each time, up to a day; after [`MOST_TRIES`] rejections, until they change. Deferred
/// rows are tried in every run, since what they wait for comes by itself.
fn due(why: Why, tries: u16, now: Time) -> Due {
    let minutes = 5_i64.saturating_mul(1_i64 << u32::from(tries.min(12)).saturating_sub(1)).min(24 * 60);
    match why {
        Why::Deferred => Due::Always,
        Why::Rejected if tries >= MOST_TRIES => Due::OnChange,
        Why::Rejected | Why::Skipped => Due::At(now + TimeDelta::minutes(minutes)),
    }
}
