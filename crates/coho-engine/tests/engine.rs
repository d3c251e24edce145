//! The main job end to end: whole runs of projects against a simulator over real HTTP.
//!
//! Each module is a topic; `stage` sets the scene. `laws` has the property tests, `crash` kills the process itself.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

#[path = "engine/dbt.rs"]
mod dbt;
#[path = "engine/origins.rs"]
mod origins;
#[path = "engine/conclusions.rs"]
mod conclusions;
#[path = "engine/history.rs"]
mod history;
#[path = "engine/waits.rs"]
mod waits;
#[path = "engine/spared.rs"]
mod spared;
#[path = "engine/keys.rs"]
mod keys;
#[path = "engine/modes.rs"]
mod modes;
#[path = "engine/references.rs"]
mod references;
#[path = "engine/unclear.rs"]
mod unclear;
#[path = "engine/emails.rs"]
mod emails;
#[path = "engine/exact.rs"]
mod exact;
#[path = "engine/lookups.rs"]
mod lookups;
#[path = "engine/beginnings.rs"]
mod beginnings;
#[path = "engine/ledgers.rs"]
mod ledgers;
#[path = "engine/repeats.rs"]
mod repeats;
#[path = "engine/identities.rs"]
mod identities;
#[path = "engine/claims.rs"]
mod claims;
#[path = "engine/departures.rs"]
mod departures;
#[path = "engine/limits.rs"]
mod limits;
#[path = "engine/permits.rs"]
mod permits;
#[path = "engine/times.rs"]
mod times;
#[path = "engine/webhooks.rs"]
mod webhooks;
#[path = "engine/retries.rs"]
mod retries;
#[path = "engine/alerts.rs"]
mod alerts;
#[path = "engine/asked.rs"]
mod asked;
#[path = "engine/trouble.rs"]
mod trouble;
#[path = "engine/crash.rs"]
mod crash;
#[path = "engine/laws.rs"]
mod laws;
#[path = "engine/plans.rs"]
mod plans;
#[path = "engine/events.rs"]
mod events;
#[path = "engine/analytics.rs"]
mod analytics;
#[path = "engine/profiles.rs"]
mod profiles;
#[path = "engine/oracle.rs"]
mod oracle;
