//! A blocking reader's way to wait for the network: until there is an answer, or nobody wants it any more.

use std::future::Future;
use std::sync::Arc;

use coho_storage::StorageFault;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Waits on behalf of a reader that runs on a thread of its own.
#[derive(Clone)]
pub(crate) struct Waiter {
    runtime: Handle,
    gone: Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Waiter {
    /// To be made on that thread. `gone` ends when nobody listens any more.
    pub(crate) fn new(gone: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self { runtime: Handle::current(), gone: Arc::new(gone) }
    }

    /// Waits for what comes first.
    pub(crate) fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, StorageFault>>,
    ) -> Result<T, StorageFault> {
        self.runtime.block_on(async {
            tokio::select! {
                result = work => result,
                () = (self.gone)() => Err(StorageFault::Abandoned),
            }
        })
    }
}
