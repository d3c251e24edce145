//! Calls for code that blocks: they are made on a thread of their own, so that it does not matter whether whoever waits is in an
//! asynchronous runtime.

use std::future::Future;
use std::io;
use std::sync::mpsc;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// A thread that makes calls. It ends with the last one that has it.
#[derive(Clone, Debug)]
pub(crate) struct Calls(UnboundedSender<BoxFuture<'static, ()>>);

impl Calls {
    /// Starts the thread under this name.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let (calls, mut waiting) = unbounded_channel::<BoxFuture<'static, ()>>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            runtime.block_on(async {
                while let Some(call) = waiting.recv().await {
                    drop(tokio::spawn(call));
                }
            });
        };
        std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self(calls))
    }

    /// Makes a call, and waits for what it gives; `None` where the thread is gone.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::channel();
        let call = async move {
            // Whoever asked waits, unless it panicked.
            drop(answer.send(call.await));
        };
        self.0.send(Box::pin(call)).ok()?;
        answered.recv().ok()
    }
}
