//! The values of a row that is purged: found in what is remembered of it and in what its calls told, and looked for in what is
//! kept of others.

use std::collections::BTreeSet;

use coho_core::json::Json;
use coho_core::key::Key;
use coho_core::secret::{Masker, Secret};
use rusqlite::{Connection, params};

use super::{LINKS, OF_ROW};
use crate::call::{Bodies, texts, texts_read};
use crate::failure::Fault;
use crate::moment::{count, stored};
use crate::pack::unpacked;
use crate::shape::opened;

/// The shortest text that is told from a text that others have too.
const SHORTEST_TEXT: usize = 4;

/// The shortest number that is told from a number that others have too.
const SHORTEST_NUMBER: usize = 6;

/// The members of a body that name the record which it shows. Those that only refer to one, such as `accountIds`, show no
/// values of it.
const NAMES: [&str; 3] = ["id", "externalId", "userId"];

/// The members of documents that are told to people: what others said, in which a value may be. All others are Coho's own words.
const TOLD: [&str; 6] = ["what", "remedy", "brief", "message", "help", "error"];

/// From how many letters on an id is one wherever it stands as a word; a shorter one has to be quoted.
const SHORTEST_ID: usize = 6;

/// What belongs to a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// What stays: the row's key and the ids of its records.
    ids: BTreeSet<String>,
    /// What goes.
    texts: BTreeSet<String>,
    /// Of that, the addresses by which its record is found: nobody else has them.
    addresses: BTreeSet<String>,
}

impl Values {
    pub(super) fn new(key: &Key) -> Self {
        Self { ids: [key.row().to_owned()].into(), ..Self::default() }
    }

    /// Adds what a scope knows of the row.
    pub(super) fn collect(&mut self, connection: &Connection, scope: i64, key: &Key) -> Result<(), Fault> {
        let of = params![scope, key.row()];
        let mut statement = connection.prepare(&format!(
            "SELECT target, vitally_id, {} FROM memory WHERE scope = ?1 AND key = ?2",
            opened("sent")
        ))?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            self.ids.extend([row.get::<_, Option<String>>(0)?, row.get(1)?].into_iter().flatten());
            self.take(row.get::<_, Option<String>>(2)?.as_deref());
        }
        let sql = format!("SELECT {}, fields_zlib, message FROM fates WHERE {OF_ROW}", opened("fields"));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            let zlib: Option<Vec<u8>> = row.get(1)?;
            self.take(unpacked(row.get(0)?, zlib.as_deref())?.as_deref());
            self.take_quoted(row.get::<_, Option<String>>(2)?.as_deref());
        }
        let sql = format!("SELECT {} FROM calls WHERE {OF_ROW}", texts_read(Bodies::Read));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(of)?;
        while let Some(row) = rows.next()? {
            self.take(texts(row, 0)?.request.as_deref());
        }
        let ids = self.ids.clone();
        self.texts.retain(|text| !ids.contains(text));
        Ok(())
    }

    /// Adds all values of a JSON text. One that was cut off has none, and its row has them elsewhere.
    fn take(&mut self, json: Option<&str>) {
        if let Some(json) = json.and_then(|json| serde_json::from_str(json).ok()) {
            self.add(&json, false);
        }
    }

    /// Adds what a message quotes: the value of a row that was invalid stands nowhere else.
    fn take_quoted(&mut self, message: Option<&str>) {
        let quoted = message.into_iter().flat_map(|message| message.split('`').skip(1).step_by(2));
        self.texts.extend(quoted.filter(|text| text.len() >= SHORTEST_TEXT).map(str::to_owned));
    }

    /// Adds all values but the ids of other records.
    fn add(&mut self, json: &Json, is_address: bool) {
        match json {
            Json::String(text) if text.len() >= SHORTEST_TEXT => {
                self.texts.insert(text.clone());
                if is_address {
                    self.addresses.insert(text.clone());
                }
            }
            Json::Number(number) => {
                let text = number.to_string();
                if text.len() >= SHORTEST_NUMBER {
                    self.texts.insert(text);
                }
            }
            Json::Array(all) => all.iter().for_each(|json| self.add(json, is_address)),
            Json::Object(members) => {
                for (name, json) in members.iter().filter(|(name, _)| !LINKS.contains(&name.as_str())) {
                    self.add(json, is_address || name == "email");
                }
            }
            Json::String(_) | Json::Null | Json::Bool(_) => {}
        }
    }

    /// Whether a text names the row or one of its records.
    pub(super) fn names(&self, text: &str) -> bool {
        let is_quoted = |id: &String| {
            text.contains(&Json::from(id.as_str()).to_string()) || text.contains(&format!("`{id}`"))
        };
        self.ids.iter().any(|id| is_quoted(id) || (id.len() >= SHORTEST_ID && is_word_of(text, id)))
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
        named || self.addresses.iter().any(|address| body.contains(address))
    }

    /// Whether the query of a path has an address of the row, as it is or encoded.
    pub(super) fn show_in_query(&self, path: &str) -> bool {
        let Some((_, query)) = path.split_once('?') else { return false };
        self.addresses.iter().any(|address| {
            query.contains(address.as_str())
                || query.contains(&address.replace('@', "%40"))
                || query.contains(&address.replace('@', "%40").replace('+', "%2B"))
        })
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
        for (table, column) in [
            ("outbox", "body"),
            ("outbox", "error"),
            ("runs", "error"),
            ("run_syncs", "error"),
            ("alerts", "brief"),
            ("alerts", "what"),
            ("alerts", "remedy"),
        ] {
            changed += mask_column(connection, &masker, table, column)?;
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

fn mask_column(connection: &Connection, masker: &Masker, table: &str, column: &str) -> Result<u64, Fault> {
    let sql = format!("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL");
    let mut statement = connection.prepare(&sql)?;
    let all =
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut changed = 0;
    for text in all {
        let hidden = masked(masker, &text);
        if hidden != text {
            let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
            changed += count(stored(connection.execute(&sql, params![text, hidden])?));
        }
    }
    Ok(changed)
}

/// Whether a text has this as a word of its own.
fn is_word_of(text: &str, word: &str) -> bool {
    let is_letter = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_letter) && !after.is_some_and(is_letter)
    })
}

