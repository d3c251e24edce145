//! Starting runs: what is due is asked of the engine, and run by the same code as `coho run`, one run at a time.

use coho_core::failure::Failure as _;
use std::collections::BTreeSet;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::started::{Started, StartedBy};
use coho_core::sync::SyncId;
use coho_engine::asked::Agenda;
use coho_engine::context::{Engine, EngineError};
use coho_engine::run::{Begins, Options};
use coho_ledger::request::{RunRequest, State};
use coho_report::style::{Color, Style};
use coho_schedule::asked::AskedBy;

use super::house::House;
use super::reload;

/// How long is waited at most before schedules, files and what others asked for are looked at again.
const LOOK: Duration = Duration::from_secs(5);

/// How often alerts are looked at.
const ALERTS: Duration = Duration::from_secs(60);

/// Starts runs and looks at alerts until the switch is thrown. What is under way then is finished.
pub(crate) async fn work(house: &House) {
    tokio::join!(start_runs(house), look_at_alerts(house));
}

async fn start_runs(house: &House) {
    while !house.stop.is_asked() {
        tokio::task::block_in_place(|| reload::look(house));
        let opened = house.opened();
        let engine = house.engine(&opened);
        let agenda = tokio::task::block_in_place(|| agenda(&engine));
        let wait = match agenda {
            Ok(agenda) => {
                house.looked(None);
                next(house, &engine, &agenda).await
            }
            Err(error) => {
                tell(house, &error);
                LOOK
            }
        };
        rest(house, wait).await;
    }
}

/// Looks once a minute at what depends on time: syncs that are late, reminders, messages that wait. It does so while runs go on.
async fn look_at_alerts(house: &House) {
    while !house.stop.is_asked() {
        let opened = house.opened();
        if let Err(error) = house.engine(&opened).check_alerts().await {
            house.host.tell(&format!("cannot check alerts: {error} [{}]", error.code()));
        }
        tokio::select! {
            () = tokio::time::sleep(ALERTS) => {}
            () = house.ending() => {}
        }
    }
}

/// What is to do; nothing as long as somebody else has the ledger.
fn agenda(engine: &Engine<'_>) -> Result<Agenda, EngineError> {
    let ledger = engine.ledger_to_ask()?;
    let mut agenda = engine.agenda(&ledger)?;
    if !agenda.open.is_empty() && engine.under_way(&ledger)?.is_some() {
        agenda.open.clear();
    }
    Ok(agenda)
}

/// Says once what keeps schedules from being looked at.
fn tell(house: &House, error: &EngineError) {
    let trouble = format!("{error} [{}]", error.code());
    if !house.reasons().contains(&trouble) {
        house.host.tell(&format!("cannot check the schedules: {trouble}"));
    }
    house.looked(Some(trouble));
}

/// Carries out what is open, and says how long nothing is to do.
async fn next(house: &House, engine: &Engine<'_>, agenda: &Agenda) -> Duration {
    if !agenda.open.is_empty() {
        return run(house, engine, &agenda.open).await;
    }
    let until = agenda.wakes.map(|wakes| (wakes - house.clock.now()).to_std().unwrap_or_default());
    until.unwrap_or(LOOK).min(LOOK)
}

/// Waits, unless somebody wakes it: something was asked for, or the server is to end.
async fn rest(house: &House, wait: Duration) {
    if wait.is_zero() {
        return;
    }
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = house.woken.notified() => {}
    }
}

/// What the ledger is to remember of why a run began: who asked first, and whether times were missed.
fn started(house: &House, open: &[RunRequest]) -> Started {
    let asked = open.first().map(|request| request.asked);
    let by = asked.map(|asked| match asked.cause {
        AskedBy::Schedule | AskedBy::Sequence if asked.missed > 0 => StartedBy::CatchUp,
        AskedBy::Schedule | AskedBy::Sequence => StartedBy::Schedule,
        AskedBy::Api => StartedBy::Api,
        AskedBy::Page => StartedBy::Debugger,
    });
    let scheduled = asked.and_then(|asked| asked.tick);
    Started { by, scheduled, arguments: None, ..house.host.started(&house.opened().files) }
}

/// One run for all that is open.
async fn run(house: &House, engine: &Engine<'_>, open: &[RunRequest]) -> Duration {
    let names: BTreeSet<&SyncId> = open.iter().map(|request| &request.sync).collect();
    let names: Vec<String> = names.into_iter().map(|id| id.as_str().to_owned()).collect();
    let syncs = match engine.select(&names) {
        Ok(syncs) => syncs,
        Err(error) => return failed(house, engine, open, &error),
    };
    for request in open {
        house.host.tell(&starts(request));
    }
    let options = Options { begins: Begins::IfAsked, started: started(house, open), ..Options::default() };
    house.runs(true);
    let done = engine.run_awaited(&syncs, &options, &*house.host.listener(), &house.stop).await;
    house.runs(false);
    match done {
        Ok(report) => {
            let style = Style { color: Color::Never, ..Style::default() };
            house.host.tell(coho_report::text::run(&report.syncs, &style).trim_end());
            Duration::ZERO
        }
        Err(error) => failed(house, engine, open, &error),
    }
}

fn starts(request: &RunRequest) -> String {
    let missed = match request.asked.missed {
        0 => String::new(),
        1 => ", makes up for a missed time".to_owned(),
        missed => format!(", makes up for {missed} missed times"),
    };
    let again = if request.state == State::Waiting { "" } else { ", continues an interrupted run" };
    format!("{}: starts ({}{missed}{again})", request.sync, request.asked.cause.name())
}

/// A run that could not begin, or broke off: what it was for is given up, unless it only has to wait.
fn failed(house: &House, engine: &Engine<'_>, open: &[RunRequest], error: &EngineError) -> Duration {
    let code = error.code();
    if matches!(code, Code::LEASE_HELD | Code::LEASE_LOST) || house.stop.is_asked() {
        return LOOK;
    }
    let told = format!("{error} [{code}]");
    house.host.tell(&format!("the run failed: {told}"));
    let ids: Vec<i64> = open.iter().map(|request| request.id).collect();
    let now = house.clock.now();
    let given_up = engine.ledger_to_ask().and_then(|ledger| Ok(ledger.give_up(&ids, &told, now)?));
    if let Err(error) = given_up {
        house.host.tell(&format!("{error} [{}]", error.code()));
    }
    LOOK
}
