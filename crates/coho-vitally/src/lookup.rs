//! Look-ups: which record of Vitally has an external id, an e-mail address, or an id of Vitally's own.
//!
//! Whatever is found must be what was asked for, since an external id that looks like one of Vitally's ids finds another
//! record.
//!
//! | way | asks |
//! |---|---|
//! | external id | the path; where that takes none, the search (users) or the whole list (accounts and organizations) |
//! | e-mail address | the search. Vitally does not document whether it minds upper and lower case: what is found is compared without |
//! | Vitally's id | the path. Whatever external id the record has, it is the one |

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::preview;
use coho_core::verdict::Verdict;

use crate::address::{Address, Paths, RouteIds, is_odd};
use crate::ask::Ask;
use crate::list::{ListEnd, Listing};
use crate::request::{Answer, Reply, Request};
use crate::wire::reading::{self, End, Reading, read, refused};
use crate::wire::record::Record;
use crate::wire::refusal;

/// The most pages of a list that a look-up reads: a hundred thousand records.
pub const MOST_PAGES: u32 = 1_000;

/// What a look-up found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupResult {
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

/// Looks for the record with an external id. There is no look-up of events: none is found.
pub async fn by_external_id(
    ask: &mut impl Ask,
    object: Object,
    target: &ExternalId,
    paths: &mut Paths,
) -> LookupResult {
    match paths.of(object) {
        RouteIds::VitallysOnly => without_path(ask, object, target).await,
        RouteIds::Both | RouteIds::BothShown => by_path(ask, object, target, paths).await,
    }
}

/// The same where Vitally's id is remembered: that is asked first. It may belong to a record that was deleted.
pub async fn by_remembered_id(
    ask: &mut impl Ask,
    object: Object,
    target: &ExternalId,
    id: &VitallyId,
    paths: &mut Paths,
) -> LookupResult {
    let address = Address::Id(object, id.clone());
    match record_at(&ask.ask(Request::get(&address)).await) {
        Ok(Some(record)) if is_at(&record, &address, target) => found(record),
        Ok(Some(_) | None) => by_external_id(ask, object, target, paths).await,
        Err(verdict) => LookupResult::Failed(verdict),
    }
}

/// Looks for the user with an e-mail address, in upper or lower case. No user is found by an address that is empty.
pub async fn by_email(ask: &mut impl Ask, address: &str) -> LookupResult {
    let address = address.trim();
    if address.is_empty() {
        return LookupResult::Missing;
    }
    let answer = ask.ask(Request::search_email(address)).await;
    let same =
        |records: Vec<Record>| records.into_iter().filter(|record| record.has_email(address)).collect();
    results(&answer).map_or_else(LookupResult::Failed, |records| one_of(same(records)))
}

/// Reads the record with one of Vitally's own ids, whatever external id it has.
pub async fn by_id(ask: &mut impl Ask, object: Object, id: &VitallyId) -> LookupResult {
    if object == Object::Event {
        return LookupResult::Missing;
    }
    let answer = ask.ask(Request::get(&Address::Id(object, id.clone()))).await;
    match record_at(&answer) {
        Ok(Some(record)) if record.id.as_ref() == Some(id) => found(record),
        Ok(Some(_)) => LookupResult::Wrong {
            message: format!("Vitally returned a different {object} than the one with id `{id}`"),
        },
        Ok(None) => LookupResult::Missing,
        Err(verdict) => LookupResult::Failed(verdict),
    }
}

/// Looks for a record of which Vitally said that it exists, and whose path says that it does not: where it is found without
/// the path, paths take only Vitally's ids.
pub(crate) async fn against_the_path(
    ask: &mut impl Ask,
    object: Object,
    target: &ExternalId,
    paths: &mut Paths,
) -> LookupResult {
    let finding = without_path(ask, object, target).await;
    if matches!(finding, LookupResult::Found(_)) {
        paths.learn(object, RouteIds::VitallysOnly);
    }
    finding
}

