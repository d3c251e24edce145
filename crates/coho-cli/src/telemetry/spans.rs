//! A run as a trace: run, sync, stage, call. Ids are made of the run's id, so that a trace which is told twice is one trace.
//!
//! Attributes have names, counts, codes of HTTP and times. None has a key, a value of a row, a body, a header or a text that may
//! quote one; a call's path has `{id}` in the place of everything that is not a word of Vitally's API.

use std::time::{Duration, SystemTime};

use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::look::requests::NumberedCall;
use coho_ledger::run::{RunRecord, RunStatus, SyncRecord};
use coho_ledger::stages::StageRecord;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use uuid::Uuid;

/// Words of paths that are no ids.
const WORDS: [&str; 10] = [
    "resources",
    "accounts",
    "organizations",
    "users",
    "search",
    "analytics",
    "v1",
    "batch",
    "unlink",
    "traits",
];

/// A trace that is being made.
pub(super) struct Trace<'a> {
    run: &'a RunRecord,
    stages: &'a [StageRecord],
    /// Ids are made of this.
    seed: Uuid,
    id: TraceId,
    parent: Option<SpanContext>,
    scope: InstrumentationScope,
}

/// A span before it has its ids.
struct Draft {
    name: String,
    kind: SpanKind,
    began: Time,
    ended: Time,
    attributes: Vec<KeyValue>,
    status: Status,
}

impl<'a> Trace<'a> {
    /// The trace of a run; a part of another one, where whoever started the process has one.
    pub(super) fn new(run: &'a RunRecord, stages: &'a [StageRecord], parent: Option<&SpanContext>) -> Self {
        let id = run.id.as_str();
        let seed = Uuid::parse_str(id).unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()));
        let trace_id = parent.map_or_else(|| TraceId::from_bytes(*seed.as_bytes()), SpanContext::trace_id);
        let scope = InstrumentationScope::builder("coho").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { run, stages, seed, id: trace_id, parent: parent.cloned(), scope }
    }

    /// Everything but the calls.
    pub(super) fn frame(&self, project: &str, left_out: u64) -> Vec<SpanData> {
        let mut spans = vec![self.whole(project, left_out)];
        spans.extend(self.run.syncs.iter().map(|sync| self.sync(sync)));
        spans.extend(self.stages.iter().enumerate().map(|(number, stage)| self.stage(number, stage)));
        spans
    }

    fn whole(&self, project: &str, left_out: u64) -> SpanData {
        let run = self.run;
        let mut attributes = vec![
            KeyValue::new("coho.project", project.to_owned()),
            KeyValue::new("coho.run", run.id.as_str().to_owned()),
            KeyValue::new("coho.run.kind", run.run_kind.clone()),
            KeyValue::new("coho.run.status", run.status.as_str()),
        ];
        attributes.extend(run.start.by.map(|by| KeyValue::new("coho.run.started_by", by.as_str())));
        if left_out > 0 {
            attributes.push(KeyValue::new("coho.calls.left_out", number(left_out)));
        }
        let parent = self.parent.as_ref().map_or(SpanId::INVALID, SpanContext::span_id);
        let draft = Draft {
            name: "coho run".to_owned(),
            kind: SpanKind::Internal,
            began: run.started,
            ended: run.ended.unwrap_or(run.started),
            attributes,
            status: status(run.status),
        };
        SpanData { parent_span_is_remote: self.parent.is_some(), ..self.span(self.id("run"), parent, draft) }
    }

    fn sync(&self, sync: &SyncRecord) -> SpanData {
        let mut attributes = vec![
            KeyValue::new("coho.sync", sync.sync.as_str().to_owned()),
            KeyValue::new("coho.model", sync.model.clone()),
            KeyValue::new("coho.destination", sync.destination.clone()),
            KeyValue::new("coho.sync.status", sync.status.as_str()),
            KeyValue::new("coho.calls", number(sync.calls)),
        ];
        if let Some(counts) = &sync.counts {
            attributes.push(KeyValue::new("coho.rows.read", number(counts.read)));
            let ended = RowStatus::ALL.into_iter().map(|status| (status, counts.status(status)));
            let some = ended.filter(|(_, rows)| *rows > 0);
            attributes.extend(
                some.map(|(status, rows)| {
                    KeyValue::new(format!("coho.rows.{}", status.as_str()), number(rows))
                }),
            );
        }
        let draft = Draft {
            name: format!("sync {}", sync.sync),
            kind: SpanKind::Internal,
            began: sync.started,
            ended: sync.ended.or(self.run.ended).unwrap_or(sync.started),
            attributes,
            status: status(sync.status),
        };
        self.span(self.of_sync(&sync.sync), self.id("run"), draft)
    }

    fn stage(&self, at: usize, stage: &StageRecord) -> SpanData {
        let mut attributes = vec![
            KeyValue::new("coho.sync", stage.sync.as_str().to_owned()),
            KeyValue::new("coho.stage", stage.stage.as_str()),
        ];
        attributes.extend(stage.phase.clone().map(|phase| KeyValue::new("coho.stage.phase", phase)));
        attributes.extend(stage.rows.map(|rows| KeyValue::new("coho.stage.rows", number(rows))));
        let name = match &stage.phase {
            Some(phase) => format!("{} {phase}", stage.stage.as_str()),
            None => stage.stage.as_str().to_owned(),
        };
        let draft = Draft {
            name,
            kind: SpanKind::Internal,
            began: stage.began,
            ended: stage.ended.or(self.run.ended).unwrap_or(stage.began),
            attributes,
            status: if stage.ended.is_some() { Status::Unset } else { Status::error("did not end") },
        };
        self.span(self.of_stage(at), self.of_sync(&stage.sync), draft)
    }

    /// A call to Vitally, a part of the stage in which it was sent.
    pub(super) fn call(&self, numbered: &NumberedCall) -> SpanData {
        let call = &numbered.call;
        let mut stages = self.stages.iter().enumerate();
        let stage = stages.rfind(|(_, stage)| stage.sync == numbered.sync && stage.began <= call.at);
        let parent = stage.map_or_else(|| self.of_sync(&numbered.sync), |(at, _)| self.of_stage(at));
        let template = template(&call.path);
        let is_good = call.status.is_some_and(|status| status < 400);
        let mut attributes = of_call(call, &template);
        if !is_good {
            let kind = call.status.map_or_else(|| "no-response".to_owned(), |status| status.to_string());
            attributes.push(KeyValue::new("error.type", kind));
        }
        let draft = Draft {
            name: format!("{} {template}", call.method),
            kind: SpanKind::Client,
            began: call.at,
            ended: call.at + chrono::TimeDelta::microseconds(number(call.micros)),
            attributes,
            status: if is_good { Status::Unset } else { Status::error("") },
        };
        self.span(self.id(&format!("call {}", numbered.number)), parent, draft)
    }

    fn of_sync(&self, sync: &SyncId) -> SpanId {
        self.id(&format!("sync {sync}"))
    }

    fn of_stage(&self, at: usize) -> SpanId {
        self.id(&format!("stage {at}"))
    }

    fn id(&self, name: &str) -> SpanId {
        let id = Uuid::new_v5(&self.seed, name.as_bytes());
        SpanId::from(id.as_u64_pair().0)
    }

    fn span(&self, id: SpanId, parent: SpanId, draft: Draft) -> SpanData {
        SpanData {
            span_context: SpanContext::new(self.id, id, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: parent,
            parent_span_is_remote: false,
            span_kind: draft.kind,
            name: draft.name.into(),
            start_time: SystemTime::from(draft.began),
            end_time: SystemTime::from(draft.ended.max(draft.began)),
            attributes: draft.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: draft.status,
            instrumentation_scope: self.scope.clone(),
        }
    }
}

