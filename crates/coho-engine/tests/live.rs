//! The live check against a simulator: whatever ends it, no record of it stays.

#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

use coho_core::failure::Failure as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::time::Time;
use coho_engine::context::{Engine, Setup};
use coho_engine::live::{LiveError, LiveReport, Question};
use coho_engine::stop::Stop;
use coho_engine::traits::CacheUse;
use coho_ledger::lease::Holder;
use coho_project::Project;
use coho_simulator::{FaultAnswer, Profile, RecordKind, Running, ScriptedFault, Seed, Switches, Trouble};
use stage::{ACCOUNTS, Failure, Stage};

const NAME: &str = "coho-check-1";

/// More calls than a check makes.
const MOST: u64 = 100;

async fn stage(switches: &str) -> Result<Stage, Failure> {
    let switches = Switches { limit: 100_000_000, ..switches.parse()? };
    let stage = Stage::with(&[("accounts", ACCOUNTS)]).await?;
    stage.vitally.set_switches(switches);
    Ok(stage)
}

async fn check(stage: &Stage, project: &Project, stop: &Stop) -> Result<LiveReport, Failure> {
    Ok(stage.engine(project).check_live("vitally", NAME, stop).await?)
}

fn records(vitally: &Running) -> usize {
    [RecordKind::Organization, RecordKind::Account, RecordKind::User]
        .map(|object| vitally.count(object))
        .iter()
        .sum()
}

fn answer(report: &LiveReport, question: Question, object: Object) -> Option<&str> {
    let found = report
        .learned
        .iter()
        .find(|learned| learned.question == question && learned.object.is_none_or(|of| of == object));
    found.map(|learned| learned.answer.as_str())
}

#[tokio::test]
async fn every_profile_is_told_by_its_answers_and_left_as_it_was() {
    for profile in Profile::ALL {
        let stage = stage(profile.name()).await.unwrap();
        let project = stage.project().unwrap();
        let report = check(&stage, &project, &Stop::new()).await.unwrap();
        assert!(report.cut_short.is_none() && report.left.is_empty(), "{profile:?}: {report:?}");
        assert_eq!(records(&stage.vitally), 0, "{profile:?}");
        let told = [
            answer(&report, Question::UsedExternalId, Object::Account),
            answer(&report, Question::LinksByPut, Object::User),
            answer(&report, Question::UsedEmail, Object::User),
            answer(&report, Question::NestedTrait, Object::Account),
        ];
        let expected = match profile {
            Profile::Strict | Profile::LateAnalytics => {
                ["updates", "added", "makes-a-second-user", "refused-400"]
            }
            Profile::Lenient => ["updates", "added", "makes-a-second-user", "stored"],
            Profile::UpsertingPost => ["updates", "added", "updates-the-first", "refused-400"],
            Profile::ConflictingPost => ["refused-409", "added", "refused-409", "refused-400"],
            Profile::ReplacingAccountIds => ["updates", "replace", "makes-a-second-user", "refused-400"],
        };
        assert_eq!(told, expected.map(Some), "{profile:?}");
    }
}

/// An engine that throws a switch at the n-th look at its clock: each call looks once when it leaves.
fn engine_that_stops<'p>(stage: &Stage, project: &'p Project, stop: &Stop, at: u64) -> Engine<'p> {
    let (stop, looks) = (stop.clone(), AtomicU64::new(0));
    let clock = move || {
        if looks.fetch_add(1, Ordering::SeqCst) == at {
            stop.ask();
        }
        Time::UNIX_EPOCH
    };
    Engine::new(Setup {
        project,
        root: stage.folder.path().to_owned(),
        temporary: stage.folder.path().to_owned(),
        clock: Arc::new(clock),
        holder: Holder { id: "holder".to_owned(), pid: 1, host: "here".to_owned() },
        run_id: Arc::new(|| "run".to_owned()),
        lineage: None,
    })
}

#[tokio::test]
async fn interrupted_check_leaves_nothing_wherever_it_is_interrupted() {
    let stage = stage("upserting-post").await.unwrap();
    let project = stage.project().unwrap();
    let mut interrupted = 0;
    for at in (0..2 * MOST).step_by(3) {
        let stop = Stop::new();
        let engine = engine_that_stops(&stage, &project, &stop, at);
        let report = engine.check_live("vitally", NAME, &stop).await.unwrap();
        assert!(report.left.is_empty(), "at {at}: {:?}", report.left);
        assert_eq!(records(&stage.vitally), 0, "at {at}");
        interrupted += u32::from(matches!(report.cut_short, Some(LiveError::Interrupted)));
    }
    assert!(interrupted > 30, "only {interrupted} checks were interrupted");
}

