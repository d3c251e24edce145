//! The laws, over generated histories: rows appear, change, leave and return, external ids change and are swapped, mappings
//! and policies change, calls fail. After each disturbed run comes one without trouble, and then everything must be right.
//!
//! Law 1 (conservation) is asserted by the engine in every run, and [`Stage::run`] holds each plan against its run. Here are
//! laws 3 (nothing new, nothing sent), 5 (removals) and 9 (no second record), against an oracle that knows only rows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::{RecordKind, ScriptedFault, Seed, SimulatorTime, Switches};
use proptest::prelude::*;

use crate::oracle::{faults, played};
use crate::stage::{ACCOUNTS, Failure, START, Stage};

/// A row: its external id, plan and seats.
#[derive(Clone, Debug)]
struct Row {
    external: String,
    plan: Option<&'static str>,
    seats: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mapping {
    null: &'static str,
    more: &'static str,
}

/// One run, with what holds when it begins.
#[derive(Clone, Debug)]
struct Step {
    rows: BTreeMap<u8, Row>,
    policy: &'static str,
    mapping: Mapping,
    faults: Vec<ScriptedFault>,
}

fn rows() -> impl Strategy<Value = BTreeMap<u8, Row>> {
    let external = prop::sample::select(vec!["e0", "e1", "e2", "e3", "e4"]);
    let plan = prop::sample::select(vec![None, Some("x"), Some("y")]);
    let row = (external, plan, 0..2_u8).prop_map(|(external, plan, seats)| {
        let external = external.to_owned();
        Row { external, plan, seats }
    });
    // Mostly each key has an external id of its own, as it should be.
    let own = (0..5_u8, row, prop::bool::weighted(0.6)).prop_map(|(key, row, own)| {
        let external = if own { format!("e{key}") } else { row.external.clone() };
        (key, Row { external, ..row })
    });
    prop::collection::vec(own, 0..5).prop_map(|rows| rows.into_iter().collect())
}

fn step() -> impl Strategy<Value = Step> {
    let policy = prop::sample::select(vec!["keep", "delete", "delete-created"]);
    let null = prop::sample::select(vec!["follow", "follow", "omit", "clear"]);
    let more = prop::sample::select(vec!["", "", ", tier: plan"]);
    let mapping = (null, more).prop_map(|(null, more)| Mapping { null, more });
    let faults = prop_oneof![1 => Just(Vec::new()), 3 => faults::some(faults::of_writes(&["accounts"]))];
    (rows(), policy, mapping, faults).prop_map(|(rows, policy, mapping, faults)| Step {
        rows,
        policy,
        mapping,
        faults,
    })
}

/// Vitally in some readings of what its documentation leaves open.
const VITALLYS: [&str; 7] = [
    "strict",
    "conflicting-post",
    "upserting-post",
    "ext_in_path=off",
    "conflicting-post,ext_in_path=off",
    "put_missing=400,dup=400",
    "delete_missing=204,deleted_traits=null,post=201",
];

fn history() -> impl Strategy<Value = (&'static str, Vec<Step>)> {
    (prop::sample::select(VITALLYS.to_vec()), prop::collection::vec(step(), 1..5))
}

/// What is known after a run without trouble: which external id each key's row had, under which mapping.
type Held = BTreeMap<u8, (String, Mapping)>;

fn begin(stage: &mut Stage, step: &Step) -> Result<(), Failure> {
    let traits = format!(
        "traits: {{ plan: {{ column: plan, null: {} }}, seats: seats{} }}",
        step.mapping.null, step.mapping.more
    );
    let sync = ACCOUNTS
        .replace("traits: { plan: plan, seats: seats }", &traits)
        .replace("delete-created", step.policy);
    let guards = "guards: { max_removed: { share: 100%, floor: 100 }, empty_source: allow }\n";
    stage.sync("accounts", &format!("{sync}{guards}"));
    stage.sql("DELETE FROM accounts")?;
    for (key, Row { external, plan, seats }) in &step.rows {
        let plan = plan.map_or("NULL".to_owned(), |plan| format!("'{plan}'"));
        stage
            .sql(&format!("INSERT INTO accounts VALUES ({key}, '{external}', 'Name', {plan}, {seats}, 0)"))?;
    }
    Ok(())
}

/// Rows that nobody disputes: no other row has their external id, and no row holds it that cannot move away.
fn undisputed(step: &Step, held: &Held) -> BTreeSet<u8> {
    let mut fine: BTreeSet<u8> = step
        .rows
        .iter()
        .filter(|(key, row)| {
            !step.rows.iter().any(|(other, its)| other != *key && its.external == row.external)
        })
        .map(|(key, _)| *key)
        .collect();
    loop {
        let stuck = |key: &u8| step.rows.contains_key(key) && !fine.contains(key);
        let blocked = fine.iter().copied().find(|key| {
            held.iter().any(|(other, (external, _))| {
                other != key && *external == step.rows[key].external && stuck(other)
            })
        });
        match blocked {
            Some(key) => fine.remove(&key),
            None => return fine,
        };
    }
}

/// Runs without trouble until nothing waits: what is unclear may need a look first and a removal after it.
async fn settle(stage: &Stage) -> Result<(), Failure> {
    stage.vitally.clear_script();
    for _ in 0..3 {
        // Long enough for everything that waits to be due.
        stage.advance(Duration::from_secs(2 * 24 * 3_600));
        if stage.run().await?.calls.is_empty() {
            return Ok(());
        }
    }
    Err("there is always something to send".into())
}

fn check(stage: &Stage, step: &Step, held: &Held, foreign: Option<&str>) -> Result<Held, Failure> {
    let fine = undisputed(step, held);
    for key in &fine {
        let row = &step.rows[key];
        let record = stage
            .vitally
            .record(RecordKind::Account, &row.external)
            .ok_or_else(|| format!("{key} is missing"))?;
        let is = |name: &str| record.traits.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        assert_eq!(record.traits.get("seats"), Some(&serde_json::Value::from(row.seats)), "seats of {key}");
        let same = held.get(key).is_some_and(|before| *before == (row.external.clone(), step.mapping));
        let clears = step.mapping.null == "clear" || (step.mapping.null == "follow" && same);
        if row.plan.is_some() || clears {
            assert_eq!(is("plan").as_deref(), row.plan, "plan of {key}");
        }
        if row.plan.is_some() && !step.mapping.more.is_empty() {
            assert_eq!(is("tier").as_deref(), row.plan, "tier of {key}");
        }
    }
    for (key, (external, _)) in held {
        let record = stage.vitally.record(RecordKind::Account, external);
        let wanted = step.rows.values().any(|row| row.external == *external);
        let stuck = step.rows.contains_key(key) && !fine.contains(key);
        let left = !stuck && !wanted;
        match step.policy {
            "delete" if left => assert!(record.is_none(), "{external} of {key} is left"),
            "delete-created" if left => {}
            _ => assert!(record.is_some(), "{external} of {key} is gone"),
        }
        if step.policy == "delete-created" && foreign.is_some_and(|id| external == "e0" && !id.is_empty()) {
            assert!(record.is_some(), "what was there before is gone");
        }
    }
    let mut now: Held = held
        .iter()
        .filter(|(key, _)| step.rows.contains_key(key))
        .map(|(key, held)| (*key, held.clone()))
        .collect();
    now.extend(fine.iter().map(|key| (*key, (step.rows[key].external.clone(), step.mapping))));
    Ok(now)
}

/// The id of the record that was there before Coho, while it is.
fn foreign(stage: &Stage, id: &str) -> Option<String> {
    let record = stage.vitally.record(RecordKind::Account, "e0")?;
    (record.id.to_string() == id).then(|| id.to_owned())
}

async fn play(stage: &mut Stage, switches: &str, steps: &[Step]) -> Result<(), Failure> {
    stage.clear()?;
    let limit = stage.vitally.switches().limit;
    stage.vitally.set_switches(Switches { limit, ..switches.parse()? });
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    let id = stage.vitally.seed(Seed::account("e0").name("Old").made_at(long_ago))?.to_string();
    let mut held = Held::new();
    for step in steps {
        begin(stage, step)?;
        let before = foreign(stage, &id);
        stage.advance(Duration::from_secs(60));
        step.faults.iter().for_each(|fault| stage.vitally.script(fault.clone()));
        stage.try_run(&Options::default(), &Silence, &Stop::new()).await??;
        settle(stage).await?;
        held = check(stage, step, &held, before.as_deref())?;
        let open = stage.ask_ledger("SELECT key FROM memory WHERE pending = 'open'")?;
        assert_eq!(open, [""; 0], "an outcome stays unknown");
    }
    Ok(())
}

#[test]
fn whatever_happens_the_laws_hold() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stage = runtime.block_on(Stage::accounts()).unwrap();
    let stage = std::cell::RefCell::new(stage);
    played(&history(), |(switches, steps)| runtime.block_on(play(&mut stage.borrow_mut(), switches, steps)));
}