/// A text with its values masked. A document stays one: only what it tells people changes.
fn masked(masker: &Masker, text: &str) -> String {
    match serde_json::from_str::<Json>(text) {
        Ok(mut json @ (Json::Object(_) | Json::Array(_))) => {
            let tells = json.is_array();
            mask_within(masker, &mut json, tells);
            json.to_string()
        }
        Ok(_) | Err(_) => masker.mask(text).into_owned(),
    }
}

fn mask_within(masker: &Masker, json: &mut Json, tells: bool) {
    match json {
        Json::String(text) if tells => *text = masker.mask(text).into_owned(),
        Json::Array(all) => all.iter_mut().for_each(|json| mask_within(masker, json, tells)),
        Json::Object(members) => {
            for (name, json) in members.iter_mut() {
                mask_within(masker, json, TOLD.contains(&name.as_str()));
            }
        }
        Json::String(_) | Json::Number(_) | Json::Null | Json::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(key: &str, json: &str) -> Values {
        let mut values = Values::new(&Key::new(key));
        values.take(Some(json));
        values
    }

    #[test]
    fn only_the_address_that_finds_the_record_is_nobody_elses() {
        let of = values(
            "1",
            r#"{"email":"ada@acme.example","traits.csm":"cara@coho.example","accountIds":["acme-inc"]}"#,
        );
        assert!(of.show_in(r#"{"results":[{"email":"ada@acme.example"}]}"#));
        assert!(!of.show_in(r#"{"traits":{"csm":"cara@coho.example"}}"#));
        assert!(of.show_in_query("/users/search?email=ada%40acme.example"));
        assert!(!of.are_in("the account acme-inc"), "it is another record's id");
        assert!(of.are_in("asked cara@coho.example"));
    }

    #[test]
    fn a_short_key_is_named_where_it_is_quoted_and_a_long_one_as_a_word() {
        let short = values("1", "{}");
        assert!(short.names(r#"{"key":"1"}"#) && short.names("row `1` was refused"));
        assert!(!short.names(r#"{"key":"11"} 1 row"#));
        let long = values("acc-0001", "{}");
        assert!(long.names("acc-0001 was refused") && long.names("(acc-0001)"));
        assert!(!long.names("acc-00012") && !long.names("my-acc-0001"));
    }

    #[test]
    fn a_message_keeps_what_it_is_of() {
        let of = values("1", r#"{"traits.state":"critical","name":"rows-rejected"}"#);
        let body = r#"{"level":"critical","alert":"rows-rejected","lines":[{"what":"`critical` is refused","count":7}]}"#;
        let hidden = masked(&of.masker(), body);
        assert!(
            hidden.contains(r#""level":"critical""#) && hidden.contains(r#""alert":"rows-rejected""#),
            "{hidden}"
        );
        assert!(!hidden.contains("`critical`"), "{hidden}");
    }
}
