//! What the look-ups of references cost: 20,000 users over 2,000 and over 20,000 accounts, against a simulator in this process.
//!
//! `cargo run --release -p coho-engine --example look_ups`

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::sync::Arc;

use chrono::Utc;
use coho_core::event::Silence;
use coho_engine::context::{Engine, Setup};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::lease::Holder;
use coho_project::{File, load};
use coho_simulator::{Seed, Simulator, SimulatorSettings, Switches};

const USERS: usize = 20_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    for accounts in [2_000, 20_000] {
        let (look_ups, writes) = measure(accounts).await?;
        println!("{USERS} users over {accounts} accounts: {look_ups} calls of look-ups, {writes} writes");
    }
    Ok(())
}

/// The calls of look-ups and of writes that it takes.
async fn measure(accounts: usize) -> Result<(usize, usize), Box<dyn Error>> {
    let switches = Switches { limit: 100_000_000, ..Switches::default() };
    let vitally =
        Simulator::start(SimulatorSettings { switches, ..SimulatorSettings::new("sk_live_1") }).await?;
    for number in 0..accounts {
        vitally.seed(Seed::account(&format!("a-{number}")))?;
    }
    let folder = tempfile::tempdir()?;
    let rows = (0..USERS).map(|number| format!("{number},u-{number},a-{}\n", number % accounts));
    let csv = format!("id,external,account\n{}", rows.collect::<String>());
    std::fs::write(folder.path().join("users.csv"), csv)?;
    let destination = format!(
        "{{ type: vitally, base_url: '{}', rest_token: sk_live_1, rate: 10000000/min, concurrency: 8 }}",
        vitally.url()
    );
    let files = [
        File::text(
            "coho.yaml",
            format!(
                "project: look-ups\nsources: {{ files: {{ type: files, path: . }} }}\ndestinations: {{ vitally: {destination} }}\nledger: ledger.db\n"
            ),
        ),
        File::text("models/users.yaml", "{ source: files, file: users.csv, primary_key: id }"),
        File::text(
            "syncs/users.yaml",
            "{ id: users, model: users, to: vitally, object: user, match: { externalId: external },\n  \
             fields: { accountIds: { column: account, lookup: account.externalId } } }",
        ),
    ];
    let project = load(&files, &|_| None, None).map_err(|problems| format!("{problems:?}"))?;
    let engine = Engine::new(Setup {
        project: &project,
        root: folder.path().to_owned(),
        temporary: folder.path().to_owned(),
        clock: Arc::new(Utc::now),
        holder: Holder { id: "look-ups".to_owned(), pid: std::process::id(), host: "here".to_owned() },
        run_id: Arc::new(|| "run-1".to_owned()),
        lineage: None,
    });
    engine.run(&engine.select(&[])?, &Options::default(), &Silence, &Stop::new()).await?;
    let calls = vitally.calls();
    let look_ups = calls.iter().filter(|call| call.method == "GET").count();
    Ok((look_ups, calls.len() - look_ups))
}
