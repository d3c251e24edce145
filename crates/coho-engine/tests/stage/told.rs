//! Results as lines: what a run came to, which calls it made, what Vitally holds.

use std::collections::BTreeMap;

use coho_core::plan::{SyncStatus, SyncSummary};
use coho_core::verdict::RowStatus;
use coho_simulator::{RecordKind, Running, ServedCall, StoredEvent, StoredRecord};

/// `completed: 2 delivered, 1 unchanged`; a halt and a guard with their codes.
pub(crate) fn summary(summary: &SyncSummary) -> String {
    let statuses: Vec<_> = RowStatus::ALL
        .into_iter()
        .map(|status| (summary.counts.status(status), status))
        .filter(|(count, _)| *count > 0)
        .map(|(count, status)| format!("{count} {status}"))
        .collect();
    let statuses = if statuses.is_empty() { "nothing".to_owned() } else { statuses.join(", ") };
    let code = match &summary.status {
        SyncStatus::Halted { code, .. } => format!(" ({code})"),
        SyncStatus::Held => {
            let codes: Vec<_> = summary.guards.iter().map(|guard| guard.code.as_str()).collect();
            format!(" ({})", codes.join(", "))
        }
        SyncStatus::Failed(problems) => {
            let codes: Vec<_> = problems.iter().map(|problem| problem.code.as_str()).collect();
            format!(" ({})", codes.join(", "))
        }
        SyncStatus::Completed
        | SyncStatus::CompletedWithErrors
        | SyncStatus::TimeUp
        | SyncStatus::Interrupted => String::new(),
    };
    format!("{}{code}: {statuses}", summary.status.name())
}

/// Vitally's ids with the external ids of their records.
pub(crate) type Names = BTreeMap<String, String>;

/// The names of all records that there are.
pub(crate) fn names(vitally: &Running) -> Names {
    let records = RecordKind::ALL.into_iter().flat_map(|object| vitally.records(object));
    records.map(|record| (record.id.to_string(), record.external_id.unwrap_or_default())).collect()
}

/// `PUT /accounts/<a-1> {"name":"Acme"}`: Vitally's ids as the external ids of their records.
pub(crate) fn calls(calls: &[ServedCall], names: &Names) -> Vec<String> {
    calls.iter().map(|made| call(made, names)).collect()
}

fn call(call: &ServedCall, names: &Names) -> String {
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
    let mut lines: Vec<(RecordKind, String)> = Vec::new();
    for object in RecordKind::ALL {
        lines.extend(vitally.records(object).iter().map(|record| (object, record_line(record, &names))));
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// `m-1 "Order placed" at 2026-01-01T00:00:00.000Z account a-1 total=5`, in the order in which they came.
pub(crate) fn events(vitally: &Running) -> Vec<String> {
    vitally.events().iter().map(event_line).collect()
}

fn event_line(event: &StoredEvent) -> String {
    let mut parts =
        vec![event.message_id.clone(), format!("{:?}", event.name), format!("at {}", event.timestamp)];
    let owners =
        [("organization", &event.organization_id), ("account", &event.account_id), ("user", &event.user_id)];
    parts.extend(owners.into_iter().filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?))));
    parts.extend(event.properties.iter().map(|(key, value)| format!("{key}={value}")));
    parts.join(" ")
}

fn record_line(record: &StoredRecord, names: &Names) -> String {
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
