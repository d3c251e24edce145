//! What people see of whole histories: `fixtures/runs/*.yaml` in, for each run the plan's text, the calls and the run's text
//! (`*.snap` beside it).
//!
//! A case has `syncs` (the text of each), `before` (records that Vitally has, by their plural), `refuses` (the runs in which
//! the first write is refused, from 1), `analytics` (whether the destination has that API's token too), and `runs` (SQL on
//! the source before each).

#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use coho_report::style::Style;
use coho_report::text;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Seed, SimulatorTime, Trouble};
use serde::Deserialize;

use stage::{Failure, START, Stage};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    syncs: BTreeMap<String, String>,
    #[serde(default)]
    analytics: bool,
    #[serde(default)]
    before: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    refuses: Vec<usize>,
    runs: Vec<String>,
}

fn runs(path: &Path) -> datatest_stable::Result<()> {
    let case: Case = serde_saphyr::from_str(&std::fs::read_to_string(path)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    snapshot(path, &runtime.block_on(play(&case))?)
}

async fn play(case: &Case) -> Result<String, Failure> {
    let syncs: Vec<_> = case.syncs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut stage = Stage::with(&syncs).await?;
    if case.analytics {
        stage.analytics();
    }
    for (plural, ids) in &case.before {
        let object = RecordKind::from_plural(plural).ok_or("no such object")?;
        let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
        for id in ids {
            stage.vitally.seed(Seed::new(object, Some(id)).made_at(long_ago))?;
        }
    }
    let mut told = String::new();
    for (at, sql) in case.runs.iter().enumerate() {
        stage.sql(sql)?;
        if case.refuses.contains(&(at + 1)) {
            let body = Some(r#"{"error":"this is no name"}"#.to_owned());
            let answer = FaultAnswer { body, ..FaultAnswer::status(400) };
            stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)));
        }
        let ran = stage.run().await?;
        let plan = text::plan(&ran.plans, &Style::default());
        let calls = if ran.calls.is_empty() { "none".to_owned() } else { ran.calls.join("\n") };
        let run = text::run(&ran.report.syncs, &Style::default());
        write!(told, "== run {}\n-- plan\n{plan}-- calls\n{calls}\n-- run\n{run}", at + 1)?;
    }
    Ok(told)
}

fn snapshot(path: &Path, text: &str) -> datatest_stable::Result<()> {
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/runs"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
    Ok(())
}

datatest_stable::harness! {
    { test = runs, root = "fixtures/runs", pattern = r"\.yaml$" },
}
