//! `coho serve`: schedules and the trigger API in one process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use coho_engine::stop::Stop;
use tokio::net::TcpListener;

use crate::args::{Global, Serve};
use crate::exit::{Exit, Known};
use crate::serve::house::House;
use crate::serve::{desk, door};
use crate::{engine, print, project};

/// Serves until it is asked to end.
pub(crate) async fn serve(global: &Global, typed: &Serve) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    project::has_syncs(&loaded)?;
    let ledger = engine::of(&loaded).ledger_to_ask()?;
    if !typed.listen.ip().is_loopback() && ledger.tokens()?.iter().all(|token| token.revoked.is_some()) {
        let message = format!("other machines can reach {}, and the project has no token", typed.listen);
        let help = "make one with `coho token new NAME`, or listen at 127.0.0.1";
        return Err(Known {
            message,
            help: Some(help.to_owned()),
            code: coho_report::exit::USAGE,
            source: None,
        }
        .into());
    }
    drop(ledger);
    let listener = TcpListener::bind(typed.listen)
        .await
        .with_context(|| format!("cannot listen at {}", typed.listen))?;
    let address = listener.local_addr().context("cannot tell the address")?;
    let (stop, syncs) = (Stop::new(), loaded.project.schedules.len() as u64);
    let house = Arc::new(House::new(global.clone(), loaded, stop, Utc::now()));
    tokio::spawn(end_when_asked(house.clone(), typed.grace));
    print::talk(&format!("serving at http://{address}, {} with a schedule", print::counted(syncs, "sync")));
    let served = tokio::spawn(door::answer(listener, house.clone()));
    desk::work(&house).await;
    served.abort();
    print::talk("ended");
    Ok(Exit::Done)
}

/// Asks everything to end when a signal comes; ends the process where that takes longer than the grace. A second signal ends it at once.
async fn end_when_asked(house: Arc<House>, grace: Duration) {
    if engine::asked_to_end().await.is_err() {
        return;
    }
    print::talk("ending: what is under way is finished first");
    house.stop.ask();
    house.woken.notify_one();
    tokio::select! {
        () = tokio::time::sleep(grace) => {
            print::talk("the grace is over: the run is broken off, and the next server goes on with it");
        }
        _ = engine::asked_to_end() => {}
    }
    std::process::exit(130);
}
