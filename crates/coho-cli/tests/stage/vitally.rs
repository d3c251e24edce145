//! What a script asks of the simulator: what it was asked, what it holds, and what goes wrong in it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use coho_core::json::Json;
use coho_simulator::{
    CallReply, FaultAnswer, RecordKind, ScriptedFault, Seed, ServedCall, SimulatorTime, StoredRecord, Trouble,
};
use serde_json::json;

use crate::redact::{redact, without_chance};
use crate::stage::{Failure, Stage};

/// The calls since the last time, by what was asked and answered.
pub(crate) fn calls(stage: &Stage) -> String {
    let calls = stage.vitally.calls();
    stage.vitally.clear_calls();
    let mut counts = BTreeMap::<String, usize>::new();
    for call in &calls {
        *counts.entry(format!("{} {} → {}", call.method, path(call), ending(call))).or_default() += 1;
    }
    let lines = counts.iter().map(|(call, count)| format!("  {count} × {call}\n"));
    format!("calls: {}\n{}", calls.len(), lines.collect::<String>())
}

/// The calls since the last time, each with its body, in the order of their texts.
pub(crate) fn bodies(stage: &Stage) -> String {
    let calls = stage.vitally.calls();
    stage.vitally.clear_calls();
    let line = |call: &ServedCall| {
        let body = match call.body.as_str() {
            "" => String::new(),
            // Messages have the time of their making.
            body if call.path.starts_with("/analytics") => format!(" {}", redact(body, &[])),
            body => format!(" {body}"),
        };
        format!("  {} {}{body} → {}\n", call.method, path(call), ending(call))
    };
    let mut lines: Vec<String> = calls.iter().map(line).collect();
    lines.sort();
    format!("calls: {}\n{}", calls.len(), lines.concat())
}

/// The path, with a sign in place of a Vitally id: which record gets which depends on the order of concurrent calls.
fn path(call: &ServedCall) -> String {
    let part = |part: &str| {
        if part.starts_with("00000000-0000-4000-8000-") { ":id".to_owned() } else { part.to_owned() }
    };
    without_chance(&call.path.split('/').map(part).collect::<Vec<_>>().join("/"))
}

fn ending(call: &ServedCall) -> String {
    match &call.reply {
        CallReply::Answered { status, .. } => status.to_string(),
        CallReply::Cut => "cut".to_owned(),
        CallReply::Hung => "hung".to_owned(),
    }
}

/// All records, by external id, with external ids in place of Vitally's.
pub(crate) fn records(stage: &Stage) -> String {
    let of = |object: RecordKind| {
        let mut records = stage.vitally.records(object);
        records.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        let lines: Vec<_> = records.iter().map(|record| format!("  {}\n", shown(stage, record))).collect();
        format!("{}: {}\n{}", object.plural(), records.len(), lines.concat())
    };
    RecordKind::ALL.map(of).concat()
}

fn shown(stage: &Stage, record: &StoredRecord) -> Json {
    let mut shown = json!({ "externalId": record.external_id, "name": record.name });
    let external = |object, id| {
        let records = stage.vitally.records(object);
        records.into_iter().find(|record| record.id == id).and_then(|record| record.external_id)
    };
    if let Some(organization) = record.organization {
        shown["organization"] = json!(external(RecordKind::Organization, organization));
    }
    let mut accounts: Vec<_> =
        record.accounts.iter().map(|account| external(RecordKind::Account, *account)).collect();
    accounts.sort();
    if !accounts.is_empty() {
        shown["accounts"] = json!(accounts);
    }
    let texts = [("email", &record.email), ("joinDate", &record.join_date)];
    for (name, text) in texts.into_iter().filter(|(_, text)| text.is_some()) {
        shown[name] = json!(text);
    }
    shown["traits"] = Json::Object(record.traits.clone());
    shown
}

/// `[METHOD PATH] TROUBLE [xN]`.
pub(crate) fn fault(stage: &Stage, text: &str) -> Result<(), Failure> {
    let mut words: Vec<&str> = text.split(' ').collect();
    let times = words.last().and_then(|word| word.strip_prefix('x')).and_then(|times| times.parse().ok());
    if times.is_some() {
        words.pop();
    }
    let (place, word) = match words.as_slice() {
        [word] => (None, *word),
        [method, path, word] => (Some((*method, *path)), *word),
        _ => return Err("expected [METHOD PATH] TROUBLE [xN]".into()),
    };
    let fault = ScriptedFault::once(trouble(word)?).times(times.unwrap_or(1));
    stage.vitally.script(match place {
        Some((method, path)) => fault.on(method, path),
        None => fault,
    });
    Ok(())
}

fn trouble(word: &str) -> Result<Trouble, Failure> {
    Ok(match word {
        "not-json" => Trouble::NotJson,
        "drop-before" => Trouble::DropBefore,
        "drop-after-commit" => Trouble::DropAfterCommit,
        _ => match word.strip_suffix("-html") {
            None => Trouble::Answer(FaultAnswer::status(word.parse()?)),
            Some(status) => Trouble::Answer(FaultAnswer {
                body: Some("<html><body>Bad gateway</body></html>".to_owned()),
                ..FaultAnswer::status(status.parse()?)
            }),
        },
    })
}

/// `account ID NAME`, or `user ID EMAIL ACCOUNT NAME`.
pub(crate) fn seed(stage: &Stage, text: &str) -> Result<(), Failure> {
    let words: Vec<&str> = text.split(' ').collect();
    let seed = match words.as_slice() {
        ["account", id, name @ ..] => Seed::account(id).name(&name.join(" ")),
        ["organization", id, name @ ..] => Seed::organization(id).name(&name.join(" ")),
        ["user", id, email, account, name @ ..] => {
            Seed::user(id).email(email).account_link(account).name(&name.join(" "))
        }
        _ => {
            return Err("expected account ID NAME, organization ID NAME or user ID EMAIL ACCOUNT NAME".into());
        }
    };
    // Long before any run: who made a record shows in the time of its making.
    let long_ago = SimulatorTime::from_millis(1_700_000_000_000);
    stage.vitally.seed(seed.made_at(long_ago))?;
    Ok(())
}

/// All events in the order of their times and ids, then the messages that were taken and not kept.
pub(crate) fn events(stage: &Stage) -> String {
    let mut events = stage.vitally.events();
    events.sort_by(|a, b| (a.timestamp, &a.message_id).cmp(&(b.timestamp, &b.message_id)));
    let mut text = format!("events: {}\n", events.len());
    for event in &events {
        let mut shown = json!({ "messageId": event.message_id, "event": event.name });
        shown["timestamp"] = json!(event.timestamp.to_string());
        let owners = [
            ("accountId", &event.account_id),
            ("organizationId", &event.organization_id),
            ("userId", &event.user_id),
        ];
        for (name, id) in owners.into_iter().filter(|(_, id)| id.is_some()) {
            shown[name] = json!(id);
        }
        shown["properties"] = Json::Object(event.properties.clone());
        text.extend(["  ", &shown.to_string(), "\n"]);
    }
    for dropped in stage.vitally.dropped() {
        text.extend(["  not kept: ", &dropped.message_id, " ", dropped.reason.name(), "\n"]);
    }
    text
}

/// What the simulator's inspection API takes as seeds.
pub(crate) fn plant(stage: &Stage, seeds: &str) -> Result<(), Failure> {
    let address = stage.vitally.address();
    let mut stream = TcpStream::connect(address)?;
    let length = seeds.len();
    write!(
        stream,
        "POST /simulator/seed HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: \
         {length}\r\nconnection: close\r\n\r\n{seeds}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer.into()) }
}
