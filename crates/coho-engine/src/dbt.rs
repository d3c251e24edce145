//! Models of dbt: their tables stand in dbt's `manifest.json`, and whether a sync may read them in `run_results.json`.
//!
//! Both files are looked at whenever a sync is planned, run, previewed or checked, never when the project is loaded: dbt writes
//! them anew while a server runs, and what needs no rows needs no manifest. A file that did not change is read once.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::model::{DbtModel, Model, Relation};
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::Sync;
use coho_dbt::{AgeLimit, Standing, standing};
use coho_plan::failure::PlanError;

use crate::artifacts::{Artifacts, Snapshot};
use crate::context::Engine;
use crate::failure::EngineError;

/// A model as its source can read it.
pub(crate) struct ResolvedModel<'a> {
    pub(crate) model: Cow<'a, Model>,
    /// What dbt says of it, where it is one of dbt.
    pub(crate) standing: Option<Standing>,
}

/// What a check found out of a model of dbt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbtFinding {
    /// The model's name in the project.
    pub model: String,
    /// Its name in dbt.
    pub name: String,
    /// Its table or view.
    pub relation: String,
    /// What dbt's last command says of it.
    pub standing: Standing,
}

/// What a check found out of all models of dbt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DbtFindings {
    /// What was found.
    pub found: Vec<DbtFinding>,
    /// What is wrong with the others.
    pub problems: Vec<Problem>,
}

impl DbtFindings {
    /// What keeps syncs from running just now, or may mean that their data is old.
    pub fn warnings(&self) -> impl Iterator<Item = Problem> {
        self.found.iter().filter_map(|found| warning(&found.standing)).cloned()
    }
}

impl<'a> Engine<'a> {
    /// A model as its source can read it: the table of a model of dbt is looked up. The error says why it has none.
    pub(crate) async fn resolve(&self, model: &'a Model) -> Result<ResolvedModel<'a>, Problem> {
        let Relation::Dbt(dbt) = &model.relation else {
            return Ok(ResolvedModel { model: Cow::Borrowed(model), standing: None });
        };
        let artifacts = self.artifacts(dbt)?;
        let place = artifacts.place().clone();
        // A manifest may have a hundred megabytes: nothing else waits for it.
        let read = tokio::task::spawn_blocking(move || artifacts.read()).await;
        let read = read.unwrap_or_else(|error| {
            Err(Problem::new(Code::DBT_ARTIFACT, format!("could not read dbt's artifacts: {error}"))
                .at(&place))
        });
        self.resolve_in(model, dbt, &read?)
    }

    /// The same for whoever cannot wait: only lineage, which is told what a run just looked up.
    pub(crate) fn relation_of(&self, dbt: &DbtModel) -> Option<String> {
        let snapshot = self.artifacts(dbt).ok()?.read().ok()?;
        Some(snapshot.manifest.find(&dbt.name).ok()?.relation)
    }

    fn artifacts(&self, dbt: &DbtModel) -> Result<Arc<Artifacts>, Problem> {
        self.artifacts.clone().ok_or_else(|| {
            let message = "`coho.yaml` does not say where dbt's artifacts are";
            Problem::new(Code::MISSING_KEY, message).at(&dbt.place)
        })
    }

    fn resolve_in(
        &self,
        model: &Model,
        dbt: &DbtModel,
        snapshot: &Snapshot,
    ) -> Result<ResolvedModel<'a>, Problem> {
        let found = snapshot.manifest.find(&dbt.name).map_err(|problem| problem.at(&dbt.place))?;
        let max_age: Option<TimeDelta> = self.setup.project.dbt.as_ref().and_then(|spec| spec.max_age);
        let limit = AgeLimit { max_age, now: self.setup.clock.now() };
        let standing = match &snapshot.results {
            Ok(results) => at(&dbt.place, standing(&snapshot.manifest, &found, results.as_deref(), &limit)),
            Err(problem) => Standing::Refused(problem.clone()),
        };
        let relation = Relation::Dbt(DbtModel { relation: Some(found.relation), ..dbt.clone() });
        let model = Cow::Owned(Model { relation, ..model.clone() });
        Ok(ResolvedModel { model, standing: Some(standing) })
    }

    /// A sync's model as its source can read it.
    pub(crate) async fn resolved_model(&self, sync: &Sync) -> Result<ResolvedModel<'a>, EngineError> {
        let resolved = self.resolve(self.model(sync)?).await;
        resolved.map_err(|problem| failed(sync.id.as_str(), problem))
    }

    /// Whether dbt's last command lets a sync run. A warning where it says nothing, an error where it does not.
    pub(crate) async fn dbt_gate(&self, sync: &Sync) -> Result<Option<String>, EngineError> {
        match self.resolved_model(sync).await?.standing {
            None | Some(Standing::Passed(_)) => Ok(None),
            Some(Standing::Unknown(problem)) => Ok(Some(note(&problem))),
            Some(Standing::Refused(problem)) => Err(failed(sync.id.as_str(), problem)),
        }
    }

    /// What dbt's last command says of a sync's model, for whoever sends nothing.
    pub async fn dbt_warning(&self, sync: &Sync) -> Option<Problem> {
        warning(&self.resolved_model(sync).await.ok()?.standing?).cloned()
    }

    /// What dbt's last command says of a sync's model, as a note of its plan.
    pub(crate) async fn dbt_note(&self, sync: &Sync) -> Option<String> {
        match self.resolved_model(sync).await.ok()?.standing? {
            Standing::Passed(_) => None,
            Standing::Unknown(problem) => Some(note(&problem)),
            Standing::Refused(problem) => {
                Some(format!("`coho run` would refuse this sync: {}", note(&problem)))
            }
        }
    }

    /// Looks at all models of dbt.
    pub async fn check_dbt(&self) -> DbtFindings {
        let mut findings = DbtFindings::default();
        for model in &self.setup.project.models {
            let Relation::Dbt(dbt) = &model.relation else { continue };
            match self.resolve(model).await {
                Ok(ResolvedModel { model, standing: Some(standing) }) => {
                    let relation = match &model.relation {
                        Relation::Dbt(dbt) => dbt.relation.clone().unwrap_or_default(),
                        Relation::Sql(_) | Relation::Table(_) | Relation::File { .. } => String::new(),
                    };
                    let (model, name) = (model.name.clone(), dbt.name.clone());
                    findings.found.push(DbtFinding { model, name, relation, standing });
                }
                Ok(_) => {}
                Err(problem) if findings.problems.contains(&problem) => {}
                Err(problem) => findings.problems.push(problem),
            }
        }
        findings
    }
}

fn warning(standing: &Standing) -> Option<&Problem> {
    match standing {
        Standing::Passed(_) => None,
        Standing::Unknown(problem) | Standing::Refused(problem) => Some(problem),
    }
}

fn at(place: &Place, standing: Standing) -> Standing {
    match standing {
        Standing::Passed(passed) => Standing::Passed(passed),
        Standing::Unknown(problem) => Standing::Unknown(problem.at(place)),
        Standing::Refused(problem) => Standing::Refused(problem.at(place)),
    }
}

fn failed(name: &str, problem: Problem) -> EngineError {
    EngineError::Plan(PlanError::Problems { sync: name.to_owned(), problems: vec![problem] })
}

/// A problem in one line.
fn note(problem: &Problem) -> String {
    let help = problem.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default();
    format!("{problem}{help}")
}
