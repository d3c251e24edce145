//! Models of dbt: which table is read, and when dbt's last command keeps a sync from reading it.

use std::fs;
use std::time::Duration;

use coho_core::code::Code;
use coho_core::event::Silence;
use coho_core::plan::SyncStatus;
use coho_core::problem::Problem;
use coho_core::sync::SyncId;
use coho_dbt::Standing;
use coho_engine::plan::Filter;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_ledger::run::RunStatus;

use crate::stage::{Failure, Stage, USERS, told};

const MANIFEST: &str = r#"{ "nodes": {
    "model.shop.customers": { "resource_type": "model", "package_name": "shop", "name": "customers",
        "relation_name": "\"main\".\"accounts\"" },
    "test.shop.a": { "resource_type": "test", "name": "unique_id", "depends_on": { "nodes": ["model.shop.customers"] } }
} }"#;

/// A stage whose accounts are the model `customers` of dbt.
async fn stage(settings: &str) -> Result<Stage, Failure> {
    let mut stage = Stage::accounts().await?;
    stage.setting(&format!("dbt: {settings}"));
    stage.file("models/accounts.yaml", "source: app\ndbt: customers\nprimary_key: id\n");
    stage.sql("INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'free', 5, 0)")?;
    fs::create_dir(stage.folder.path().join("dbt"))?;
    artifact(&stage, "manifest.json", MANIFEST)?;
    Ok(stage)
}

fn artifact(stage: &Stage, name: &str, text: &str) -> Result<(), Failure> {
    Ok(fs::write(stage.folder.path().join("dbt").join(name), text)?)
}

/// dbt ends a command at 2026-01-02T03:00:00Z, four minutes before the stage begins.
fn dbt_ends(stage: &Stage, command: &str, results: &[(&str, &str)]) -> Result<(), Failure> {
    let results: Vec<_> =
        results.iter().map(|(id, status)| serde_json::json!({ "unique_id": id, "status": status })).collect();
    let document = serde_json::json!({
        "metadata": { "generated_at": "2026-01-02T03:00:00Z" }, "args": { "which": command }, "results": results,
    });
    artifact(stage, "run_results.json", &document.to_string())
}

/// How a run ended, which calls it made, and what it notes.
async fn ran(stage: &Stage) -> Result<(String, usize, Vec<String>), Failure> {
    let ran = stage.run_alone().await?;
    let summary = &ran.report.syncs[0];
    Ok((told::summary(summary), ran.calls.len(), summary.notes.clone()))
}

