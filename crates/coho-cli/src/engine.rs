//! The rim of the engine: the real clock, random ids, the machine's name, and Ctrl-C.

use std::sync::Arc;

use chrono::Utc;
use coho_engine::context::{Engine, Setup};
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;

use crate::print;
use crate::project::Loaded;

/// An engine for a loaded project.
pub(crate) fn of(loaded: &Loaded) -> Engine<'_> {
    Engine::new(Setup {
        project: &loaded.project,
        root: loaded.root.clone(),
        temporary: std::env::temp_dir(),
        clock: Arc::new(Utc::now),
        holder: holder(),
        run_id: Arc::new(|| uuid::Uuid::now_v7().to_string()),
    })
}

/// This process, as others see it that wait for the ledger.
pub(crate) fn holder() -> Holder {
    Holder { id: uuid::Uuid::new_v4().to_string(), pid: std::process::id(), host: host() }
}

/// The machine's name, as far as it is told.
pub(crate) fn host() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned());
    std::env::var("HOSTNAME").ok().or_else(from_file).unwrap_or_else(|| "this machine".to_owned())
}

/// Waits for Ctrl-C, or for the signal by which a service or a container is asked to end.
pub(crate) async fn asked_to_end() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal,
        _ = terminate.recv() => Ok(()),
    }
}

/// A switch that Ctrl-C throws, and being asked to end. The second time ends the process as any other would: nothing is lost
/// by it.
pub(crate) fn stop_at_ctrl_c() -> Stop {
    let stop = Stop::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if asked_to_end().await.is_ok() {
            asked.ask();
            print::talk(
                "stopping: what is under way is finished first; Ctrl-C again ends at once, and loses nothing",
            );
            if asked_to_end().await.is_ok() {
                std::process::exit(130);
            }
        }
    });
    stop
}
