//! Look-ups: which record of Vitally has an external id.
//!
//! The order is Vitally's id where it is known, the external id in the path, and where that does not work the search
//! (users) or the whole list (accounts and organizations). Whatever is found must have the external id that was asked
//! for, since an external id that looks like one of Vitally's ids finds another record.

use std::time::Duration;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::Verdict;

use crate::address::{Address, Ids, Paths, is_odd};
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::reading::{End, Reading, read, refused, unreadable};
use crate::wire::record::{Page, Record};
use crate::wire::refusal;

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
pub struct Lookup {
    object: Object,
    target: ExternalId,
    paths: Paths,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// By Vitally's id.
    Id,
    /// By external id.
    Path,
    /// By search; what a miss means.
    Search(Miss),
    /// By listing; which page this is, and the cursor that it was asked with.
    List(u32, Option<String>),
}

/// What it means that a search finds nothing.
#[derive(Clone, Debug)]
enum Miss {
    /// There is no such record.
    Missing,
    /// The path led to another record: this text says to which.
    Wrong(String),
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
    /// Begins with the external id.
    pub fn start(object: Object, target: ExternalId, paths: Paths) -> LookupStep {
        Self::begin(object, target, paths, None).into()
    }

    /// Goes on with an answer.
    pub fn on(self, answer: &Answer) -> LookupStep {
        self.take(answer).into()
    }

    /// Begins with Vitally's id, if it is known.
    pub(crate) fn begin(
        object: Object,
        target: ExternalId,
        paths: Paths,
        id: Option<&VitallyId>,
    ) -> Turn<Self, Finding> {
        let lookup = Self { object, target, paths, stage: Stage::Id };
        match id {
            Some(id) => Turn::Ask(Request::get(&Address::Id(object, id.clone())), lookup),
            None => lookup.by_external_id(),
        }
    }

    /// The same look-up as [`Lookup::begin`] without an id, after a while.
    pub(crate) fn later(
        object: Object,
        target: ExternalId,
        paths: Paths,
        after: Duration,
    ) -> Turn<Self, Finding> {
        match Self::begin(object, target, paths, None) {
            Turn::Ask(request, lookup) => Turn::Ask(Request { after, ..request }, lookup),
            Turn::End(finding) => Turn::End(finding),
        }
    }

    pub(crate) fn take(self, answer: &Answer) -> Turn<Self, Finding> {
        match self.stage.clone() {
            Stage::Id => self.on_id(answer),
            Stage::Path => self.on_path(answer),
            Stage::Search(miss) => self.on_search(answer, miss),
            Stage::List(pages, cursor) => self.on_list(answer, pages, cursor.as_deref()),
        }
    }

    fn by_external_id(mut self) -> Turn<Self, Finding> {
        match self.paths.of(self.object) {
            Ids::VitallysOnly => self.elsewhere(),
            Ids::Both => {
                self.stage = Stage::Path;
                Turn::Ask(Request::get(&Address::External(self.object, self.target.clone())), self)
            }
        }
    }

    /// Where the path does not take external ids.
    fn elsewhere(self) -> Turn<Self, Finding> {
        match self.object {
            Object::User => self.search(Miss::Missing),
            Object::Organization | Object::Account => self.list(0, None),
        }
    }

    fn search(mut self, miss: Miss) -> Turn<Self, Finding> {
        self.stage = Stage::Search(miss);
        Turn::Ask(Request::get(&Address::Search(self.target.clone())), self)
    }

    fn list(mut self, pages: u32, cursor: Option<String>) -> Turn<Self, Finding> {
        let request = Request::get(&Address::Page(self.object, cursor.clone()));
        self.stage = Stage::List(pages, cursor);
        Turn::Ask(request, self)
    }

