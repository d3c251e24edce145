//! Lists: newest first, by pages, with a cursor that stays good while records change.
//!
//! The cursor is the place of the last record of its page, not a number of records to skip: a page begins after that
//! place whatever was written since. Paged by `updatedAt`, a record that changes moves to the front and is missed or
//! met twice, as the documentation warns; by `createdAt` nothing moves.

mod cursor;

use serde_json::{Value, json};

use super::query::Query;
use super::{Granted, Refused, Turn, render};
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::store::{Order, Place};
use crate::switches::Clamp;

/// The most records of a page, and the number of an unasked one (reference section 2).
const MOST: usize = 100;

/// What part of a list is wanted.
struct Page {
    limit: usize,
    order: Order,
    after: Option<Place>,
}

/// Which accounts a list shows.
#[derive(Clone, Copy)]
enum Status {
    Active,
    Churned,
    Both,
}

pub(crate) fn all(turn: &Turn<'_>, object: RecordKind, query: Option<&str>) -> Result<Granted, Refused> {
    let (page, status) = read(turn, object, query)?;
    let records = turn.store.in_order(object, page.order, page.after).filter(|record| shows(status, record));
    Ok(envelope(turn, &page, records))
}

/// The users or accounts of a parent, which only Vitally's id names.
pub(crate) fn members(
    turn: &Turn<'_>,
    parent: RecordKind,
    id: &str,
    object: RecordKind,
    query: Option<&str>,
) -> Result<Granted, Refused> {
    let (page, status) = read(turn, object, query)?;
    let id = RecordId::parse(id).ok_or_else(Refused::no_uuid)?;
    turn.store.get(parent, id).ok_or_else(Refused::not_found)?;
    let ids: Vec<RecordId> = match object {
        RecordKind::User => turn.store.users_of(id).collect(),
        RecordKind::Account => turn.store.accounts_of(id).collect(),
        RecordKind::Organization => Vec::new(),
    };
    let mut records: Vec<&StoredRecord> = ids
        .into_iter()
        .filter_map(|id| turn.store.get(object, id))
        .filter(|record| shows(status, record))
        .filter(|record| page.after.is_none_or(|after| place(page.order, record) < after))
        .collect();
    records.sort_by_key(|record| std::cmp::Reverse(place(page.order, record)));
    Ok(envelope(turn, &page, records.into_iter()))
}

fn read(turn: &Turn<'_>, object: RecordKind, query: Option<&str>) -> Result<(Page, Status), Refused> {
    let known: &[&str] = match object {
        RecordKind::Account => &["limit", "from", "sortBy", "status"],
        RecordKind::Organization | RecordKind::User => &["limit", "from", "sortBy"],
    };
    let query = Query::read(query, known, turn.switches.unknown)?;
    let clamp = turn.switches.clamp;
    let order = order(query.get("sortBy"), clamp)?;
    let after = query.get("from").map(|text| cursor::read(text, order)).transpose()?;
    let status = match object {
        RecordKind::Account => status(query.get("status"), clamp)?,
        RecordKind::Organization | RecordKind::User => Status::Both,
    };
    let most = usize::try_from(turn.switches.page.max(1)).unwrap_or(MOST);
    let limit = limit(query.get("limit"), clamp)?.min(most);
    Ok((Page { limit, order, after }, status))
}

fn limit(text: Option<&str>, clamp: Clamp) -> Result<usize, Refused> {
    let Some(text) = text else { return Ok(MOST) };
    match (text.parse::<i64>(), clamp) {
        (Ok(limit @ 1..=100), _) => Ok(usize::try_from(limit).unwrap_or(MOST)),
        (Ok(limit), Clamp::On) => Ok(if limit < 1 { 1 } else { MOST }),
        (Err(_), Clamp::On) => Ok(MOST),
        (Ok(_) | Err(_), Clamp::Off) => Err(Refused::bad("limit must be a number between 1 and 100")),
    }
}

fn order(text: Option<&str>, clamp: Clamp) -> Result<Order, Refused> {
    match (text, clamp) {
        (Some("createdAt"), _) => Ok(Order::CreatedAt),
        (None | Some("updatedAt"), _) | (Some(_), Clamp::On) => Ok(Order::UpdatedAt),
        (Some(_), Clamp::Off) => Err(Refused::bad("sortBy must be one of updatedAt, createdAt")),
    }
}

fn status(text: Option<&str>, clamp: Clamp) -> Result<Status, Refused> {
    match (text, clamp) {
        (Some("churned"), _) => Ok(Status::Churned),
        (Some("activeOrChurned"), _) => Ok(Status::Both),
        (None | Some("active"), _) | (Some(_), Clamp::On) => Ok(Status::Active),
        (Some(_), Clamp::Off) => Err(Refused::bad("status must be one of active, churned, activeOrChurned")),
    }
}

fn shows(status: Status, record: &StoredRecord) -> bool {
    match status {
        Status::Active => !record.is_churned(),
        Status::Churned => record.is_churned(),
        Status::Both => true,
    }
}

fn place(order: Order, record: &StoredRecord) -> Place {
    match order {
        Order::UpdatedAt => (record.updated_at, record.id),
        Order::CreatedAt => (record.created_at, record.id),
    }
}

fn envelope<'r>(
    turn: &Turn<'_>,
    page: &Page,
    mut records: impl Iterator<Item = &'r StoredRecord>,
) -> Granted {
    let shown: Vec<&StoredRecord> = records.by_ref().take(page.limit).collect();
    let more = records.next().is_some();
    let last = shown.last().filter(|_| more);
    let next = last.map(|record| cursor::write(place(page.order, record), page.order));
    let results: Vec<Value> = shown.into_iter().map(|record| render(turn.store, record)).collect();
    Granted::ok(json!({ "results": results, "next": next, "atEnd": !more }))
}
