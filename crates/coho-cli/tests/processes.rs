//! What happens to a run from outside: other runs, a database that goes away, a disk that is full or read-only.
//!
//! Each test waits for what it can see (a call that Vitally got, a query that waits), never for time to pass.

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/running.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod running;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use coho_simulator::{DropReason, RecordKind, ScriptedFault, Trouble};
use running::{ROWS, busy_stage, finish, many_rows, run_checked, signal, start, text, wait_until};
use stage::{Failure, Stage};

#[test]
fn the_time_of_a_run_ends_a_long_wait() {
    let stage = busy_stage().unwrap();
    let bounded = format!(
        "{}\nrun: {{ for: 1s }}\n",
        fs::read_to_string(stage.project().join("syncs/accounts.yaml")).unwrap()
    );
    stage.write("syncs/accounts.yaml", bounded).unwrap();
    let ended = stage.coho(["run"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended));
    assert!(text(&ended).contains("the time limit `run: { for: … }` is over"), "{}", text(&ended));
    stage.vitally.clear_script();
    finish(&stage).unwrap();
}

#[test]
fn kill_in_the_middle_makes_no_second_record() {
    let stage = many_rows(Duration::ZERO).unwrap();
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts").after(7));
    let mut run = start(&stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 8).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(stage.vitally.count(RecordKind::Account), 8);
    finish(&stage).unwrap();
    let posts = stage.vitally.calls().iter().filter(|call| call.method == "POST" && call.committed).count();
    assert_eq!(posts, ROWS, "the record whose answer never came is not posted again");
}

#[test]
fn kill_in_the_middle_of_a_batch_keeps_no_event_twice() {
    let stage = many_events().unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/analytics/v1/batch"));
    let mut run = start(&stage, &["run"]).unwrap();
    wait_until("the batch that hangs", || stage.vitally.calls().len() == 1).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(stage.vitally.events().len(), ROWS, "Vitally has them, and nobody was told");
    let next = stage.coho(["run"]).output().unwrap();
    assert!(text(&next).contains(&format!("{ROWS} rows read = {ROWS} accepted")), "{}", text(&next));
    let repeated = stage.vitally.dropped();
    assert!(repeated.iter().all(|dropped| dropped.reason == DropReason::Duplicate), "{repeated:?}");
    assert_eq!((stage.vitally.events().len(), repeated.len()), (ROWS, ROWS));
    let third = stage.coho(["run"]).output().unwrap();
    assert!(text(&third).contains(&format!("{ROWS} rows read = {ROWS} unchanged")), "{}", text(&third));
}

#[test]
fn second_run_is_told_who_holds_the_ledger() {
    let stage = many_rows(Duration::ZERO).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::Hang));
    let mut first = start(&stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 1).unwrap();
    for verb in [&["run"][..], &["retry", "accounts"], &["forget", "accounts", "--yes"]] {
        let second = stage.coho(verb).output().unwrap();
        assert_eq!(second.status.code(), Some(7), "{}", text(&second));
        let holder = format!("another run (process {} on machine) has held the ledger since 20", first.id());
        assert!(text(&second).contains(&holder), "{}", text(&second));
        assert!(text(&second).contains("help: wait until it ends, or end that process"), "{}", text(&second));
    }
    let plan = stage.coho(["plan", "--exit-code"]).output().unwrap();
    assert_eq!(plan.status.code(), Some(10), "a plan only reads: {}", text(&plan));
    for verb in [&["plan"][..], &["rows", "accounts"], &["runs"]] {
        let told = stage.coho(verb).output().unwrap();
        let process = format!("(process {} on machine)", first.id());
        assert!(text(&told).contains("has been under way since 20"), "{}", text(&told));
        assert!(text(&told).contains(&process), "{}", text(&told));
    }
    assert_eq!(stage.vitally.calls().len(), 1);
    first.kill().unwrap();
    first.wait().unwrap();
    let plan = stage.coho(["plan"]).output().unwrap();
    assert!(!text(&plan).contains("under way"), "it is dead: {}", text(&plan));
    finish(&stage).unwrap();
}

