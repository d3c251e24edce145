//! Telemetry: after each run, its trace and the measures of all syncs go to the collector that OpenTelemetry's own variables name, as
//! OTLP over HTTP. Everything is read from the ledger when the run is over, on a thread of its own: a collector that is slow or
//! gone cannot slow a run, and a trace says what the pages say.
//!
//! [`settings`] reads the variables, [`spans`] makes a trace of a run, [`measures`] the measures, [`http`] sends both, and
//! [`worker`] is the thread. Without the feature `otel`, `telemetry/none.rs` is in the place of all this.

mod settings;
mod http;
mod spans;
mod measures;
mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::args::Global;
use crate::print;

use self::settings::Settings;

/// How long the end of the process waits for more than two requests, in which a collector takes nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it waits so long at most.
const ROUNDS: u32 = 5;

/// The thread that tells the collector, once there was something to tell; nothing where no collector is named.
static TELEMETRY: OnceLock<Option<Telemetry>> = OnceLock::new();

struct Telemetry {
    runs: Mutex<Option<Sender<String>>>,
    /// Closed when the thread ends.
    over: Mutex<Receiver<()>>,
    /// How many requests the collector took.
    taken: Arc<AtomicU64>,
    /// How long a request may take.
    timeout: Duration,
}

/// From now on measures are told at intervals, if a collector is named.
pub(crate) fn watch(global: &Global) {
    begin(global, |settings| settings);
}

fn begin(global: &Global, as_wanted: fn(Settings) -> Settings) {
    TELEMETRY.get_or_init(|| match Settings::read(&|name| std::env::var(name).ok()) {
        Ok(settings) => settings.map(|settings| Telemetry::start(as_wanted(settings), global.clone())),
        Err(why) => {
            print::talk(&format!("warning: cannot send telemetry: {why}"));
            None
        }
    });
}

/// The same for a server: its runs are no part of a trace that whoever started it began.
pub(crate) fn watch_server(global: &Global) {
    begin(global, |settings| Settings { parent: None, ..settings });
}

/// A run is over: its trace is told, and the measures as they are now.
pub(crate) fn run_ended(global: &Global, run: String) {
    watch(global);
    if let Some(Some(telemetry)) = TELEMETRY.get()
        && let Some(runs) = &*telemetry.runs.lock().unwrap_or_else(PoisonError::into_inner)
    {
        // Where the thread is gone there is nobody to tell.
        drop(runs.send(run));
    }
}

/// Waits until the collector knows all, or takes nothing any more.
pub(crate) fn end() {
    if let Some(Some(telemetry)) = TELEMETRY.get() {
        telemetry.end();
    }
}

impl Telemetry {
    fn start(settings: Settings, global: Global) -> Self {
        let (runs, heard) = channel();
        let (alive, over) = channel();
        let taken = Arc::new(AtomicU64::new(0));
        let (counted, timeout) = (Arc::clone(&taken), settings.timeout);
        std::thread::spawn(move || {
            worker::work(&settings, &global, &heard, &counted);
            drop(alive);
        });
        Self { runs: Mutex::new(Some(runs)), over: Mutex::new(over), taken, timeout }
    }

    fn end(&self) {
        drop(self.runs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ROUNDS {
            let before = self.taken.load(Ordering::SeqCst);
            match over.recv_timeout(2 * self.timeout + PATIENCE) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if self.taken.load(Ordering::SeqCst) > before => {}
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        print::talk(
            "warning: the telemetry collector did not accept all telemetry in time; the run is not affected",
        );
    }
}
