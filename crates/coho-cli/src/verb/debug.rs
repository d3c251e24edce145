//! `coho debug`: every run, row and call in a browser.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use chrono::Utc;
use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_engine::context::retention;
use coho_engine::stop::Stop;
use coho_ledger::Ledger;
use coho_serve::actions::Actions;
use coho_serve::server::serve;
use coho_serve::site::{Keys, Limits, Machine, OpenProject, OpenedProject, Site, UnreadableProject};
use tokio::net::TcpListener;

use crate::acts::Acts;
use crate::args::{Debug, Global};
use crate::exit::{Exit, Known};
use crate::failure::Refused;
use crate::project::Loaded;
use crate::verb::ledger::needs_file;
use crate::{engine, print, project, signal};

/// The shortest token that somebody may choose.
const SHORTEST: usize = 20;

/// So much of a token's file is read.
const LONGEST: usize = 4_096;

/// Serves pages until it is interrupted.
pub(crate) async fn debug(global: &Global, typed: &Debug) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    if typed.allow_actions {
        needs_file(&engine::of(&loaded), "coho debug --allow-actions")?;
    }
    let (ledger, _snapshot) = shown_ledger(&loaded)?;
    let keys = keys(typed.token_file.as_deref())?;
    let address = typed.listen.unwrap_or_else(|| ([127, 0, 0, 1], typed.port).into());
    let listener = TcpListener::bind(address).await.map_err(|error| taken(address, error))?;
    let address = listener.local_addr().context("cannot determine the port")?;
    let stop = Stop::new();
    let acts = typed.allow_actions.then(|| Acts::new(global.clone(), stop.clone()));
    let site = Site {
        project: loaded.project.name.clone(),
        ledger,
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
        names: typed.hosts.clone(),
        limits: Limits::default(),
    };
    let shown = typed.token_file.is_none().then_some(keys.token.as_str());
    tell(typed, &format!("http://{}/", visible(address)), shown)?;
    let asked = async move {
        // Where signals cannot be heard, the process ends as any other does.
        if signal::asked_to_end().await.is_err() {
            std::future::pending::<()>().await;
        }
        stop.ask();
    };
    serve(site, listener, asked).await.context("cannot serve pages")?;
    if let Some(acts) = acts {
        // What is under way is finished first. Whoever asks a second time does not wait.
        tokio::select! {
            () = acts.finished() => {}
            _ = signal::asked_again() => std::process::exit(130),
        }
    }
    Ok(Exit::Done)
}

/// Reads the project's files anew, each time that a page asks.
pub(crate) fn opener(global: &Global) -> OpenProject {
    let global = global.clone();
    Arc::new(move || match project::open(&global) {
        Ok(loaded) => Ok(OpenedProject { project: loaded.project, files: loaded.files }),
        Err(error) => Err(if let Some(refused) = error.downcast_ref::<Refused>() {
            UnreadableProject { problems: refused.problems.clone(), files: refused.files.clone() }
        } else {
            let problem = Problem::new(Code::FILE_UNREADABLE, format!("{error:#}"));
            UnreadableProject { problems: vec![problem], files: Vec::new() }
        }),
    })
}

/// Says where the pages are, and opens a browser where there is a person with one.
fn tell(typed: &Debug, url: &str, token: Option<&str>) -> anyhow::Result<()> {
    let address = match token {
        Some(token) => format!("{url}#{token}"),
        None => url.to_owned(),
    };
    print::out(&format!("{address}\n"))?;
    print::talk("the debugger is running at this address; press Ctrl-C to stop it");
    if typed.listen.is_some_and(|listen| !listen.ip().is_loopback()) {
        print::talk(
            "warning: anyone who reaches this address and has the token can see values of rows; put TLS in front of it",
        );
    }
    if !typed.no_open && io::stdout().is_terminal() {
        open_browser(&address);
    }
    Ok(())
}

/// The file that is shown. Of a ledger in no file it is a private copy, gone when the pages end.
fn shown_ledger(loaded: &Loaded) -> anyhow::Result<(PathBuf, Option<Ledger>)> {
    let engine = engine::of(loaded);
    if !engine.ledger_is_remote() {
        return Ok((engine.ledger_path(), None));
    }
    let ledger = engine.ledger_to_read()?;
    print::talk(&format!(
        "the ledger is in {}: the pages show it as it is now, and later runs only after a restart",
        engine.ledger_medium()
    ));
    let path = ledger.as_ref().map_or_else(|| engine.ledger_path(), |ledger| ledger.path().to_owned());
    Ok((path, ledger))
}

/// The address that a browser on this machine reaches.
pub(crate) fn visible(address: std::net::SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() }
}

/// A browser is a convenience: where none opens, the address is printed all the same.
fn open_browser(address: &str) {
    let has_screen = |name| std::env::var_os(name).is_some();
    let program = match std::env::consts::OS {
        "macos" => "open",
        _ if has_screen("DISPLAY") || has_screen("WAYLAND_DISPLAY") => "xdg-open",
        _ => return,
    };
    let command = Command::new(program)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = command {
        tracing::info!("cannot open a browser: {program}: {error}");
    }
}

fn keys(file: Option<&Path>) -> anyhow::Result<Keys> {
    let drawn = || uuid::Uuid::new_v4().simple().to_string();
    let token = match file {
        Some(path) => token(path)?,
        None => drawn(),
    };
    Ok(Keys { token, cookie: drawn() + &drawn(), form: drawn() })
}

fn token(path: &Path) -> anyhow::Result<String> {
    let known = |message: String, source: Option<anyhow::Error>| Known {
        message,
        help: Some(format!("pass a file with one line of at least {SHORTEST} characters to --token-file")),
        code: 2,
        source,
    };
    let text = crate::bounded::text(path, LONGEST).map_err(|error| {
        known(format!("cannot read the token file {}", path.display()), Some(error.into()))
    })?;
    let token = text.trim().to_owned();
    if token.len() < SHORTEST || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(
            known(format!("the token in {} is too short or contains spaces", path.display()), None).into()
        );
    }
    Ok(token)
}

fn taken(address: std::net::SocketAddr, error: io::Error) -> Known {
    Known {
        message: format!("cannot serve pages at {address}"),
        help: Some("choose another port with --port; 0 picks a free one".to_owned()),
        code: 2,
        source: Some(error.into()),
    }
}
