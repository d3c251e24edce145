//! The ledger from outside: opening and its upgrade, names of one file, lease, scopes, memory, identities, intents, runs and
//! history, what is known of a workspace, each in a file of its own.

#[path = "ledger/stage.rs"]
mod stage;

#[path = "ledger/opening.rs"]
mod opening;

#[path = "ledger/upgrade.rs"]
mod upgrade;

#[path = "ledger/names.rs"]
mod names;

#[path = "ledger/standing.rs"]
mod standing;

#[path = "ledger/lease.rs"]
mod lease;

#[path = "ledger/scopes.rs"]
mod scopes;

#[path = "ledger/memory.rs"]
mod row_state;

#[path = "ledger/surveys.rs"]
mod surveys;

#[path = "ledger/remember.rs"]
mod remember;

#[path = "ledger/ends.rs"]
mod ends;

#[path = "ledger/unlink.rs"]
mod unlink;

#[path = "ledger/departures.rs"]
mod departures;

#[path = "ledger/identity.rs"]
mod identity;

#[path = "ledger/intents.rs"]
mod intents;

#[path = "ledger/alerts.rs"]
mod alerts;

#[path = "ledger/requests.rs"]
mod requests;

#[path = "ledger/history.rs"]
mod history;

#[path = "ledger/retention.rs"]
mod retention;

#[path = "ledger/look.rs"]
mod look;

#[path = "ledger/told.rs"]
mod told;

#[path = "ledger/batches.rs"]
mod batches;

#[path = "ledger/workspace.rs"]
mod workspace;

#[path = "ledger/shapes.rs"]
mod shapes;
