//! What the debugger's pages ask for, done in this process by the code of the verbs. A run is one like any other: the ledger
//! says that a page started it, and who runs the debugger.

use std::sync::{Arc, Mutex, PoisonError};

use coho_core::event::{Event, Listener};
use coho_core::key::Key;
use coho_core::started::{Started, StartedBy};
use coho_core::sync::Sync;
use coho_engine::context::{Engine, EngineError};
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::amend::{CauseFilter, Retried};
use coho_serve::actions::{Actions, Doing, Done, Refused, Wish};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::Global;
use crate::project::{self, Loaded};
use crate::traced::Traced;
use crate::verb::{forget, plan, run};
use crate::{engine, failure, print, started};

/// Does what pages ask for.
#[derive(Clone)]
pub(crate) struct Acts {
    global: Global,
    /// Ends runs, as Ctrl-C does.
    stop: Stop,
    under_way: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Acts {
    /// Whoever does it for this project.
    pub(crate) fn new(global: Global, stop: Stop) -> Self {
        Self { global, stop, under_way: Arc::default() }
    }

    /// Waits until all is done that pages asked for.
    pub(crate) async fn finished(&self) {
        let under_way = std::mem::take(&mut *self.under_way.lock().unwrap_or_else(PoisonError::into_inner));
        for one in under_way {
            drop(one.await);
        }
    }

    async fn work(&self, wish: Wish, who: Option<String>, waiting: &Waiting) {
        let done = match project::open(&self.global) {
            Ok(loaded) => {
                let asked = by_page(&wish, who, &loaded);
                log(&wish, &asked);
                self.carry(wish, &loaded, asked, waiting).await
            }
            Err(error) => Err(refused(&error)),
        };
        waiting.tell(done);
    }

    async fn carry(
        &self,
        wish: Wish,
        loaded: &Loaded,
        asked: Started,
        waiting: &Waiting,
    ) -> Result<Done, Refused> {
        let engine = engine::of(loaded);
        let options = Options { started: asked.clone(), ..Options::default() };
        match wish {
            Wish::Run { syncs } => self.run(&engine, &select(&engine, &syncs)?, &options, waiting).await,
            Wish::Retry { sync, retried } => {
                let syncs = select(&engine, &[sync])?;
                let due = run::make_due(&engine, &syncs, &retried).map_err(|error| Refused::from(&error))?;
                if due == 0 {
                    return Ok(Done::Told("No rows are waiting: nothing was sent.".to_owned()));
                }
                let options = Options { filter: run::waiting(&retried), ..options };
                self.run(&engine, &syncs, &options, waiting).await
            }
            Wish::Forget { sync, key } => {
                let syncs = select(&engine, &[sync])?;
                forgotten(&engine, &syncs, key.as_ref(), &asked)
            }
        }
    }

    async fn run(
        &self,
        engine: &Engine<'_>,
        syncs: &[&Sync],
        options: &Options,
        waiting: &Waiting,
    ) -> Result<Done, Refused> {
        let listener = Traced::new(waiting, &self.global);
        let report = engine.run_awaited(syncs, options, &listener, &self.stop).await;
        drop(listener);
        match report {
            Ok(report) => {
                let text = coho_report::text::run(&report.syncs, &plan::style());
                print::talk(text.trim_end());
                Ok(Done::Began { run: report.run })
            }
            Err(error) => {
                let refused = Refused::from(&error);
                print::talk(&format!("the run failed: {}", refused.message));
                Err(refused)
            }
        }
    }
}

impl Actions for Acts {
    fn carry_out(&self, wish: Wish, who: Option<String>) -> Doing {
        let (teller, told) = oneshot::channel();
        let (acts, handle) = (self.clone(), Handle::current());
        // What is done takes a thread of its own, so that pages do not wait for it.
        let work = tokio::task::spawn_blocking(move || {
            let waiting = Waiting(Mutex::new(Some(teller)));
            handle.block_on(acts.work(wish, who, &waiting));
        });
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|one| !one.is_finished());
        under_way.push(work);
        Box::pin(async move { told.await.unwrap_or_else(|_| Err(broken_off())) })
    }
}

