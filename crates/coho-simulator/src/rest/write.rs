//! POST, PUT and DELETE. A write is read and checked as a whole ([`patch`]) before anything of it is stored, so that a
//! refused write leaves nothing behind.

mod patch;

use serde_json::json;

use super::fields::Verb;
use super::query::Query;
use super::{Asked, Granted, Refused, Turn, body, find, render};
use crate::clock::SimulatorTime;
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::switches::{
    AccountName, DeleteAnswer, DeleteMissing, Duplicate, EmailUnique, ExternalInPath, PostStatus, PutMissing,
    WriteBody,
};
use patch::{Patch, Set};

pub(crate) fn create(turn: &mut Turn<'_>, object: RecordKind, asked: &Asked) -> Result<Granted, Refused> {
    Query::read(asked.query.as_deref(), &[], turn.switches.unknown)?;
    let mut patch = Patch::read(turn, object, Verb::Create, body::read(asked)?)?;
    let external_id = patch.external_id.clone().unwrap_or_default();
    if let Some(existing) = turn.store.by_external(object, &external_id).cloned() {
        refuse_duplicate(turn.switches.dup, object, &external_id)?;
        return store(turn, existing, patch, 200);
    }
    if let Some(existing) = same_email(turn, &patch)? {
        // The user that was there keeps its external id: the answer shows who was found.
        patch.external_id = None;
        return store(turn, existing, patch, 200);
    }
    let made = StoredRecord::new(object, turn.store.mint(), turn.now);
    let status = made_status(turn);
    store(turn, made, patch, status)
}

/// The status of a write that made a record.
fn made_status(turn: &Turn<'_>) -> u16 {
    match turn.switches.post {
        PostStatus::Ok => 200,
        PostStatus::Created => 201,
        PostStatus::Accepted => 202,
        PostStatus::NoContent => 204,
    }
}

fn refuse_duplicate(dup: Duplicate, object: RecordKind, external_id: &str) -> Result<(), Refused> {
    let text = format!("An {} with externalId \"{external_id}\" already exists", object.singular());
    let text = if object == RecordKind::User { text.replacen("An ", "A ", 1) } else { text };
    match dup {
        Duplicate::Upsert => Ok(()),
        Duplicate::Conflict => Err(Refused::conflict(text)),
        Duplicate::BadRequest => Err(Refused::bad(text)),
    }
}

/// The user into which a new one merges because of its e-mail address.
fn same_email(turn: &Turn<'_>, patch: &Patch) -> Result<Option<StoredRecord>, Refused> {
    let Set::To(email) = &patch.email else { return Ok(None) };
    let holder = turn.store.by_email(email).into_iter().next().cloned();
    match (turn.switches.email_unique, holder) {
        (EmailUnique::Off, _) | (_, None) => Ok(None),
        (EmailUnique::Merge, holder) => Ok(holder),
        (EmailUnique::Conflict, Some(_)) => Err(email_taken(email)),
    }
}

fn email_taken(email: &str) -> Refused {
    Refused::conflict(format!("A user with email \"{email}\" already exists"))
}

pub(crate) fn update(
    turn: &mut Turn<'_>,
    object: RecordKind,
    id: &str,
    asked: &Asked,
) -> Result<Granted, Refused> {
    Query::read(asked.query.as_deref(), &[], turn.switches.unknown)?;
    let body = body::read(asked)?;
    let found = find(turn, object, id).cloned();
    let mut patch = Patch::read(turn, object, Verb::Update, body)?;
    let (record, status) = match found {
        Ok(record) => (record, 200),
        Err(refused) if refused.status == 404 => (missing(turn, object, id)?, made_status(turn)),
        Err(refused) => return Err(refused),
    };
    refuse_taken_email(turn, &patch, record.id)?;
    match (object, turn.switches.account_name) {
        (RecordKind::Account, AccountName::Ignore) => patch.name = Set::Keep,
        (RecordKind::Account, AccountName::Apply) | (RecordKind::Organization | RecordKind::User, _) => {}
    }
    store(turn, record, patch, status)
}

