//! Power cuts, wherever they come: at every sync, before and after, and at writes in between, with all that was not synced lost,
//! or any part of it. The ledger opens, what was answered as durable is in it, and nothing is in it twice or by halves.
//!
//! A program of its own, since the layer that records SQLite's writes is one for the whole process.

#[path = "ledger/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::row_state::{DeliveryState, Pending, Verb};
use coho_core::started::Started;
use coho_core::sync::SyncId;
use coho_core::verdict::RowStatus;
use coho_ledger::alerts::Telling;
use coho_ledger::intent::Intent;
use coho_ledger::lease::Lease;
use coho_ledger::row_state::sent_text;
use coho_ledger::run::{Run, RunEnding, RunId, RunStatus};
use coho_ledger::scope::SyncScope;
use coho_ledger::settle::{Advance, OpType, RowResult, Settlement};
use coho_ledger::written::Written;
use coho_ledger::{Ledger, Opening};
use coho_powercut::{Loss, Recording};
use rusqlite::Connection;
use stage::{TTL, Tested, at, delivered, digest, holder, sent, target};

type Failure = Box<dyn std::error::Error>;

/// Rows that are sent at once, and how often.
const BATCH: usize = 6;
const BATCHES: usize = 5;

/// Every schema that was ever committed, from the oldest.
const OLDER: [&str; 13] =
    ["v1-first", "v1", "v2-first", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11"];

/// What the ledger answered to be durable.
#[derive(Clone, Debug)]
enum Durable {
    /// The lease of this epoch was taken.
    Lease(u64),
    /// The intents of a batch: they may be sent.
    Intents(usize, usize),
    /// What became of them.
    Settled(usize, usize),
    RunBegun(usize),
    /// With its message.
    RunEnded(usize),
    /// The values of the first row are gone.
    Purged,
}

/// A folder in which a ledger works, what it answered and when, and the lock's file after each answer.
struct Work {
    folder: tempfile::TempDir,
    recording: Recording,
    durable: Vec<(usize, Durable)>,
    locks: Vec<(usize, Vec<u8>)>,
}

/// A folder in memory where there is such a thing: nobody waits for a disk.
fn in_memory() -> std::io::Result<tempfile::TempDir> {
    tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new())
}

fn key(run: usize, batch: usize, row: usize) -> String {
    // The second run sends the rows of the first one again, and new ones.
    if run == 1 && batch < 2 { format!("r0-{batch}-{row}") } else { format!("r{run}-{batch}-{row}") }
}

fn intent(key: &str, version: u64) -> Result<Intent, Failure> {
    Ok(Intent {
        key: Key::new(key),
        target: target(key)?,
        operation: digest(key),
        would_send: sent_text(&sent(key)),
        verb: Verb::Write,
        since: at(2),
        version,
    })
}

fn settlement(key: &str) -> Result<Settlement, Failure> {
    Ok(Settlement {
        key: Key::new(key),
        row_state: Some(delivered(key)?),
        arrived: Some(digest(key)),
        status: RowResult {
            key: Some(Key::new(key)),
            op_type: Some(OpType::Added),
            status: RowStatus::Delivered,
            reason: "new-record".to_owned(),
            code: None,
            message: None,
            changes: Vec::new(),
            at: at(3),
        },
        calls: Vec::new(),
    })
}

impl Work {
    fn new() -> Result<Self, Failure> {
        let folder = in_memory()?;
        let recording = Recording::begin(folder.path())?;
        Ok(Self { folder, recording, durable: Vec::new(), locks: Vec::new() })
    }

    fn open(&self) -> Result<Ledger, Failure> {
        Ok(Ledger::open(&self.folder.path().join("ledger.db"), &Opening::new(at(0)))?)
    }

    fn promise(&mut self, durable: Durable) -> Tested {
        let now = self.recording.now();
        self.durable.push((now, durable));
        self.locks.push((now, fs::read(self.folder.path().join("ledger.db.lock"))?));
        Ok(())
    }

    /// A run as the engine makes it: intents, settlements with the next intents, and the end with what is told of it.
    fn run(&mut self, run: usize) -> Result<Ledger, Failure> {
        let ledger = self.open()?;
        let lease = ledger.acquire(&holder("a"), at(1), TTL)?;
        self.promise(Durable::Lease(lease.epoch()))?;
        let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
        let id = RunId::new(format!("run-{run}"));
        let begun = ledger.begin_run(&lease, &id, RunKind::Sync, &Started::default(), at(2))?;
        self.promise(Durable::RunBegun(run))?;
        for batch in 0..=BATCHES {
            self.advance(&ledger, &lease, &begun, &scope, run, batch)?;
        }
        let ending = RunEnding { status: RunStatus::Success, error: None, at: at(4) };
        let message =
            Written { id: format!("message-{run}"), recipient: "ops".to_owned(), body: "{}".to_owned() };
        ledger.end_run_telling(&lease, &begun, &ending, |_, _| Telling {
            messages: vec![message],
            recipients: ["ops".to_owned()].into(),
            ..Telling::default()
        })?;
        self.promise(Durable::RunEnded(run))?;
        if run == 1 {
            ledger.purge(&lease, &SyncId::new("accounts"), &Key::new(key(0, 0, 0)), at(5))?;
            self.promise(Durable::Purged)?;
            ledger.scrub(&lease)?;
            self.promise(Durable::Purged)?;
        }
        ledger.release(lease, at(6))?;
        Ok(ledger)
    }

