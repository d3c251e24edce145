//! What the parts of the server share: the project as it was last right, what is wrong with it now, and the switch that ends all.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use coho_core::time::Time;
use coho_engine::clock::Clock;
use coho_engine::context::Engine;
use coho_engine::stop::Stop;
use coho_project::File;
use tokio::sync::{Notify, watch};

use crate::host::Host;
use crate::site::OpenedProject;

/// After how long without a look at the schedules the server is no longer ready.
const STALE: TimeDelta = TimeDelta::minutes(1);

/// What the parts share.
pub(crate) struct House {
    /// The process.
    pub(crate) host: Arc<dyn Host>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Ends everything.
    pub(crate) stop: Stop,
    /// Wakes whoever starts runs.
    pub(crate) woken: Notify,
    ends: watch::Sender<bool>,
    kept: Mutex<Kept>,
}

struct Kept {
    opened: Arc<OpenedProject>,
    /// The files as they were read last, right or wrong.
    files: Vec<File>,
    fault: Option<String>,
    /// What keeps the schedules from being looked at.
    trouble: Option<String>,
    looked: Time,
    running: bool,
}

impl House {
    /// A house for a project.
    pub(crate) fn new(host: Arc<dyn Host>, clock: Arc<dyn Clock>, opened: OpenedProject) -> Self {
        let (files, looked) = (opened.files.clone(), clock.now());
        let opened = Arc::new(opened);
        let kept = Kept { opened, files, fault: None, trouble: None, looked, running: false };
        Self {
            host,
            clock,
            stop: Stop::new(),
            woken: Notify::new(),
            ends: watch::Sender::new(false),
            kept: Mutex::new(kept),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The project as it was last right.
    pub(crate) fn opened(&self) -> Arc<OpenedProject> {
        self.with(|kept| kept.opened.clone())
    }

    /// An engine for it.
    pub(crate) fn engine<'o>(&self, opened: &'o OpenedProject) -> Engine<'o> {
        Engine::new(self.host.setup(&opened.project))
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
    pub(crate) fn reloaded(&self, opened: Result<OpenedProject, String>) {
        self.with(|kept| match opened {
            Ok(opened) => {
                kept.opened = Arc::new(opened);
                kept.fault = None;
            }
            Err(fault) => kept.fault = Some(fault),
        });
    }

    /// The schedules were looked at, or could not be.
    pub(crate) fn looked(&self, trouble: Option<String>) {
        let now = self.clock.now();
        self.with(|kept| {
            kept.looked = now;
            kept.trouble = trouble;
        });
    }

    /// A run begins or ends.
    pub(crate) fn runs(&self, running: bool) {
        let now = self.clock.now();
        self.with(|kept| {
            kept.running = running;
            kept.looked = now;
        });
    }

    /// Everything is to end.
    pub(crate) fn end(&self) {
        self.stop.ask();
        self.ends.send_replace(true);
        self.woken.notify_one();
    }

    /// Until everything is to end.
    pub(crate) async fn ending(&self) {
        drop(self.ends.subscribe().wait_for(|ends| *ends).await);
    }

    /// Why the server is not ready; empty if it is.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let now = self.clock.now();
        self.with(|kept| {
            let stale = !kept.running && now - kept.looked > STALE;
            let stale =
                stale.then(|| format!("the schedules were last checked on {}", kept.looked.to_rfc3339()));
            let stopping = self.stop.is_asked().then(|| "the server is shutting down".to_owned());
            kept.trouble.clone().into_iter().chain(stale).chain(stopping).collect()
        })
    }

    /// What is wrong with the files, while the project is an older one.
    pub(crate) fn fault(&self) -> Option<String> {
        self.with(|kept| kept.fault.clone())
    }
}
