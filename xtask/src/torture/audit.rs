//! What Vitally was asked to do, call by call: which writes were made again, and whether an event ever had another id.
//!
//! A write is a *repeat* if the record had all of it already, by what earlier writes said; a batch, if one of its events had
//! arrived before. A record is known by its collection and external id.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// What the simulator's log of calls shows.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// External ids by Vitally's ids.
    names: BTreeMap<String, String>,
    /// What was written of each record.
    held: BTreeMap<String, Map<String, Value>>,
    /// The ids under which each event arrived.
    ids: BTreeMap<u64, BTreeSet<String>>,
    /// Calls that wrote something again.
    pub(crate) repeats: u64,
}

impl Audit {
    /// Of calls, in their order.
    pub(crate) fn of(calls: &[Value]) -> Self {
        let mut audit = Self::default();
        for call in calls {
            audit.learn(&call["answer"]);
            if call["committed"] == true {
                audit.write(call);
            }
        }
        audit
    }

    /// Each event has one id, and no two have the same.
    pub(crate) fn check_ids(&self) -> Result<()> {
        if let Some((event, ids)) = self.ids.iter().find(|(_, ids)| ids.len() > 1) {
            bail!("the event {event} was sent under several ids: {ids:?}");
        }
        let distinct: BTreeSet<_> = self.ids.values().flatten().collect();
        if distinct.len() < self.ids.len() {
            bail!("{} events were sent under {} ids", self.ids.len(), distinct.len());
        }
        Ok(())
    }

    fn learn(&mut self, answer: &Value) {
        for record in answer["results"].as_array().into_iter().flatten().chain([answer]) {
            if let (Some(id), Some(name)) = (record["id"].as_str(), record["externalId"].as_str()) {
                self.names.insert(id.to_owned(), name.to_owned());
            }
        }
    }

    fn write(&mut self, call: &Value) {
        let path = call["path"].as_str().unwrap_or_default();
        let is_repeat = match path.strip_prefix("/resources/") {
            Some(rest) => self.record(rest, call),
            None => self.messages(&call["body"]),
        };
        self.repeats += u64::from(is_repeat);
    }

    /// Whether a record had all of this already.
    fn record(&mut self, path: &str, call: &Value) -> bool {
        let (collection, name) = path.split_once('/').unwrap_or((path, ""));
        let name = self.names.get(name).map_or(name, String::as_str);
        let body = &call["body"];
        let name = if name.is_empty() { body["externalId"].as_str().unwrap_or_default() } else { name };
        let record = format!("{collection}/{name}");
        if call["method"] == "DELETE" {
            self.held.remove(&record);
            return false;
        }
        let held = self.held.entry(record).or_default();
        let mut is_repeat = true;
        for (field, value) in flat(body) {
            is_repeat &= held.insert(field, value.clone()).as_ref() == Some(&value);
        }
        is_repeat
    }

    /// Whether one of these messages is an event that arrived before.
    fn messages(&mut self, body: &Value) -> bool {
        let alone = std::slice::from_ref(body);
        let mut is_repeat = false;
        for message in body["batch"].as_array().map_or(alone, Vec::as_slice) {
            let event = message["properties"]["number"].as_u64();
            if let (Some(event), Some(id)) = (event, message["messageId"].as_str()) {
                let ids = self.ids.entry(event).or_default();
                is_repeat |= !ids.is_empty();
                ids.insert(id.to_owned());
            }
        }
        is_repeat
    }
}

/// Fields, with each trait as one.
fn flat(body: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        match (name.as_str(), value.as_object()) {
            ("traits", Some(traits)) => {
                all.extend(traits.iter().map(|(name, value)| (format!("traits.{name}"), value.clone())));
            }
            _ => all.push((name.clone(), value.clone())),
        }
    }
    all
}

/// Holds the calls against what may be written again: not more than what was under way at kills and in calls that failed.
pub(crate) fn check(calls: &Value, most: u64) -> Result<u64> {
    let calls = calls.as_array().context("the simulator gives no list of calls")?;
    let audit = Audit::of(calls);
    audit.check_ids()?;
    if audit.repeats > most {
        bail!("{} writes were made again, but only {most} were under way or had failed", audit.repeats);
    }
    Ok(audit.repeats)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(method: &str, path: &str, body: &Value, answer: &Value) -> Value {
        json!({ "method": method, "path": path, "body": body, "answer": answer, "committed": true })
    }

    fn event(number: u64, id: &str) -> Value {
        let message = json!({ "type": "track", "messageId": id, "properties": { "number": number } });
        call("POST", "/analytics/v1/batch", &json!({ "batch": [message] }), &Value::Null)
    }

    #[test]
    fn a_write_that_says_nothing_new_is_a_repeat() {
        let made = json!({ "externalId": "a", "name": "A", "traits": { "seats": 1 } });
        let more = json!({ "traits": { "seats": 2 } });
        let known = json!({ "id": "v-1", "externalId": "a" });
        let calls = [
            call("POST", "/resources/accounts", &made, &known),
            call("PUT", "/resources/accounts/v-1", &more, &Value::Null),
            call("PUT", "/resources/accounts/a", &more, &Value::Null),
            call("DELETE", "/resources/accounts/v-1", &Value::Null, &Value::Null),
            call("POST", "/resources/accounts", &made, &known),
        ];
        assert_eq!(Audit::of(&calls).repeats, 1);
        assert!(check(&json!(calls), 0).unwrap_err().to_string().contains("1 writes were made again"));
        assert_eq!(check(&json!(calls), 1).unwrap(), 1);
    }

    #[test]
    fn an_event_keeps_its_id() {
        let again = Audit::of(&[event(1, "x"), event(1, "x")]);
        assert_eq!(again.repeats, 1);
        again.check_ids().unwrap();
        assert!(Audit::of(&[event(1, "x"), event(1, "y")]).check_ids().is_err());
        assert!(Audit::of(&[event(1, "x"), event(2, "x")]).check_ids().is_err());
    }
}
