//! Plans: exactly what a run would do, and nothing written. [`crate::stage::Stage::run`] holds every plan of these tests
//! against its run; here is what a plan says by itself.

use coho_core::event::Silence;
use coho_core::failure::Failure as _;
use coho_core::value::Value;
use coho_engine::context::EngineError;
use coho_engine::plan::{Filter, PlanError};
use coho_engine::run::{Options, Outlook};
use coho_engine::stop::Stop;

use crate::stage::{ACCOUNTS, Stage, USERS};

#[tokio::test]
async fn a_plan_sends_nothing_and_makes_no_ledger() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    let plans = stage.plan().await.unwrap();
    assert_eq!(plans[0].counts.writes, 3);
    assert!(!stage.ledger().exists());
    assert!(stage.vitally.calls().is_empty());
    let left: Vec<_> = std::fs::read_dir(stage.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the source is there: {left:?}");
}

/// Inserts have to find out whether paths take external ids: the more of them at once, the more of them ask.
#[tokio::test]
async fn a_plan_of_inserts_holds_however_many_calls_are_under_way() {
    for at_once in ["auto", "1", "7", "300"] {
        let inserts = ACCOUNTS.replace("removed: delete-created", "mode: insert");
        let mut stage = Stage::with(&[("accounts", &inserts)]).await.unwrap();
        stage.concurrency(at_once);
        stage.many_accounts(0, 60).unwrap();
        assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 60 delivered", "{at_once}");
        // It is shown now, and a plan counts on that from the first answer on.
        stage.many_accounts(60, 80).unwrap();
        let told = stage.run().await.unwrap().told("accounts");
        assert_eq!(told, "completed: 20 delivered, 60 unchanged", "{at_once}");
    }
}

#[tokio::test]
async fn a_plan_of_one_sync_is_of_that_sync() {
    let stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    assert_eq!(engine.select(&["users".to_owned()]).unwrap()[0].id.as_str(), "users");
    let error = engine.select(&["user".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "the project has no sync `user`");
    assert_eq!(error.help().unwrap(), "did you mean `users`?");
}

/// What a service needs that runs on several threads.
fn assert_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn plans_and_runs_may_go_from_thread_to_thread() {
    let stage = Stage::accounts().await.unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let syncs = engine.select(&[]).unwrap();
    let (options, stop) = (Options::default(), Stop::new());
    assert_send(engine.plan(&syncs, &options, &Silence)).await.unwrap();
    assert_send(engine.run(&syncs, &options, &Silence, &stop)).await.unwrap();
}

#[tokio::test]
async fn nothing_of_a_plan_is_left_in_the_temporary_folder_while_it_waits() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let outlooks = engine.plan(&engine.select(&[]).unwrap(), &Options::default(), &Silence).await.unwrap();
    let left: Vec<_> =
        std::fs::read_dir(stage.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["app.db"]);
    drop(outlooks);
}

/// Accounts from a CSV file.
async fn from_csv(fields: &str) -> Stage {
    let sync = ACCOUNTS.replace("  traits: { plan: plan, seats: seats }", fields);
    let mut stage = Stage::with(&[("accounts", &sync)]).await.unwrap();
    stage.file("models/accounts.yaml", "source: files\nfile: accounts.csv\nprimary_key: id\n");
    stage
}