    fn advance(
        &mut self,
        ledger: &Ledger,
        lease: &Lease,
        begun: &Run,
        scope: &SyncScope,
        run: usize,
        batch: usize,
    ) -> Tested {
        let of = |batch: usize| (0..BATCH).map(move |row| key(run, batch, row));
        let version = |key: &str| -> Result<u64, Failure> {
            Ok(ledger.row_state(scope, &Key::new(key))?.map_or(0, |row_state| row_state.version))
        };
        let intents = of(batch)
            .take(if batch < BATCHES { BATCH } else { 0 })
            .map(|key| intent(&key, version(&key)?))
            .collect::<Result<Vec<_>, _>>()?;
        let settled = batch.checked_sub(1);
        let settlements =
            settled.into_iter().flat_map(of).map(|key| settlement(&key)).collect::<Result<Vec<_>, _>>()?;
        let step = Advance { settlements: &settlements, calls: &[], intents: &intents, ..Advance::default() };
        ledger.advance(lease, begun, scope, step)?;
        if batch < BATCHES {
            self.promise(Durable::Intents(run, batch))?;
        }
        settled.map_or(Ok(()), |settled| self.promise(Durable::Settled(run, settled)))
    }

    /// The points at which the power goes, and what it takes: around every sync in every way, and at some writes in between.
    fn cuts(&self) -> Vec<(usize, Loss)> {
        let end = self.recording.now();
        let between = (0..end).step_by((end / 60).max(1)).enumerate();
        let between = between.map(|(turn, point)| (point, loss(turn)));
        let syncs: BTreeSet<usize> = self.recording.syncs().into_iter().chain([end]).collect();
        syncs.into_iter().flat_map(|point| losses(point).map(|loss| (point, loss))).chain(between).collect()
    }

    /// A folder as it is found when the power comes back.
    fn after(&self, point: usize, loss: Loss) -> Result<tempfile::TempDir, Failure> {
        let folder = in_memory()?;
        self.recording.cut_into(point, loss, folder.path())?;
        // The lock's file is not synced: it is there as it was, or as it was earlier.
        let mut written = self.locks.iter().rev().filter(|(at, _)| *at <= point).map(|(_, bytes)| bytes);
        let found = if loss == Loss::All { written.nth(1) } else { written.next() };
        if let Some(bytes) = found {
            fs::write(folder.path().join("ledger.db.lock"), bytes)?;
        }
        Ok(folder)
    }
}

/// Every way in which the power can go at a point.
fn losses(point: usize) -> [Loss; 3] {
    [Loss::All, Loss::Nothing, Loss::Some(point as u64)]
}

/// One of them, another for the next point.
fn loss(turn: usize) -> Loss {
    losses(turn)[turn % 3]
}

/// Nothing is by halves or twice, by SQLite's word and by ours.
fn whole(path: &Path) -> Tested {
    let ledger = Connection::open(path)?;
    let count = |sql: &str| ledger.query_row(sql, [], |row| row.get::<_, i64>(0));
    let said: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(said, "ok");
    let twice = "SELECT count(*) FROM (SELECT 1 FROM fates GROUP BY run, scope, key HAVING count(*) > 1)";
    assert_eq!(count(twice)?, 0, "rows with two statuses in one run");
    for (run, batch) in (0..2).flat_map(|run| (0..BATCHES).map(move |batch| (run, batch))) {
        let mut states = BTreeSet::new();
        for row in 0..BATCH {
            let state = ledger.query_row(
                "SELECT coalesce((SELECT standing || ' ' || pending FROM memory WHERE key = ?1), 'nothing')",
                [key(run, batch, row)],
                |row| row.get::<_, String>(0),
            )?;
            states.insert(state);
        }
        assert_eq!(states.len(), 1, "a transaction by halves: {states:?}");
    }
    Ok(())
}

