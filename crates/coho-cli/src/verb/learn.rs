//! `coho baseline` and `coho adopt`: what is there is remembered, and nothing is sent.

use std::sync::{Mutex, PoisonError};

use coho_core::decide::RunKind;
use coho_core::event::{Event, Listener};
use coho_core::plan::SyncPlan;
use coho_engine::lost::OnLost;
use coho_engine::plan::Filter;
use coho_engine::run::Options;

use crate::args::Global;
use crate::exit::Exit;
use crate::progress::Progress;
use crate::traced::Traced;
use crate::verb::plan::style;
use crate::verb::run::told;
use crate::{engine, print, project, signal, started};

/// Remembers the rows of a sync, as they are or as far as Vitally holds them.
pub(crate) async fn learn(
    global: &Global,
    sync: &str,
    key: Option<String>,
    run_kind: RunKind,
) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let (stop, _listening) = signal::stop_after_calls();
    let key = crate::key::typed(key.as_deref(), &loaded.project, &syncs)?;
    let filter = Filter { key, ..Filter::default() };
    let options = Options {
        filter,
        run_kind,
        on_lost: OnLost::BeginAnew,
        started: started::by_command(&loaded.files, &loaded.root),
        ..Options::default()
    };
    let heard = Heard { progress: Progress::new(global), plans: Mutex::default() };
    let report = engine.run(&syncs, &options, &Traced::new(&heard, global), &stop).await?;
    let plans = heard.plans.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !global.json && plans.iter().any(|plan| !plan.samples.is_empty() || !plan.notes.is_empty()) {
        print::out(&format!("{}\n", coho_report::text::plan(&plans, &style())))?;
    }
    told(global, &loaded, &report, options.filter.key.as_ref())
}

/// Shows progress, and keeps what was planned.
struct Heard {
    progress: Progress,
    plans: Mutex<Vec<SyncPlan>>,
}

impl Listener for Heard {
    fn on(&self, event: &Event) {
        if let Event::Planned(plan) = event {
            self.plans.lock().unwrap_or_else(PoisonError::into_inner).push((**plan).clone());
        }
        self.progress.on(event);
    }
}