#[test]
fn second_name_of_the_ledger_lets_no_second_run_in() {
    let stage = many_rows(Duration::ZERO).unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::Hang));
    let mut first = start(&stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 1).unwrap();
    let ledger = stage.project().join(".coho/ledger.db");
    let other = stage.project().join("other.db");
    fs::hard_link(&ledger, &other).unwrap();
    let config = fs::read_to_string(stage.project().join("coho.yaml")).unwrap();
    stage.write("coho.yaml", format!("{config}\nledger: other.db\n")).unwrap();
    let second = stage.coho(["run"]).output().unwrap();
    assert_eq!(second.status.code(), Some(6), "{}", text(&second));
    assert!(text(&second).contains("has a second name (a hard link)"), "{}", text(&second));
    assert!(text(&second).contains("help: remove the other name"), "{}", text(&second));
    assert_eq!(stage.vitally.calls().len(), 1);
    first.kill().unwrap();
    first.wait().unwrap();
    fs::remove_file(&other).unwrap();
    stage.write("coho.yaml", config).unwrap();
    finish(&stage).unwrap();
}

#[test]
fn removed_write_ahead_log_is_told() {
    let stage = many_rows(Duration::ZERO).unwrap();
    let all = stage.coho(["run", "--limit", "2"]).output().unwrap();
    assert!(all.status.success(), "{}", text(&all));
    stage.vitally.script(ScriptedFault::once(Trouble::Hang).after(1));
    stage.vitally.clear_calls();
    let mut run = start(&stage, &["run"]).unwrap();
    wait_until("the call that hangs", || stage.vitally.calls().len() == 2).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    for name in ["ledger.db-wal", "ledger.db-shm"] {
        drop(fs::remove_file(stage.project().join(".coho").join(name)));
    }
    let next = stage.coho(["run"]).output().unwrap();
    assert!(text(&next).contains("` lost "), "{}", text(&next));
    assert!(text(&next).contains("its write-ahead log was removed"), "{}", text(&next));
    assert_eq!(stage.vitally.count(RecordKind::Account), ROWS, "nobody is there twice");
}

#[test]
fn lost_database_sends_nothing_of_what_was_read() {
    let mut stage = many_rows(Duration::ZERO).unwrap();
    let Some(server) = stage.postgres("lost_database_sends_nothing_of_what_was_read").unwrap() else {
        return;
    };
    server.psql("CREATE TABLE accounts AS SELECT i AS id, 'Customer ' || i AS name FROM generate_series(1, 5000) i").unwrap();
    stage.write("coho.yaml", WAREHOUSE).unwrap();
    fs::remove_file(stage.project().join("models/accounts.yaml")).unwrap();
    stage.write("models/accounts.sql", format!("{HEADER}SELECT id, name FROM accounts")).unwrap();
    let all = stage.coho(["run", "--limit", "5"]).output().unwrap();
    assert!(all.status.success(), "{}", text(&all));
    stage.vitally.clear_calls();
    // The last rows wait for a lock that this test holds.
    let slow = "SELECT id, name FROM accounts WHERE id < 4000 OR pg_advisory_xact_lock_shared(1) IS NOT NULL";
    stage.write("models/accounts.sql", format!("{HEADER}{slow}")).unwrap();
    let lock = holds_a_lock(&stage).unwrap();
    let run = start(&stage, &["run"]).unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'coho:model=accounts' AND wait_event = 'advisory'";
    let server = stage.postgres("").unwrap().unwrap();
    wait_until("the query that waits", || server.psql(waits).is_ok_and(|count| count == "1")).unwrap();
    server.stop().unwrap();
    let ended = run.wait_with_output().unwrap();
    drop(lock);
    assert_eq!(ended.status.code(), Some(3), "{}", text(&ended));
    let message = text(&ended);
    assert!(message.contains("lost the connection to PostgreSQL before the last row"), "{message}");
    assert!(message.contains("help: run again: Coho used none of the rows that it read"), "{message}");
    assert_eq!(stage.vitally.calls().len(), 0, "nothing was sent and nothing removed");
    assert_eq!(stage.vitally.count(RecordKind::Account), 5);
}