/// What was answered to be durable is there.
fn kept(ledger: &Ledger, durable: &Durable, later: &[Durable]) -> Tested {
    let scope = ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?;
    let of = |run: usize, batch: usize| (0..BATCH).map(move |row| Key::new(key(run, batch, row)));
    let state = |key: &Key| -> Result<_, Failure> {
        let scope = scope.as_ref().ok_or("the scope is gone")?;
        Ok(ledger.row_state(scope, key)?.ok_or_else(|| format!("{durable:?}: {key} is gone"))?)
    };
    match durable {
        Durable::Lease(_) => {}
        Durable::Intents(run, batch) => {
            for key in of(*run, *batch) {
                let state = state(&key)?;
                let is_settled = later
                    .iter()
                    .any(|later| matches!(later, Durable::Settled(r, b) if (r, b) == (run, batch)));
                let is_open = matches!(state.pending, Pending::Open { .. });
                assert!(is_open || matches!(state.delivery, DeliveryState::Delivered { .. }), "{key}");
                assert!(!(is_open && is_settled) || *run == 0, "{key} was settled and is open");
            }
        }
        Durable::Settled(run, batch) => {
            for key in of(*run, *batch) {
                assert!(matches!(state(&key)?.delivery, DeliveryState::Delivered { .. }), "{key}");
            }
        }
        Durable::RunBegun(run) => assert!(ledger.run(&RunId::new(format!("run-{run}")))?.is_some()),
        Durable::RunEnded(run) => {
            let found = ledger.run(&RunId::new(format!("run-{run}")))?.ok_or("the run is gone")?;
            assert_eq!(found.status, RunStatus::Success);
            assert!(ledger.waiting_messages()?.contains(&format!("message-{run}")));
        }
        Durable::Purged => {
            let state = state(&Key::new(key(0, 0, 0)))?;
            assert!(
                state.delivery.sent().is_some_and(std::collections::BTreeMap::is_empty),
                "{:?}",
                state.delivery
            );
        }
    }
    Ok(())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Opens what a power cut left, holds it against what was durable, and goes on with it.
fn look(work: &Work, point: usize, loss: Loss) -> Tested {
    let folder = work.after(point, loss)?;
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, &Opening::new(at(100)))?;
    let durable: Vec<Durable> =
        work.durable.iter().filter(|(at, _)| *at <= point).map(|(_, durable)| durable.clone()).collect();
    for (number, one) in durable.iter().enumerate() {
        kept(&ledger, one, durable.get(number + 1..).unwrap_or_default())?;
    }
    let lease = ledger.acquire(&holder("a"), at(101), TTL)?;
    assert_eq!(lease.lost_writes(), 0, "a power cut is taken for a lost log");
    let epochs =
        durable.iter().filter_map(|one| if let Durable::Lease(epoch) = one { Some(*epoch) } else { None });
    assert!(epochs.max().is_none_or(|epoch| lease.epoch() > epoch));
    ledger.release(lease, at(102))?;
    drop(ledger);
    whole(&path)
}

#[test]
fn whenever_the_power_goes_what_was_durable_is_there_once() -> Tested {
    let mut work = Work::new()?;
    drop(work.run(0)?);
    drop(work.run(1)?);
    assert!(work.recording.syncs().len() > 2 * 2 * BATCHES, "{}", work.recording.syncs().len());
    for (point, loss) in work.cuts() {
        look(&work, point, loss).map_err(|error| format!("at {point}, {loss:?}: {}", chain(&*error)))?;
    }
    Ok(())
}

/// Takes the power from an upgrade at every sync: from the oldest schema in every way, from the others at every third, in one way.
#[test]
fn whenever_the_power_goes_an_upgrade_is_whole_or_begins_again() -> Tested {
    for (number, schema) in OLDER.into_iter().enumerate() {
        let folder = in_memory()?;
        let path = folder.path().join("ledger.db");
        let text = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/schema/{schema}.sql")),
        )?;
        Connection::open(&path)?.execute_batch(&text)?;
        let recording = Recording::begin(folder.path())?;
        let ledger = Ledger::open(&path, &Opening::new(at(5)))?;
        drop(ledger);
        // Before the first operation nobody looked at the file.
        let points: BTreeSet<usize> = recording.syncs().into_iter().chain([1, recording.now()]).collect();
        for (turn, point) in points.into_iter().filter(|point| *point > 0).enumerate() {
            let losses = match (number, (number + turn) % 3) {
                (0, _) => losses(point).to_vec(),
                (_, 0) => vec![loss(number + turn / 3)],
                _ => Vec::new(),
            };
            for loss in losses {
                let after = in_memory()?;
                recording.cut_into(point, loss, after.path())?;
                upgraded(&after.path().join("ledger.db"))
                    .map_err(|error| format!("{schema} at {point}, {loss:?}: {}", chain(&*error)))?;
            }
        }
    }
    Ok(())
}

/// The ledger is as new as it can be, and still knows what it knew.
fn upgraded(path: &Path) -> Tested {
    let ledger = Ledger::open(path, &Opening::new(at(6)))?;
    let scope =
        ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?.ok_or("no scope")?;
    let row_state = ledger.row_state(&scope, &Key::new("1"))?.ok_or("no memory")?;
    assert!(matches!(row_state.delivery, DeliveryState::Delivered { n: 2, .. }));
    drop(ledger);
    let said: String = Connection::open(path)?.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(said, "ok");
    Ok(())
}

/// The test would see it: a ledger that does not sync loses what it answered.
#[test]
fn a_log_that_is_not_synced_is_found_out() -> Tested {
    let folder = in_memory()?;
    let recording = Recording::begin(folder.path())?;
    let path = folder.path().join("a.db");
    let connection = Connection::open(&path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (n)")?;
    connection.execute_batch("INSERT INTO t VALUES (1)")?;
    let promised = recording.now();
    let after = in_memory()?;
    recording.cut_into(promised, Loss::All, after.path())?;
    let found = Connection::open(after.path().join("a.db"))?;
    assert!(found.query_row("SELECT n FROM t", [], |row| row.get::<_, i64>(0)).is_err());
    Ok(())
}
