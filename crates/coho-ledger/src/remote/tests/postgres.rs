//! A ledger in a real PostgreSQL. One test, because each test process starts a server of its own.

use std::fmt::Write as _;
use std::thread;
use std::time::Instant;

use coho_core::failure::Failure as _;
use coho_core::ledger_address::PostgresLedgerAddress;
use coho_testkit::Postgres;
use proptest::test_runner::{Config, TestRunner};

use super::super::postgres::InPostgres;
use super::super::store::Presence;
use super::proxy::{Cut, Proxy};
use super::*;

/// Histories of holders, each of which takes some dozens of round trips.
const HISTORIES: u32 = 12;

#[test]
fn a_ledger_in_postgresql_keeps_what_it_says() {
    let Some(server) = Postgres::start_or_skip("a_ledger_in_postgresql_keeps_what_it_says").unwrap() else {
        return;
    };
    let server = Server(server);
    two_first_runs_at_once_make_the_tables(&server);
    for (number, (_, case)) in CASES.iter().enumerate() {
        case(server.store(&format!("case-{number}")));
    }
    histories(&server);
    a_holder_whose_connection_ended_is_gone_and_one_that_lives_is_not(&server);
    an_answer_that_was_lost_is_found_out(&server);
    sessions_that_the_server_ends_come_about_anew(&server);
    a_server_that_restarts_is_waited_for(&server);
    a_server_that_has_forgotten_something_is_told(&server);
    whoever_may_not_make_tables_is_told_what_to_run(&server);
    two_ledgers_in_a_schema_do_not_know_of_each_other(&server);
    a_large_object_comes_back_in_its_parts(&server);
    what_is_there_can_be_seen_in_sql(&server);
    the_clock_of_leases_is_the_servers(&server);
}

fn address_at(port: u16, rest: &str) -> PostgresLedgerAddress {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable&{rest}");
    PostgresLedgerAddress::parse(&url).unwrap()
}

struct Server(Postgres);

impl Server {
    fn address(&self, rest: &str) -> PostgresLedgerAddress {
        address_at(self.0.port(), rest)
    }

    fn place(&self, name: &str) -> RemotePlace {
        RemotePlace::in_postgres(&self.address(&format!("name={name}"))).unwrap()
    }

    /// Waits until the server has noticed which connections ended.
    fn until_marks_are(&self, wanted: u32) {
        let marks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        let reached = (0..1_000).any(|_| self.0.psql(marks).unwrap() == wanted.to_string());
        assert!(reached, "there are other marks than {wanted}");
    }

    fn store(&self, name: &str) -> Store {
        Store::of(InPostgres::open(&self.address(&format!("name={name}"))).unwrap())
    }
}

/// A holder on another machine, as far as anybody can see.
fn from_elsewhere(place: &RemotePlace, id: &str) -> Result<Writer, OpenError> {
    Writer::open(place, id, Time::UNIX_EPOCH)
}

fn two_first_runs_at_once_make_the_tables(server: &Server) {
    let open = |name: &'static str| {
        let place = server.place(name);
        move || from_elsewhere(&place, name).map(|writer| writer.ledger.finish().unwrap())
    };
    let runs = ["first-1", "first-2", "first-3", "first-4"].map(|name| thread::spawn(open(name)));
    for run in runs {
        run.join().unwrap().unwrap();
    }
}

fn histories(server: &Server) {
    let mut runner =
        TestRunner::new(Config { cases: HISTORIES, failure_persistence: None, ..Config::default() });
    let number = std::cell::Cell::new(0);
    let history = |steps| {
        number.set(number.get() + 1);
        what_was_said_to_be_stored_is_there(server.store(&format!("history-{}", number.get())), steps)
    };
    runner.run(&steps(), history).unwrap();
}