/// The record that a PUT makes where there is none, if this Vitally does so.
fn missing(turn: &mut Turn<'_>, object: RecordKind, id: &str) -> Result<StoredRecord, Refused> {
    let may_make = turn.switches.ext_in_path == ExternalInPath::On && RecordId::parse(id).is_none();
    match turn.switches.put_missing {
        PutMissing::Upsert if may_make => {
            let mut record = StoredRecord::new(object, turn.store.mint(), turn.now);
            record.external_id = Some(id.to_owned());
            Ok(record)
        }
        PutMissing::Upsert | PutMissing::NotFound => Err(Refused::not_found()),
        PutMissing::BadRequest => Err(Refused::bad(format!("No {} with this id", object.singular()))),
    }
}

fn refuse_taken_email(turn: &Turn<'_>, patch: &Patch, by: RecordId) -> Result<(), Refused> {
    let Set::To(email) = &patch.email else { return Ok(()) };
    let is_taken = turn.store.by_email(email).into_iter().any(|user| user.id != by);
    match turn.switches.email_unique {
        EmailUnique::Conflict if is_taken => Err(email_taken(email)),
        EmailUnique::Conflict | EmailUnique::Off | EmailUnique::Merge => Ok(()),
    }
}

fn store(
    turn: &mut Turn<'_>,
    mut record: StoredRecord,
    patch: Patch,
    status: u16,
) -> Result<Granted, Refused> {
    let id = record.id;
    let object = record.object;
    turn.store.define_unseen(object, &patch.traits, turn.now);
    patch.apply(&mut record, turn.switches, turn.now);
    turn.store.put(record);
    let stored = turn.store.get(object, id).ok_or_else(Refused::not_found)?;
    let body = match turn.switches.body {
        _ if status == 204 => None,
        WriteBody::Object => Some(render(turn.store, stored)),
        WriteBody::Empty => None,
        WriteBody::Error => Some(json!({ "error": "the write is queued" })),
    };
    Ok(Granted { status, body })
}

/// Accounts and organizations go at once. A user stays readable until its date or the end of the grace time.
pub(crate) fn delete(
    turn: &mut Turn<'_>,
    object: RecordKind,
    id: &str,
    query: Option<&str>,
) -> Result<Granted, Refused> {
    let known: &[&str] = match object {
        RecordKind::User => &["deleteOn"],
        RecordKind::Organization | RecordKind::Account => &[],
    };
    let query = Query::read(query, known, turn.switches.unknown)?;
    let on = query.get("deleteOn").map(delete_on).transpose()?;
    let gone = Granted { status: 204, body: None };
    let answer = |turn: &Turn<'_>, record: &StoredRecord| match turn.switches.delete {
        DeleteAnswer::NoContent => Granted { status: 204, body: None },
        DeleteAnswer::Ok => Granted::ok(render(turn.store, record)),
        DeleteAnswer::Accepted => Granted { status: 202, body: None },
    };
    let record = match (find(turn, object, id).cloned(), turn.switches.delete_missing) {
        (Ok(record), _) => record,
        (Err(refused), DeleteMissing::Gone) if refused.status == 404 => return Ok(gone),
        (Err(refused), DeleteMissing::NotFound | DeleteMissing::Gone) => return Err(refused),
    };
    let answer = answer(turn, &record);
    let due = on.unwrap_or_else(|| turn.now.plus(turn.switches.grace.millis()));
    if object == RecordKind::User && due > turn.now {
        turn.store.put(StoredRecord { delete_on: Some(due), updated_at: turn.now, ..record });
    } else {
        turn.store.delete(object, record.id);
    }
    Ok(answer)
}

fn delete_on(text: &str) -> Result<SimulatorTime, Refused> {
    SimulatorTime::parse(text).ok_or_else(|| Refused::bad("deleteOn must be a timestamp"))
}
