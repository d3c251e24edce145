//! Runs a project from its folder: `cargo run -p coho-engine --example run_project -- acme`.
//!
//! This is all that a program needs that wants to run Coho's projects itself: files and environment, a clock, ids, and a
//! listener. Without a folder it makes a project of its own and runs it twice against the simulator.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use coho_core::event::{Event, Listener};
use coho_core::time::Time;
use coho_engine::context::{Engine, Setup};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_project::{File, Project, excerpt, load};
use coho_report::style::Style;
use coho_report::text;
use coho_simulator::{Simulator, SimulatorSettings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(folder) = std::env::args().nth(1) {
        return run(Path::new(&folder)).await;
    }
    let vitally = Simulator::start(SimulatorSettings::new("sandbox")).await?;
    let folder = tempfile::tempdir()?;
    write_example(folder.path(), &vitally.url())?;
    run(folder.path()).await?;
    // Nothing changed meanwhile, so this one sends nothing.
    run(folder.path()).await?;
    vitally.stop().await;
    Ok(())
}

/// Loads the project in this folder, runs all its syncs, and prints what came of it.
async fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let project = open(folder)?;
    let engine = Engine::new(Setup {
        project: &project,
        root: folder.to_owned(),
        temporary: std::env::temp_dir(),
        clock: Arc::new(|| Time::from(SystemTime::now())),
        holder: Holder {
            id: uuid::Uuid::new_v4().to_string(),
            pid: std::process::id(),
            host: "this machine".to_owned(),
        },
        run_id: Arc::new(|| uuid::Uuid::now_v7().to_string()),
        lineage: None,
    });
    let syncs = engine.select(&[])?;
    // A program that can be interrupted keeps a clone of the switch, and asks it to stop.
    let report = engine.run(&syncs, &Options::default(), &Progress, &Stop::new()).await?;
    say(&text::run(&report.syncs, &Style::default()))
}

/// Reads `coho.yaml`, `models/` and `syncs/`. All mistakes of all files are told at once.
fn open(folder: &Path) -> Result<Project, Box<dyn Error>> {
    let mut files = Vec::new();
    for part in ["", "models/", "syncs/"] {
        for entry in std::fs::read_dir(folder.join(part))? {
            let path = format!("{part}{}", entry?.file_name().to_string_lossy());
            if coho_project::belongs(&path) {
                files.push(File::text(&path, std::fs::read_to_string(folder.join(&path))?));
            }
        }
    }
    load(&files, &|name| std::env::var(name).ok(), None).map_err(|problems| {
        problems.iter().map(|problem| excerpt(problem, &files)).collect::<String>().into()
    })
}

/// Hears what happens. A listener can never change a run.
struct Progress;

impl Listener for Progress {
    fn on(&self, event: &Event) {
        if let Event::Settled { sync, target, outcome, .. } = event {
            // A line that cannot be printed is no reason to stop.
            drop(say(&format!("{sync}: {target} {}\n", outcome.status())));
        }
    }
}

fn say(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().write_all(text.as_bytes())?)
}

fn write_example(folder: &Path, url: &str) -> std::io::Result<()> {
    for part in ["models", "syncs", "data"] {
        std::fs::create_dir(folder.join(part))?;
    }
    let write = |path: &str, text: &str| std::fs::write(folder.join(path), text);
    write(
        "coho.yaml",
        &format!(
            "project: example
sources: {{ files: {{ type: files, path: data }} }}
destinations: {{ sandbox: {{ type: vitally, base_url: '{url}', rest_token: sandbox }} }}
ledger: ledger.db
"
        ),
    )?;
    write("data/accounts.csv", "id,name,seats\nacme,Acme,5\nbolt,Bolt,2\n")?;
    write(
        "models/accounts.yaml",
        "{ source: files, file: accounts.csv, primary_key: id, types: { seats: integer } }",
    )?;
    write(
        "syncs/accounts.yaml",
        "id: accounts
model: accounts
to: sandbox
object: account
match: { externalId: id }
fields: { name: name, traits: { seats: seats } }
",
    )
}
