//! The forms of Hightouch's API: syncs, runs and destinations, as their clients read them.
//!
//! Ids are texts of decimal digits, since some clients read them as numbers. A sync's id is made of its workspace and its own id,
//! a run's is that of its request in the ledger. `lastRunAt` is never null, since some clients cannot read that.

use chrono::SecondsFormat;
use coho_core::json::Json;
use coho_core::sync::Sync;
use coho_core::time::Time;
use coho_ledger::request::{RunRequest, ScopeName, State};
use coho_ledger::run::RunStatus;
use coho_project::Project;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

/// Since when there are syncs, for clients that must have a time.
const ALWAYS: &str = "1970-01-01T00:00:00.000Z";

/// The id of a sync: it stays the same as long as the workspace's and the sync's names do.
pub(crate) fn sync_id(name: &ScopeName) -> String {
    number(&format!("{}\n{}", name.workspace, name.sync))
}

/// The id of a destination or a model.
pub(crate) fn named_id(kind: &str, name: &str) -> String {
    number(&format!("{kind}\n{name}"))
}

/// Positive, and small enough for clients that read numbers as floating-point ones.
fn number(text: &str) -> String {
    ((xxh3_64(text.as_bytes()) >> 12) + 1).to_string()
}

/// A sync, with its newest request.
pub(crate) fn sync(project: &Project, sync: &Sync, name: &ScopeName, newest: Option<&RunRequest>) -> Json {
    let last = newest.map(|request| {
        let part = request.part.as_ref();
        stamp(part.and_then(|part| part.ended).or(part.map(|part| part.started)).unwrap_or(request.at))
    });
    let key = project.model(&sync.model).map(|model| model.key.join(",")).unwrap_or_default();
    json!({
        "id": sync_id(name),
        "slug": sync.id.as_str(),
        "workspaceId": number(&project.name),
        "createdAt": ALWAYS,
        "updatedAt": last.clone().unwrap_or_else(|| ALWAYS.to_owned()),
        "destinationId": named_id("destination", &sync.destination),
        "modelId": named_id("model", &sync.model),
        "configuration": {},
        "schedule": project.schedules.get(&sync.id).map(|spec| json!({ "type": spec.words() })),
        "disabled": false,
        "status": newest.map_or("pending", |request| status(request.state)),
        "lastRunAt": last.unwrap_or_else(|| ALWAYS.to_owned()),
        "referencedColumns": [],
        "primaryKey": key,
        "externalSegment": Json::Null,
        "tags": [],
    })
}

/// A run: a request, and what became of it.
pub(crate) fn run(request: &RunRequest) -> Json {
    let part = request.part.as_ref();
    let planned = part.map_or([0; 3], |part| part.planned);
    let succeeded = part.map_or([0; 3], |part| part.succeeded);
    let failed: Vec<u64> =
        planned.iter().zip(succeeded).map(|(planned, done)| planned.saturating_sub(done)).collect();
    let is_done = matches!(request.state, State::Done(_));
    json!({
        "id": request.id.to_string(),
        "createdAt": stamp(request.at),
        "startedAt": part.map(|part| stamp(part.started)),
        "finishedAt": part.and_then(|part| part.ended).filter(|_| is_done).map(stamp),
        "querySize": part.and_then(|part| part.read).unwrap_or_default(),
        "status": status(request.state),
        "completionRatio": i32::from(is_done),
        "plannedRows": counts(planned),
        "successfulRows": counts(succeeded),
        "failedRows": counts([failed[0], failed[1], failed[2]]),
        "error": request.error,
    })
}

/// A destination.
pub(crate) fn destination(name: &str) -> Json {
    json!({
        "id": named_id("destination", name), "name": name, "slug": name, "type": "vitally", "workspaceId": "1",
        "createdAt": ALWAYS, "updatedAt": ALWAYS, "configuration": {}, "syncs": [],
    })
}

fn counts([added, changed, removed]: [u64; 3]) -> Json {
    json!({ "addedCount": added, "changedCount": changed, "removedCount": removed })
}

/// What was interrupted goes on by itself, so it is queued.
fn status(state: State) -> &'static str {
    match state {
        State::Waiting | State::Interrupted => "queued",
        State::Running => "processing",
        State::Done(RunStatus::Success) => "success",
        State::Done(RunStatus::Warning) => "warning",
        State::Done(RunStatus::Failed | RunStatus::Halted | RunStatus::Running | RunStatus::Interrupted) => {
            "failed"
        }
    }
}

fn stamp(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use coho_core::sync::SyncId;
    use coho_schedule::{Asked, AskedBy};

    use super::*;

    fn request(state: State) -> RunRequest {
        RunRequest {
            id: 7,
            sync: SyncId::new("accounts"),
            asked: Asked::by(AskedBy::Api),
            at: Time::UNIX_EPOCH,
            state,
            part: None,
            error: None,
        }
    }

    #[test]
    fn an_id_is_a_number_that_stays_the_same() {
        let name = ScopeName { workspace: "us/acme".to_owned(), sync: SyncId::new("accounts") };
        let id = sync_id(&name);
        assert_eq!(id, sync_id(&name.clone()));
        assert!(id.parse::<u64>().is_ok_and(|id| 0 < id && id <= 1 << 53), "{id}");
    }

    #[test]
    fn a_run_has_its_counts_in_every_state() {
        for (state, status) in [
            (State::Waiting, "queued"),
            (State::Running, "processing"),
            (State::Interrupted, "queued"),
            (State::Done(RunStatus::Success), "success"),
            (State::Done(RunStatus::Warning), "warning"),
            (State::Done(RunStatus::Halted), "failed"),
        ] {
            let run = run(&request(state));
            assert_eq!(run["status"], status);
            assert_eq!(run["plannedRows"]["addedCount"], 0);
            assert_eq!(run["failedRows"]["removedCount"], 0);
            assert_eq!(run["id"], "7");
        }
    }
}