fn a_holder_whose_connection_ended_is_gone_and_one_that_lives_is_not(server: &Server) {
    let place = server.place("presence");
    let first = from_elsewhere(&place, "a").unwrap();
    first.write("a").unwrap();
    let error = from_elsewhere(&server.place("presence"), "b").err().unwrap();
    assert!(matches!(error, OpenError::Remote(RemoteError::Held { .. })), "{error:?}");
    assert_eq!(seen_at_work(&place), Some("a".to_owned()));
    first.kill();
    drop(place);
    let place = server.place("presence");
    server.until_marks_are(0);
    assert_eq!(seen_at_work(&place), None, "whoever only reads sees it too");
    let next = from_elsewhere(&place, "b").unwrap();
    next.write("b").unwrap();
    next.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

/// Who holds a ledger, as somebody sees it who only reads.
fn seen_at_work(place: &RemotePlace) -> Option<String> {
    let opening = Opening { now: day(0), create: Create::No, access: Access::ReadOnly };
    let ledger = Ledger::open_remote(place, &opening, &holder("reader")).unwrap();
    ledger.under_way("here", day(0)).unwrap().map(|run| run.holder.id)
}

fn an_answer_that_was_lost_is_found_out(server: &Server) {
    let proxy = Proxy::to(server.0.port(), Duration::ZERO);
    let place = RemotePlace::in_postgres(&address_at(proxy.port, "name=lost")).unwrap();
    let writer = from_elsewhere(&place, "a").unwrap();
    for (key, cut) in [("a", Cut::After), ("b", Cut::Before), ("c", Cut::Not), ("d", Cut::After)] {
        proxy.cut(cut);
        writer.write(key).unwrap();
    }
    proxy.cut(Cut::After);
    writer.ledger.finish().unwrap();
    assert_eq!(known(&server.place("lost"), &["a", "b", "c", "d"]), ["a", "b", "c", "d"]);
}

fn sessions_that_the_server_ends_come_about_anew(server: &Server) {
    let place = server.place("ended");
    let writer = from_elsewhere(&place, "a").unwrap();
    let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'coho ledger'";
    for key in ["a", "b"] {
        server.0.psql(ended).unwrap();
        writer.write(key).unwrap();
    }
    let is_marked = (0..1_000).any(|_| place.mark().unwrap() == Presence::Alone);
    assert!(is_marked, "the mark is taken again");
    writer.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b"]), ["a", "b"]);
}

fn a_server_that_restarts_is_waited_for(server: &Server) {
    let place = server.place("restarts");
    let writer = from_elsewhere(&place, "a").unwrap();
    for key in ["a", "b", "c"] {
        writer.write(key).unwrap();
        server.0.crash_and_restart().unwrap();
    }
    writer.write("d").unwrap();
    writer.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a", "b", "c", "d"]), ["a", "b", "c", "d"]);
}

fn a_server_that_has_forgotten_something_is_told(server: &Server) {
    let place = server.place("forgetful");
    let writer = from_elsewhere(&place, "a").unwrap();
    writer.write("a").unwrap();
    writer.write("b").unwrap();
    let newest = "SELECT name FROM coho.ledger_objects WHERE ledger = 'forgetful' AND name LIKE 'log/%' ORDER BY version DESC LIMIT 1";
    let forget = format!(
        "DELETE FROM coho.ledger_objects WHERE ledger = 'forgetful' AND name = ({newest}) RETURNING name"
    );
    let gone = server.0.psql(&forget).unwrap();
    let error = writer.write("c").unwrap_err();
    let LedgerError::Remote(RemoteError::Store { source, .. }) = &error else { panic!("{error:?}") };
    let told = source.to_string();
    assert!(told.ends_with(&format!("has lost what it had stored: `{gone}` is gone")), "{told}");
    assert!(is_over(&writer.write("d").unwrap_err()));
}

fn is_over(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Remote(RemoteError::Ended { .. }))
}

fn whoever_may_not_make_tables_is_told_what_to_run(server: &Server) {
    server.0.psql("CREATE ROLE \"guest\" LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC").unwrap();
    let url = format!("postgres://guest@127.0.0.1:{}/postgres?sslmode=disable&schema=ops", server.0.port());
    let place = RemotePlace::in_postgres(&PostgresLedgerAddress::parse(&url).unwrap()).unwrap();
    let checked = place.check_rights().unwrap_err();
    let error = from_elsewhere(&place, "a").err().unwrap();
    let mut told = String::new();
    for help in [checked.help(), error.help()] {
        writeln!(told, "{}", help.unwrap_or_default()).unwrap();
    }
    let (checked, run) = told.trim_end().split_at(told.trim_end().len() / 2);
    assert_eq!(checked.trim(), run.trim(), "a check says what a run would");
    insta::assert_snapshot!(checked.trim());
    let statements = checked.split_once('\n').unwrap().1;
    server.0.psql(statements).unwrap();
    place.check_rights().unwrap();
    let writer = from_elsewhere(&place, "a").unwrap();
    writer.write("a").unwrap();
    writer.ledger.finish().unwrap();
    assert_eq!(known(&place, &["a"]), ["a"]);
    server.0.psql("REVOKE ALL ON ops.ledger_objects FROM guest").unwrap();
    let error = from_elsewhere(&place, "b").err().unwrap();
    let help = error.help().unwrap();
    assert!(help.contains("GRANT SELECT") && !help.contains("CREATE"), "{help}");
}

