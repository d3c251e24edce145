//! Planning syncs of a project: what each plan is made from. The making itself is `coho-plan`'s.

use std::ops::ControlFlow;

use coho_core::decide::RunKind;
use coho_core::event::{Event, Listener};
use coho_core::model::Model;
use coho_core::object::Object;
use coho_core::problem::Problem;
use coho_core::started::{Stage, Started};
use coho_core::sync::{Sync, SyncId};
use coho_ledger::Ledger;
use coho_ledger::scope::SyncScope;
use coho_plan::adopt::Held;
pub use coho_plan::failure::PlanError;
use coho_plan::first_run;
use coho_plan::job::{Comparing, Job};
pub use coho_plan::job::{Filter, Waiting};
pub use coho_plan::planned::Planned;
use coho_plan::progress::Step;
use coho_plan::stop::Stop;
use coho_plan::table::Table;
pub use coho_plan::table::TableError;
pub use coho_plan::table::list::{PlanRow, Which};

use crate::approved::ApprovedPlan;
use crate::context::Engine;
use crate::failure::EngineError;
use crate::isolated::Isolated;
use crate::lost::OnLost;
use crate::owner::OnForeign;
use crate::repeats;

/// What templates read as the run's id in a plan.
const PLAN: &str = "plan";

/// What is planned or run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which rows.
    pub filter: Filter,
    /// What for.
    pub run_kind: RunKind,
    /// What may be sent, where a person agreed to a plan.
    pub approved: Option<ApprovedPlan>,
    /// What is done where the ledger is gone.
    pub on_lost: OnLost,
    /// What is done where the ledger is another project's.
    pub on_foreign: OnForeign,
    /// What started the run, as the ledger is to remember it. A plan needs none.
    pub started: Started,
    /// Which syncs a run begins with.
    pub begins: Begins,
}

/// Which syncs a run begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Begins {
    /// With all that are named.
    #[default]
    Always,
    /// With those for which a run is still asked for when the run has the ledger: another process may have been faster.
    IfAsked,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            run_kind: RunKind::Sync,
            approved: None,
            on_lost: OnLost::Refuse,
            on_foreign: OnForeign::Refuse,
            started: Started::default(),
            begins: Begins::Always,
        }
    }
}

/// What a plan of one sync came to.
#[derive(Debug)]
pub enum Outlook {
    /// What would be sent.
    Plan(Box<Planned>),
    /// Why it cannot be planned.
    Failed {
        /// The sync.
        sync: String,
        /// All that is wrong.
        problems: Vec<Problem>,
    },
}

impl Outlook {
    /// The plans, and all that is wrong with the syncs that have none.
    pub fn parted(outlooks: Vec<Self>) -> (Vec<Planned>, Vec<Problem>) {
        let (mut planned, mut problems) = (Vec::new(), Vec::new());
        for outlook in outlooks {
            match outlook {
                Self::Plan(one) => planned.push(*one),
                Self::Failed { problems: found, .. } => problems.extend(found),
            }
        }
        (planned, problems)
    }
}

impl Engine<'_> {
    /// Plans syncs. Nothing is sent, and the ledger is only read.
    pub async fn plan(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
    ) -> Result<Vec<Outlook>, EngineError> {
        self.plan_until(syncs, options, listener, &Stop::new()).await
    }

    /// The same, for whoever may ask it to end.
    pub async fn plan_until(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Result<Vec<Outlook>, EngineError> {
        let listener = &Isolated(listener);
        self.temporary()?;
        let ledger = self.ledger_to_read()?;
        if let Some(ledger) = &ledger {
            self.look_for_owner(ledger, options.on_foreign)?;
        }
        self.look_for_memory(ledger.as_ref(), syncs, options.on_lost)?;
        let ledger = match ledger {
            // What a run that is under way sends now is its own to say.
            Some(ledger) if self.under_way(&ledger)?.is_some() => ledger,
            Some(ledger) => ledger.unfolded(self.setup.clock.now())?,
            None => Ledger::temporary(self.setup.clock.now())?,
        };
        let (beat, began) = (|| (), |_, _| ());
        let making = Planner {
            engine: self,
            run: PLAN,
            ledger: &ledger,
            options,
            listener,
            stop,
            beat: &beat,
            began: &began,
        };
        let mut outlooks = Vec::new();
        for sync in syncs {
            let scope = self.scope(&ledger, sync)?;
            let planned = {
                let before = before(sync, syncs, &outlooks);
                making.plan(sync, scope.as_ref(), &before).await
            };
            outlooks.push(match planned {
                Ok(mut planned) => {
                    planned.plan.notes.extend(self.dbt_note(sync).await);
                    listener.on(&Event::Planned(Box::new(planned.plan.clone())));
                    Outlook::Plan(Box::new(planned))
                }
                Err(EngineError::Plan(PlanError::Problems { sync, problems })) => {
                    Outlook::Failed { sync, problems }
                }
                Err(error) => return Err(error),
            });
        }
        Ok(outlooks)
    }

    /// A sync of events that the project has no more, and that this one may be under another id.
    pub(crate) fn earlier(&self, ledger: &Ledger, sync: &Sync) -> Result<Option<SyncId>, EngineError> {
        let remembered = ledger.remembered(&self.workspace(&sync.destination))?;
        Ok(repeats::predecessor(self.setup.project, sync, &remembered).cloned())
    }
}