#[test]
fn ctrl_c_ends_a_query_that_never_ends() {
    let mut stage = many_rows(Duration::ZERO).unwrap();
    let Some(server) = stage.mariadb("ctrl_c_ends_a_query_that_never_ends").unwrap() else { return };
    server.sql("CREATE TABLE accounts (id int PRIMARY KEY, name text)").unwrap();
    stage
        .write("coho.yaml", WAREHOUSE.replace("postgres", "mysql").replace("WAREHOUSE_URL", "SHOP_URL"))
        .unwrap();
    fs::remove_file(stage.project().join("models/accounts.yaml")).unwrap();
    for query in [
        "SELECT seq AS id, 'Alder' AS name FROM seq_1_to_1000000000000",
        "SELECT 1 AS id, CAST(SLEEP(3600) AS CHAR) AS name",
    ] {
        stage.write("models/accounts.sql", format!("{HEADER}{query}")).unwrap();
        let run = start(&stage, &["run"]).unwrap();
        let server = stage.mariadb("").unwrap().unwrap();
        let running =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '/* coho:model=accounts %'";
        wait_until("the query", || server.sql(running).is_ok_and(|count| count == "1")).unwrap();
        signal(&run, "INT").unwrap();
        let ended = run.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{}", text(&ended));
        wait_until("the end of the query", || server.sql(running).is_ok_and(|count| count == "0")).unwrap();
        assert_eq!(stage.vitally.calls().len(), 0, "{}", text(&ended));
    }
}

/// A project whose model is a query to DuckDB.
fn duckdb(test: &str, query: &str) -> Result<Option<Stage>, Failure> {
    let Some(driver) = coho_testkit::adbc_driver_or_skip("duckdb", test)? else { return Ok(None) };
    let mut stage = many_rows(Duration::ZERO)?;
    stage.set("DUCKDB", &driver.display().to_string());
    let source = "{ type: adbc, driver: \"${DUCKDB}\", options: { threads: 1 } }";
    stage.write("coho.yaml", WAREHOUSE.replace("{ type: postgres, url: \"${WAREHOUSE_URL}\" }", source))?;
    fs::remove_file(stage.project().join("models/accounts.yaml"))?;
    stage.write("models/accounts.sql", format!("{HEADER}{query}"))?;
    Ok(Some(stage))
}

/// The process that holds a run's driver.
fn driver_of(run: &Child) -> Option<u32> {
    let parent = format!(" S {} ", run.id());
    let running = format!(" R {} ", run.id());
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let number = process.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        let command = fs::read_to_string(process.path().join("cmdline")).ok()?;
        let is_child = stat.contains(&parent) || stat.contains(&running);
        (is_child && command.contains("adbc-driver")).then_some(number)
    })
}

/// The number of the driver's process, once this run has one.
fn started_driver(run: &Child) -> Result<u32, Failure> {
    let mut driver = None;
    wait_until("the driver", || {
        driver = driver_of(run);
        driver.is_some()
    })?;
    Ok(driver.ok_or("the driver has no process")?)
}

#[test]
fn a_query_to_duckdb_runs_through_its_driver() {
    let query = "SELECT id, name FROM read_csv('data/accounts.csv') ORDER BY id;";
    let Some(stage) = duckdb("a_query_to_duckdb", query).unwrap() else { return };
    let checked = stage.coho(["check"]).output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked));
    let run = stage.coho(["run"]).output().unwrap();
    assert!(text(&run).contains(&format!("{ROWS} rows read = {ROWS} delivered")), "{}", text(&run));
    let rows = fs::read_to_string(stage.project().join("data/accounts.csv")).unwrap();
    stage.write("data/accounts.csv", rows.replace("Customer 7\n", "Alder\n")).unwrap();
    let next = finish(&stage).unwrap();
    assert!(next.contains(&format!("{ROWS} rows read = 1 delivered + {} unchanged", ROWS - 1)), "{next}");
}

const ENDLESS: &str = "SELECT i AS id, 'Alder' AS name FROM range(100000000000000) AS t(i) WHERE i % 7 = 9";

