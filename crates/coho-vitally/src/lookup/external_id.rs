//! The look-up by external id: the path, and where that does not work the search (users) or the whole list (accounts and
//! organizations). Where Vitally's id is remembered, that is asked first.

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::verdict::Verdict;

use super::{Finding, MOST_PAGES, failed, found, is_asked, one_of, other_record};
use crate::address::{Address, Ids, Paths, is_odd};
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::reading::{Reading, read, refused, unreadable};
use crate::wire::record::{Page, Record};
use crate::wire::refusal;

/// A look-up under way.
#[derive(Clone, Debug)]
pub(crate) struct ByExternalId {
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

impl ByExternalId {
    /// Begins with Vitally's id, if it is known.
    pub(crate) fn begin(
        object: Object,
        target: ExternalId,
        paths: Paths,
        id: Option<&VitallyId>,
    ) -> Turn<Self, Finding> {
        if object == Object::Event {
            return Turn::End(Finding::Missing);
        }
        let lookup = Self { object, target, paths, stage: Stage::Id };
        match id {
            Some(id) => Turn::Ask(Request::get(&Address::Id(object, id.clone())), lookup),
            None => lookup.by_external_id(),
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
            Object::Event => Turn::End(Finding::Missing),
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
                Object::Organization | Object::Account | Object::User | Object::Event => {
                    Turn::End(Finding::Missing)
                }
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
            Object::Organization | Object::Account | Object::Event => Turn::End(Finding::Wrong { message }),
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
        one_of(records.into_iter().filter(|record| record.external_id.as_deref() == asked).collect())
    }
}
