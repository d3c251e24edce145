//! What the parts of the server share: the project as it was last right, what is wrong with it now, and the switch that ends all.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use coho_engine::stop::Stop;
use coho_project::File;
use tokio::sync::Notify;

use crate::args::Global;
use crate::project::Loaded;

/// After how long without a look at the schedules the server is no longer ready.
const STALE: TimeDelta = TimeDelta::minutes(1);

/// What the parts share.
pub(crate) struct House {
    /// Where the project is.
    pub(crate) global: Global,
    /// Ends everything.
    pub(crate) stop: Stop,
    /// Wakes whoever starts runs.
    pub(crate) woken: Notify,
    kept: Mutex<Kept>,
}

struct Kept {
    loaded: Arc<Loaded>,
    /// The files as they were read last, right or wrong.
    files: Vec<File>,
    fault: Option<String>,
    /// What keeps the schedules from being looked at.
    trouble: Option<String>,
    looked: DateTime<Utc>,
    running: bool,
}

impl House {
    /// A house for a project.
    pub(crate) fn new(global: Global, loaded: Loaded, stop: Stop, now: DateTime<Utc>) -> Self {
        let files = loaded.files.clone();
        let loaded = Arc::new(loaded);
        let kept = Kept { loaded, files, fault: None, trouble: None, looked: now, running: false };
        Self { global, stop, woken: Notify::new(), kept: Mutex::new(kept) }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The project as it was last right.
    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        self.with(|kept| kept.loaded.clone())
    }

    /// Whether these files are others than those that were read last; they are from now on.
    pub(crate) fn are_new(&self, files: &[File]) -> bool {
        self.with(|kept| {
            let are_new = kept.files != files;
            if are_new {
                kept.files = files.to_vec();
            }
            are_new
        })
    }

    /// The project is another one from now on, or stays because its files are wrong.
    pub(crate) fn reloaded(&self, loaded: Result<Loaded, String>) {
        self.with(|kept| match loaded {
            Ok(loaded) => {
                kept.loaded = Arc::new(loaded);
                kept.fault = None;
            }
            Err(fault) => kept.fault = Some(fault),
        });
    }

    /// The schedules were looked at, or could not be.
    pub(crate) fn looked(&self, now: DateTime<Utc>, trouble: Option<String>) {
        self.with(|kept| {
            kept.looked = now;
            kept.trouble = trouble;
        });
    }

    /// A run begins or ends.
    pub(crate) fn runs(&self, running: bool, now: DateTime<Utc>) {
        self.with(|kept| {
            kept.running = running;
            kept.looked = now;
        });
    }

    /// Why the server is not ready; empty if it is.
    pub(crate) fn reasons(&self, now: DateTime<Utc>) -> Vec<String> {
        self.with(|kept| {
            let stale = !kept.running && now - kept.looked > STALE;
            let stale =
                stale.then(|| format!("the schedules were last looked at on {}", kept.looked.to_rfc3339()));
            let stopping = self.stop.is_asked().then(|| "the server is ending".to_owned());
            kept.trouble.clone().into_iter().chain(stale).chain(stopping).collect()
        })
    }

    /// What is wrong with the files, while the project is an older one.
    pub(crate) fn fault(&self) -> Option<String> {
        self.with(|kept| kept.fault.clone())
    }
}
