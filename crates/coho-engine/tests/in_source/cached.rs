//! A cache in PostgreSQL: what may happen to it, and one test for each way in which comparing with it could be wrong.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use coho_core::code::Code;
use coho_core::event::Silence;
use coho_engine::plan::Options;
use coho_engine::stop::Stop;
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

use super::engines::POSTGRES;
use super::scene::{ACCOUNTS, Scene, runtime};
use crate::stage::{Failure, child};

/// Tells a child which folder holds its project.
const FOLDER: &str = "COHO_TEST_PROJECT";

/// Tells a child what time it is, in milliseconds.
const NOW: &str = "COHO_TEST_NOW";

/// Does something to each cache, whose name stands for `%1$s`, even while that is forbidden.
macro_rules! to_each {
    ($sql:literal) => {
        concat!(
            "DO $do$ DECLARE t regclass; BEGIN SET LOCAL session_replication_role = replica; FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' \
             AND relnamespace = to_regnamespace('coho') LOOP EXECUTE format($x$",
            $sql,
            "$x$, t); END LOOP; END $do$"
        )
    };
}

/// What random histories do with caches: drop, rename, empty, keep and bring back, forbid and allow to write them.
pub(crate) const EVENTS: &[&str] = &[
    "DROP SCHEMA IF EXISTS coho CASCADE",
    RENAMED,
    to_each!("DELETE FROM %1$s WHERE key > 'key-2'"),
    to_each!("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS TABLE %1$s"),
    "CREATE TABLE IF NOT EXISTS kept (key text, fingerprint uuid, seen uuid)",
    to_each!("CREATE TABLE IF NOT EXISTS kept AS TABLE %1$s; DELETE FROM %1$s; INSERT INTO %1$s TABLE kept"),
    FORBIDDEN,
    ALLOWED,
    ALLOWED,
];

const RENAMED: &str =
    to_each!("UPDATE %1$s SET fingerprint = md5(clock_timestamp()::text)::uuid WHERE key = ''");
const FORBIDDEN: &str = to_each!(
    "CREATE OR REPLACE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'not today'; END $f$; \
     CREATE OR REPLACE TRIGGER forbidden BEFORE INSERT OR UPDATE OR DELETE ON %1$s EXECUTE FUNCTION forbid()"
);
const SLOW_TO_RENAME: &str = to_each!(
    "CREATE OR REPLACE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $f$; \
     CREATE OR REPLACE TRIGGER forbidden BEFORE UPDATE ON %1$s EXECUTE FUNCTION forbid()"
);
const SLOW_TO_PUT: &str = to_each!(
    "CREATE OR REPLACE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $f$; \
     CREATE OR REPLACE TRIGGER forbidden AFTER INSERT ON %1$s EXECUTE FUNCTION forbid()"
);
pub(crate) const ALLOWED: &str = "DROP FUNCTION IF EXISTS forbid() CASCADE";

#[test]
fn only_rows_that_changed_leave_postgres_where_it_has_a_cache() {
    let test = "coho-engine: only_rows_that_changed_leave_postgres_where_it_has_a_cache";
    let runtime = runtime();
    let Some(mut scene) = runtime.block_on(Scene::new(&POSTGRES, test)).unwrap() else { return };
    scene.with_a_cache();
    let mut failed = Vec::new();
    let mut tried = |trap: &str, result: Result<(), Failure>| {
        failed.extend(result.err().map(|failure| format!("{trap}: {failure}")));
    };
    runtime.block_on(async {
        tried("only_changes_are_moved", only_changes_are_moved(&mut scene).await);
        tried("rows_that_left_are_told_once", rows_that_left_are_told_once(&mut scene).await);
        tried("twins_are_told", twins_are_told(&mut scene).await);
        tried("what_did_not_succeed_comes_again", what_did_not_succeed_comes_again(&mut scene).await);
        tried("what_is_forgotten_is_new", what_is_forgotten_is_new(&mut scene).await);
        tried("a_cache_that_is_gone_is_made_anew", a_cache_that_is_gone_is_made_anew(&mut scene).await);
        tried("a_value_that_returns_is_sent_again", a_value_that_returns_is_sent_again(&mut scene).await);
        tried(
            "an_older_ledger_knows_no_younger_cache",
            an_older_ledger_knows_no_younger_cache(&mut scene).await,
        );
        tried("who_may_not_write_is_told", who_may_not_write_is_told(&mut scene).await);
        tried("a_run_that_is_killed_while_it_writes_is_made_good", killed_while_it_writes(&mut scene).await);
        tried("who_asks_to_end_does_not_wait_for_the_cache", asked_to_end(&mut scene).await);
        tried("two_syncs_have_two_caches", two_syncs_have_two_caches(&mut scene).await);
    });
    assert_eq!(failed, [""; 0]);
}

