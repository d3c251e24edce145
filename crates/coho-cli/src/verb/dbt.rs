//! `coho dbt`: what dbt is told of syncs; and what Coho found of dbt's models, for `coho check`.

use chrono::SecondsFormat;
use coho_core::model::Relation;
use coho_core::sync::Sync;
use coho_dbt::{Exposure, ExposureOwner, ModelName, Passed, Standing, exposures};
use coho_engine::dbt::DbtFinding;
use coho_project::Project;
use serde_json::{Value as Json, json};

use crate::args::{DbtAction, Global};
use crate::exit::{Exit, Known};
use crate::{print, project};

/// Prints what dbt is told.
pub(crate) fn dbt(global: &Global, action: DbtAction) -> anyhow::Result<Exit> {
    let DbtAction::Exposures { owner_name, owner_email } = action;
    let loaded = project::open_offline(global)?;
    if global.json {
        let message = "`coho dbt exposures` writes YAML, not JSON".to_owned();
        return Err(
            Known { message, help: Some("leave out --json".to_owned()), code: 2, source: None }.into()
        );
    }
    let owner = ExposureOwner { name: owner_name, email: owner_email };
    let all: Vec<Exposure> =
        loaded.project.syncs.iter().filter_map(|sync| exposure(&loaded.project, sync)).collect();
    let others = loaded.project.syncs.len() - all.len();
    if others > 0 {
        let syncs = print::counted(others as u64, "sync");
        let verb = if others == 1 { "reads" } else { "read" };
        print::talk(&format!(
            "{syncs} {verb} no dbt model (`dbt:`) and {} left out",
            if others == 1 { "is" } else { "are" }
        ));
    }
    print::out(&exposures(&all, &owner))?;
    Ok(Exit::Done)
}

/// A sync that reads a model of dbt.
fn exposure(project: &Project, sync: &Sync) -> Option<Exposure> {
    let Relation::Dbt(dbt) = &project.model(&sync.model)?.relation else { return None };
    let (objects, public) = (sync.object.plural(), project.alerts.public_url.as_deref());
    Some(Exposure {
        id: sync.id.as_str().to_owned(),
        label: format!("Vitally {objects} ({})", sync.id),
        description: format!(
            "Sends rows of this model to Vitally as {objects}, to the destination `{}`: sync `{}` of the Coho project `{}`.",
            sync.destination, sync.id, project.name
        ),
        model: ModelName::parse(&dbt.name),
        url: public.map(|public| format!("{public}/runs?sync={}", sync.id)),
    })
}

/// What was found of models of dbt, a line for each.
pub(crate) fn text(found: &[DbtFinding]) -> String {
    let line = |one: &DbtFinding| {
        format!("dbt model {} of `{}`: {}, {}\n", one.name, one.model, one.relation, state(&one.standing))
    };
    found.iter().map(line).collect()
}

/// The same as a document.
pub(crate) fn json(found: &[DbtFinding]) -> Json {
    let document = |one: &DbtFinding| {
        let mut document = json!({ "model": one.model, "name": one.name, "relation": one.relation });
        match &one.standing {
            Standing::Passed(passed) => {
                document["state"] = "passed".into();
                document["at"] = passed.at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)).into();
                document["built"] = passed.built.into();
                document["tests"] = passed.tests.into();
            }
            Standing::Unknown(problem) => {
                document["state"] = "unknown".into();
                document["code"] = problem.code.as_str().into();
            }
            Standing::Refused(problem) => {
                document["state"] = "refused".into();
                document["code"] = problem.code.as_str().into();
            }
        }
        document
    };
    found.iter().map(document).collect()
}

/// `built and 3 tests passed on 2026-11-28 06:00:00Z`, `not sent [dbt-failed]`.
fn state(standing: &Standing) -> String {
    match standing {
        Standing::Passed(Passed { at, built, tests }) => {
            let tested = (*tests > 0).then(|| format!("{} passed", print::counted(*tests as u64, "test")));
            let built = built.then(|| "built".to_owned());
            let what = built.into_iter().chain(tested).collect::<Vec<_>>().join(" and ");
            let at = at.map(|at| format!(" on {}", at.format("%Y-%m-%d %H:%M:%SZ")));
            format!("{what}{}", at.unwrap_or_default())
        }
        Standing::Unknown(problem) => format!("state unknown [{}]", problem.code),
        Standing::Refused(problem) => format!("not sent [{}]", problem.code),
    }
}
