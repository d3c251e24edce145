//! Patience: how long calls wait. A wait for Vitally's rate, or for a server that asks to be left alone, may be an hour long;
//! a person who stops a run, or a run whose time is over, ends it at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How often somebody who waits looks whether to go on. Waits that are shorter are not cut.
const LOOK: Duration = Duration::from_millis(200);

/// Until when calls wait.
#[derive(Clone, Default)]
pub struct Patience(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Patience {
    /// Calls wait as long as they are told to.
    pub fn endless() -> Self {
        Self(None)
    }

    /// Calls wait until `is_over` says so. What is under way is finished.
    pub fn until(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_over)))
    }

    /// Waits for something; `None` where patience was over before.
    pub(super) async fn await_for<T>(&self, something: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = something => Some(done),
            () = self.over() => None,
        }
    }

    /// Waits a while; `None` where patience was over before.
    pub(super) async fn wait(&self, wait: Duration) -> Option<()> {
        if wait.is_zero() { Some(()) } else { self.await_for(tokio::time::sleep(wait)).await }
    }

    async fn over(&self) {
        let Some(is_over) = &self.0 else { return std::future::pending().await };
        loop {
            tokio::time::sleep(LOOK).await;
            if is_over() {
                return;
            }
        }
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Patience")
    }
}
