//! The REST API as a function: a request and the store in, an answer out. No sockets, no headers but those that the
//! answer needs, no clock but the time it is told.
//!
//! [`route`] knows the paths, [`query`] and [`body`] read what came, [`list`] and [`search`] find records, [`write`]
//! makes, changes and deletes them, and each object's module says which fields it has and how it reads in an answer.

mod accounts;
mod body;
mod custom_fields;
mod fields;
mod list;
mod organizations;
mod query;
mod route;
mod search;
mod users;
mod write;

use serde_json::Value;

use crate::clock::SimulatorTime;
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::store::Store;
use crate::switches::{ExternalInPath, Switches};
use query::Query;
pub(crate) use query::decode;
use route::Route;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Still percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Received,
}

/// A request's body.
#[derive(Debug, Clone)]
pub(crate) enum Received {
    /// All of it.
    Whole(Vec<u8>),
    /// More than Vitally takes.
    TooLarge,
}

/// An answer that is not an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Granted {
    pub(crate) status: u16,
    /// `None` is an empty body.
    pub(crate) body: Option<Value>,
}

impl Granted {
    fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body) }
    }
}

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) text: String,
    /// What of the request does not fit, where one place does not.
    pub(crate) misfit: Option<Misfit>,
}

/// A place of a request that does not fit, as the service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// `/traits/seats`; empty for the body as a whole.
    pub(crate) place: String,
    /// `must be string`.
    pub(crate) message: String,
    /// The member that is too many.
    pub(crate) additional: Option<String>,
}

impl Refused {
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { status: 400, text: text.into(), misfit: None }
    }

    /// A place of the body, such as `/name`, that is not what it must be.
    pub(crate) fn misfit(place: impl Into<String>, message: &str, text: impl Into<String>) -> Self {
        let (place, message) = (place.into(), message.to_owned());
        Self { misfit: Some(Misfit { place, message, additional: None }), ..Self::bad(text) }
    }

    /// A member that the body must not have.
    pub(crate) fn additional(name: &str, text: impl Into<String>) -> Self {
        let (message, additional) = ("must NOT have additional properties".to_owned(), Some(name.to_owned()));
        Self { misfit: Some(Misfit { place: String::new(), message, additional }), ..Self::bad(text) }
    }

    pub(crate) fn conflict(text: impl Into<String>) -> Self {
        Self { status: 409, ..Self::bad(text) }
    }

    pub(crate) fn not_found() -> Self {
        Self { status: 404, ..Self::bad("Not found") }
    }

    fn no_uuid() -> Self {
        // The text was observed on instance searches (reference section 9).
        Self::misfit("/id", "must match format \"uuid\"", "Given ID expected to be a UUID")
    }
}

/// One request's turn at the store.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) switches: &'a Switches,
    pub(crate) now: SimulatorTime,
}

/// Answers a request whose sender may ask.
pub(crate) fn answer(turn: &mut Turn<'_>, asked: &Asked) -> Result<Granted, Refused> {
    match route::read(&asked.method, &asked.path)? {
        Route::List { object } => list::all(turn, object, asked.query.as_deref()),
        Route::Members { parent, id, object } => {
            list::members(turn, parent, &id, object, asked.query.as_deref())
        }
        Route::Search => search::users(turn, asked.query.as_deref()),
        Route::CustomFields => custom_fields::list(turn, asked.query.as_deref()),
        Route::Get { object, id } => get(turn, object, &id, asked.query.as_deref()),
        Route::Create { object } => write::create(turn, object, asked),
        Route::Update { object, id } => write::update(turn, object, &id, asked),
        Route::Delete { object, id } => write::delete(turn, object, &id, asked.query.as_deref()),
    }
}

fn get(turn: &Turn<'_>, object: RecordKind, id: &str, query: Option<&str>) -> Result<Granted, Refused> {
    Query::read(query, &[], turn.switches.unknown)?;
    let record = find(turn, object, id)?;
    if !is_visible(turn, record) {
        return Err(Refused::not_found());
    }
    Ok(Granted::ok(render(turn.store, record)))
}

/// The record of a path: Vitally's id wins over an external id that looks like one.
fn find<'t>(turn: &'t Turn<'_>, object: RecordKind, id: &str) -> Result<&'t StoredRecord, Refused> {
    let vitally_id = RecordId::parse(id);
    if let Some(record) = vitally_id.and_then(|id| turn.store.get(object, id)) {
        return Ok(record);
    }
    match (turn.switches.ext_in_path, vitally_id) {
        (ExternalInPath::On, _) => turn.store.by_external(object, id).ok_or_else(Refused::not_found),
        (ExternalInPath::Off, Some(_)) | (ExternalInPath::NotFound, _) => Err(Refused::not_found()),
        (ExternalInPath::Off, None) => Err(Refused::no_uuid()),
    }
}

/// Whether look-ups see the record already.
fn is_visible(turn: &Turn<'_>, record: &StoredRecord) -> bool {
    record.created_at.plus(i64::from(turn.switches.lag_ms.0)) <= turn.now
}

/// The record as an answer shows it.
fn render(store: &Store, record: &StoredRecord) -> Value {
    match record.object {
        RecordKind::Organization => organizations::render(store, record),
        RecordKind::Account => accounts::render(store, record),
        RecordKind::User => users::render(store, record),
    }
}
