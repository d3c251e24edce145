//! `coho simulator`: a Vitally that can be run.

use std::time::Duration;

use anyhow::Context;
use coho_simulator::{Settings, Simulator};

use crate::args;
use crate::exit::Exit;
use crate::print;

/// Runs until it is interrupted.
pub(crate) async fn simulator(typed: args::Simulator) -> anyhow::Result<Exit> {
    let mut settings = Settings::new(&typed.token);
    settings.listen = typed.listen;
    settings.state.clone_from(&typed.state);
    settings.latency = Duration::from_millis(typed.latency);
    for switches in &typed.switches {
        settings.switches.apply(switches).with_context(|| format!("--switch {switches}"))?;
    }
    let mut running = Simulator::start(settings).await.context("starting the simulator")?;
    print::out(&format!("{}\n", running.url()))?;
    print::talk(&format!(
        "the simulator answers at {} with the REST API token `{}`; its records and calls are at {}/simulator/state\n\
         Ctrl-C ends it",
        running.url(),
        typed.token,
        running.url()
    ));
    let ended = tokio::select! {
        ended = running.ended() => ended,
        signal = interrupted() => signal.map(|()| ()).context("waiting for Ctrl-C").map(|()| ())?,
    };
    let () = ended;
    running.stop().await;
    Ok(Exit::Done)
}

/// Ctrl-C, or being asked to end.
async fn interrupted() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal,
        _ = terminate.recv() => Ok(()),
    }
}