#[tokio::test]
async fn a_model_of_dbt_is_the_table_that_its_manifest_names() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    dbt_ends(&stage, "build", &[("model.shop.customers", "success"), ("test.shop.a", "warn")])?;
    let ran = stage.run().await?;
    assert_eq!(told::summary(&ran.report.syncs[0]), "completed: 1 delivered");
    assert!(ran.report.syncs[0].notes.is_empty() && ran.plans[0].notes.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_failed_in_dbt_is_not_sent() -> Result<(), Failure> {
    let model = "model.shop.customers";
    for results in [
        vec![(model, "error")],
        vec![(model, "skipped")],
        vec![(model, "success"), ("test.shop.a", "fail")],
        vec![(model, "success"), ("test.shop.a", "error")],
        vec![(model, "success"), ("test.shop.a", "skipped")],
    ] {
        let stage = stage("{ target: dbt }").await?;
        dbt_ends(&stage, "build", &results)?;
        let (summary, calls, _) = ran(&stage).await?;
        assert_eq!(summary, "failed (dbt-failed): nothing", "{results:?}");
        assert_eq!(calls, 0);
        let project = stage.project()?;
        let engine = stage.engine(&project);
        let ledger = engine.ledger_to_read()?.ok_or("no ledger")?;
        let runs = ledger.runs(1)?;
        assert_eq!(runs[0].status, RunStatus::Failed);
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_is_refused_before_the_source_is_read() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    stage.sql("DROP TABLE accounts")?;
    dbt_ends(&stage, "run", &[("model.shop.customers", "error")])?;
    assert_eq!(ran(&stage).await?.0, "failed (dbt-failed): nothing");
    Ok(())
}

#[tokio::test]
async fn a_plan_and_a_preview_warn_and_go_on() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    dbt_ends(&stage, "build", &[("model.shop.customers", "success"), ("test.shop.a", "fail")])?;
    let plans = stage.plan().await?;
    assert_eq!(plans[0].counts.writes, 1);
    assert_eq!(
        plans[0].notes,
        [
            "`coho run` would refuse this sync: dbt's last command, `dbt build`, failed for the model `customers`: test \
             unique_id (fail) [dbt-failed]: fix it in dbt, run `dbt build`, and run the sync again"
        ]
    );
    let project = stage.project()?;
    let engine = stage.engine(&project);
    let sync = project.sync(&SyncId::new("accounts")).ok_or("no sync")?;
    assert_eq!(engine.preview(sync, &Filter::default(), &Stop::new()).await?.len(), 1);
    let warning = engine.dbt_warning(sync).await.ok_or("no warning")?;
    assert_eq!(warning.place.unwrap().to_string(), "models/accounts.yaml:2:6");
    Ok(())
}

#[tokio::test]
async fn what_dbt_did_not_say_is_a_warning() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    let (summary, _, notes) = ran(&stage).await?;
    assert_eq!(summary, "completed: 1 delivered");
    assert_eq!(
        notes,
        [
            "dbt left no run_results.json, so the state of `customers` is unknown [dbt-unknown]: run `dbt build` before the \
             sync"
        ]
    );
    dbt_ends(&stage, "run", &[("model.shop.others", "error")])?;
    let (summary, _, notes) = ran(&stage).await?;
    assert_eq!(summary, "completed: 1 unchanged");
    assert!(notes[0].contains("did not build or test the model `customers` [dbt-unknown]"), "{notes:?}");
    Ok(())
}

#[tokio::test]
async fn results_that_are_too_old_refuse() -> Result<(), Failure> {
    let stage = stage("{ target: dbt, max_age: 1h }").await?;
    dbt_ends(&stage, "build", &[("model.shop.customers", "success")])?;
    assert_eq!(ran(&stage).await?.0, "completed: 1 delivered");
    stage.advance(Duration::from_secs(60 * 60));
    assert_eq!(ran(&stage).await?.0, "failed (dbt-stale): nothing");
    Ok(())
}

#[tokio::test]
async fn other_syncs_run() -> Result<(), Failure> {
    let mut stage = stage("{ target: dbt }").await?;
    stage.sync("users", USERS);
    dbt_ends(&stage, "build", &[("model.shop.customers", "error")])?;
    let ran = stage.run_alone().await?;
    let ends: Vec<_> = ran.report.syncs.iter().map(told::summary).collect();
    assert_eq!(ends, ["failed (dbt-failed): nothing", "completed: nothing"]);
    Ok(())
}

/// As in `coho serve`: the project stays loaded, and dbt runs meanwhile.
#[tokio::test]
async fn artifacts_are_looked_at_for_each_run() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    let project = stage.project()?;
    let engine = stage.engine(&project);
    let syncs = engine.select(&[])?;
    let mut refused = Vec::new();
    for status in ["error", "success", "partial success", "success"] {
        dbt_ends(&stage, "build", &[("model.shop.customers", status)])?;
        refused.push(engine.dbt_warning(syncs[0]).await.map(|problem| problem.code));
    }
    assert_eq!(refused, [Some(Code::DBT_FAILED), None, Some(Code::DBT_FAILED), None]);
    artifact(&stage, "manifest.json", &MANIFEST.replace("accounts", "organizations"))?;
    // That table has no columns `plan` and `seats`.
    let report = engine.run(&syncs, &Options::default(), &Silence, &Stop::new()).await?;
    assert_eq!(told::summary(&report.syncs[0]), "failed (unknown-column, unknown-column): nothing");
    Ok(())
}

/// The one problem that a check finds.
async fn wrong(stage: &Stage) -> Result<Problem, Failure> {
    let project = stage.project()?;
    let mut findings = stage.engine(&project).check_dbt().await;
    assert!(findings.found.is_empty());
    assert_eq!(findings.problems.len(), 1);
    Ok(findings.problems.remove(0))
}

