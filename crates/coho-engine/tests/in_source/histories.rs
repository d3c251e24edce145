//! Random histories: rows of every type change by next to nothing, come, leave, return, have twins and no keys; the ledger is
//! in every state; projects change. Before each run, both ways to compute the plan must give the same plan.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::Duration;

use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_engine::plan::{Filter, Options, Waiting};
use coho_simulator::ScriptedFault;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

use super::cached;
use super::drivers::{BIGQUERY, DUCKDB, SNOWFLAKE, SPARK};
use super::engines::{Engine, MARIADB, POSTGRES};
use super::scene::{ACCOUNTS, Compare, Scene, runtime};
use crate::faults;
use crate::stage::Failure;

/// Histories that are played where `PROPTEST_CASES` says nothing else; fewer of Spark and of an emulator
/// of BigQuery, which take a second and more for each query.
const CASES: u32 = 12;
const CASES_OF_SLOW_ENGINES: u32 = 2;

/// Rows that there may be.
const KEYS: u8 = 24;

/// Other mappings: fewer columns, the clock in a template, another removal, the row's place by another row.
fn mapping(number: usize) -> String {
    match number {
        1 => ACCOUNTS.replace("    n8: n8\n", ""),
        2 => {
            ACCOUNTS.replace("    n8: n8\n", "    n8: n8\n    seen: { template: \"{{ run.started_at }}\" }\n")
        }
        3 => format!("{ACCOUNTS}removed: delete-created\n"),
        4 => format!(
            "{ACCOUNTS}removed: delete-created\nguards: {{ max_removed: {{ share: 100%, floor: 100 }}, empty_source: allow, keyless_rows: allow }}\n"
        ),
        _ => ACCOUNTS.to_owned(),
    }
}

#[derive(Clone, Debug)]
enum Event {
    Sql(String),
    Model(usize),
    Mapping(usize),
    /// The memory of a key is gone.
    Forget(u8),
    Keep,
    Restore,
    Wait,
}

/// A run, or none.
#[derive(Clone, Copy, Debug)]
enum Kind {
    None,
    Sync,
    Full,
    Resend,
    Baseline,
    Limited,
    OfKey(u8),
    Waiting,
}

#[derive(Clone, Debug)]
struct Step {
    events: Vec<Event>,
    faults: Vec<ScriptedFault>,
    kind: Kind,
}

fn id(key: u8) -> String {
    format!("'key-{key}'")
}

fn insert(keys: impl IntoIterator<Item = u8>) -> String {
    let row = |key: u8| format!("({}, {key}, 'a{key}', 'A', 1)", id(key));
    let rows: Vec<_> = keys.into_iter().map(row).collect();
    format!("INSERT INTO items (id, k, external, name, n8) VALUES {}", rows.join(", "))
}

fn sql(engine: &'static Engine) -> impl Strategy<Value = String> {
    let change = (prop::sample::select(engine.values), any::<prop::sample::Index>(), 0..KEYS).prop_map(
        |((name, values), value, key)| {
            format!("UPDATE items SET {name} = {} WHERE id = {}", value.get(values), id(key))
        },
    );
    let key = 0..KEYS;
    prop_oneof![
        10 => change,
        2 => key.clone().prop_map(|key| insert([key])),
        1 => key.clone().prop_map(|key| format!("DELETE FROM items WHERE id = {}", id(key))),
        1 => key.clone().prop_map(|key| format!("INSERT INTO items SELECT * FROM items WHERE id = {} LIMIT 1", id(key))),
        1 => key.clone().prop_map(|key| engine.delete_twin.replace("{id}", &id(key))),
        1 => key.clone().prop_map(|key| format!("UPDATE items SET id = NULL WHERE id = {}", id(key))),
        1 => Just("DELETE FROM items WHERE id IS NULL OR length(id) > 1000".to_owned()),
        1 => key.clone().prop_map(|key| format!("UPDATE items SET id = repeat('x', 2000) WHERE id = {}", id(key))),
        1 => (key.clone(), key).prop_map(|(one, other)| format!(
            "UPDATE items SET external = CASE id WHEN {0} THEN (SELECT max(external) FROM items WHERE id = {1}) ELSE (SELECT max(external) FROM items WHERE id = {0}) END WHERE id IN ({0}, {1})",
            id(one), id(other))),
        1 => Just(engine.shuffle.to_owned()),
        1 => prop::sample::select(engine.settings).prop_map(str::to_owned),
    ]
}

fn event(engine: &'static Engine, cached: bool) -> impl Strategy<Value = Event> {
    let of_cache = prop::sample::select(cached::EVENTS).prop_map(|sql| Event::Sql(sql.to_owned()));
    prop_oneof![
        u32::from(cached) * 3 => of_cache,
        20 => sql(engine).prop_map(Event::Sql),
        1 => Just(Event::Sql("TRUNCATE items".to_owned())),
        2 => (0..KEYS).prop_map(Event::Forget),
        1 => (0..engine.models.len()).prop_map(Event::Model),
        2 => (0..5_usize).prop_map(Event::Mapping),
        2 => Just(Event::Keep),
        1 => Just(Event::Restore),
        2 => Just(Event::Wait),
    ]
}

fn step(engine: &'static Engine, cached: bool) -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        1 => Just(Kind::None),
        12 => Just(Kind::Sync),
        2 => Just(Kind::Full),
        1 => Just(Kind::Resend),
        1 => Just(Kind::Baseline),
        1 => Just(Kind::Limited),
        1 => (0..KEYS).prop_map(Kind::OfKey),
        1 => Just(Kind::Waiting),
    ];
    let faults = prop_oneof![3 => Just(Vec::new()), 1 => faults::some(faults::of_writes(&["accounts"]))];
    (prop::collection::vec(event(engine, cached), 0..6), faults, kind)
        .prop_map(|(events, faults, kind)| Step { events, faults, kind })
}