    /// An id that is known may belong to a record that was deleted: then the external id decides.
    fn on_id(self, answer: &Answer) -> Turn<Self, Finding> {
        match read(answer) {
            Reading::Absent(_) => self.by_external_id(),
            Reading::Fine(reply) => match Record::parse(&reply.body) {
                Some(record) if is_asked(&record, &self.target) => found(record),
                Some(_) => self.by_external_id(),
                None => failed(unreadable(reply)),
            },
            Reading::Refused(reply) => Turn::End(Finding::Failed(refused(reply))),
            Reading::End(end) => failed(end),
        }
    }

    fn on_path(self, answer: &Answer) -> Turn<Self, Finding> {
        match read(answer) {
            Reading::Absent(_) => match self.object {
                Object::User if is_odd(&self.target) => self.search(Miss::Missing),
                Object::Organization | Object::Account | Object::User => Turn::End(Finding::Missing),
            },
            Reading::Refused(reply) if refusal::wants_vitallys_id(reply.status, &reply.body) => {
                self.elsewhere()
            }
            Reading::Fine(reply) => match Record::parse(&reply.body) {
                Some(record) if is_asked(&record, &self.target) => found(record),
                Some(record) => self.on_other(&record),
                None => failed(unreadable(reply)),
            },
            Reading::Refused(reply) => Turn::End(Finding::Failed(refused(reply))),
            Reading::End(end) => failed(end),
        }
    }

    fn on_other(self, record: &Record) -> Turn<Self, Finding> {
        let message = other_record(self.object, &self.target, record);
        match self.object {
            Object::User => self.search(Miss::Wrong(message)),
            Object::Organization | Object::Account => Turn::End(Finding::Wrong { message }),
        }
    }

    fn on_search(self, answer: &Answer, miss: Miss) -> Turn<Self, Finding> {
        let page = match read(answer) {
            Reading::Absent(_) => Page { records: Vec::new(), next: None },
            Reading::Fine(reply) => match Page::parse(&reply.body) {
                Some(page) => page,
                None => return failed(unreadable(reply)),
            },
            Reading::Refused(reply) => return Turn::End(Finding::Failed(refused(reply))),
            Reading::End(end) => return failed(end),
        };
        match (self.among(page.records), miss) {
            (Finding::Missing, Miss::Wrong(message)) => Turn::End(Finding::Wrong { message }),
            (finding, Miss::Wrong(_) | Miss::Missing) => Turn::End(finding),
        }
    }

    fn on_list(self, answer: &Answer, pages: u32, cursor: Option<&str>) -> Turn<Self, Finding> {
        let page = match read(answer) {
            Reading::Absent(_) => return Turn::End(Finding::Missing),
            Reading::Fine(reply) => match Page::parse(&reply.body) {
                Some(page) => page,
                None => return failed(unreadable(reply)),
            },
            Reading::Refused(reply) => return Turn::End(Finding::Failed(refused(reply))),
            Reading::End(end) => return failed(end),
        };
        match (self.among(page.records), page.next) {
            (Finding::Missing, Some(next)) if Some(next.as_str()) != cursor => {
                if pages + 1 < MOST_PAGES {
                    return self.list(pages + 1, Some(next));
                }
                let why = format!("the list of all {}s has more than {MOST_PAGES} pages", self.object);
                Turn::End(Finding::Failed(Verdict::Unsent { why }))
            }
            (finding, _) => Turn::End(finding),
        }
    }

    fn among(&self, records: Vec<Record>) -> Finding {
        let asked = Some(self.target.as_str());
        let mut same: Vec<Record> =
            records.into_iter().filter(|record| record.external_id.as_deref() == asked).collect();
        same.sort_by(|a, b| a.id.cmp(&b.id));
        same.dedup_by(|a, b| a.id == b.id);
        match (same.pop(), same.len()) {
            (None, _) => Finding::Missing,
            (Some(record), 0) => Finding::Found(Box::new(record)),
            (Some(_), _) => Finding::Several,
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

fn found(record: Record) -> Turn<Lookup, Finding> {
    Turn::End(Finding::Found(Box::new(record)))
}

fn failed(end: End) -> Turn<Lookup, Finding> {
    Turn::End(Finding::Failed(end.of_read()))
}
