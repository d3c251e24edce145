//! Work beside: a task of the runtime's own that ends with whoever waits for it.

use std::future::{Future, pending};
use std::panic::resume_unwind;

use tokio::task::{JoinError, JoinHandle};

/// A task that ends when nobody waits for it any more.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Does this on another thread where there is one, and waits for it. Dropped, it drops the work. A panic there is one here.
pub(super) async fn beside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut task = Task(tokio::spawn(work));
    match (&mut task.0).await.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime ends, and with it whoever waits.
        Err(Err(_)) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn what_is_done_beside_is_dropped_with_whoever_waits_for_it() {
        assert_eq!(beside(async { 7 }).await, 7);
        let held = Arc::new(());
        let work = Arc::clone(&held);
        let mut waiting = Box::pin(beside(async move {
            pending::<()>().await;
            drop(work);
        }));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(waiting);
        while Arc::strong_count(&held) > 1 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panic_beside_is_one_here() {
        let panicked = tokio::spawn(beside(async { std::panic::panic_any("beside") })).await;
        assert!(panicked.is_err_and(|error| error.is_panic()));
    }
}
