//! The subject of an exchange: which record, what is known of it, and the bodies that may be sent.

use coho_core::code::Code;
use coho_core::fields::{Difference, Fields};
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::Origin;
use coho_core::sync::{Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::preview;
use coho_core::verdict::Verdict;

use crate::address::Address;
use crate::exchange::exact::Exact;
use crate::lookup::{LookupResult, is_asked, is_at, other_record};
use crate::request::LARGEST_BODY;
use crate::resolved::{Match, Resolved, Unlinking};
use crate::wire::body::{Body, Draft, Unresolved};
use crate::wire::record::Record;

/// Which record an exchange is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) object: Object,
    pub(crate) target: ExternalId,
    pub(crate) known: Known,
    /// Vitally's id: remembered, or known to the caller.
    pub(crate) id: Option<VitallyId>,
    /// The e-mail address, where that is what finds the record. Its external id may be any, then.
    pub(crate) email: Option<Email>,
    /// What the caller's search of that address found.
    pub(crate) found: Option<Match>,
    /// The links of a user, where it is to have these and no others.
    pub(crate) exact: Option<Exact>,
    /// Whether links can be taken away.
    pub(crate) unlinking: Unlinking,
    /// The time that messages of the Analytics API carry, where the caller tells it.
    pub(crate) at: Option<Time>,
}

/// Only an upsert or update of a user takes links away: what an insert creates has no others.
fn exact(operation: &Operation, resolved: &Resolved) -> Option<Exact> {
    match (&operation.action, operation.object) {
        (
            Action::Write {
                mode: Mode::Upsert | Mode::Update,
                associations: Associations::Exact,
                complete,
                changed,
                ..
            },
            Object::User,
        ) => Some(Exact::of(complete, changed, resolved)),
        (Action::Write { .. } | Action::Remove | Action::Probe { .. }, _) => None,
    }
}

/// An e-mail address that finds a record.
#[derive(Clone, Debug)]
pub(crate) struct Email {
    pub(crate) address: String,
    /// The one that was sent before it, where it changes.
    pub(crate) before: Option<String>,
}

impl Email {
    fn of(operation: &Operation) -> Option<Self> {
        match operation.object {
            Object::User => {}
            Object::Organization | Object::Account | Object::Event => return None,
        }
        let address = operation.email.clone()?;
        let Action::Write { changed, .. } = &operation.action else {
            return Some(Self { address, before: None });
        };
        let path = FieldPath::new("email");
        let difference = changed.iter().find(|difference| difference.path == path);
        let before = difference.filter(|difference| difference.before.as_ref() != Some(&difference.after));
        let before = before.and_then(|difference| difference.before.as_ref()?.as_text().map(str::to_owned));
        Some(Self { address, before })
    }
}

impl Subject {
    pub(crate) fn of(operation: &Operation, resolved: &Resolved) -> Self {
        let (object, target) = (operation.object, operation.target.clone());
        let remembered = match &operation.known {
            Known::There { id, .. } | Known::Unclear { id, .. } => id.clone(),
            Known::New | Known::Assumed => None,
        };
        let email = Email::of(operation);
        let id = match &email {
            None => remembered.or_else(|| resolved.get(object, &target).cloned()),
            // The caller knows ids by their external ids, and here an address finds the record.
            Some(_) => remembered,
        };
        Self {
            object,
            target,
            known: operation.known.clone(),
            id,
            email,
            found: resolved.found.clone(),
            exact: exact(operation, resolved),
            unlinking: resolved.unlinking,
            at: resolved.at,
        }
    }

    /// Whether the record in the answer to a POST is the one that was posted.
    pub(crate) fn is_posted(&self, record: &Record) -> bool {
        is_asked(record, &self.target)
            || self.email.as_ref().is_some_and(|email| record.has_email(&email.address))
    }

    /// Whether a record is the one at this address.
    pub(crate) fn is_at(&self, record: &Record, address: &Address) -> bool {
        match (&self.email, address) {
            (Some(_), Address::Id(_, id)) => record.id.as_ref() == Some(id),
            (Some(_), Address::External(_, external_id)) => is_asked(record, external_id),
            (None, Address::Id(..) | Address::External(..)) => is_at(record, address, &self.target),
        }
    }

    /// Whether a record has the operation's external id.
    pub(crate) fn has_target(&self, record: &Record) -> bool {
        record.external_id.as_deref() == Some(self.target.as_str())
    }

    /// The note for a record that an address found under another external id: Vitally takes those only on creation.
    pub(crate) fn keeps(&self, record: &Record) -> Option<String> {
        let email = self.email.as_ref().filter(|_| !self.has_target(record))?;
        let (object, address, target) = (self.object, preview(&email.address), preview(self.target.as_str()));
        Some(match &record.external_id {
            Some(held) => {
                let held = preview(held);
                format!("{object} {address} has the external id {held} in Vitally, not {target}: it keeps it")
            }
            None => format!("{object} {address} has no external id in Vitally, not {target}: it keeps none"),
        })
    }

    /// Where a record that was found can be addressed.
    pub(crate) fn address_of(&self, record: &Record) -> Address {
        if let Some(id) = &record.id {
            return Address::Id(self.object, id.clone());
        }
        let held = record.external_id.as_deref().and_then(|id| ExternalId::parse(id).ok());
        Address::External(self.object, held.unwrap_or_else(|| self.target.clone()))
    }

    /// The verdict where a look shows another record.
    pub(crate) fn wrong(&self, record: &Record) -> Verdict {
        wrong_record(other_record(self.object, &self.target, record))
    }

    /// The verdict where the answer to a write shows another record: the write may have been carried out, and is not repeated
    /// without a look.
    pub(crate) fn written_elsewhere(&self, record: &Record) -> Verdict {
        Verdict::Unsure { why: other_record(self.object, &self.target, record) }
    }

    /// The record that a look found, if any; else the verdict, which nothing was written for.
    pub(crate) fn one(&self, finding: LookupResult) -> Result<Option<Record>, Verdict> {
        match finding {
            LookupResult::Found(record) => Ok(Some(*record)),
            LookupResult::Missing => Ok(None),
            LookupResult::Several => Err(Verdict::Ambiguous),
            LookupResult::Wrong { message } => Err(wrong_record(message)),
            LookupResult::Failed(verdict) => Err(self.not_found_out(verdict)),
        }
    }

    pub(crate) fn is_unclear(&self) -> bool {
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

fn wrong_record(message: String) -> Verdict {
    Verdict::Rejected { code: Code::WRONG_RECORD, message }
}

/// The bodies that a write may need. What refers to records that are not resolved has no body, and matters only where
/// that body is needed.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    associations: Associations,
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
        associations: Associations,
        resolved: &Resolved,
    ) -> Self {
        let draft = Draft { object: subject.object, complete, resolved };
        let change = Body::change(changed, draft);
        let complete = Body::update(draft, changed);
        Self {
            associations,
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

    /// Whether a user's links have to be read before this body is sent: where others' links stay, the body names them too.
    pub(crate) fn wants_links(&self, body: &Body) -> bool {
        self.associations == Associations::Add && body.has_links()
    }

    /// The body for a record that was read.
    pub(crate) fn united(&self, body: Body, record: &Record) -> Body {
        match self.associations {
            Associations::Add => body.with_links_of(record),
            Associations::Exact => body,
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

/// The verdict on a write that the record proves.
pub(crate) fn applied(record: Record, origin: Origin, notes: Vec<String>) -> Verdict {
    Verdict::Applied { id: record.id, origin, notes, lost: Vec::new() }
}
