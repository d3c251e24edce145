//! Look-ups: which record of Vitally has an external id, an e-mail address, or an id of Vitally's own.
//!
//! Whatever is found must be what was asked for, since an external id that looks like one of Vitally's ids finds another
//! record. Each way is a file of its own; the first may take several calls, the others take one:
//!
//! | way | file |
//! |---|---|
//! | external id | `external_id` |
//! | e-mail address | `email` |
//! | Vitally's id | `id` |

mod external_id;
mod email;
mod id;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::Verdict;

use crate::address::Paths;
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::reading::End;
use crate::wire::record::Record;
use email::ByEmail;
use external_id::ByExternalId;
use id::ById;

/// The most pages of a list that a look-up reads: a hundred thousand records.
pub const MOST_PAGES: u32 = 1_000;

/// A look-up under way, without I/O.
///
/// ```
/// use coho_core::object::Object;
/// use coho_core::target::ExternalId;
/// use coho_vitally::address::Paths;
/// use coho_vitally::lookup::{Lookup, LookupStep};
///
/// let LookupStep::Ask(request, _lookup) = Lookup::start(Object::User, ExternalId::parse("u/7")?, Paths::default())
/// else { panic!("a look-up begins with a question") };
/// assert_eq!(request.path, "/resources/users/u%2F7");
/// # Ok::<(), coho_core::target::ExternalIdError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lookup(Way);

#[derive(Clone, Debug)]
enum Way {
    ExternalId(ByExternalId),
    Email(ByEmail),
    Id(ById),
}

/// What a look-up wants next.
#[derive(Debug)]
pub enum LookupStep {
    /// Send this, and give the answer to [`Lookup::on`].
    Ask(Request, Lookup),
    /// It has ended.
    Done(Finding),
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// One record.
    Found(Box<Record>),
    /// None.
    Missing,
    /// Several; Vitally documents that external ids are unique.
    Several,
    /// The external id leads to another record, and to this one no way was found.
    Wrong {
        /// What was found in its place.
        message: String,
    },
    /// It could not be found out. Nothing was written.
    Failed(Verdict),
}

impl Lookup {
    /// Begins with the external id. There is no look-up of events: it ends as [`Finding::Missing`] at once.
    pub fn start(object: Object, target: ExternalId, paths: Paths) -> LookupStep {
        Self::begin(object, target, paths, None).into()
    }

    /// Looks for the user with an e-mail address, in upper or lower case.
    ///
    /// ```
    /// use coho_vitally::lookup::{Lookup, LookupStep};
    ///
    /// let LookupStep::Ask(request, _lookup) = Lookup::by_email("ada+test@acme.io")
    /// else { panic!("a look-up begins with a question") };
    /// assert_eq!(request.path, "/resources/users/search?email=ada%2Btest%40acme.io");
    /// ```
    pub fn by_email(address: &str) -> LookupStep {
        Self::email(address).into()
    }

    /// Reads the record with one of Vitally's own ids, whatever external id it has.
    pub fn by_id(object: Object, id: VitallyId) -> LookupStep {
        Self::id(object, id).into()
    }

    /// Goes on with an answer.
    pub fn on(self, answer: &Answer) -> LookupStep {
        self.take(answer).into()
    }

    /// Begins with Vitally's id, if it is known; then the external id.
    pub(crate) fn begin(
        object: Object,
        target: ExternalId,
        paths: Paths,
        id: Option<&VitallyId>,
    ) -> Turn<Self, Finding> {
        ByExternalId::begin(object, target, paths, id).then(|by| Self(Way::ExternalId(by)), Turn::End)
    }

    pub(crate) fn email(address: &str) -> Turn<Self, Finding> {
        ByEmail::begin(address).then(|by| Self(Way::Email(by)), Turn::End)
    }

    pub(crate) fn id(object: Object, id: VitallyId) -> Turn<Self, Finding> {
        ById::begin(object, id).then(|by| Self(Way::Id(by)), Turn::End)
    }

    pub(crate) fn take(self, answer: &Answer) -> Turn<Self, Finding> {
        match self.0 {
            Way::ExternalId(by) => by.take(answer).then(|by| Self(Way::ExternalId(by)), Turn::End),
            Way::Email(by) => by.take(answer).then(|by| Self(Way::Email(by)), Turn::End),
            Way::Id(by) => by.take(answer).then(|by| Self(Way::Id(by)), Turn::End),
        }
    }
}

impl From<Turn<Lookup, Finding>> for LookupStep {
    fn from(turn: Turn<Lookup, Finding>) -> Self {
        match turn {
            Turn::Ask(request, lookup) => Self::Ask(request, lookup),
            Turn::End(finding) => Self::Done(finding),
        }
    }
}

/// Whether a record may be the one that was asked for by its external id. An answer without an external id is believed,
/// unless what was asked for was its Vitally id.
pub(crate) fn is_asked(record: &Record, target: &ExternalId) -> bool {
    match &record.external_id {
        Some(external_id) => external_id == target.as_str(),
        None => record.id.as_ref().is_none_or(|id| id.as_str() != target.as_str()),
    }
}

/// The text for when Vitally answers with another record.
pub(crate) fn other_record(object: Object, target: &ExternalId, record: &Record) -> String {
    let other = match &record.external_id {
        Some(external_id) => format!("{object} `{}`", coho_core::value::preview(external_id)),
        None => format!("another {object}, without an external id,"),
    };
    format!(
        "Vitally answered with {other} where `{}` was asked for",
        coho_core::value::preview(target.as_str())
    )
}

/// One record, none, or several: one that a page shows twice is one.
fn one_of(mut records: Vec<Record>) -> Finding {
    records.sort_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id.is_some() && a.id == b.id);
    match (records.pop(), records.len()) {
        (None, _) => Finding::Missing,
        (Some(record), 0) => Finding::Found(Box::new(record)),
        (Some(_), _) => Finding::Several,
    }
}

fn found<M>(record: Record) -> Turn<M, Finding> {
    Turn::End(Finding::Found(Box::new(record)))
}

fn failed<M>(end: End) -> Turn<M, Finding> {
    Turn::End(Finding::Failed(end.of_read()))
}
