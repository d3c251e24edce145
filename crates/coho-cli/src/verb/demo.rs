//! `coho demo`: the main job on data of its own, from an empty folder to a run that has nothing to send.

use std::path::Path;

use anyhow::Context;
use coho_simulator::{FaultAnswer, Running, ScriptedFault, Simulator, SimulatorSettings, Trouble};

use crate::args::{Debug, Demo, Global, LogFormat, Rows};
use crate::exit::Exit;
use crate::{print, verb};

/// The token of the starter project.
const TOKEN: &str = "sandbox";

/// What the demo changes: file, text, new text.
const EDITS: [(&str, &str, &str); 4] = [
    ("data/accounts.csv", "growth,42,1890.00", "growth,45,2025.00"),
    ("data/accounts.csv", "Alder Energy", "Alder Energy Partners"),
    (
        "data/users.csv",
        "usr-1006,",
        "usr-1007,G. Newcomer,g.newcomer@cedar.example,acc-cedar-labs,sales,false,0,2026-11-24\nusr-1006,",
    ),
    (
        "data/invoices.csv",
        "inv-3004,",
        "inv-3005,acc-cedar-labs,usr-1006,2026-11-20T16:30:00Z,99.00,EUR\ninv-3004,",
    ),
];

/// What the demo breaks for the debugger.
const TROUBLE: [(&str, &str, &str); 3] = [
    ("data/accounts.csv", "enterprise,230,", "enterprise,260,"),
    ("data/users.csv", "operations,true,118,", "operations,true,121,"),
    (
        "data/users.csv",
        "usr-1006,",
        "usr-1008,H. Lost,h.lost@elm.example,acc-elm-mills,sales,false,2,2026-11-25\n\
         usr-1009,I. Strayed,i.strayed@elm.example,acc-elm-mills,sales,false,1,2026-11-25\nusr-1006,",
    ),
];

/// What the simulator says of the account that it refuses.
const REFUSAL: &str =
    r#"{"statusCode":400,"error":"Bad Request","message":"traits.seats must be at most 250"}"#;

/// Shows everything in a temporary folder, which is gone afterwards.
pub(crate) async fn demo(typed: &Demo) -> anyhow::Result<Exit> {
    let folder = tempfile::Builder::new()
        .prefix("coho-demo-")
        .tempdir()
        .context("cannot create a temporary folder")?;
    let mut settings = SimulatorSettings::new(TOKEN);
    settings.listen = ([127, 0, 0, 1], 0).into();
    let simulator = Simulator::start(settings).await.context("cannot start the simulator")?;
    let shown = show(folder.path(), &simulator, typed).await;
    simulator.stop().await;
    folder.close().context("cannot remove the temporary folder")?;
    shown
}

async fn show(folder: &Path, simulator: &Running, typed: &Demo) -> anyhow::Result<Exit> {
    begin(folder, &simulator.url())?;
    say(
        "A project: four CSV files become organizations, accounts, users and events in a Vitally simulator",
        "coho init",
    )?;
    say("The plan: what would be sent, and why", "coho plan")?;
    let rows = Rows::default();
    let global = global(folder);
    verb::plan::plan(&global, &rows, false, None).await?;
    say("The first run sends everything", "coho run")?;
    step(&global, simulator).await?;
    say("Two accounts change, a user is new, and an invoice was paid", "edit data/*.csv")?;
    for (file, before, after) in EDITS {
        edit(&folder.join(file), before, after)?;
    }
    verb::plan::plan(&global, &rows, false, None).await?;
    say("The second run sends only those changes", "coho run")?;
    step(&global, simulator).await?;
    say("The third run has nothing to send", "coho run")?;
    let calls = step(&global, simulator).await?;
    anyhow::ensure!(calls == 0, "the third run made {calls} calls, and should have made none");
    if typed.debug {
        debugger(folder, simulator, typed.no_open).await?;
    }
    print::out("\nThat is the main job. Start your own project with `coho init my-project`.\n")?;
    if !typed.debug {
        print::out("`coho demo --debug` shows in a browser what happened here.\n")?;
    }
    Ok(Exit::Done)
}

/// One more run, with something to look at: rows that name what is not there, one that Vitally refuses, and a call that must
/// wait. Then the pages, until they are ended.
async fn debugger(folder: &Path, simulator: &Running, no_open: bool) -> anyhow::Result<()> {
    say(
        "Some rows fail: two users name an account that does not exist, and Vitally refuses an account",
        "coho run",
    )?;
    for (file, before, after) in TROUBLE {
        edit(&folder.join(file), before, after)?;
    }
    let refusal = FaultAnswer { body: Some(REFUSAL.to_owned()), ..FaultAnswer::status(400) };
    simulator
        .script(ScriptedFault::once(Trouble::Answer(refusal)).on("PUT", "/resources/accounts/*").times(10));
    let wait = FaultAnswer { retry_after: Some(1), ..FaultAnswer::status(429) };
    simulator.script(ScriptedFault::once(Trouble::Answer(wait)).on("PUT", "/resources/users/*"));
    let global = global(folder);
    verb::run::run(&global, &Rows::default(), None).await?;
    say("Every run, row and call, in a browser", "coho debug")?;
    let pages =
        Debug { port: 0, listen: None, hosts: Vec::new(), token_file: None, allow_actions: false, no_open };
    verb::debug::debug(&global, &pages).await.map(drop)
}

fn begin(folder: &Path, url: &str) -> anyhow::Result<()> {
    for (path, text) in coho_project::starter() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).context("cannot create the project's folders")?;
        }
        std::fs::write(&path, text.replace("http://127.0.0.1:7700", url))
            .context("cannot write the project")?;
    }
    Ok(())
}

/// Runs, and tells how many calls Vitally saw.
async fn step(global: &Global, simulator: &Running) -> anyhow::Result<usize> {
    simulator.clear_calls();
    let exit = verb::run::run(global, &Rows::default(), None).await?;
    anyhow::ensure!(exit.code() == 0, "the run ended with exit code {}", exit.code());
    let calls = simulator.calls().len();
    print::out(&format!("calls that the simulator received: {calls}\n"))?;
    Ok(calls)
}

fn edit(path: &Path, before: &str, after: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).context("cannot read the demo's data")?;
    anyhow::ensure!(text.contains(before), "the demo's data has no `{before}`");
    std::fs::write(path, text.replace(before, after)).context("cannot change the demo's data")
}

fn say(what: &str, command: &str) -> anyhow::Result<()> {
    print::out(&format!("\n── {what}\n$ {command}\n\n"))
}

fn global(folder: &Path) -> Global {
    Global {
        project: Some(folder.to_owned()),
        target: None,
        env_file: None,
        json: false,
        verbose: 0,
        log_format: LogFormat::Text,
    }
}