fn of_call(call: &Call, template: &str) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("http.request.method", call.method),
        KeyValue::new("url.template", template.to_owned()),
    ];
    attributes
        .extend(call.status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
    if let Some(route) = &call.route {
        attributes.push(KeyValue::new("coho.api", route.api.name()));
        let host = reqwest::Url::parse(&route.address).ok().and_then(|url| url.host_str().map(str::to_owned));
        attributes.extend(host.map(|host| KeyValue::new("server.address", host)));
    }
    let resent = i64::from(call.attempt.number.saturating_sub(1));
    if resent > 0 {
        attributes.push(KeyValue::new("http.request.resend_count", resent));
    }
    if let Some(why) = call.attempt.wait.why {
        attributes.push(KeyValue::new("coho.wait.reason", why.as_str()));
        attributes.push(KeyValue::new("coho.wait.seconds", seconds(call.attempt.wait.length)));
    }
    attributes
}

/// A path of Vitally's API without the ids in it, and without its query.
fn template(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let part = |part: &str| {
        if part.is_empty() || WORDS.contains(&part) { part.to_owned() } else { "{id}".to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A run of which some rows did not get through has ended as it should; the counts tell it.
fn status(status: RunStatus) -> Status {
    match status {
        RunStatus::Running | RunStatus::Success | RunStatus::Warning => Status::Unset,
        RunStatus::Interrupted | RunStatus::Failed | RunStatus::Halted => Status::error(status.as_str()),
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn seconds(length: Duration) -> f64 {
    length.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_no_id_and_no_query() {
        let cases = [
            ("/resources/accounts/acme", "/resources/accounts/{id}"),
            ("/resources/users/search?email=ada%40acme.io", "/resources/users/search"),
            ("/resources/accounts?limit=100&from=c%3D", "/resources/accounts"),
            ("/resources/users/a%2Fb", "/resources/users/{id}"),
            ("/analytics/v1/batch", "/analytics/v1/batch"),
            ("", ""),
        ];
        for (path, wanted) in cases {
            assert_eq!(template(path), wanted);
        }
    }
}