#[tokio::test]
async fn digits_that_vitally_does_not_take_are_cut_and_told_once() {
    let stage = from_csv("  traits: { seen: seen, until: { column: until, as: timestamp } }").await;
    let rows = "id,external,name,seen,until\n\
                1,a,A,2026-03-29T01:30:00.001999999Z,2026-03-29 01:30:00.0019 \n\
                2,b,B,2026-03-29T01:30:00.001Z,2016-12-31T23:59:60Z\n";
    std::fs::write(stage.folder.path().join("accounts.csv"), rows).unwrap();
    let plan = stage.plan().await.unwrap().remove(0);
    let note = "1 row has a time with more digits than milliseconds: Vitally does not take them, so they are cut off";
    assert_eq!(plan.notes, [note]);
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 2 delivered");
    let records = stage.records().join("\n");
    assert!(records.contains("2026-03-29T01:30:00.001Z") && !records.contains("0019"), "{records}");
    assert!(records.contains("2017-01-01T00:00:00.000Z"), "{records}");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_column_that_nobody_reads_fails_nothing() {
    let mut stage = from_csv("  traits: { seats: seats }").await;
    stage.file(
        "models/accounts.yaml",
        "source: files\nfile: accounts.csv\nprimary_key: id\ntypes: { born: date }\n",
    );
    let rows = b",id,external,name,seats,born,note,note\n0,1,a,A,5,never,\xff,x\n1,2,b,B,6,24-11-26,y,\n";
    std::fs::write(stage.folder.path().join("accounts.csv"), rows).unwrap();
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 2 delivered");
}

#[tokio::test]
async fn a_value_that_makes_another_type_of_a_column_holds_the_plan() {
    let mut stage = from_csv("  traits: { seats: seats }").await;
    let model = "source: files\nfile: accounts.csv\nprimary_key: id\n";
    let path = stage.folder.path().join("accounts.csv");
    let write = |third: &str, fourth: &str| {
        let rows = format!("id,external,name,seats\n1,a,A,5\n2,b,B,{third}\n3,c,C,{fourth}\n");
        std::fs::write(&path, rows).unwrap();
    };
    write("6", "7");
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 3 delivered");
    write("6", "n/a");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("accounts"), "held (inferred-type): 3 held");
    assert_eq!(ran.calls, [""; 0]);
    let guard = &stage.plan().await.unwrap()[0].guards[0];
    let told =
        "column `seats` was integer and would now be text in every row, since accounts.csv:4 has `n/a`";
    assert_eq!(guard.message, told);
    // It stays held until a person says what is meant, or the value is mended.
    assert_eq!(stage.run().await.unwrap().told("accounts"), "held (inferred-type): 3 held");
    write("6", "8.5");
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 1 delivered, 2 touched");
    write("6", "n/a");
    stage.file("models/accounts.yaml", &format!("{model}types: {{ seats: text }}\n"));
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 3 delivered");
}

#[tokio::test]
async fn what_no_type_changes_is_not_held() {
    let fields = "  traits: { seats: { column: seats, as: number }, code: { column: code, as: text } }";
    let stage = from_csv(fields).await;
    let write = |id: &str, seats: &str, code: &str| {
        let rows =
            format!("id,external,name,seats,code,other\n1,1,A,5,7,1\n{id},{id},B,{seats},{code},{seats}\n");
        std::fs::write(stage.folder.path().join("accounts.csv"), rows).unwrap();
    };
    write("2", "6", "8");
    assert_eq!(stage.run().await.unwrap().told("accounts"), "completed: 2 delivered");
    // A key with a letter, a cast that fails in its own row, a text, and a column that nobody reads.
    write("x2", "many", "n/a");
    let told = stage.run().await.unwrap().told("accounts");
    assert!(!told.contains("inferred-type"), "{told}");
}

#[tokio::test]
async fn templates_call_filters_that_the_program_adds() {
    let mut stage = Stage::accounts().await.unwrap();
    let template = r#"traits: { plan: { template: "{{ row.plan | shout }}" } }"#;
    stage.sync("accounts", &ACCOUNTS.replace("traits: { plan: plan, seats: seats }", template));
    stage.many_accounts(1, 2).unwrap();
    let project = stage.project().unwrap();
    let filters = coho_liquid::Filters::new().with_name("shout", liquid_lib::stdlib::Upcase).unwrap();
    let engine = stage.engine(&project).filters(&filters);
    let syncs = engine.select(&[]).unwrap();
    let outlooks = engine.plan(&syncs, &Options::default(), &Silence).await.unwrap();
    let Outlook::Plan(planned) = &outlooks[0] else { panic!("the plan is not made") };
    let differences = &planned.plan.samples[0].differences;
    assert!(differences.iter().any(|difference| difference.after == Value::text("FREE")), "{differences:?}");
    // The command has no such filter.
    let outlooks = stage.engine(&project).plan(&syncs, &Options::default(), &Silence).await.unwrap();
    assert!(!matches!(outlooks[0], Outlook::Plan(_)));
}

#[tokio::test]
async fn who_asks_to_end_is_heard_by_a_preview() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    let project = stage.project().unwrap();
    let engine = stage.engine(&project);
    let (syncs, stop) = (engine.select(&[]).unwrap(), Stop::new());
    let filter = Filter { limit: Some(2), ..Filter::default() };
    assert_eq!(engine.preview(syncs[0], &filter, &stop).await.unwrap().len(), 2);
    stop.ask();
    let ended = engine.preview(syncs[0], &filter, &stop).await;
    assert!(matches!(ended, Err(EngineError::Plan(PlanError::Interrupted))));
}
