//! The values of a row that is purged: found in what is remembered of it and in what its calls told, and looked for in what is
//! kept of others.

use std::collections::BTreeSet;

use coho_core::key::Key;
use coho_core::secret::{Masker, Secret};
use rusqlite::{Connection, params};
use serde_json::Value as Json;

use super::OF_ROW;
use crate::failure::Fault;
use crate::moment::{count, stored};
use crate::pack::unpacked;

/// The shortest text that is told from a text that others have too.
const SHORTEST_TEXT: usize = 4;

/// The shortest number that is told from a number that others have too.
const SHORTEST_NUMBER: usize = 6;

/// The members of a body that name the record which it shows. Those that only refer to one, such as `accountIds`, show no
/// values of it.
const NAMES: [&str; 3] = ["id", "externalId", "userId"];

/// What belongs to a row.
#[derive(Clone, Debug)]
pub(super) struct Values {
    /// What stays: the row's key and the ids of its records.
    ids: BTreeSet<String>,
    /// What goes.
    texts: BTreeSet<String>,
}

impl Values {
    pub(super) fn new(key: &Key) -> Self {
        Self { ids: [key.row().to_owned()].into(), texts: BTreeSet::new() }
    }

    /// Adds what a scope knows of the row.
    pub(super) fn collect(&mut self, connection: &Connection, scope: i64, key: &Key) -> Result<(), Fault> {
        let of = params![scope, key.row()];
        let mut statement = connection
            .prepare("SELECT target, vitally_id, sent FROM memory WHERE scope = ?1 AND key = ?2")?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            self.ids.extend([row.get::<_, Option<String>>(0)?, row.get(1)?].into_iter().flatten());
            self.take(row.get::<_, Option<String>>(2)?.as_deref());
        }
        let sql = format!("SELECT fields, fields_zlib, message FROM fates WHERE {OF_ROW}");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            let zlib: Option<Vec<u8>> = row.get(1)?;
            self.take(unpacked(row.get(0)?, zlib.as_deref())?.as_deref());
            self.take_quoted(row.get::<_, Option<String>>(2)?.as_deref());
        }
        let sql = format!("SELECT request, request_zlib FROM calls WHERE {OF_ROW}");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            let zlib: Option<Vec<u8>> = row.get(1)?;
            self.take(unpacked(row.get(0)?, zlib.as_deref())?.as_deref());
        }
        let ids = self.ids.clone();
        self.texts.retain(|text| !ids.contains(text));
        Ok(())
    }

    /// Adds all values of a JSON text. One that was cut off has none, and its row has them elsewhere.
    fn take(&mut self, json: Option<&str>) {
        if let Some(json) = json.and_then(|json| serde_json::from_str(json).ok()) {
            self.add(&json);
        }
    }

    /// Adds what a message quotes: the value of a row that was invalid stands nowhere else.
    fn take_quoted(&mut self, message: Option<&str>) {
        let quoted = message.into_iter().flat_map(|message| message.split('`').skip(1).step_by(2));
        self.texts.extend(quoted.filter(|text| text.len() >= SHORTEST_TEXT).map(str::to_owned));
    }

    fn add(&mut self, json: &Json) {
        match json {
            Json::String(text) if text.len() >= SHORTEST_TEXT => drop(self.texts.insert(text.clone())),
            Json::Number(number) => {
                let text = number.to_string();
                if text.len() >= SHORTEST_NUMBER {
                    self.texts.insert(text);
                }
            }
            Json::Array(all) => all.iter().for_each(|json| self.add(json)),
            Json::Object(members) => members.values().for_each(|json| self.add(json)),
            Json::String(_) | Json::Null | Json::Bool(_) => {}
        }
    }

    /// Whether a text names the row or one of its records.
    pub(super) fn names(&self, text: &str) -> bool {
        self.ids.iter().any(|id| text.contains(id.as_str()))
    }

    /// Whether a text has one of the values.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let masked = self.masker().mask(text);
        masked != text
    }

    /// Whether a body shows one of the records, or an address of theirs.
    pub(super) fn show_in(&self, body: &str) -> bool {
        let quoted = |id: &String| Json::from(id.as_str()).to_string();
        let named = self.ids.iter().map(quoted).any(|id| {
            NAMES.iter().any(|name| {
                body.contains(&format!("\"{name}\":{id}")) || body.contains(&format!("\"{name}\": {id}"))
            })
        });
        named || self.addresses().any(|address| body.contains(address))
    }

    /// Whether the query of a path has an address of the row, as it is or encoded.
    pub(super) fn show_in_query(&self, path: &str) -> bool {
        let Some((_, query)) = path.split_once('?') else { return false };
        self.addresses().any(|address| {
            query.contains(address)
                || query.contains(&address.replace('@', "%40"))
                || query.contains(&address.replace('@', "%40").replace('+', "%2B"))
        })
    }

    /// The values that are e-mail addresses: nobody else has them.
    fn addresses(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str).filter(|text| text.contains('@') && !text.contains(' '))
    }

    fn masker(&self) -> Masker {
        let secrets: Vec<Secret> = self.texts.iter().map(Secret::new).collect();
        Masker::new(&secrets)
    }

    /// Masks the values in alerts, in messages to recipients, and in what is said of runs. What was delivered of messages that
    /// name the row is emptied. Gives how many were changed.
    pub(super) fn mask_all(&self, connection: &Connection) -> Result<u64, Fault> {
        let masker = self.masker();
        let mut changed = 0;
        for (table, id, column) in [
            ("outbox", "number", "body"),
            ("outbox", "number", "error"),
            ("runs", "id", "error"),
            ("run_syncs", "run * 1000000 + scope", "error"),
            ("alerts", "subject || ' ' || watched", "brief"),
            ("alerts", "subject || ' ' || watched", "what"),
            ("alerts", "subject || ' ' || watched", "remedy"),
        ] {
            changed += mask_column(connection, &masker, table, id, column)?;
        }
        let mut statement = connection
            .prepare("SELECT number, body FROM outbox WHERE state <> 'waiting' AND body <> '{}'")?;
        let all = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
        for found in all.collect::<rusqlite::Result<Vec<_>>>()? {
            let (number, body) = found;
            if self.names(&body) {
                changed += count(stored(
                    connection.execute("UPDATE outbox SET body = '{}' WHERE number = ?1", [number])?,
                ));
            }
        }
        Ok(changed)
    }
}