/// The plans of syncs that write the same records as this one, and are carried out before it.
fn before<'p>(sync: &Sync, syncs: &[&'p Sync], outlooks: &'p [Outlook]) -> Vec<(&'p SyncId, &'p Table)> {
    let same = |other: &Sync| (other.object, &other.destination) == (sync.object, &sync.destination);
    let planned = syncs.iter().zip(outlooks).filter(|(other, _)| same(other));
    let table = |(other, outlook): (&&'p Sync, &'p Outlook)| match outlook {
        Outlook::Plan(planned) => Some((&other.id, &*planned.table)),
        Outlook::Failed { .. } => None,
    };
    planned.filter_map(table).collect()
}

/// Plans the syncs of one run.
pub(crate) struct Planner<'a> {
    pub(crate) engine: &'a Engine<'a>,
    /// The run's id, as templates read it.
    pub(crate) run: &'a str,
    pub(crate) ledger: &'a Ledger,
    pub(crate) options: &'a Options,
    pub(crate) listener: &'a dyn Listener,
    pub(crate) stop: &'a Stop,
    /// Called now and then, so that a lease does not run out.
    pub(crate) beat: &'a (dyn Fn() + std::marker::Sync),
    /// Called where a stage begins, with how many rows went through the one before.
    pub(crate) began: &'a (dyn Fn(Stage, u64) + std::marker::Sync),
}

impl Planner<'_> {
    /// Plans one sync, behind the plans of others that are not carried out yet.
    pub(crate) async fn plan(
        &self,
        sync: &Sync,
        scope: Option<&SyncScope>,
        before: &[(&SyncId, &Table)],
    ) -> Result<Planned, EngineError> {
        let Self { engine, ledger, options, .. } = self;
        let model = engine.resolved_model(sync).await?.model;
        let connection = engine.connection(&model)?;
        let begun = scope.map(|scope| ledger.first_run(scope)).transpose()?.flatten();
        let first_run = first_run::first_run(sync, begun, options.run_kind);
        let run_kind = first_run::run_kind(options.run_kind, first_run);
        let now = engine.setup.clock.now();
        // Under an approved plan templates read the time and the run of the plan that was agreed to.
        let agreed = options.approved.as_ref().and_then(|approved| approved.moment(&sync.id));
        let (run, moment) = agreed.map_or((self.run, now), |moment| (PLAN, moment));
        let progress = |step| self.tell(sync, step);
        let held = self.held(sync, run_kind).await?;
        let cache = engine.cache(sync, &model);
        let job = Job {
            sync,
            filters: &engine.filters,
            model: &model,
            connection: &connection,
            comparing: self.comparing(&model),
            cache: cache.as_ref(),
            ledger,
            scope,
            run_kind,
            first_run,
            earlier: engine.earlier(ledger, sync)?,
            held,
            before,
            approved: options.approved.as_ref(),
            workspace: engine.workspace(&sync.destination),
            private: engine.private(&sync.destination),
            call_costs: engine.call_costs(ledger, &sync.destination)?,
            filter: &options.filter,
            now,
            facts: engine.facts(sync, run, moment),
            moment,
            folder: &engine.setup.temporary,
            stop: self.stop,
            progress: &progress,
        };
        let mut planned = Box::pin(coho_plan::plan(job)).await?;
        if first_run.is_some() {
            planned.plan.notes.extend(self.known_by_another_id(sync)?);
        }
        Ok(planned)
    }

    /// Where a model's rows are compared. What a plan learns nobody remembers.
    fn comparing(&self, model: &Model) -> Comparing {
        match (self.engine.compares_in_source(model), self.run) {
            (false, _) => Comparing::Here,
            (true, PLAN) => Comparing::InSource,
            (true, _) => Comparing::InSourceLearning,
        }
    }

    /// Tells how far the plan of a sync is, and whether it goes on.
    fn tell(&self, sync: &Sync, step: Step) -> ControlFlow<()> {
        (self.beat)();
        match step {
            Step::Reading(rows) => self.listener.on(&Event::Reading { sync: sync.id.clone(), rows }),
            Step::Began(stage, rows) => (self.began)(stage, rows),
            Step::Evaluating => {}
        }
        if self.stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// A hint where a sync begins, and the ledger remembers one of the same object that the project has no more.
    fn known_by_another_id(&self, sync: &Sync) -> Result<Option<String>, EngineError> {
        let syncs = &self.engine.setup.project.syncs;
        let ours = |id: &SyncId| syncs.iter().any(|sync| sync.id == *id || sync.renamed_from.contains(id));
        let remembered = self.ledger.remembered(&self.engine.workspace(&sync.destination))?;
        let other = remembered.into_iter().find(|one| one.object == sync.object && !ours(&one.sync));
        Ok(other.map(|other| {
            let id = other.sync;
            format!(
                "the ledger knows a sync `{id}` that the project does not have: if this is the same sync under a new id, write `renamed_from: {id}`"
            )
        }))
    }

    /// What Vitally holds, where rows are to be adopted.
    async fn held(&self, sync: &Sync, run_kind: RunKind) -> Result<Option<Held>, EngineError> {
        if run_kind != RunKind::Adopt {
            return Ok(None);
        }
        if sync.object == Object::Event {
            return Err(EngineError::NoAdoption { sync: sync.id.clone() });
        }
        let client = self.engine.client(self.ledger, &sync.destination)?.until(self.stop.until());
        match Held::list(&client, sync, &|step| self.tell(sync, step)).await {
            Ok(held) => Ok(Some(held)),
            Err(_) if self.stop.is_asked() => Err(PlanError::Interrupted.into()),
            Err(verdict) => {
                let destination = sync.destination.clone();
                Err(EngineError::Unanswered { destination, verdict: Box::new(verdict) })
            }
        }
    }
}