#[test]
fn a_crash_of_a_driver_fails_its_sync_alone() {
    let Some(stage) = duckdb("a_crash_of_a_driver", ENDLESS).unwrap() else { return };
    let run = start(&stage, &["run"]).unwrap();
    let driver = started_driver(&run).unwrap();
    run_checked(Command::new("kill").arg("-ABRT").arg(driver.to_string())).unwrap();
    let ended = run.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "{}", text(&ended));
    assert!(text(&ended).contains("crashed (signal 6, SIGABRT)"), "{}", text(&ended));
    assert_eq!(stage.vitally.calls().len(), 0);
}

#[test]
fn a_driver_ends_with_its_run_however_that_ends() {
    let Some(stage) = duckdb("a_driver_ends_with_its_run", ENDLESS).unwrap() else { return };
    for (name, code) in [("INT", Some(130)), ("KILL", None)] {
        let run = start(&stage, &["run"]).unwrap();
        let driver = started_driver(&run).unwrap();
        signal(&run, name).unwrap();
        let ended = run.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), code, "{}", text(&ended));
        let process = PathBuf::from(format!("/proc/{driver}/exe"));
        wait_until("the end of the driver", || fs::read_link(&process).is_err()).unwrap();
    }
    assert_eq!(stage.vitally.calls().len(), 0);
}

#[test]
fn full_disk_ends_the_run_and_loses_nothing() {
    let stage = many_rows(Duration::ZERO).unwrap();
    let Some(disk) = SmallDisk::mount(stage.project().join(".coho")).unwrap() else { return };
    // A run without rows makes the ledger; then the disk fills up.
    let first = stage.coho(["run", "--limit", "1"]).output().unwrap();
    assert!(first.status.success(), "{}", text(&first));
    disk.fill().unwrap();
    let run = stage.coho(["run"]).output().unwrap();
    assert_eq!(run.status.code(), Some(6), "{}", text(&run));
    assert!(text(&run).contains("help: free disk space"), "{}", text(&run));
    disk.free().unwrap();
    finish(&stage).unwrap();
}

#[test]
fn full_temporary_folder_ends_the_run_before_it_sends() {
    let stage = many_rows(Duration::ZERO).unwrap();
    let Some(disk) = SmallDisk::mount(stage.temporary()).unwrap() else { return };
    disk.fill().unwrap();
    let run = stage.coho(["run"]).output().unwrap();
    assert_eq!(run.status.code(), Some(6), "{}", text(&run));
    assert!(text(&run).contains("help: "), "{}", text(&run));
    assert_eq!(stage.vitally.calls().len(), 0);
    disk.free().unwrap();
    finish(&stage).unwrap();
}

#[test]
fn read_only_ledger_is_said_to_be_so() {
    let stage = many_rows(Duration::ZERO).unwrap();
    let all = stage.coho(["run", "--limit", "1"]).output().unwrap();
    assert!(all.status.success(), "{}", text(&all));
    stage.vitally.clear_calls();
    let Some(prefix) = unprivileged(&stage).unwrap() else { return };
    for (mode, path) in [("444", ".coho/ledger.db"), ("555", ".coho")] {
        run_checked(Command::new("chmod").arg(mode).arg(stage.project().join(path))).unwrap();
    }
    let run = stage.shell(&format!("{prefix} coho run")).output().unwrap();
    assert_eq!(run.status.code(), Some(6), "{}", text(&run));
    assert!(text(&run).contains(": the file or its folder is read-only"), "{}", text(&run));
    assert!(text(&run).contains("help: "), "{}", text(&run));
    assert_eq!(stage.vitally.calls().len(), 0);
    run_checked(Command::new("chmod").args(["-R", "u+w"]).arg(stage.project())).unwrap();
}

#[test]
fn demo_shows_the_main_job_and_leaves_nothing_behind() {
    let stage = Stage::empty(Duration::ZERO).unwrap();
    let demo = stage.coho(["demo"]).output().unwrap();
    let text = text(&demo);
    assert!(demo.status.success(), "{text}");
    let order = [
        "$ coho plan",
        "$ coho run",
        "$ edit data/*.csv",
        "$ coho run",
        "$ coho run",
        "calls that the simulator received: 0",
    ];
    let mut rest = text.as_str();
    for words in order {
        let (_, after) = rest.split_once(words).unwrap_or_else(|| panic!("`{words}` is missing in\n{text}"));
        rest = after;
    }
    assert!(demo.stderr.is_empty(), "{text}");
    assert_eq!(stage.left_behind().unwrap(), Vec::<String>::new());
    assert_eq!(fs::read_dir(stage.project()).unwrap().count(), 0, "files in the current folder");
}

