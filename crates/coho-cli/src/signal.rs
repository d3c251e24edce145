//! Signals that ask this process to end: Ctrl-C, SIGTERM, and SIGHUP, which a terminal sends that closes.

use coho_engine::stop::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::hangup;
use crate::print;

/// The exit code of a process that was asked to end twice, and ended at once.
const AT_ONCE: i32 = 130;

/// SIGHUP as one bit of the masks in `/proc`, which begin with signal 1.
const HANGUP: u64 = 1;

/// Waits for Ctrl-C, for the signal by which a service or a container is asked to end, or for the end of the terminal.
pub(crate) async fn asked_to_end() -> std::io::Result<()> {
    let mut hangup = hangups()?;
    tokio::select! {
        asked = asked_again() => asked,
        () = heard(&mut hangup) => Ok(()),
    }
}

/// Waits for somebody who wants the end at once. The end of the terminal does not count: a shell and the system may both tell of
/// it.
pub(crate) async fn asked_again() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal,
        _ = terminate.recv() => Ok(()),
    }
}

/// Hears SIGHUP; nothing where this process was started so that it outlives its terminal (`nohup`).
fn hangups() -> std::io::Result<Option<Signal>> {
    if is_ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()) {
        return Ok(None);
    }
    signal(SignalKind::hangup()).map(Some)
}

/// Whether SIGHUP is ignored, by what Linux says of a process. Elsewhere there is no such text, and it is not.
fn is_ignored(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & HANGUP != 0)
}

async fn heard(hangup: &mut Option<Signal>) {
    match hangup {
        Some(signal) => {
            signal.recv().await;
            hangup::tell();
        }
        None => std::future::pending().await,
    }
}

/// Listens to signals as long as it is kept.
pub(crate) struct Listening(tokio::task::JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A switch that is thrown when the process is asked to end. The second time ends it as any other would: nothing is lost by it.
pub(crate) fn stop_when_asked(told: &'static str) -> (Stop, Listening) {
    let stop = Stop::new();
    let asked = stop.clone();
    let listening = tokio::spawn(async move {
        if asked_to_end().await.is_ok() {
            asked.ask();
            print::talk(told);
            if asked_again().await.is_ok() {
                std::process::exit(AT_ONCE);
            }
        }
    });
    (stop, Listening(listening))
}

/// The same for whatever sends or reads rows.
pub(crate) fn stop_after_calls() -> (Stop, Listening) {
    stop_when_asked(
        "stopping after the calls under way; press Ctrl-C again to stop at once (nothing is lost)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hangup_is_found_among_the_signals() {
        assert!(is_ignored("Name:\tcoho\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"));
        assert!(!is_ignored("Name:\tcoho\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"));
        assert!(!is_ignored(""));
    }
}
