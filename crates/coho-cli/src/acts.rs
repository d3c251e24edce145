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
use coho_serve::actions::{Actions, Doing, Done, Refused, Wish};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::args::Global;
use crate::project::{self, Loaded};
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

    async fn work(&self, wish: Wish, waiting: &Waiting) {
        let done = match project::open(&self.global) {
            Ok(loaded) => {
                log(&wish, &loaded);
                self.carry(wish, &loaded, waiting).await
            }
            Err(error) => Err(refused(&error)),
        };
        waiting.tell(done);
    }

    async fn carry(&self, wish: Wish, loaded: &Loaded, waiting: &Waiting) -> Result<Done, Refused> {
        let engine = engine::of(loaded);
        let options = Options { started: by_page(loaded), ..Options::default() };
        match wish {
            Wish::Run { syncs } => self.run(&engine, &select(&engine, &syncs)?, &options, waiting).await,
            Wish::Retry { sync, key } => {
                let syncs = select(&engine, &[sync])?;
                let due =
                    run::make_due(&engine, &syncs, key.as_ref()).map_err(|error| Refused::from(&error))?;
                if due == 0 {
                    return Ok(Done::Told("No rows are waiting: nothing was sent.".to_owned()));
                }
                let options = Options { filter: run::waiting(key), ..options };
                self.run(&engine, &syncs, &options, waiting).await
            }
            Wish::Forget { sync, key } => {
                let syncs = select(&engine, &[sync])?;
                forgotten(&engine, &syncs, key.as_ref())
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
        let report = engine.run_awaited(syncs, options, waiting, &self.stop).await;
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
    fn carry_out(&self, wish: Wish) -> Doing {
        let (teller, told) = oneshot::channel();
        let (acts, handle) = (self.clone(), Handle::current());
        // What is done takes a thread of its own, so that pages do not wait for it.
        let work = tokio::task::spawn_blocking(move || {
            let waiting = Waiting(Mutex::new(Some(teller)));
            handle.block_on(acts.work(wish, &waiting));
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

fn forgotten(engine: &Engine<'_>, syncs: &[&Sync], key: Option<&Key>) -> Result<Done, Refused> {
    let forgotten = forget::all(engine, syncs, key).map_err(|error: EngineError| Refused::from(&error))?;
    Ok(Done::Told(match forgotten {
        0 => "Nothing was remembered.".to_owned(),
        _ => format!("Forgot {}: their rows are new to the next run.", print::counted(forgotten, "key")),
    }))
}

/// What the ledger is to remember of a run that a page started.
fn by_page(loaded: &Loaded) -> Started {
    Started {
        by: Some(StartedBy::Debugger),
        arguments: None,
        ..started::by_command(&loaded.files, &loaded.root)
    }
}

/// Who asked for what. A row's key is a value of the row, and stays out of the log.
fn log(wish: &Wish, loaded: &Loaded) {
    let one = |key: &Option<Key>| if key.is_some() { "one row of " } else { "" };
    let what = match wish {
        Wish::Run { syncs } if syncs.is_empty() => "run all syncs".to_owned(),
        Wish::Run { syncs } => format!("run {}", syncs.join(", ")),
        Wish::Retry { sync, key } => format!("retry {}{sync}", one(key)),
        Wish::Forget { sync, key } => format!("forget {}{sync}", one(key)),
    };
    let started = by_page(loaded);
    let who = started.user.unwrap_or_else(|| "somebody".to_owned());
    print::talk(&format!("asked for on a page by {who}: {what}"));
}

fn refused(error: &anyhow::Error) -> Refused {
    let help =
        error.downcast_ref::<failure::Refused>().map(|_| "the project’s page says what is wrong".to_owned());
    Refused { message: format!("{error:#}"), help }
}

/// What is told where the work panicked.
fn broken_off() -> Refused {
    Refused {
        message: "it crashed: this is a bug in Coho".to_owned(),
        help: Some("run the command instead, and please report this".to_owned()),
    }
}