#[test]
fn simulator_prints_its_url_and_ends_when_it_is_asked_to() {
    let stage = Stage::new().unwrap();
    let mut simulator = start(&stage, &["simulator", "--listen", "127.0.0.1:0", "--token", "other"]).unwrap();
    let mut url = String::new();
    let stdout = simulator.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut url).unwrap();
    let mut run = stage.coho(["run"]);
    run.env("VITALLY_URL", url.trim()).env("VITALLY_TOKEN", "other");
    let run = run.output().unwrap();
    assert!(run.status.success(), "{}", text(&run));
    signal(&simulator, "TERM").unwrap();
    assert_eq!(simulator.wait().unwrap().code(), Some(0));
}

const WAREHOUSE: &str = "project: acme
sources:
  warehouse: { type: postgres, url: \"${WAREHOUSE_URL}\" }
destinations:
  vitally: { type: vitally, base_url: \"${VITALLY_URL}\", rest_token: \"${VITALLY_TOKEN}\", concurrency: 1 }
";

const HEADER: &str = "-- source: warehouse\n-- primary_key: id\n";

/// The same rows as events, whose times are those at which they are first tried.
fn many_events() -> Result<Stage, Failure> {
    let stage = many_rows(Duration::ZERO)?;
    let sync = "id: accounts\nmodel: accounts\nto: vitally\nobject: event\nfields: { event: { static: Seen }, accountId: id }\nfirst_run: send\n";
    stage.write("syncs/accounts.yaml", sync)?;
    let project = fs::read_to_string(stage.project().join("coho.yaml"))?;
    let both = "analytics_token: \"${ANALYTICS_TOKEN}\", rest_token:";
    stage.write("coho.yaml", project.replace("rest_token:", both))?;
    Ok(stage)
}

/// A session that holds the lock until it is dropped.
fn holds_a_lock(stage: &Stage) -> Result<tokio_postgres::Client, Failure> {
    let url = stage.variable("WAREHOUSE_URL").ok_or("there is no warehouse")?;
    stage.runtime().block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        stage.runtime().spawn(connection);
        client.execute("SELECT pg_advisory_lock(1)", &[]).await?;
        Ok(client)
    })
}

/// A file system of its own that is soon full.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(folder: PathBuf) -> Result<Option<Self>, Failure> {
        fs::create_dir_all(&folder)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs"]).arg(&folder).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            return Ok(Some(Self { folder }));
        }
        skip("a small disk cannot be mounted: that needs root")?;
        Ok(None)
    }

    fn fill(&self) -> Result<(), Failure> {
        // The last write fails: that is what it is for.
        fs::write(self.folder.join("filler"), vec![0; 4 << 20]).err().ok_or("the disk is not full")?;
        Ok(())
    }

    fn free(&self) -> Result<(), Failure> {
        Ok(fs::remove_file(self.folder.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nobody is left who could be told.
        drop(Command::new("umount").arg(&self.folder).status());
    }
}

/// What to write before a command so that the modes of files count; nothing where this user is not root.
fn unprivileged(stage: &Stage) -> Result<Option<&'static str>, Failure> {
    let id = Command::new("id").arg("-u").output()?;
    if id.stdout.trim_ascii() != b"0" {
        return Ok(Some(""));
    }
    let prefix = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    run_checked(Command::new("chmod").arg("-R").arg("a+rwX").arg(stage.folder()))?;
    let version = stage.shell(&format!("{prefix} coho --version")).output()?;
    if version.status.success() {
        return Ok(Some(prefix));
    }
    skip("root is not bound by modes, and another user cannot run the program")?;
    Ok(None)
}

fn skip(why: &str) -> Result<(), Failure> {
    Ok(std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {why}\n").as_bytes())?)
}
