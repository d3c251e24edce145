//! The end of waiting: someone asks, or time is up, and no further call leaves. What is under way is finished: only then is it
//! known what came of it.

use std::future::{Future, pending};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Until when a client sends calls. Waits for the rate, for what a server asked for, and between two tries end with it.
#[derive(Clone, Debug, Default)]
pub struct Until {
    asked: Option<watch::Receiver<bool>>,
    at: Option<Instant>,
}

impl Until {
    /// Calls are sent for ever.
    pub fn never() -> Self {
        Self::default()
    }

    /// Until this turns true. Where its sender is gone, nobody asks any more.
    pub fn asked(asked: watch::Receiver<bool>) -> Self {
        Self { asked: Some(asked), at: None }
    }

    /// At most for so long from now on, too.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        // A time that no clock reaches is none.
        Self { at: Instant::now().checked_add(time), ..self }
    }

    /// Whether no further call leaves.
    pub fn is_over(&self) -> bool {
        let is_asked = self.asked.as_ref().is_some_and(|asked| *asked.borrow());
        is_asked || self.at.is_some_and(|at| Instant::now() >= at)
    }

    /// Waits for something, unless the end comes first: then it is dropped.
    pub async fn first<T>(&self, awaited: impl Future<Output = T>) -> Option<T> {
        if self.is_over() {
            return None;
        }
        // What is there at once needs no look at the end, which takes a lock.
        tokio::select! {
            biased;
            done = awaited => Some(done),
            () = self.over() => None,
        }
    }

    async fn over(&self) {
        tokio::select! {
            () = self.is_asked() => {}
            () = self.is_late() => {}
        }
    }

    async fn is_asked(&self) {
        let Some(asked) = &self.asked else { return pending().await };
        if asked.clone().wait_for(|asked| *asked).await.is_err() {
            pending::<()>().await;
        }
    }

    async fn is_late(&self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_awaited_is_dropped_when_someone_asks_or_time_is_up() {
        let (ask, asked) = watch::channel(false);
        let until = Until::asked(asked);
        assert_eq!(until.first(async { 1 }).await, Some(1));
        let late = until.clone().within(Duration::from_secs(3));
        let start = Instant::now();
        assert_eq!(late.first(pending::<()>()).await, None);
        assert_eq!(start.elapsed().as_secs(), 3);
        let (ended, ()) = tokio::join!(until.first(pending::<()>()), async {
            ask.send_replace(true);
        });
        assert_eq!(ended, None);
        assert_eq!(until.first(async { 1 }).await, None, "nothing new is begun");
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_can_ask_any_more_calls_are_sent_on() {
        let (ask, asked) = watch::channel(false);
        drop(ask);
        let until = Until::asked(asked);
        let second = tokio::time::sleep(Duration::from_secs(1));
        assert_eq!(until.first(second).await, Some(()));
        assert!(!until.is_over() && !Until::never().is_over());
    }
}
