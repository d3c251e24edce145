//! One test for each way in which a comparison of sums could be wrong, or cannot be made. Most are in one, since each process
//! starts a server of its own.

use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_engine::plan::{Filter, Options, Waiting};
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

use super::drivers::{BIGQUERY, DUCKDB, SNOWFLAKE, SPARK};
use super::engines::{Engine, MARIADB, POSTGRES};
use super::scene::{ACCOUNTS, Scene, runtime};
use crate::stage::Failure;

/// What a table of rows that nobody changed moves, and what the tests begin with.
const SAME: &str = ": 64 buckets, 0 differ, 0 of 200 rows moved";

#[test]
fn rows_stay_in_postgres_where_nothing_changed_and_traps_are_told() {
    play(&POSTGRES, "coho-engine: rows_stay_in_postgres_where_nothing_changed_and_traps_are_told");
}

#[test]
fn rows_stay_in_mariadb_where_nothing_changed_and_traps_are_told() {
    play(&MARIADB, "coho-engine: rows_stay_in_mariadb_where_nothing_changed_and_traps_are_told");
}

#[test]
fn rows_stay_in_duckdb_where_nothing_changed_and_traps_are_told() {
    play(&DUCKDB, "coho-engine: rows_stay_in_duckdb_where_nothing_changed_and_traps_are_told");
}

#[test]
fn rows_stay_in_snowflakes_emulator_where_nothing_changed_and_traps_are_told() {
    play(
        &SNOWFLAKE,
        "coho-engine: rows_stay_in_snowflakes_emulator_where_nothing_changed_and_traps_are_told",
    );
}

#[test]
fn rows_stay_in_bigquerys_emulator_where_nothing_changed_and_traps_are_told() {
    play(&BIGQUERY, "coho-engine: rows_stay_in_bigquerys_emulator_where_nothing_changed_and_traps_are_told");
}

#[test]
fn rows_stay_in_spark_where_nothing_changed_and_traps_are_told() {
    play(&SPARK, "coho-engine: rows_stay_in_spark_where_nothing_changed_and_traps_are_told");
}

fn play(engine: &'static Engine, test: &str) {
    let runtime = runtime();
    let Some(mut scene) = runtime.block_on(Scene::new(engine, test)).unwrap() else { return };
    let mut failed = Vec::new();
    let mut tried = |trap: &str, result: Result<(), Failure>| {
        failed.extend(result.err().map(|failure| format!("{trap}: {failure}")));
    };
    runtime.block_on(async {
        tried("only_buckets_that_differ_are_moved", only_buckets_that_differ_are_moved(&mut scene).await);
        tried("twins_are_told_again", twins_are_told_again(&mut scene).await);
        tried("rows_without_keys_are_told_again", rows_without_keys_are_told_again(&mut scene).await);
        tried("an_empty_source_is_held", an_empty_source_is_held(&mut scene).await);
        tried(
            "what_did_not_succeed_is_looked_at_again",
            what_did_not_succeed_is_looked_at_again(&mut scene).await,
        );
        tried("what_the_ledger_forgot_is_new", what_the_ledger_forgot_is_new(&mut scene).await);
        tried("an_older_ledger_is_right_by_itself", an_older_ledger_is_right_by_itself(&mut scene).await);
        tried(
            "other_columns_or_types_are_read_in_full",
            other_columns_or_types_are_read_in_full(&mut scene).await,
        );
        tried(
            "keys_that_cannot_be_compared_are_read_in_full",
            keys_that_cannot_be_compared_are_read_in_full(&mut scene).await,
        );
        tried(
            "queries_that_cannot_be_wrapped_are_read_in_full",
            queries_that_cannot_be_wrapped_are_read_in_full(&mut scene).await,
        );
        tried("where_time_is_up_all_rows_are_read", where_time_is_up_all_rows_are_read(&mut scene).await);
        tried("runs_of_some_or_all_rows_say_so", runs_of_some_or_all_rows_say_so(&mut scene).await);
        tried("addresses_are_read_in_full", addresses_are_read_in_full(&mut scene).await);
        tried("what_cannot_be_read_fails_as_always", what_cannot_be_read_fails_as_always(&mut scene).await);
        tried(
            "a_role_that_may_only_select_is_enough",
            a_role_that_may_only_select_is_enough(&mut scene).await,
        );
        tried("many_changes_are_read_in_full", many_changes_are_read_in_full(&mut scene).await);
    });
    assert_eq!(failed, [""; 0]);
}

