//! Under construction.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

#[path = "engine/emails.rs"]
mod emails;
#[path = "engine/exact.rs"]
mod exact;
#[path = "engine/beginnings.rs"]
mod beginnings;
#[path = "engine/identities.rs"]
mod identities;
#[path = "engine/permits.rs"]
mod permits;
#[path = "engine/limits.rs"]
mod limits;
#[path = "engine/departures.rs"]
mod departures;
#[path = "engine/lookups.rs"]
mod lookups;
#[path = "engine/times.rs"]
mod times;