fn mask_column(
    connection: &Connection,
    masker: &Masker,
    table: &str,
    id: &str,
    column: &str,
) -> Result<u64, Fault> {
    let sql = format!("SELECT {id}, {column} FROM {table} WHERE {column} IS NOT NULL");
    let mut statement = connection.prepare(&sql)?;
    let all = statement
        .query_map([], |row| Ok((row.get::<_, rusqlite::types::Value>(0)?, row.get::<_, String>(1)?)))?;
    let mut changed = 0;
    for (place, text) in all.collect::<rusqlite::Result<Vec<_>>>()? {
        let hidden = masked(masker, &text);
        if hidden != text {
            let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {id} = ?1");
            changed += count(stored(connection.execute(&sql, params![place, hidden])?));
        }
    }
    Ok(changed)
}

/// A text with its values masked. A document stays one: only its strings and long numbers change.
fn masked(masker: &Masker, text: &str) -> String {
    match serde_json::from_str::<Json>(text) {
        Ok(mut json @ (Json::Object(_) | Json::Array(_))) => {
            mask_within(masker, &mut json);
            json.to_string()
        }
        Ok(_) | Err(_) => masker.mask(text).into_owned(),
    }
}

fn mask_within(masker: &Masker, json: &mut Json) {
    match json {
        Json::String(text) => *text = masker.mask(text).into_owned(),
        Json::Number(number) => {
            let text = number.to_string();
            let hidden = masker.mask(&text).into_owned();
            if hidden != text {
                *json = Json::String(hidden);
            }
        }
        Json::Array(all) => all.iter_mut().for_each(|json| mask_within(masker, json)),
        Json::Object(members) => members.values_mut().for_each(|json| mask_within(masker, json)),
        Json::Null | Json::Bool(_) => {}
    }
}
