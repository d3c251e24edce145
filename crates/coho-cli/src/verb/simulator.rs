//! `coho simulator`: a Vitally that can be run.

use std::time::Duration;

use anyhow::Context;
use coho_simulator::{Simulator, SimulatorSettings, StartError, SwitchError};

use crate::args;
use crate::exit::{Exit, Known};
use crate::{print, signal};

/// Runs until it is interrupted.
pub(crate) async fn simulator(typed: args::Simulator) -> anyhow::Result<Exit> {
    let mut settings = SimulatorSettings::new(&typed.token);
    settings.analytics_token.clone_from(&typed.analytics_token);
    settings.listen = typed.listen;
    settings.state.clone_from(&typed.state);
    settings.latency = Duration::from_millis(typed.latency);
    for switches in &typed.switches {
        settings.switches.apply(switches).map_err(|error| wrong_switch(switches, error))?;
    }
    let mut running = Simulator::start(settings).await.map_err(not_started)?;
    print::out(&format!("{}\n", running.url()))?;
    print::talk(&format!(
        "the simulator answers at {} with the REST API token `{}` and the Analytics API token `{}`; see its records, events and calls at {}/simulator/state\n\
         Ctrl-C ends it",
        running.url(),
        typed.token,
        typed.analytics_token,
        running.url()
    ));
    if !typed.listen.ip().is_loopback() {
        print::talk(&exposed(&typed));
    }
    tokio::select! {
        () = running.ended() => {}
        asked = signal::asked_to_end() => asked.context("waiting for Ctrl-C")?,
    }
    running.stop().await;
    Ok(Exit::Done)
}

fn exposed(typed: &args::Simulator) -> String {
    let known = if typed.token == "sandbox" { ", because its token `sandbox` is public" } else { "" };
    format!(
        "warning: anyone who reaches {} can read and change the simulator's records{known}; the inspection API accepts calls only from this machine\n  help: leave --listen out, or name another --token",
        typed.listen
    )
}

fn wrong_switch(switches: &str, error: SwitchError) -> Known {
    Known {
        message: format!("cannot use --switch {switches}"),
        help: None,
        code: 2,
        source: Some(error.into()),
    }
}

fn not_started(error: StartError) -> Known {
    let help = match &error {
        StartError::Listen { .. } => "choose another address with --listen; port 0 picks a free one",
        StartError::State(_) => "name another file with --state; a missing file is created",
    };
    let message = "the simulator cannot start".to_owned();
    Known { message, help: Some(help.to_owned()), code: 2, source: Some(error.into()) }
}