fn changed(sql: &str) -> String {
    format!("UPDATE items SET {sql}")
}

/// A scene with 200 accounts that were delivered.
async fn delivered(scene: &mut Scene) -> Result<(), Failure> {
    scene.clear()?;
    scene.sql("DROP SCHEMA IF EXISTS coho CASCADE")?;
    scene.many(200)?;
    told(scene, "200 rows moved").await?;
    run(scene, "Coho has not written this model's cache yet").await?;
    moves(scene, 0, 200).await
}

/// Both ways agree, and only so many rows were moved.
async fn moves(scene: &mut Scene, moved: u64, of: u64) -> Result<(), Failure> {
    told(scene, &format!("compared with the cache in PostgreSQL: {moved} of {of} rows moved")).await
}

async fn told(scene: &mut Scene, expected: &str) -> Result<(), Failure> {
    let how = scene.agree(&Options::default()).await?;
    if how.contains(expected) { Ok(()) } else { Err(format!("{how:?} and not {expected:?}").into()) }
}

/// Runs, and the run says that.
async fn run(scene: &mut Scene, expected: &str) -> Result<(), Failure> {
    let told = scene.run_told().await?;
    if told.contains(expected) { Ok(()) } else { Err(format!("{told:?} and not {expected:?}").into()) }
}

async fn only_changes_are_moved(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    run(scene, "0 of 200 rows moved").await?;
    scene.sql(&changed("name = 'Other' WHERE id IN ('k7', 'k8')"))?;
    moves(scene, 2, 200).await?;
    run(scene, "2 of 200 rows moved").await?;
    moves(scene, 0, 200).await?;
    // What the mapping does not read is no change, nor is what the table does to its rows.
    scene.sql(&changed("name = name; ALTER TABLE items ADD COLUMN unread int DEFAULT 7"))?;
    moves(scene, 0, 200).await?;
    scene.sql("ALTER TABLE items DROP COLUMN unread")?;
    scene.sql("INSERT INTO items (id, k, external, name, n8) VALUES ('', 0, 'none', 'N', 1)")?;
    moves(scene, 1, 201).await?;
    scene.run(&Options::default()).await?;
    // The key without a letter is the table's own, so its row comes again, with those of its bucket.
    some_come(scene).await
}

async fn rows_that_left_are_told_once(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql("DELETE FROM items WHERE id IN ('k3', 'k4')")?;
    moves(scene, 0, 198).await?;
    scene.run(&Options::default()).await?;
    moves(scene, 0, 198).await?;
    scene.sql("INSERT INTO items (id, k, external, name, n8) VALUES ('k3', 3, 'a3', 'Account 3', 1)")?;
    moves(scene, 1, 199).await?;
    scene.run(&Options::default()).await?;
    moves(scene, 0, 199).await
}

async fn twins_are_told(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql("INSERT INTO items SELECT * FROM items WHERE id = 'k5'")?;
    told(scene, "several rows have the same primary key").await?;
    scene.run(&Options::default()).await?;
    // They are not in the cache any more, so both come, with the others of their bucket.
    some_come(scene).await?;
    scene.sql("DELETE FROM items WHERE ctid IN (SELECT max(ctid) FROM items WHERE id = 'k5')")?;
    some_come(scene).await?;
    scene.run(&Options::default()).await?;
    moves(scene, 0, 200).await?;
    // One twin comes, and another row goes: the number of rows is what it was.
    scene.sql("INSERT INTO items SELECT * FROM items WHERE id = 'k5'; DELETE FROM items WHERE id = 'k6'")?;
    told(scene, "several rows have the same primary key").await
}

async fn what_did_not_succeed_comes_again(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql(&changed("name = 'Refused' WHERE id = 'k9'"))?;
    let refusal = Trouble::Answer(FaultAnswer::status(400));
    scene.stage.vitally.script(ScriptedFault::once(refusal).on("PUT", "/resources/accounts/*"));
    scene.run(&Options::default()).await?;
    moves(scene, 1, 200).await?;
    scene.stage.vitally.clear_script();
    scene.stage.advance(Duration::from_secs(2 * 24 * 3_600));
    scene.run(&Options::default()).await?;
    moves(scene, 0, 200).await
}

async fn what_is_forgotten_is_new(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    rusqlite::Connection::open(scene.stage.ledger())?.execute_batch("DELETE FROM memory WHERE key = 'k9'")?;
    // All rows of its bucket come.
    some_come(scene).await?;
    scene.run(&Options::default()).await?;
    moves(scene, 0, 200).await
}

/// Some rows come, and not all of them.
async fn some_come(scene: &mut Scene) -> Result<(), Failure> {
    let how = scene.agree(&Options::default()).await?;
    let is_some = how.starts_with("compared with the cache")
        && [": 0 of", ": 200 of", ": 201 of"].iter().all(|words| !how.contains(words));
    if is_some { Ok(()) } else { Err(how.into()) }
}

