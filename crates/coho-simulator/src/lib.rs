//! A Vitally that can be run: as strict as its documentation, with a switch for each thing that it leaves open.
//!
//! It is a real HTTP server with real sockets: code that talks to it cannot tell it from Vitally, and everything that
//! may go wrong with a server (a refused write, an empty rate bucket, a connection that is cut after the commit) can be
//! made to happen, at a request of one's choice. Tests, `coho demo` and `coho simulator` use it.
//!
//! It knows nothing of Coho: not of rows, syncs or exchanges. What it holds to is the public documentation of Vitally's
//! REST API for accounts, organizations, users and custom fields, and of its Analytics API. It does not imitate
//! Vitally's other objects or its user interface.
//!
//! ```
//! use coho_simulator::{ScriptedFault, RecordKind, Seed, SimulatorSettings, Simulator, Trouble};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let vitally = Simulator::start(SimulatorSettings::new("sk_live_example")).await?;
//! vitally.seed(Seed::account("acme").name("Acme"))?;
//! vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/users"));
//!
//! // The code under test talks to `vitally.url()` here.
//!
//! assert_eq!(vitally.records(RecordKind::Account).len(), 1);
//! assert!(vitally.calls().is_empty());
//! vitally.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading order
//!
//! 1. `settings`, `switches`, `clock`: what a simulator is started with.
//! 2. `record`, `traits`, `message`, `store`: what it holds; `seed`: how records get there past the API.
//! 3. `auth`, `limit`, `fault`, `call`: what happens around a request.
//! 4. `rest`, `analytics`: the two APIs, each as a function of a request and the store.
//! 5. `world`: one request through all of these; `server`, `inspect`, `running`: sockets, the inspection API under
//!    `/simulator/`, and the handle that tests hold.

mod settings;
mod switches;

mod clock;

mod record;
mod traits;

mod message;

mod store;

mod seed;

mod auth;
mod limit;

mod fault;

mod call;

mod rest;

mod analytics;

mod world;

pub mod inspect;
mod running;
mod server;

pub use call::{CallReply, ServedCall};
pub use clock::{SimulatorClock, SimulatorTime};
pub use fault::form::FaultError;
pub use fault::list::CutShort;
pub use fault::{FaultAnswer, ScriptedFault, Trouble};
pub use limit::{Gauge, Meter, Pass};
pub use message::{DropReason, Dropped, Instance, MessageType, StoredEvent};
pub use record::{LifecycleStage, RecordId, RecordKind, StoredRecord};
pub use running::{InspectError, Running, Simulator, StartError};
pub use seed::{Seed, SeedError};
pub use settings::{IdSource, SimulatorSettings};
pub use store::file::StateFileError;
pub use switches::{
    AccountName, Associations, BatchMode, BlockedBatch, BlockedTypes, Clamp, Dedupe, DeleteAnswer,
    DeleteMissing, DeletedTraits, Duplicate, EmailUnique, EmptyBatch, ErrorShape, ExternalInPath,
    HeaderPrefix, LegacyIds, LifecycleRule, Millis, Nested, NestedTrait, NullTrait, OrganizationExternal,
    Organizations, PostStatus, Profile, PutMissing, RateHeaders, ReadOnly, Reorder, RetryAfter, Span,
    StaleTimestamp, SwitchError, Switches, Types, Unknown, UnknownAccount, UnknownOrganization,
    UnlinkMissing, UserAssociation, Window, WriteBody,
};
