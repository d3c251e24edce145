//! Listings: all records of an object, a hundred a call, without I/O.
//!
//! Rows that change while one pages come twice or not at all, unless they are read by `createdAt`; lists hide accounts that
//! churned, unless they are asked for (<https://docs.vitally.io/en/articles/9880649-rest-api-overview>, read 2026-11-24).
//! So a record that is in no list may still be there: whether one exists is told by a look-up, never by a listing.
//!
//! A listing is a cursor that its reader moves on, not straight code: its readers stop where they like, and look at each page.

use std::collections::HashSet;

use coho_core::object::Object;
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;

use crate::request::{Answer, Request};
use crate::wire::reading::{self, Reading, read, refused};
use crate::wire::record::{Next, Page, Record};

/// How many pages in a row may bring nothing new before the list is taken to have no end.
const PATIENCE: u32 = 50;

/// A listing under way.
///
/// ```
/// use coho_core::object::Object;
/// use coho_vitally::list::Listing;
///
/// let listing = Listing::start(Object::Account);
/// let request = listing.request().ok_or("a listing begins with a question")?;
/// assert_eq!(request.path, "/resources/accounts?limit=100&sortBy=createdAt&status=activeOrChurned");
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
pub struct Listing {
    object: Object,
    stage: Stage,
    seen: HashSet<VitallyId>,
    /// The cursors that were asked with, by which a list that goes round in a circle is known.
    asked: HashSet<String>,
    /// How many pages in a row brought nothing new.
    vain: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    First,
    From(String),
    Ended,
}

/// What one call of a listing brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    /// The records that no earlier call brought.
    pub records: Vec<Record>,
    /// Whether there are more.
    pub end: ListEnd,
}

/// Whether a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEnd {
    /// It does.
    More,
    /// These were the last.
    End,
    /// It cannot: what it brought so far is not all.
    Failed(Verdict),
}

impl Listing {
    /// Begins. Nobody can list events: such a listing has ended.
    pub fn start(object: Object) -> Self {
        let stage = match object {
            Object::Event => Stage::Ended,
            Object::Organization | Object::Account | Object::User => Stage::First,
        };
        Self { object, stage, seen: HashSet::new(), asked: HashSet::new(), vain: 0 }
    }

    /// The request of the next page; `None` once the listing has ended.
    pub fn request(&self) -> Option<Request> {
        let from = match &self.stage {
            Stage::Ended => return None,
            Stage::First => None,
            Stage::From(cursor) => Some(cursor.as_str()),
        };
        Some(Request::list(self.object, from))
    }

    /// Goes on with the answer to [`Listing::request`].
    pub fn on(&mut self, answer: &Answer) -> Portion {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        let page = match read(answer) {
            Reading::Fine(reply) => match reading::page(reply) {
                Ok(page) => page,
                Err(end) => return Portion::failed(end.of_read()),
            },
            // Workspaces without the hierarchy have no organizations.
            Reading::Absent(_) if stage == Stage::First => Page { records: Vec::new(), next: Next::End },
            Reading::Absent(reply) | Reading::Refused(reply) => return Portion::failed(refused(reply)),
            Reading::End(end) => return Portion::failed(end.of_read()),
        };
        let records: Vec<Record> = page.records.into_iter().filter(|record| self.is_new(record)).collect();
        self.vain = if records.is_empty() { self.vain + 1 } else { 0 };
        let end = self.go_on(page.next);
        Portion { records, end }
    }

    /// Whether no earlier page had it.
    fn is_new(&mut self, record: &Record) -> bool {
        record.id.clone().is_some_and(|id| self.seen.insert(id))
    }

    fn go_on(&mut self, next: Next) -> ListEnd {
        let next = match next {
            Next::End => return ListEnd::End,
            Next::From(cursor) => cursor,
            Next::Lost => {
                let why = format!(
                    "Vitally's list of {}s breaks off: it has more pages, but no cursor",
                    self.object
                );
                return ListEnd::Failed(Verdict::Unsent { why });
            }
        };
        if self.vain >= PATIENCE || !self.asked.insert(next.clone()) {
            let why =
                format!("Vitally's list of {}s repeats itself: its cursor does not advance", self.object);
            return ListEnd::Failed(Verdict::Unsent { why });
        }
        self.stage = Stage::From(next);
        ListEnd::More
    }
}

impl Portion {
    fn failed(verdict: Verdict) -> Self {
        Self { records: Vec::new(), end: ListEnd::Failed(verdict) }
    }
}