async fn a_cache_that_is_gone_is_made_anew(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    for sql in ["DROP SCHEMA coho CASCADE", RENAMED] {
        scene.sql(sql)?;
        told(scene, "200 rows moved").await?;
        run(scene, "200 rows moved").await?;
        assert_eq!(scene.stage.vitally.calls().len(), 0, "nothing is sent");
        moves(scene, 0, 200).await?;
    }
    Ok(())
}

/// The protocol's first trap: a value is sent, the cache is not written, and then the value is what it was.
async fn a_value_that_returns_is_sent_again(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql(FORBIDDEN)?;
    scene.sql(&changed("name = 'Other' WHERE id = 'k7'"))?;
    run(scene, "the cache in the source was not updated: not today").await?;
    scene.sql(&changed("name = 'Account 7' WHERE id = 'k7'"))?;
    some_come(scene).await?;
    scene.sql(ALLOWED)?;
    scene.run(&Options::default()).await?;
    moves(scene, 0, 200).await
}

async fn an_older_ledger_knows_no_younger_cache(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.keep_ledger()?;
    scene.sql(&changed("name = 'Other' WHERE id = 'k7'"))?;
    scene.run(&Options::default()).await?;
    scene.restore_ledger()?;
    told(scene, "200 rows moved").await
}

async fn who_may_not_write_is_told(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql("DROP SCHEMA coho CASCADE")?;
    scene.sql(scene.engine.reader)?;
    scene.reader("reader");
    let told = scene.run_told().await?;
    let codes = scene.warnings().await?;
    scene.reader("postgres");
    scene.sql("DROP OWNED BY reader; DROP ROLE reader")?;
    let words = ["permission denied for database", "`coho check --grants` prints the statements"];
    if codes != [Code::CACHE_RIGHTS] || !scene.warnings().await?.is_empty() {
        return Err(format!("the check warns of {codes:?}").into());
    }
    if words.iter().all(|words| told.contains(words)) { Ok(()) } else { Err(told.into()) }
}

/// The child: does nothing unless the test below starts it in a process of its own.
#[tokio::test]
async fn a_child_runs_the_project_that_it_is_given() {
    let (Ok(folder), Ok(now)) = (std::env::var(FOLDER), std::env::var(NOW)) else { return };
    child::run(&PathBuf::from(folder), now.parse().unwrap()).await.unwrap();
}

/// It is killed when all was sent, and before the cache has its new name, or its new keys.
async fn killed_while_it_writes(scene: &mut Scene) -> Result<(), Failure> {
    for (moment, slow) in [("UPDATE", SLOW_TO_RENAME), ("INSERT", SLOW_TO_PUT)] {
        delivered(scene).await?;
        scene.sql(&changed("name = 'Other' WHERE id = 'k7'; DELETE FROM items WHERE id = 'k8'"))?;
        scene.sql(slow)?;
        scene.stage.advance(Duration::from_secs(60));
        scene.stage.write_files()?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--exact", "cached::a_child_runs_the_project_that_it_is_given"])
            .env(FOLDER, scene.stage.folder.path())
            .env(NOW, scene.stage.clock.now().millis().to_string())
            .stdout(Stdio::null())
            .spawn()?;
        while scene.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")? != "1" {
            if let Some(status) = child.try_wait()? {
                return Err(format!("{moment}: the child ended by itself: {status}").into());
            }
        }
        child.kill()?;
        child.wait()?;
        scene.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")?;
        scene.sql(ALLOWED)?;
        some_come(scene).await?;
        scene.run(&Options::default()).await?;
        moves(scene, 0, 199).await?;
    }
    Ok(())
}

/// All was sent, and the table does not answer.
async fn asked_to_end(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.sql(&changed("name = 'Other' WHERE id = 'k7'"))?;
    scene.sql(SLOW_TO_RENAME)?;
    scene.stage.advance(Duration::from_secs(60));
    let (stop, options) = (Stop::new(), Options::default());
    let ask = async {
        while scene.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")? != "1" {
            tokio::task::yield_now().await;
        }
        stop.ask();
        Ok::<_, Failure>(())
    };
    let (ran, asked) = tokio::join!(scene.stage.try_run(&options, &Silence, &stop), ask);
    asked?;
    ran??;
    scene.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")?;
    scene.sql(ALLOWED)?;
    some_come(scene).await?;
    scene.run(&Options::default()).await?;
    moves(scene, 0, 200).await
}

async fn two_syncs_have_two_caches(scene: &mut Scene) -> Result<(), Failure> {
    delivered(scene).await?;
    scene.stage.sync("others", &ACCOUNTS.replace("id: accounts", "id: others"));
    scene.run(&Options::default()).await?;
    scene.stage.remove("syncs/others.yaml");
    moves(scene, 0, 200).await
}
