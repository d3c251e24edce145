//! `coho check`: what is wrong, and what is probably not meant, all of it.

use coho_core::code::Code;
use coho_engine::check::Checked;
use coho_mapping::{Mapping, Specification};

use crate::args::Global;
use crate::exit::Exit;
use crate::verb::{dbt, schedules};
use crate::{engine, print, project};

/// Checks files, and unless it is offline, sources, destinations and traits.
pub(crate) async fn check(global: &Global, offline: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[])?;
    project::has_syncs(&loaded)?;
    let mut checked = if offline {
        let problems =
            syncs.iter().flat_map(|sync| Mapping::template_problems(&Specification::of(sync))).collect();
        let mut warnings = loaded.project.warnings.clone();
        warnings.extend(syncs.iter().flat_map(|sync| Mapping::template_warnings(&Specification::of(sync))));
        let dbt = engine.check_dbt().await;
        // Whoever checks files alone may not have dbt's artifacts.
        let (absent, wrong): (Vec<_>, Vec<_>) =
            dbt.problems.iter().cloned().partition(|problem| problem.code == Code::DBT_ARTIFACT);
        warnings.extend(absent.into_iter().chain(dbt.warnings()));
        Checked { problems: [problems, wrong].concat(), warnings, dbt: dbt.found, ledger: None }
    } else {
        engine.check(&syncs).await
    };
    let now = chrono::Utc::now();
    checked.warnings.extend(schedules::skipped(&loaded.project, now));
    if !checked.problems.is_empty() {
        return Err(project::report_all(&checked.problems, &checked.warnings, &loaded.files));
    }
    if global.json {
        let mut document = project::warnings_as_json(&checked.warnings);
        if !checked.dbt.is_empty() {
            document["dbt"] = dbt::json(&checked.dbt);
        }
        if let Some(ledger) = &checked.ledger {
            document["ledger"] = serde_json::json!({ "place": ledger.place, "exists": ledger.exists });
        }
        document["schedules"] = schedules::json(&loaded.project, now);
        print::json(&document)?;
        return Ok(Exit::Done);
    }
    project::warn(&checked.warnings, &loaded.files);
    let looked_at = if offline { "files" } else { "files, sources, mappings and destinations" };
    let syncs = print::counted(loaded.project.syncs.len() as u64, "sync");
    let models = print::counted(loaded.project.models.len() as u64, "model");
    print::out(&format!("{syncs} of {models}: {looked_at} are OK{}\n", but(checked.warnings.len())))?;
    if let Some(ledger) = &checked.ledger {
        print::out(&format!("{ledger}\n"))?;
    }
    print::out(&dbt::text(&checked.dbt))?;
    print::out(&schedules::text(&loaded.project, now))?;
    Ok(Exit::Done)
}

/// Warnings do not keep anything from running.
fn but(warnings: usize) -> String {
    match warnings {
        0 => String::new(),
        count => format!(", with {}", print::counted(count as u64, "warning")),
    }
}