/// A scene with 200 accounts that were delivered.
async fn delivered(scene: &mut Scene) -> Result<(), Failure> {
    scene.clear()?;
    scene.many(200)?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await
}

/// Both ways agree, and the difference was computed so.
async fn told(scene: &mut Scene, expected: &str) -> Result<(), Failure> {
    told_with(scene, &Options::default(), expected).await
}

async fn told_with(scene: &mut Scene, options: &Options, expected: &str) -> Result<(), Failure> {
    let how = scene.agree(options).await?;
    let is_told =
        how.contains(expected) && (!how.starts_with("compared") || how.starts_with(&compared(scene)));
    if is_told { Ok(()) } else { Err(format!("{how:?} and not {expected:?}").into()) }
}

/// How it is told that rows were compared where they are.
fn compared(scene: &Scene) -> String {
    format!("compared in {}: ", scene.engine.name)
}

/// Both ways agree, and rows of some buckets were read.
async fn something_differs(scene: &mut Scene) -> Result<(), Failure> {
    let how = scene.agree(&Options::default()).await?;
    let differs = how.starts_with(&compared(scene)) && !how.contains(" 0 of ");
    if differs { Ok(()) } else { Err(format!("{how:?}: nothing was read").into()) }
}

async fn only_buckets_that_differ_are_moved(scene: &mut Scene) -> Result<(), Failure> {
    scene.clear()?;
    scene.many(200)?;
    told(scene, "not compared in the source, 200 rows moved").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await?;
    scene.sql("UPDATE items SET n8 = 2 WHERE id = 'k7'")?;
    told(scene, ": 64 buckets, 1 differs, 3 of 200 rows moved").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await?;
    // A column that the mapping does not read is nobody's business.
    scene.sql("UPDATE items SET k = k + 1")?;
    told(scene, SAME).await?;
    scene.sql("DELETE FROM items WHERE id = 'k9'; INSERT INTO items (id, external, name) VALUES ('new', 'new', 'New')")?;
    told(scene, ", 2 differ,").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await
}

/// Both twins are as they were, and none of them can be used.
async fn twins_are_told_again(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql("INSERT INTO items SELECT * FROM items WHERE id IN ('k1', 'k2')")?;
    for _ in 0..3 {
        told(scene, ", 2 differ,").await?;
        scene.run(&Options::default()).await?;
    }
    scene.sql(&scene.engine.delete_twin.replace("{id}", "'k1'"))?;
    // What was learned of the bucket is of both twins.
    told(scene, ", 2 differ,").await?;
    scene.run(&Options::default()).await?;
    told(scene, ", 1 differs,").await
}

async fn rows_without_keys_are_told_again(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql("INSERT INTO items (external) VALUES ('x'), ('y'); UPDATE items SET id = repeat('x', 2000) WHERE id = 'k3'")?;
    for _ in 0..2 {
        something_differs(scene).await?;
        scene.run(&Options::default()).await?;
    }
    let how = scene.agree(&Options::default()).await?;
    assert!(how.contains(": 64 buckets, 1 differs"), "{how}");
    scene.sql("DELETE FROM items WHERE id IS NULL OR length(id) > 1000")?;
    scene.run(&Options::default()).await?;
    told(scene, ": 64 buckets, 0 differ, 0 of 199 rows moved").await
}

async fn an_empty_source_is_held(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.stage.sync("accounts", &format!("{ACCOUNTS}removed: delete-created\n"));
    scene.sql("CREATE TABLE kept AS SELECT * FROM items; DELETE FROM items")?;
    for _ in 0..2 {
        told(scene, scene.engine.empty).await?;
        let plan = scene.plan(&Options::default()).await?;
        assert!(plan.is_held_as_empty(), "{plan:?}");
        scene.run(&Options::default()).await?;
    }
    scene.sql("INSERT INTO items SELECT * FROM kept; DROP TABLE kept")?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await
}