#[tokio::test]
async fn failing_check_leaves_nothing_wherever_it_fails() {
    let stage = stage("strict").await.unwrap();
    let project = stage.project().unwrap();
    let mut failed = 0;
    for at in 0..5 {
        for trouble in [Trouble::DropAfterCommit, Trouble::Answer(FaultAnswer::status(500))] {
            // A POST is never repeated: each of these ends the check.
            for path in ["/resources/organizations", "/resources/accounts", "/resources/users"] {
                stage.vitally.clear_script();
                stage.vitally.script(ScriptedFault::once(trouble.clone()).on("POST", path).after(at));
                let report = check(&stage, &project, &Stop::new()).await.unwrap();
                assert!(report.left.is_empty(), "at {at}, {path}: {:?}", report.left);
                assert_eq!(records(&stage.vitally), 0, "at {at}, {path}");
                failed += u32::from(report.cut_short.is_some());
            }
        }
    }
    assert!(failed > 10, "only {failed} checks failed");
}

#[tokio::test]
async fn what_cannot_be_removed_is_named_with_its_id() {
    let stage = stage("strict").await.unwrap();
    let project = stage.project().unwrap();
    let refuses = FaultAnswer { body: Some(r#"{"error":"not now"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(refuses)).on("DELETE", "/resources/*").times(u32::MAX));
    let report = check(&stage, &project, &Stop::new()).await.unwrap();
    let left = report.left.iter().map(|left| (left.object, left.external_id.as_str(), left.why.as_str()));
    assert_eq!(
        left.collect::<Vec<_>>(),
        [
            (Object::User, "coho-check-1", "not now"),
            (Object::User, "coho-check-1-2", "not now"),
            (Object::Account, "coho-check-1", "not now"),
            (Object::Account, "coho-check-1-2", "not now"),
            (Object::Organization, "coho-check-1", "not now"),
        ]
    );
    assert!(report.left.iter().all(|left| left.id.is_some()));
}

#[tokio::test]
async fn record_of_the_name_is_neither_written_nor_deleted() {
    for seed in [Seed::organization("coho-check-1"), Seed::account("coho-check-1-2")] {
        let stage = stage("strict").await.unwrap();
        stage.vitally.seed(seed.name("Somebody's")).unwrap();
        let project = stage.project().unwrap();
        let report = check(&stage, &project, &Stop::new()).await.unwrap();
        assert!(matches!(report.cut_short, Some(LiveError::Exists { .. })), "{report:?}");
        assert!(stage.vitally.calls().iter().all(|call| call.method == "GET"));
        assert_eq!(records(&stage.vitally), 1);
    }
}

#[tokio::test]
async fn wrong_token_makes_nothing() {
    let mut stage = stage("strict").await.unwrap();
    let text = stage::destination(&stage.vitally.url(), 1, 900).replace(stage::TOKEN, "sk_live_2");
    stage.file("coho.yaml", &text);
    let project = stage.project().unwrap();
    let report = check(&stage, &project, &Stop::new()).await.unwrap();
    assert_eq!(report.cut_short.map(|error| error.code()), Some(Code::UNAUTHORIZED));
    assert_eq!(records(&stage.vitally), 0);
}

#[tokio::test]
async fn traits_are_kept_for_a_day_and_a_held_ledger_is_left_alone() {
    let stage = stage("strict").await.unwrap();
    stage.vitally.define("accounts", "vitally.custom.tier", "string").unwrap();
    let project = stage.project().unwrap();
    let asked = || stage.vitally.calls().iter().filter(|call| call.path.contains("customFields")).count();
    let engine = stage.engine(&project);
    for _ in 0..2 {
        engine.traits("vitally", Object::Account, CacheUse::Cached).await.unwrap();
    }
    assert_eq!(asked(), 2, "without a ledger nothing is kept, and none is made for it");
    assert!(!stage.ledger().exists());

    stage.run().await.unwrap();
    stage.vitally.clear_calls();
    let first = engine.traits("vitally", Object::Account, CacheUse::Cached).await.unwrap();
    assert_eq!(engine.traits("vitally", Object::Account, CacheUse::Cached).await.unwrap(), first);
    assert_eq!((asked(), first.fields.len()), (1, 1));
    engine.traits("vitally", Object::Account, CacheUse::Fresh).await.unwrap();
    assert_eq!(asked(), 2);
    stage.advance(std::time::Duration::from_secs(24 * 3_600));
    engine.traits("vitally", Object::Account, CacheUse::Cached).await.unwrap();
    assert_eq!(asked(), 3);

    let now = Time::from_timestamp_millis(stage.clock.now().millis()).unwrap();
    let ledger = coho_ledger::Ledger::open(&stage.ledger(), &coho_ledger::Opening::new(now)).unwrap();
    let holder = Holder { id: "another".to_owned(), pid: 2, host: "there".to_owned() };
    let lease = ledger.acquire(&holder, now, std::time::Duration::from_secs(60)).unwrap();
    let traits = engine.traits("vitally", Object::Account, CacheUse::Fresh).await.unwrap();
    assert_eq!(traits.fields, first.fields);
    drop(lease);
}
