//! The subject of an exchange: which record, what is known of it, and the bodies that may be sent.

use coho_core::code::Code;
use coho_core::fields::{Difference, Fields};
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::Verdict;

use crate::address::{Address, Ids, Paths, is_uuid};
use crate::lookup::other_record;
use crate::request::LARGEST_BODY;
use crate::resolved::Resolved;
use crate::wire::body::{Body, Draft, Unresolved};
use crate::wire::record::Record;

/// Which record an exchange is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) object: Object,
    pub(crate) target: ExternalId,
    pub(crate) known: Known,
    /// Which ids the routes take.
    pub(crate) paths: Paths,
    /// Vitally's id: remembered, or known to the caller.
    pub(crate) id: Option<VitallyId>,
}

impl Subject {
    pub(crate) fn of(operation: &Operation, resolved: &Resolved, paths: Paths) -> Self {
        let (object, target) = (operation.object, operation.target.clone());
        let remembered = match &operation.known {
            Known::There { id, .. } | Known::Unclear { id, .. } => id.clone(),
            Known::New | Known::Assumed => None,
        };
        let id = remembered.or_else(|| resolved.get(object, &target).cloned());
        Self { object, target, known: operation.known.clone(), paths, id }
    }

    /// Where the record can be addressed at once; `None` where it must be looked up first, since the path does not take
    /// external ids, or this one may be taken for an id of Vitally's.
    pub(crate) fn address(&self) -> Option<Address> {
        match (&self.id, self.paths.of(self.object)) {
            (Some(id), _) => Some(Address::Id(self.object, id.clone())),
            (None, Ids::VitallysOnly) => None,
            (None, Ids::Both) if is_uuid(self.target.as_str()) => None,
            (None, Ids::Both) => Some(Address::External(self.object, self.target.clone())),
        }
    }

    /// Where a record that was found can be addressed.
    pub(crate) fn address_of(&self, record: &Record) -> Address {
        match &record.id {
            Some(id) => Address::Id(self.object, id.clone()),
            None => Address::External(self.object, self.target.clone()),
        }
    }

    /// The verdict for an answer that shows another record.
    pub(crate) fn wrong(&self, record: &Record) -> Verdict {
        wrong_record(other_record(self.object, &self.target, record))
    }

    fn is_unclear(&self) -> bool {
        matches!(self.known, Known::Unclear { .. })
    }

    /// The verdict where a look failed before anything was written: while an earlier write is unclear, it stays so.
    pub(crate) fn not_found_out(&self, verdict: Verdict) -> Verdict {
        if let (true, Verdict::Rejected { code: Code::REFUSED, message }) = (self.is_unclear(), &verdict) {
            return Verdict::Unsure { why: message.clone() };
        }
        verdict
    }

    /// "Nothing left us" closes an intent, so it must not be said of an operation whose earlier write is unclear.
    pub(crate) fn settle(&self, verdict: Verdict) -> Verdict {
        if let (true, Verdict::Unsent { why }) = (self.is_unclear(), &verdict) {
            return Verdict::Unsure { why: why.clone() };
        }
        verdict
    }
}

pub(crate) fn wrong_record(message: String) -> Verdict {
    Verdict::Rejected { code: Code::WRONG_RECORD, message }
}

/// The bodies that a write may need. What refers to records that are not resolved has no body, and matters only where
/// that body is needed.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    create: Result<Body, Unresolved>,
    complete: Result<Body, Unresolved>,
    change: Result<Body, Unresolved>,
}

/// Which body an update sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The fields that differ.
    Change,
    /// All fields.
    Complete,
}

impl Bodies {
    pub(crate) fn of(
        subject: &Subject,
        complete: &Fields,
        changed: &[Difference],
        resolved: &Resolved,
    ) -> Self {
        let draft = Draft { object: subject.object, complete, resolved };
        let change = Body::change(changed, draft);
        let complete = Body::update(draft);
        Self {
            create: Body::create(&subject.target, draft),
            // A change that only unlinks says nothing: everything is said in its place.
            change: if change == Ok(Body::default()) { complete.clone() } else { change },
            complete,
        }
    }

    /// The body that creates the record.
    pub(crate) fn create(&self) -> Result<Body, Verdict> {
        self.create.clone().map_err(deferred)
    }

    /// The body that updates the record.
    pub(crate) fn update(&self, extent: Extent) -> Result<Body, Verdict> {
        match extent {
            Extent::Change => self.change.clone().map_err(deferred),
            Extent::Complete => self.complete.clone().map_err(deferred),
        }
    }

    /// Whether the change is less than the whole record.
    pub(crate) fn change_is_partial(&self) -> bool {
        self.change != self.complete
    }
}

fn deferred(unresolved: Unresolved) -> Verdict {
    Verdict::Deferred { message: unresolved.0 }
}

/// The body's text, unless Vitally would not take it for its size.
pub(crate) fn fitting(body: &Body) -> Result<String, Verdict> {
    let text = body.text();
    if text.len() <= LARGEST_BODY {
        return Ok(text);
    }
    let message = format!("the record is {} bytes long, and Vitally takes {LARGEST_BODY}", text.len());
    Err(Verdict::Rejected { code: Code::TOO_LARGE, message })
}
