//! A bucket that is open, and what its errors mean.

use std::sync::Arc;
use std::time::Duration;

use coho_core::failure::deepest_cause;
use coho_core::storage::{StorageAddress, StorageKind, StorageOption};
use object_store::ObjectStore;
use secrecy::SecretString;

use crate::fault::StorageFault;
use crate::http::{Connector, LastCall};
use crate::settings;

/// A bucket that is open.
#[derive(Clone, Debug)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    kind: StorageKind,
    last: LastCall,
}

impl Bucket {
    /// How long a call is usually tried again.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    /// Opens it; nobody is asked yet. What `options` leave open comes from the environment, in the variables that the cloud's own tools
    /// read, then from the machine. A call is tried again for so long from its first attempt.
    pub fn open(
        address: &StorageAddress,
        options: &[(StorageOption, SecretString)],
        patience: Duration,
    ) -> Result<Self, StorageFault> {
        let last = LastCall::default();
        let connector = Connector::new(last.clone());
        let connector = connector.map_err(|error| StorageFault::Settings(innermost(&error)))?;
        let store = settings::store(address, options, patience, connector);
        let store = store.map_err(|error| StorageFault::Settings(innermost(&error)))?;
        Ok(Self { store, kind: address.store, last })
    }

    /// Its calls; each one, or a few that belong together, begins with this.
    pub fn call(&self) -> &dyn ObjectStore {
        self.last.take();
        &*self.store
    }

    /// What an error of the library means.
    pub fn fault(&self, error: &object_store::Error) -> StorageFault {
        match self.last.take() {
            Some(refusal) => StorageFault::of(refusal, self.kind),
            None => StorageFault::Unexpected(innermost(error)),
        }
    }
}

/// The innermost cause, which may be the error itself.
fn innermost(error: &dyn std::error::Error) -> String {
    deepest_cause(error).unwrap_or_else(|| error.to_string())
}
