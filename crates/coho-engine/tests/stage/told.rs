//! Results as lines: what a run came to, which calls it made, what Vitally holds.

use std::collections::BTreeMap;

use coho_core::plan::{Status, SyncSummary};
use coho_core::verdict::Fate;
use coho_simulator::{Call, Event, Object, Record, Running};

/// `completed: 2 delivered, 1 unchanged`; a halt and a guard with their codes.
pub(crate) fn summary(summary: &SyncSummary) -> String {
    let fates: Vec<_> = Fate::ALL
        .into_iter()
        .map(|fate| (summary.counts.fate(fate), fate))
        .filter(|(count, _)| *count > 0)
        .map(|(count, fate)| format!("{count} {fate}"))
        .collect();
    let fates = if fates.is_empty() { "nothing".to_owned() } else { fates.join(", ") };
    let code = match &summary.status {
        Status::Halted { code, .. } => format!(" ({code})"),
        Status::Held => {
            let codes: Vec<_> = summary.guards.iter().map(|guard| guard.code.as_str()).collect();
            format!(" ({})", codes.join(", "))
        }
        Status::Failed(problems) => {
            let codes: Vec<_> = problems.iter().map(|problem| problem.code.as_str()).collect();
            format!(" ({})", codes.join(", "))
        }
        Status::Completed | Status::CompletedWithErrors | Status::TimeUp | Status::Interrupted => {
            String::new()
        }
    };
    format!("{}{code}: {fates}", summary.status.name())
}

/// Vitally's ids with the external ids of their records.
pub(crate) type Names = BTreeMap<String, String>;

/// The names of all records that there are.
pub(crate) fn names(vitally: &Running) -> Names {
    let records = Object::ALL.into_iter().flat_map(|object| vitally.records(object));
    records.map(|record| (record.id.to_string(), record.external_id.unwrap_or_default())).collect()
}

/// `PUT /accounts/<a-1> {"name":"Acme"}`: Vitally's ids as the external ids of their records.
pub(crate) fn calls(calls: &[Call], names: &Names) -> Vec<String> {
    calls.iter().map(|made| call(made, names)).collect()
}

fn call(call: &Call, names: &Names) -> String {
    let path = call.path.strip_prefix("/resources").unwrap_or(&call.path);
    let query = call.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let body = if call.body.is_empty() { String::new() } else { format!(" {}", call.body) };
    named(&format!("{} {path}{query}{body}", call.method), names)
}

fn named(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, &format!("<{name}>")))
}

/// `account a-1 "Acme" plan="pro" seats=5`, in the order of objects and external ids.
pub(crate) fn records(vitally: &Running) -> Vec<String> {
    let names = names(vitally);
    let mut lines: Vec<(Object, String)> = Vec::new();
    for object in Object::ALL {
        lines.extend(vitally.records(object).iter().map(|record| (object, record_line(record, &names))));
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// `m-1 "Order placed" at 2026-01-01T00:00:00.000Z account a-1 total=5`, in the order in which they came.
pub(crate) fn events(vitally: &Running) -> Vec<String> {
    vitally.events().iter().map(event_line).collect()
}

fn event_line(event: &Event) -> String {
    let mut parts =
        vec![event.message_id.clone(), format!("{:?}", event.name), format!("at {}", event.timestamp)];
    let owners =
        [("organization", &event.organization_id), ("account", &event.account_id), ("user", &event.user_id)];
    parts.extend(owners.into_iter().filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?))));
    parts.extend(event.properties.iter().map(|(key, value)| format!("{key}={value}")));
    parts.join(" ")
}

fn record_line(record: &Record, names: &Names) -> String {
    let mut parts = vec![
        record.object.singular().to_owned(),
        record.external_id.clone().unwrap_or_default(),
        format!("{:?}", record.name.clone().unwrap_or_default()),
    ];
    parts.extend(record.traits.iter().map(|(key, value)| format!("{key}={value}")));
    parts.extend(record.email.iter().map(|email| format!("<{email}>")));
    parts.extend(record.accounts.iter().map(|id| named(&format!("in {id}"), names)));
    parts.extend(record.organization.iter().map(|id| named(&format!("of {id}"), names)));
    parts.join(" ")
}
