//! `coho demo`: the main job on data of its own, from an empty folder to a run that has nothing to send.

use std::path::Path;

use anyhow::Context;
use coho_simulator::{Running, Settings, Simulator};

use crate::args::{Global, LogFormat, Rows};
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

/// Shows everything in a temporary folder, which is gone afterwards.
pub(crate) async fn demo() -> anyhow::Result<Exit> {
    let folder =
        tempfile::Builder::new().prefix("coho-demo-").tempdir().context("making a temporary folder")?;
    let mut settings = Settings::new(TOKEN);
    settings.listen = ([127, 0, 0, 1], 0).into();
    let simulator = Simulator::start(settings).await.context("starting the simulator")?;
    let shown = show(folder.path(), &simulator).await;
    simulator.stop().await;
    folder.close().context("removing the temporary folder")?;
    shown
}

async fn show(folder: &Path, simulator: &Running) -> anyhow::Result<Exit> {
    begin(folder, &simulator.url())?;
    say(
        "A project: four CSV files become organizations, accounts, users and events of a Vitally simulator",
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
    say("The second run sends only these", "coho run")?;
    step(&global, simulator).await?;
    say("The third run has nothing to send", "coho run")?;
    let calls = step(&global, simulator).await?;
    anyhow::ensure!(calls == 0, "the third run made {calls} calls, and should have made none");
    print::out("\nThat is the main job. `coho init my-project` begins your own.\n")?;
    Ok(Exit::Done)
}

fn begin(folder: &Path, url: &str) -> anyhow::Result<()> {
    for (path, text) in coho_project::starter() {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).context("making the project's folders")?;
        }
        std::fs::write(&path, text.replace("http://127.0.0.1:7700", url)).context("writing the project")?;
    }
    Ok(())
}

/// Runs, and tells how many calls Vitally saw.
async fn step(global: &Global, simulator: &Running) -> anyhow::Result<usize> {
    simulator.clear_calls();
    let exit = verb::run::run(global, &Rows::default(), None).await?;
    anyhow::ensure!(exit.code() == 0, "the run ended with exit code {}", exit.code());
    let calls = simulator.calls().len();
    print::out(&format!("calls that Vitally saw: {calls}\n"))?;
    Ok(calls)
}

fn edit(path: &Path, before: &str, after: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).context("reading the demo's data")?;
    anyhow::ensure!(text.contains(before), "the demo's data has no `{before}`");
    std::fs::write(path, text.replace(before, after)).context("changing the demo's data")
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