impl Kind {
    fn options(self) -> Options {
        let options = Options::default();
        let filtered = |filter| Options { filter, ..Options::default() };
        match self {
            Self::None | Self::Sync | Self::Full => options,
            Self::Resend => Options { run_kind: RunKind::Resend, ..options },
            Self::Baseline => Options { run_kind: RunKind::Baseline, ..options },
            Self::Limited => filtered(Filter { limit: Some(2), ..Filter::default() }),
            Self::OfKey(key) => {
                filtered(Filter { key: Some(Key::new(format!("key-{key}"))), ..Filter::default() })
            }
            Self::Waiting => filtered(Filter { waiting: Waiting::Only, ..Filter::default() }),
        }
    }
}

/// How often rows were left where they are, of how many plans.
#[derive(Debug, Default)]
struct Tally {
    plans: u32,
    compared: u32,
}

fn happen(scene: &mut Scene, event: &Event) -> Result<(), Failure> {
    match event {
        Event::Sql(sql) => scene.sql(sql),
        Event::Model(number) => {
            let (relation, key) = scene.engine.models[*number];
            scene.model(relation, key);
            Ok(())
        }
        Event::Mapping(number) => {
            scene.stage.sync("accounts", &mapping(*number));
            Ok(())
        }
        Event::Forget(key) if scene.stage.ledger().exists() => {
            let sql = format!("DELETE FROM memory WHERE key = 'key-{key}' AND pending <> 'open'");
            Ok(rusqlite::Connection::open(scene.stage.ledger())?.execute_batch(&sql)?)
        }
        Event::Keep if scene.stage.ledger().exists() => scene.keep_ledger(),
        Event::Restore => scene.restore_ledger(),
        Event::Wait => {
            scene.stage.advance(Duration::from_secs(2 * 24 * 3_600));
            Ok(())
        }
        Event::Forget(_) | Event::Keep => Ok(()),
    }
}

async fn play(scene: &mut Scene, steps: &[Step], tally: &mut Tally) -> Result<(), Failure> {
    scene.clear()?;
    scene.sql(&insert(0..KEYS))?;
    scene.run(&Options::default()).await?;
    for (number, step) in steps.iter().enumerate() {
        for event in &step.events {
            happen(scene, event)?;
        }
        let options = step.kind.options();
        for options in [&options, &Options::default()] {
            let agreed = scene.agree(options).await;
            let how = agreed.map_err(|error| format!("step {number}: {error}"))?;
            tally.plans += 1;
            tally.compared += u32::from(how.starts_with("compared "));
        }
        scene.compare(if matches!(step.kind, Kind::Full) { Compare::Full } else { Compare::InSource });
        for fault in &step.faults {
            scene.stage.vitally.script(fault.clone());
        }
        if !matches!(step.kind, Kind::None) {
            scene.run(&options).await?;
        }
        scene.stage.vitally.clear_script();
    }
    Ok(())
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_of_postgres() {
    whatever_happens(&POSTGRES, "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_of_postgres");
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_of_mariadb() {
    whatever_happens(&MARIADB, "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_of_mariadb");
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_of_duckdb() {
    whatever_happens(&DUCKDB, "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_of_duckdb");
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_of_snowflakes_emulator() {
    whatever_happens(
        &SNOWFLAKE,
        "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_of_snowflakes_emulator",
    );
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_of_bigquerys_emulator() {
    whatever_happens(
        &BIGQUERY,
        "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_of_bigquerys_emulator",
    );
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_of_spark() {
    whatever_happens(&SPARK, "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_of_spark");
}

#[test]
fn whatever_happens_the_plan_is_that_of_a_full_read_beside_a_cache_in_postgres() {
    let test = "coho-engine: whatever_happens_the_plan_is_that_of_a_full_read_beside_a_cache_in_postgres";
    let runtime = runtime();
    let Some(mut scene) = runtime.block_on(Scene::new(&POSTGRES, test)).unwrap() else { return };
    scene.with_a_cache();
    whatever_happens_in(&runtime, scene, true);
}

fn whatever_happens(engine: &'static Engine, test: &str) {
    let runtime = runtime();
    let Some(scene) = runtime.block_on(Scene::new(engine, test)).unwrap() else { return };
    whatever_happens_in(&runtime, scene, false);
}

fn whatever_happens_in(runtime: &Runtime, scene: Scene, cached: bool) {
    let engine = scene.engine;
    let state = RefCell::new((scene, Tally::default()));
    let is_slow = ["BigQuery", "Spark"].contains(&engine.name);
    let usual = if is_slow { CASES_OF_SLOW_ENGINES } else { CASES };
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let histories = prop::collection::vec(step(engine, cached), 1..10);
    TestRunner::new(config)
        .run(&histories, |steps| {
            let (scene, tally) = &mut *state.borrow_mut();
            let played = runtime.block_on(play(scene, &steps, tally));
            played.map_err(|failure| TestCaseError::fail(failure.to_string()))
        })
        .unwrap();
    let tally = &state.borrow().1;
    std::io::stderr().write_all(format!("{tally:?}\n").as_bytes()).unwrap();
    assert!(tally.compared * 4 > tally.plans, "too few plans were compared in the source: {tally:?}");
}