fn two_ledgers_in_a_schema_do_not_know_of_each_other(server: &Server) {
    let places = [server.place("one"), server.place("two")];
    let writers = places.each_ref().map(|place| from_elsewhere(place, "a").unwrap());
    for (writer, key) in writers.iter().zip(["a", "b"]) {
        writer.write(key).unwrap();
    }
    for writer in writers {
        writer.ledger.finish().unwrap();
    }
    assert_eq!(places.map(|place| known(&place, &["a", "b"])), [["a"], ["b"]]);
}

fn a_large_object_comes_back_in_its_parts(server: &Server) {
    let place = server.place("large");
    let folder = tempfile::tempdir().unwrap();
    let (file, copy) = (folder.path().join("a"), folder.path().join("b"));
    let bytes: Vec<u8> =
        (0..9 * 1024 * 1024 + 17_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
    std::fs::write(&file, &bytes).unwrap();
    for _ in 0..2 {
        place.objects.upload("base/1-0-a", &file).unwrap();
        assert_eq!(place.objects.download("base/1-0-a", &copy).unwrap(), Some(bytes.len() as u64));
        assert!(std::fs::read(&copy).unwrap() == bytes);
    }
    let parts = "SELECT count(*), sum(length(bytes)) FROM coho.ledger_parts WHERE ledger = 'large'";
    assert_eq!(server.0.psql(parts).unwrap(), format!("3|{}", bytes.len()));
    place.objects.remove(&["base/1-0-a".to_owned()]).unwrap();
    assert_eq!(server.0.psql(parts).unwrap(), "0|", "its parts go with it");
    assert_eq!(place.objects.download("base/1-0-a", &copy).unwrap(), None);
}

fn what_is_there_can_be_seen_in_sql(server: &Server) {
    let writer = from_elsewhere(&server.place("seen"), "a").unwrap();
    writer.write("a").unwrap();
    let seen =
        "SELECT epoch, host, released, expires > now(), bytes > 1000 FROM coho.ledgers WHERE ledger = 'seen'";
    assert_eq!(server.0.psql(seen).unwrap(), "1|here|f|t|t");
    writer.ledger.finish().unwrap();
    assert_eq!(server.0.psql(seen).unwrap(), "1|here|t|t|t");
}

/// This machine's clock is wrong by decades: the lease is not over for that, nor does it last for ever.
fn the_clock_of_leases_is_the_servers(server: &Server) {
    let (first, second) = (server.store("clock"), server.place("clock"));
    // It has no mark, so only its lease tells.
    let now = second.now(Time::UNIX_EPOCH).unwrap();
    let holding = Writer::open(&first.place, "a", now).unwrap();
    let future = Time::UNIX_EPOCH + DAY * 100_000;
    let error = Writer::open(&second, "b", future).err().unwrap();
    assert!(matches!(error, OpenError::Remote(RemoteError::Held { .. })), "{error:?}");
    drop(holding);
}

/// What a round trip of 20 ms costs a window of intents or outcomes; `cargo test -p coho-ledger --lib -- --nocapture far`.
#[test]
fn a_write_far_from_its_server_takes_one_round_trip() {
    let Some(server) = Postgres::start_or_skip("a_write_far_from_its_server").unwrap() else { return };
    let server = Server(server);
    let way = Duration::from_millis(10);
    let proxy = Proxy::to(server.0.port(), way);
    let place = RemotePlace::in_postgres(&address_at(proxy.port, "name=far")).unwrap();
    let writer = from_elsewhere(&place, "a").unwrap();
    let begun = Instant::now();
    for number in 0..20 {
        writer.write(&format!("key-{number}")).unwrap();
    }
    let each = begun.elapsed() / 20;
    assert!(each >= way * 2, "the proxy delays: {each:?}");
    // Another round trip would make it at least 40 ms; a busy machine may make it later too.
    eprintln!("a write far from its server: {each:?}");
}