#[tokio::test]
async fn a_check_says_what_was_found() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    dbt_ends(&stage, "build", &[("model.shop.customers", "success"), ("test.shop.a", "pass")])?;
    let project = stage.project()?;
    let engine = stage.engine(&project);
    let checked = engine.check(&engine.select(&[])?).await;
    assert_eq!((checked.problems.len(), checked.warnings.len()), (0, 0), "{checked:?}");
    assert_eq!(checked.dbt[0].relation, "\"main\".\"accounts\"");
    let Standing::Passed(passed) = &checked.dbt[0].standing else { return Err("not passed".into()) };
    assert_eq!((passed.built, passed.tests), (true, 1));
    Ok(())
}

#[tokio::test]
async fn artifacts_that_cannot_be_read_say_where_they_should_be() -> Result<(), Failure> {
    let stage = stage("{ target: ./dbt/ }").await?;
    artifact(&stage, "manifest.json", "{}")?;
    let problem = wrong(&stage).await?;
    assert_eq!(
        problem.to_string(),
        "cannot read `./dbt/manifest.json`: the file has no `nodes`, so it is not dbt's manifest.json [dbt-artifact]"
    );
    fs::File::create(stage.folder.path().join("dbt/manifest.json"))?.set_len((1 << 30) + 1)?;
    assert_eq!(
        wrong(&stage).await?.to_string(),
        "cannot read `./dbt/manifest.json`: the file is larger than 1 GiB [dbt-artifact]"
    );
    fs::remove_file(stage.folder.path().join("dbt/manifest.json"))?;
    let problem = wrong(&stage).await?;
    assert_eq!(problem.to_string(), "there is no `./dbt/manifest.json` [dbt-artifact]");
    assert_eq!(
        problem.help.as_deref(),
        Some("run `dbt parse` or `dbt build`, and check `target` below `dbt` in coho.yaml")
    );
    assert_eq!(problem.place.unwrap().file.as_ref(), "coho.yaml");
    assert_eq!(ran(&stage).await?.0, "failed (dbt-artifact): nothing");
    Ok(())
}

#[tokio::test]
async fn results_that_cannot_be_read_refuse_and_are_warned_of() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    artifact(&stage, "run_results.json", "{")?;
    let plans = stage.plan().await?;
    assert_eq!(plans[0].counts.writes, 1);
    let expected = "`coho run` would refuse this sync: cannot read `dbt/run_results.json`: ";
    assert!(plans[0].notes[0].starts_with(expected), "{:?}", plans[0].notes);
    assert_eq!(ran(&stage).await?.0, "failed (dbt-artifact): nothing");
    Ok(())
}

#[tokio::test]
async fn a_name_that_dbt_does_not_know_fails_its_sync() -> Result<(), Failure> {
    let mut stage = stage("{ target: dbt }").await?;
    stage.file("models/accounts.yaml", "source: app\ndbt: custmers\nprimary_key: id\n");
    let problem = wrong(&stage).await?;
    assert_eq!(problem.help.as_deref(), Some("did you mean `customers`?"));
    assert_eq!(problem.place.unwrap().to_string(), "models/accounts.yaml:2:6");
    let ran = stage.run_alone().await?;
    assert!(matches!(ran.report.syncs[0].status, SyncStatus::Failed(_)));
    Ok(())
}

#[tokio::test]
async fn a_table_that_is_not_there_is_dbts_to_build() -> Result<(), Failure> {
    let stage = stage("{ target: dbt }").await?;
    dbt_ends(&stage, "build", &[("model.shop.customers", "success")])?;
    stage.sql("DROP TABLE accounts")?;
    let ran = stage.run_alone().await?;
    let SyncStatus::Failed(problems) = &ran.report.syncs[0].status else { return Err("not failed".into()) };
    assert_eq!(
        problems[0].help.as_deref(),
        Some("check that the source is the database that dbt builds in, and run `dbt build`")
    );
    Ok(())
}