/// An invalid row, a refused one and one whose outcome is unknown stay as they are in the database.
async fn what_did_not_succeed_is_looked_at_again(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let answer =
        |status, body: &str| FaultAnswer { body: Some(body.to_owned()), ..FaultAnswer::status(status) };
    for answer in [answer(400, "{}"), answer(200, "{}"), answer(401, "{}")] {
        let fault =
            ScriptedFault::once(Trouble::AnswerAfterCommit(answer)).on("PUT", "/resources/accounts/*");
        scene.sql("UPDATE items SET n8 = n8 + 1 WHERE id IN ('k1', 'k2', 'k3'); UPDATE items SET external = NULL WHERE id = 'k4'")?;
        scene.stage.vitally.script(fault);
        scene.run(&Options::default()).await?;
        scene.stage.vitally.clear_script();
        something_differs(scene).await?;
    }
    scene.stage.advance(std::time::Duration::from_secs(2 * 24 * 3_600));
    something_differs(scene).await?;
    scene.sql("UPDATE items SET external = 'a4' WHERE id = 'k4'")?;
    for _ in 0..3 {
        scene.stage.advance(std::time::Duration::from_secs(2 * 24 * 3_600));
        scene.run(&Options::default()).await?;
    }
    told(scene, SAME).await
}

async fn what_the_ledger_forgot_is_new(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let ledger = rusqlite::Connection::open(scene.stage.ledger())?;
    ledger.execute_batch("DELETE FROM memory WHERE key = 'k5'")?;
    told(scene, ", 1 differs,").await?;
    // What the ledger has of a row is another row's.
    ledger.execute_batch(
        "UPDATE memory SET seen_row = (SELECT seen_row FROM memory WHERE key = 'k7') WHERE key = 'k6'",
    )?;
    told(scene, ", 2 differ,").await?;
    ledger.execute_batch("UPDATE buckets SET seen = zeroblob(16) WHERE bucket = 1")?;
    something_differs(scene).await?;
    ledger.execute_batch("DELETE FROM memory")?;
    told(scene, "not compared in the source, 200 rows moved").await
}

async fn an_older_ledger_is_right_by_itself(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.keep_ledger()?;
    scene.sql("UPDATE items SET n8 = 7 WHERE id = 'k1'")?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await?;
    scene.restore_ledger()?;
    told(scene, ", 1 differs,").await?;
    scene.sql("UPDATE items SET n8 = 1 WHERE id = 'k1'")?;
    told(scene, SAME).await
}

async fn other_columns_or_types_are_read_in_full(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let why = "the columns, their types or Coho's version changed";
    scene.stage.sync("accounts", &ACCOUNTS.replace("    n8: n8\n", ""));
    told(scene, why).await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await?;
    // A mapping that reads the same columns makes other records of them.
    scene
        .stage
        .sync("accounts", &ACCOUNTS.replace("    n8: n8\n", "").replace("    day: day\n", "    days: day\n"));
    told(scene, "more than half of the rows are in buckets that differ").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await?;
    let day = scene.engine.day_as_text;
    scene.model(
        &format!("sql: SELECT id, external, name, f4, f8, d, b, t, lt, {day}, txt, txt2, j, jb, u, arr, e FROM items"),
        "id",
    );
    told(scene, why).await
}

async fn keys_that_cannot_be_compared_are_read_in_full(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let quote = if scene.engine.name == "BigQuery" { '`' } else { '"' };
    let query = |key: &str| {
        format!(
            "sql: SELECT {key} AS {quote}id{quote}, external, name, n8, f4, f8, d, b, t, lt, day, txt, txt2, j, jb, u, arr, e FROM items"
        )
    };
    for (key, kind) in scene.engine.other_keys {
        scene.model(&query(key), "id");
        told(scene, "not compared in the source, 200 rows moved").await?;
        // A plan does not ask where nothing is known yet; a run asks, since it would learn.
        let said = scene.run_told().await?;
        assert!(said.contains(&format!("the primary key column `id` has the type `{kind}`")), "{said}");
    }
    // Keys of several columns, with letters that JSON writes in its own way.
    scene.sql(scene.engine.odd_ids)?;
    scene.model("table: items", "[id, k]");
    scene.run(&Options::default()).await?;
    scene.sql("UPDATE items SET n8 = 2 WHERE k = 3")?;
    told(scene, ", 1 differs,").await
}

async fn queries_that_cannot_be_wrapped_are_read_in_full(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let (show, column) = scene.engine.show;
    scene.model(&format!("sql: {show}"), column);
    told(scene, "the mapping")
        .await
        .or_else(|error| if error.to_string().contains("column") { Ok(()) } else { Err(error) })?;
    let columns = "id, k, external, name, n8, f4, f8, d, b, t, lt, day, txt, txt2, j, jb, u, arr, e";
    scene.model(&format!("sql: SELECT {columns} FROM items; -- the end"), "id");
    told(scene, scene.engine.behind).await?;
    scene.run(&Options::default()).await?;
    scene.model(&format!("sql: 'SELECT {columns} FROM items ; '"), "id");
    told(scene, SAME).await
}