/// Whoever waits on a page. It is told once: that a run began, or what came of it without one.
struct Waiting(Mutex<Option<oneshot::Sender<Result<Done, Refused>>>>);

impl Waiting {
    fn tell(&self, done: Result<Done, Refused>) {
        if let Some(teller) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Who closed the page is told by the log.
            drop(teller.send(done));
        }
    }
}

impl Listener for Waiting {
    fn on(&self, event: &Event) {
        if let Event::RunStarted { run, .. } = event {
            self.tell(Ok(Done::Began { run: run.clone() }));
        }
    }
}

fn select<'e>(engine: &Engine<'e>, names: &[String]) -> Result<Vec<&'e Sync>, Refused> {
    engine.select(names).map_err(|error| Refused::from(&error))
}

fn forgotten(
    engine: &Engine<'_>,
    syncs: &[&Sync],
    key: Option<&Key>,
    asked: &Started,
) -> Result<Done, Refused> {
    let forgotten =
        forget::all(engine, syncs, key, asked).map_err(|error: EngineError| Refused::from(&error))?;
    Ok(Done::Told(match forgotten {
        0 => "There was nothing to forget.".to_owned(),
        _ => format!("Forgot {}: their rows are new to the next run.", print::counted(forgotten, "key")),
    }))
}

/// What the ledger is to remember of what a page asked for: by whom, and as a command line what.
fn by_page(wish: &Wish, who: Option<String>, loaded: &Loaded) -> Started {
    let started = started::by_command(&loaded.files, &loaded.root);
    Started {
        by: Some(StartedBy::Debugger),
        user: who.or_else(|| started.user.clone()),
        arguments: Some(command(wish, With::Keys)),
        ..started
    }
}

/// Whether a command line has the keys of rows in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum With {
    Keys,
    NoKeys,
}

/// The command line that does the same.
fn command(wish: &Wish, keys: With) -> String {
    let (verb, syncs, more) = match wish {
        Wish::Run { syncs } => ("run", syncs.clone(), None),
        Wish::Retry { sync, retried } => ("retry", vec![sync.clone()], narrowed(retried)),
        Wish::Forget { sync, key } => {
            ("forget", vec![sync.clone()], key.as_ref().map(|key| ("--key", key.to_string())))
        }
    };
    let mut words = vec![verb.to_owned()];
    words.extend(syncs);
    if let Some((name, value)) = more {
        let shown = if keys == With::NoKeys && name == "--key" { "…".to_owned() } else { value };
        words.extend([name.to_owned(), shown]);
    }
    started::typed(words.into_iter())
}

/// What narrows a retry to some of a sync's rows.
fn narrowed(retried: &Retried) -> Option<(&'static str, String)> {
    match retried {
        Retried::All => None,
        Retried::Key(key) => Some(("--key", key.to_string())),
        Retried::Cause(CauseFilter::Code(code)) => Some(("--cause", code.to_string())),
        Retried::Cause(CauseFilter::Number(number)) => Some(("--cause", number.to_string())),
    }
}

/// Who asked for what. A row's key is a value of the row, and stays out of the log.
fn log(wish: &Wish, asked: &Started) {
    let who = asked.user.as_deref().unwrap_or("somebody");
    print::talk(&format!("asked for on a page by {who}: coho {}", command(wish, With::NoKeys)));
}

fn refused(error: &anyhow::Error) -> Refused {
    let help =
        error.downcast_ref::<failure::Refused>().map(|_| "the project’s page says what is wrong".to_owned());
    Refused { message: format!("{error:#}"), help }
}

/// What is told where the work panicked.
fn broken_off() -> Refused {
    Refused {
        message: "the command crashed: this is a bug in Coho".to_owned(),
        help: Some("run the command in a terminal instead, and please report this".to_owned()),
    }
}
