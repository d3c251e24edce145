//! A simulator in this process: started, looked into, changed and stopped by its owner.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::call::ServedCall;
use crate::clock::SimulatorClock;
use crate::fault::ScriptedFault;
use crate::message::{Dropped, Instance, Message, StoredEvent};
use crate::record::{LifecycleStage, RecordId, RecordKind, StoredRecord};
use crate::seed::{self, Seed, SeedError};
use crate::server::{self, Shared};
use crate::settings::SimulatorSettings;
use crate::store::file::{StateFile, StateFileError};
use crate::store::{Order, Store};
use crate::switches::Switches;
use crate::traits::{CustomField, MODELS};
use crate::world::World;

/// Starts simulators.
#[derive(Debug, Clone, Copy)]
pub struct Simulator;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its state file cannot be used.
    #[error("cannot load the records of an earlier simulator")]
    State(#[from] StateFileError),
}

/// Why a call into a running simulator failed.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// A seed contradicts what is there.
    #[error("cannot seed a record")]
    Seed(#[from] SeedError),
    /// The state file was not written.
    #[error("cannot save the change")]
    State(#[from] StateFileError),
    /// No such model has trait definitions.
    #[error("there are no custom fields of `{model}`")]
    Model {
        /// The name that was given.
        model: String,
    },
    /// There is no such record.
    #[error("there is no {} with the external id `{external_id}`", object.singular())]
    Record {
        /// What kind of record.
        object: RecordKind,
        /// The external id that was given.
        external_id: String,
    },
}

/// A simulator that is running. Dropping it stops it too, without waiting for the end.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    clock: SimulatorClock,
    shared: Shared,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime. It answers as soon as this returns.
    pub async fn start(settings: SimulatorSettings) -> Result<Running, StartError> {
        let store = match &settings.state {
            None => Store::in_memory(settings.ids),
            Some(path) => Store::in_file(settings.ids, StateFile::open(path)?)?,
        };
        let listen = |source| StartError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let shared = Shared::new(World::new(&settings, store), settings.latency);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server::serve(listener, shared.clone(), stopped));
        Ok(Running { address, clock: settings.clock, shared, stop: Some(stop), task: Some(task) })
    }
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its clock.
    pub const fn clock(&self) -> &SimulatorClock {
        &self.clock
    }

    /// Moves its clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Stops it: no new connections, open ones are closed, the state file is let go.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the simulator ended in a panic");
        }
    }

    /// Completes when the server ends by itself, which it only does by a panic: what a command waits on beside Ctrl-C.
    pub async fn ended(&mut self) {
        if let Some(task) = &mut self.task {
            // Either way it has ended.
            drop(task.await);
            self.task = None;
        }
    }

    /// The calls in the log, oldest first.
    pub fn calls(&self) -> Vec<ServedCall> {
        self.shared.lock().log.all().cloned().collect()
    }

    /// Empties the log. Numbers go on.
    pub fn clear_calls(&self) {
        self.shared.lock().log.clear();
    }

    /// All records of an object, oldest first.
    pub fn records(&self, object: RecordKind) -> Vec<StoredRecord> {
        let world = self.shared.lock();
        let mut records: Vec<StoredRecord> =
            world.store.in_order(object, Order::CreatedAt, None).cloned().collect();
        records.reverse();
        records
    }

    /// The record with that external id.
    pub fn record(&self, object: RecordKind, external_id: &str) -> Option<StoredRecord> {
        self.shared.lock().store.by_external(object, external_id).cloned()
    }

    /// How many records of an object there are.
    pub fn count(&self, object: RecordKind) -> usize {
        self.shared.lock().store.count(object)
    }

    /// The events that were stored, in the order in which they came.
    pub fn events(&self) -> Vec<StoredEvent> {
        self.shared.lock().store.messages().all().filter_map(Message::event).collect()
    }

    /// The Analytics messages that were answered with 200 and did nothing, in the order in which they came.
    pub fn dropped(&self) -> Vec<Dropped> {
        self.shared.lock().store.messages().all().filter_map(Message::dropped).collect()
    }

    /// The custom object instances, by custom object and external id.
    pub fn instances(&self) -> Vec<Instance> {
        self.shared.lock().store.instances().cloned().collect()
    }

    /// How many Analytics messages are still to be applied.
    pub fn pending(&self) -> usize {
        self.shared.lock().store.messages().pending().len()
    }

    /// Applies all Analytics messages that are still to be applied, in their order, whenever they are due; the clock
    /// stays. Gives how many there were.
    pub fn flush(&self) -> Result<usize, InspectError> {
        Ok(self.shared.lock().flush_messages()?)
    }

    /// Marks a record as churned, ignored or active again: a thing of Vitally's user interface.
    pub fn mark(
        &self,
        object: RecordKind,
        external_id: &str,
        lifecycle: LifecycleStage,
    ) -> Result<(), InspectError> {
        let mut world = self.shared.lock();
        if !world.mark(object, external_id, lifecycle) {
            return Err(InspectError::Record { object, external_id: external_id.to_owned() });
        }
        Ok(world.store.flush()?)
    }

    /// Deletes a record, as a person would in Vitally. Gives whether it was there.
    pub fn delete(&self, object: RecordKind, external_id: &str) -> Result<bool, InspectError> {
        let mut world = self.shared.lock();
        let Some(id) = world.store.by_external(object, external_id).map(|record| record.id) else {
            return Ok(false);
        };
        world.store.delete(object, id);
        world.store.flush()?;
        Ok(true)
    }

    /// Plants a record as if it had been there before.
    pub fn seed(&self, seed: Seed) -> Result<RecordId, InspectError> {
        let mut world = self.shared.lock();
        let now = world.clock.now();
        let id = seed::plant(&mut world.store, seed, now)?;
        world.store.flush()?;
        Ok(id)
    }

    /// Defines a trait of a model (`accounts`, `organizations`, `users`, `notes`, …), as a person would in Vitally.
    /// `kind` is `string`, `textarea`, `number`, `boolean`, `datetime`, `list`, or another that is then not checked.
    pub fn define(&self, model: &str, path: &str, kind: &str) -> Result<(), InspectError> {
        let known = MODELS.into_iter().find(|known| *known == model);
        let known = known.ok_or_else(|| InspectError::Model { model: model.to_owned() })?;
        let mut world = self.shared.lock();
        let field = CustomField {
            id: world.store.mint(),
            created_at: world.clock.now(),
            label: path.to_owned(),
            path: path.to_owned(),
            kind: kind.to_owned(),
            options: Vec::new(),
        };
        world.store.define(known, field);
        Ok(world.store.flush()?)
    }

    /// Adds a fault to the script.
    pub fn script(&self, fault: ScriptedFault) {
        self.shared.lock().script.add(fault);
    }

    /// What is left of the script.
    pub fn script_left(&self) -> Vec<ScriptedFault> {
        self.shared.lock().script.left().to_vec()
    }

    /// Empties the script.
    pub fn clear_script(&self) {
        self.shared.lock().script.replace(Vec::new());
    }

    /// The switches in force.
    pub fn switches(&self) -> Switches {
        self.shared.lock().switches().clone()
    }

    /// Puts these switches in force, from the next request on.
    pub fn set_switches(&self, switches: Switches) {
        self.shared.lock().set_switches(switches);
    }

    /// Forgets records, definitions, calls, faults and the used rate. Switches and the clock stay.
    pub fn reset(&self) -> Result<(), InspectError> {
        Ok(self.shared.lock().reset()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}