/// Sums take longer than the rows that they are of: where time is up, all rows are read.
async fn where_time_is_up_all_rows_are_read(scene: &mut Scene) -> Result<(), Failure> {
    if scene.engine.slow.is_empty() {
        return Ok(());
    }
    delivered(scene).await?;
    scene.sql(scene.engine.slow)?;
    scene.model("table: slow", "id");
    scene.limit(scene.engine.limit);
    told(scene, &format!("{}'s time limit ended the comparison", scene.engine.name)).await?;
    scene.limit("");
    scene.sql(&format!("{}; DROP VIEW slow", scene.engine.reset))
}

async fn runs_of_some_or_all_rows_say_so(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let options = |run_kind| Options { run_kind, ..Options::default() };
    let filtered = |filter| Options { filter, ..Options::default() };
    for run_kind in [RunKind::Resend, RunKind::Baseline, RunKind::ResendEvents] {
        told_with(scene, &options(run_kind), "200 rows moved").await?;
    }
    let some = "only some rows are looked at";
    told_with(scene, &filtered(Filter { limit: Some(3), ..Filter::default() }), some).await?;
    told_with(scene, &filtered(Filter { key: Some(Key::new("k1")), ..Filter::default() }), some).await?;
    told_with(scene, &filtered(Filter { waiting: Waiting::Only, ..Filter::default() }), some).await?;
    // A baseline teaches as much as any other run.
    scene.sql("UPDATE items SET n8 = n8 + 1")?;
    scene.run(&options(RunKind::Baseline)).await?;
    told(scene, SAME).await?;
    // A run of one row teaches nothing, and spoils nothing.
    scene.sql("UPDATE items SET n8 = n8 + 1 WHERE id IN ('k1', 'k2')")?;
    scene.run(&filtered(Filter { key: Some(Key::new("k1")), ..Filter::default() })).await?;
    told(scene, ", 2 differ,").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await
}

async fn addresses_are_read_in_full(scene: &mut Scene) -> Result<(), Failure> {
    scene.clear()?;
    scene.many(20)?;
    let users = "id: accounts\nmodel: rows\nto: vitally\nobject: user\nmatch: { email: txt, externalId: external }\nfields: { name: name, accountIds: { column: name, lookup: account.externalId } }\n";
    scene.stage.sync("accounts", users);
    scene.sql("UPDATE items SET txt = CONCAT(id, '@example.com')")?;
    let why = "records are found by their e-mail addresses";
    for _ in 0..2 {
        told(scene, why).await?;
        scene.run(&Options::default()).await?;
    }
    scene.sql("UPDATE items SET txt = 'K1@example.com' WHERE id = 'k2'")?;
    told(scene, why).await
}

async fn what_cannot_be_read_fails_as_always(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    let (unreadable, words) = scene.engine.unreadable;
    scene.sql(unreadable)?;
    let failed = scene.plan(&Options::default()).await.unwrap_err().to_string();
    assert!(failed.contains(words), "{failed}");
    scene.sql(scene.engine.readable)?;
    told(scene, SAME).await?;
    scene.sql("ALTER TABLE items RENAME TO gone")?;
    told(scene, scene.engine.missing).await?;
    scene.sql("ALTER TABLE gone RENAME TO items")
}

async fn a_role_that_may_only_select_is_enough(scene: &mut Scene) -> Result<(), Failure> {
    if scene.engine.reader.is_empty() {
        return Ok(());
    }
    delivered(scene).await?;
    scene.sql(scene.engine.reader)?;
    let keys = scene.keys();
    scene.reader("reader");
    assert_ne!(scene.keys(), keys);
    scene.sql("UPDATE items SET n8 = 3 WHERE id = 'k1'")?;
    told(scene, ", 1 differs,").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await?;
    scene.reader(scene.engine.superuser);
    Ok(())
}

async fn many_changes_are_read_in_full(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql("UPDATE items SET n8 = 2 WHERE k > 20")?;
    told(scene, "200 rows moved").await?;
    scene.run(&Options::default()).await?;
    told(scene, SAME).await
}