/// Looks for a record whose path says that there is none, where nothing has shown yet that paths take external ids: reads the list
/// up to a record by whose external id that can be tried. What is said to be gone, or never to have been there, is forgotten; so
/// in doubt it is looked for without the path.
pub(crate) async fn unless_shown(
    ask: &mut impl Ask,
    object: Object,
    target: &ExternalId,
    paths: &mut Paths,
) -> LookupResult {
    if paths.of(object) != RouteIds::Both {
        return LookupResult::Missing;
    }
    let mut listing = Listing::start(object);
    while let Some(request) = listing.request() {
        let portion = listing.on(&ask.ask(request).await);
        if let ListEnd::Failed(verdict) = portion.end {
            return LookupResult::Failed(verdict);
        }
        let sample = portion.records.iter().find_map(sample);
        match (one_of(with_target(portion.records, target)), sample) {
            (LookupResult::Missing, None) => {}
            (LookupResult::Missing, Some(sample)) => {
                return match by_path(ask, object, &sample, paths).await {
                    LookupResult::Failed(verdict) => LookupResult::Failed(verdict),
                    LookupResult::Found(_) if paths.of(object) == RouteIds::BothShown => {
                        LookupResult::Missing
                    }
                    LookupResult::Found(_)
                    | LookupResult::Missing
                    | LookupResult::Several
                    | LookupResult::Wrong { .. } => against_the_path(ask, object, target, paths).await,
                };
            }
            (found, _) => {
                paths.learn(object, RouteIds::VitallysOnly);
                return found;
            }
        }
    }
    LookupResult::Missing
}

/// The external id of a record that is there, if a path can be tried with it.
fn sample(record: &Record) -> Option<ExternalId> {
    let id = ExternalId::parse(record.external_id.as_deref()?).ok()?;
    (!is_odd(&id) && !VitallyId::is_formed(id.as_str())).then_some(id)
}

async fn by_path(ask: &mut impl Ask, object: Object, target: &ExternalId, paths: &mut Paths) -> LookupResult {
    let answer = ask.ask(Request::get(&Address::External(object, target.clone()))).await;
    if refusal_of(&answer).is_some_and(|(status, body)| refusal::wants_vitallys_id(status, body)) {
        paths.learn(object, RouteIds::VitallysOnly);
        return without_path(ask, object, target).await;
    }
    match record_at(&answer) {
        Ok(Some(record)) if is_asked(&record, target) => {
            paths.learn(object, RouteIds::BothShown);
            found(record)
        }
        Ok(Some(other)) => instead_of(ask, object, target, &other).await,
        // Servers between us and Vitally may read such an id as part of the address.
        Ok(None) if object == Object::User && is_odd(target) => search(ask, target).await,
        Ok(None) => LookupResult::Missing,
        Err(verdict) => LookupResult::Failed(verdict),
    }
}

/// Where the path does not take external ids.
async fn without_path(ask: &mut impl Ask, object: Object, target: &ExternalId) -> LookupResult {
    match object {
        Object::User => search(ask, target).await,
        Object::Organization | Object::Account => list(ask, object, target).await,
        Object::Event => LookupResult::Missing,
    }
}

/// The path led to another record. A search may still find a user.
async fn instead_of(ask: &mut impl Ask, object: Object, target: &ExternalId, other: &Record) -> LookupResult {
    let message = other_record(object, target, other);
    match object {
        Object::User => match search(ask, target).await {
            LookupResult::Missing => LookupResult::Wrong { message },
            finding @ (LookupResult::Found(_)
            | LookupResult::Several
            | LookupResult::Wrong { .. }
            | LookupResult::Failed(_)) => finding,
        },
        Object::Organization | Object::Account | Object::Event => LookupResult::Wrong { message },
    }
}

