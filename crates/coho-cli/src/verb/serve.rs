//! `coho serve`: pages, schedules, the trigger API, metrics and alerts in one process.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::Utc;
use coho_core::event::Listener;
use coho_core::started::Started;
use coho_engine::context::{Setup, retention};
use coho_engine::stop::Stop;
use coho_project::{File, Project};
use coho_serve::actions::Actions;
use coho_serve::host::Host;
use coho_serve::site::{Keys, Limits, Machine, OpenedProject, Site, UnreadableProject};
use tokio::net::TcpListener;

use crate::acts::Acts;
use crate::args::{Global, Serve};
use crate::exit::{Exit, Known};
use crate::progress::Progress;
use crate::project::{self, Loaded};
use crate::traced::Traced;
use crate::verb::debug::{opener, visible};
use crate::verb::ledger::needs_file;
use crate::{engine, print, signal, started, telemetry};

/// Serves until it is asked to end.
pub(crate) async fn serve(global: &Global, typed: &Serve) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    project::has_syncs(&loaded)?;
    needs_file(&engine::of(&loaded), "coho serve")?;
    has_tokens(&loaded, typed)?;
    let listener = TcpListener::bind(typed.listen)
        .await
        .with_context(|| format!("cannot listen on {}", typed.listen))?;
    let address = listener.local_addr().context("cannot determine the address")?;
    let keys = keys();
    let stop = Stop::new();
    let acts = typed.allow_actions.then(|| Acts::new(global.clone(), stop.clone()));
    let site = Site {
        project: loaded.project.name.clone(),
        ledger: engine::of(&loaded).ledger_path(),
        secrets: Arc::new(print::masker),
        retention: retention(&loaded.project.history),
        open: opener(global),
        clock: Arc::new(Utc::now),
        machine: Machine {
            root: loaded.root.clone(),
            temporary: std::env::temp_dir(),
            holder: engine::holder(),
        },
        actions: acts.clone().map(|acts| Arc::new(acts) as Arc<dyn Actions>),
        keys: keys.clone(),
        address,
        names: names(&loaded, typed),
        limits: Limits::default(),
    };
    telemetry::watch_server(global);
    let syncs = print::counted(loaded.project.schedules.len() as u64, "sync");
    let process = Arc::new(Process { global: global.clone(), root: loaded.root.clone() });
    let opened = OpenedProject { project: loaded.project, files: loaded.files };
    print::talk(&format!("serving at http://{address}, {syncs} with a schedule"));
    if !keys.token.is_empty() {
        print::talk(&format!(
            "pages (this link works until the server stops): http://{}/#{}",
            visible(address),
            keys.token
        ));
    }
    let grace = typed.grace;
    let asked = async move {
        asked_to_end(grace).await;
        stop.ask();
    };
    coho_serve::server::run(site, process, opened, listener, asked).await;
    if let Some(acts) = acts {
        acts.finished().await;
    }
    print::talk("ended");
    Ok(Exit::Done)
}

/// An address that others can reach needs a token that somebody made.
fn has_tokens(loaded: &Loaded, typed: &Serve) -> anyhow::Result<()> {
    let ledger = engine::of(loaded).ledger_to_ask()?;
    if typed.listen.ip().is_loopback() || ledger.tokens()?.iter().any(|token| token.revoked.is_none()) {
        return Ok(());
    }
    let message = format!("other machines can reach {}, but the project has no token", typed.listen);
    let help = "create one with `coho token new NAME`, or listen on 127.0.0.1";
    let code = coho_report::exit::USAGE;
    Err(Known { message, help: Some(help.to_owned()), code, source: None }.into())
}

/// A person at a terminal gets an address that opens the pages. A log gets none: whoever may read it would be let in.
fn keys() -> Keys {
    let drawn = || uuid::Uuid::new_v4().simple().to_string();
    let of_person = || if io::stderr().is_terminal() { drawn() } else { String::new() };
    let token = of_person();
    let cookie = if token.is_empty() { String::new() } else { drawn() + &drawn() };
    Keys { token, cookie, form: drawn() }
}

/// The names under which pages are asked for besides the address: those that were typed, and that of `public_url`.
fn names(loaded: &Loaded, typed: &Serve) -> Vec<String> {
    let public = loaded.project.alerts.public_url.as_deref();
    let host = public.and_then(|url| url.split_once("://")).and_then(|(_, rest)| rest.split('/').next());
    typed.hosts.iter().cloned().chain(host.map(str::to_owned)).collect()
}

/// Is ready when a signal comes. From then on, the process ends where the rest takes longer than the grace; a second signal ends
/// it at once.
async fn asked_to_end(grace: Duration) {
    if signal::asked_to_end().await.is_err() {
        return std::future::pending().await;
    }
    print::talk("stopping after the calls under way");
    tokio::spawn(async move {
        tokio::select! {
            () = tokio::time::sleep(grace) => {
                print::talk("the grace period is over: the run stops here, and the next server continues it");
            }
            _ = signal::asked_again() => {}
        }
        std::process::exit(130);
    });
}

/// This process, as the server sees it.
struct Process {
    global: Global,
    root: std::path::PathBuf,
}

impl Host for Process {
    fn files(&self) -> Result<Vec<File>, String> {
        project::files_in(&self.root).map_err(|error| crate::failure::told(&error))
    }

    fn open(&self) -> Result<OpenedProject, UnreadableProject> {
        opener(&self.global)()
    }

    fn setup<'p>(&self, project: &'p Project) -> Setup<'p> {
        engine::setup(project, &self.root)
    }

    fn started(&self, files: &[File]) -> Started {
        started::by_command(files, &self.root)
    }

    fn listener(&self) -> Box<dyn Listener> {
        Box::new(Traced::new(Progress::new(&self.global), &self.global))
    }

    fn tell(&self, text: &str) {
        print::talk(text);
    }
}
