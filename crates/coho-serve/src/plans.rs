//! Plans that pages ask for: one is made at a time, by the engine that makes those of `coho plan`, and the newest one is kept,
//! so that its operations can be looked at page by page. They lie in a private file without a name, as those of every plan.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coho_core::event::{Event, Listener};
use coho_core::problem::Problem;
use coho_core::time::Time;
use coho_engine::context::{Engine, EngineError};
use coho_engine::plan::{Options, Outlook, PlanError, Planned};
use coho_engine::stop::Stop;
use coho_project::{File, Project};
use tokio::runtime::Handle;

use crate::actions::Refused;
use crate::site::{OpenedProject, Site};

/// Plans of this process.
#[derive(Default)]
pub(crate) struct Plans {
    state: Mutex<State>,
    /// Grows whenever something is new.
    version: AtomicU64,
}

#[derive(Default)]
struct State {
    going: Option<Arc<Going>>,
    made: Option<Arc<Made>>,
    begun: u64,
}

/// A plan that is being made.
pub(crate) struct Going {
    number: u64,
    /// The syncs; none where all are planned.
    pub(crate) names: Vec<String>,
    pub(crate) began: Time,
    stop: Stop,
    /// The sync whose rows are read, and how many there were so far.
    reading: Mutex<Option<(String, u64)>>,
}

/// A plan that was made, or could not be.
pub(crate) struct Made {
    /// The how-manieth it is of this process.
    pub(crate) number: u64,
    /// The syncs; none where all were planned.
    pub(crate) names: Vec<String>,
    pub(crate) began: Time,
    pub(crate) ended: Time,
    pub(crate) outcome: Outcome,
}

/// What came of a plan.
pub(crate) enum Outcome {
    /// It was made, for some syncs at least.
    Plans(Box<Whole>),
    /// The project's files are wrong.
    Broken { problems: Vec<Problem>, files: Vec<File> },
    /// Something else kept it from being made.
    Refused(Refused),
}

/// The plans of a project as its files were.
pub(crate) struct Whole {
    pub(crate) project: Project,
    pub(crate) files: Vec<File>,
    pub(crate) planned: Vec<Planned>,
    /// What is wrong with syncs that have no plan.
    pub(crate) problems: Vec<Problem>,
    /// The run that was under way: what it was sending is not known.
    pub(crate) beside: Option<String>,
}

impl Plans {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Another number than before means that something is new.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// The plan that is being made.
    pub(crate) fn going(&self) -> Option<Arc<Going>> {
        self.state().going.clone()
    }

    /// The newest plan.
    pub(crate) fn made(&self) -> Option<Arc<Made>> {
        self.state().made.clone()
    }

    /// Begins to plan these syncs, or all. Where a plan is being made, that one goes on, and no other begins.
    pub(crate) fn begin(self: &Arc<Self>, site: &Arc<Site>, names: Vec<String>) {
        let going = {
            let mut state = self.state();
            if state.going.is_some() {
                return;
            }
            state.begun += 1;
            let (number, began) = (state.begun, site.clock.now());
            let going = Going { number, names, began, stop: Stop::new(), reading: Mutex::default() };
            Arc::clone(state.going.insert(Arc::new(going)))
        };
        self.tell();
        let (plans, site, handle) = (Arc::clone(self), Arc::clone(site), Handle::current());
        tokio::spawn(async move {
            let (maker, making, of) = (Arc::clone(&plans), Arc::clone(&going), Arc::clone(&site));
            // Planning takes a thread of its own, so that pages do not wait for it.
            let made = tokio::task::spawn_blocking(move || {
                make(&of, &Hearing { going: &making, plans: &maker }, &handle)
            });
            let outcome = made.await.unwrap_or_else(|_| Outcome::Refused(broken_off()));
            plans.end(&going, site.clock.now(), outcome);
        });
    }

    /// Asks the making to end. The plan before stays.
    pub(crate) fn cancel(&self) {
        if let Some(going) = self.going() {
            going.stop.ask();
        }
        self.tell();
    }

    fn end(&self, going: &Going, ended: Time, outcome: Outcome) {
        let mut state = self.state();
        state.going = None;
        if !going.stop.is_asked() {
            let (number, names, began) = (going.number, going.names.clone(), going.began);
            state.made = Some(Arc::new(Made { number, names, began, ended, outcome }));
        }
        drop(state);
        self.tell();
    }
}

/// What is told where planning panicked.
fn broken_off() -> Refused {
    Refused {
        message: "planning crashed: this is a bug in Coho".to_owned(),
        help: Some("run `coho plan` instead, and please report this".to_owned()),
    }
}

impl Going {
    /// Whether it was asked to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.stop.is_asked()
    }

    /// The sync whose rows are read, and how many there were so far.
    pub(crate) fn reading(&self) -> Option<(String, u64)> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Hears how far a plan is.
struct Hearing<'a> {
    going: &'a Going,
    plans: &'a Plans,
}

impl Listener for Hearing<'_> {
    fn on(&self, event: &Event) {
        if let Event::Reading { sync, rows } = event {
            let mut reading = self.going.reading.lock().unwrap_or_else(PoisonError::into_inner);
            *reading = Some((sync.as_str().to_owned(), *rows));
            self.plans.tell();
        }
    }
}

fn make(site: &Site, hearing: &Hearing<'_>, handle: &Handle) -> Outcome {
    let OpenedProject { project, files } = match (site.open)() {
        Ok(opened) => opened,
        Err(broken) => return Outcome::Broken { problems: broken.problems, files: broken.files },
    };
    match handle.block_on(plan(site, hearing, &project)) {
        Ok((planned, problems, beside)) => {
            Outcome::Plans(Box::new(Whole { project, files, planned, problems, beside }))
        }
        Err(error) => Outcome::Refused(Refused::from(&error)),
    }
}

type Parts = (Vec<Planned>, Vec<Problem>, Option<String>);

async fn plan(site: &Site, hearing: &Hearing<'_>, project: &Project) -> Result<Parts, EngineError> {
    let engine = Engine::new(site.setup(project));
    let syncs = engine.select(&hearing.going.names)?;
    let beside = match engine.ledger_to_read()? {
        Some(ledger) => engine.under_way(&ledger)?.map(|under_way| under_way.to_string()),
        None => None,
    };
    let (options, stop) = (Options::default(), &hearing.going.stop);
    let making = engine.plan_until(&syncs, &options, hearing, stop);
    // A source that does not answer is not waited for.
    let outlooks = stop.until().first(making).await.ok_or(PlanError::Interrupted)??;
    let (planned, problems) = Outlook::parted(outlooks);
    for one in &planned {
        one.table.prepare_lists()?;
    }
    Ok((planned, problems, beside))
}