async fn search(ask: &mut impl Ask, target: &ExternalId) -> LookupResult {
    let answer = ask.ask(Request::search(target)).await;
    results(&answer).map_or_else(LookupResult::Failed, |records| one_of(with_target(records, target)))
}

async fn list(ask: &mut impl Ask, object: Object, target: &ExternalId) -> LookupResult {
    let mut listing = Listing::start(object);
    for _ in 0..MOST_PAGES {
        let Some(request) = listing.request() else { return LookupResult::Missing };
        let portion = listing.on(&ask.ask(request).await);
        match (one_of(with_target(portion.records, target)), portion.end) {
            (LookupResult::Missing, ListEnd::More) => {}
            (LookupResult::Missing, ListEnd::Failed(verdict)) => return LookupResult::Failed(verdict),
            (finding, _) => return finding,
        }
    }
    let why = format!("Vitally's list of {object}s has more than {MOST_PAGES} pages");
    LookupResult::Failed(Verdict::Unsent { why })
}

fn with_target(records: Vec<Record>, target: &ExternalId) -> Vec<Record> {
    let asked = Some(target.as_str());
    records.into_iter().filter(|record| record.external_id.as_deref() == asked).collect()
}

/// The record that an answer to a GET shows; `None` where there is none.
fn record_at(answer: &Answer) -> Result<Option<Record>, Verdict> {
    shown(answer, |reply| reading::record(reply).map(Some))
}

/// The records that an answer to a search shows.
fn results(answer: &Answer) -> Result<Vec<Record>, Verdict> {
    shown(answer, reading::results)
}

/// What an answer shows; 404 shows nothing.
fn shown<T: Default>(answer: &Answer, read_it: impl FnOnce(&Reply) -> Result<T, End>) -> Result<T, Verdict> {
    match read(answer) {
        Reading::Absent(_) => Ok(T::default()),
        Reading::Fine(reply) => read_it(reply).map_err(End::of_read),
        Reading::Refused(reply) => Err(refused(reply)),
        Reading::End(end) => Err(end.of_read()),
    }
}

fn refusal_of(answer: &Answer) -> Option<(u16, &str)> {
    match read(answer) {
        Reading::Refused(reply) => Some((reply.status, &reply.body)),
        Reading::Fine(_) | Reading::Absent(_) | Reading::End(_) => None,
    }
}

/// Whether a record is the one that was asked for by its external id.
pub(crate) fn is_asked(record: &Record, target: &ExternalId) -> bool {
    record.external_id.as_deref() == Some(target.as_str())
}

/// Whether a record is the one at this address, with that external id. One that Vitally's id finds may show none, as records do
/// that were made inside Vitally.
pub(crate) fn is_at(record: &Record, address: &Address, target: &ExternalId) -> bool {
    match (address, &record.external_id) {
        (_, Some(_)) => is_asked(record, target),
        (Address::Id(_, id), None) => record.id.as_ref() == Some(id) && id.as_str() != target.as_str(),
        (Address::External(..), None) => false,
    }
}

/// The text for when Vitally answers with another record.
pub(crate) fn other_record(object: Object, target: &ExternalId, record: &Record) -> String {
    let other = match &record.external_id {
        Some(external_id) => format!("{object} `{}`", preview(external_id)),
        None => format!("another {object}, without an external id,"),
    };
    format!("Vitally returned {other} instead of `{}`", preview(target.as_str()))
}

/// One record, none, or several: one that a page shows twice is one.
fn one_of(mut records: Vec<Record>) -> LookupResult {
    records.sort_by(|a, b| a.id.cmp(&b.id));
    records.dedup_by(|a, b| a.id == b.id);
    match (records.pop(), records.len()) {
        (None, _) => LookupResult::Missing,
        (Some(record), 0) => found(record),
        (Some(_), _) => LookupResult::Several,
    }
}

fn found(record: Record) -> LookupResult {
    LookupResult::Found(Box::new(record))
}
