//! Older ledgers are brought up to date, from every schema that was ever committed, wherever the process is killed.

use std::fs;
use std::path::Path;
use std::thread;

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::row_state::DeliveryState;
use coho_core::sync::SyncId;
use coho_core::verdict::RowStatus;
use coho_ledger::schema::VERSION;
use coho_ledger::{Access, Create, Ledger, LedgerError, OpenError, Opening};
use rusqlite::Connection;

use super::opening::OLDER;
use super::stage::{TTL, Tested, at, delivered, holder};

const STEPS: [&str; 13] = [
    include_str!("../../src/schema/steps/1-tables.sql"),
    include_str!("../../src/schema/steps/2-views.sql"),
    include_str!("../../src/schema/steps/3-deliveries.sql"),
    include_str!("../../src/schema/steps/4-project.sql"),
    include_str!("../../src/schema/steps/5-departures.sql"),
    include_str!("../../src/schema/steps/6-history.sql"),
    include_str!("../../src/schema/steps/7-alerts.sql"),
    include_str!("../../src/schema/steps/8-schedules.sql"),
    include_str!("../../src/schema/steps/9-totals.sql"),
    include_str!("../../src/schema/steps/10-forgotten.sql"),
    include_str!("../../src/schema/steps/11-batches.sql"),
    include_str!("../../src/schema/steps/12-buckets.sql"),
    include_str!("../../src/schema/steps/13-shapes.sql"),
];

fn remembers_the_account(ledger: &Ledger) -> Tested {
    let scope =
        ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?.ok_or("no scope")?;
    let row_state = ledger.row_state(&scope, &Key::new("1"))?.ok_or("no memory")?;
    assert!(matches!(row_state.delivery, DeliveryState::Delivered { n: 2, .. }));
    Ok(())
}

#[test]
fn an_older_ledger_is_read_from_a_copy_and_stays_as_it_is() -> Tested {
    for (name, schema) in OLDER {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("ledger.db");
        Connection::open(&path)?.execute_batch(schema)?;
        let before = fs::read(&path)?;
        let read_only = Opening { access: Access::ReadOnly, create: Create::No, now: at(0) };
        let ledger = Ledger::open(&path, &read_only)?;
        remembers_the_account(&ledger)?;
        let scope =
            ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?.ok_or("no scope")?;
        assert!(ledger.row_states(&scope)?.count() >= 1, "{name}");
        let copy = ledger.path().to_owned();
        assert_ne!(copy, path);
        drop(ledger);
        assert!(!copy.exists());
        assert!(fs::read(&path)? == before, "{name}");
    }
    Ok(())
}

#[test]
fn every_older_ledger_is_written_to_at_once() -> Tested {
    for (name, schema) in OLDER {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("ledger.db");
        Connection::open(&path)?.execute_batch(schema)?;
        // As a run opens it before it knows whether it is the right one.
        let ledger = Ledger::open(&path, &Opening { create: Create::No, ..Opening::new(at(5)) })?;
        remembers_the_account(&ledger)?;
        let lease = ledger.acquire(&holder("a"), at(5), TTL)?;
        let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
        ledger.write(&lease, &scope, &[(Key::new("9"), Some(delivered("9")?))], at(6))?;
        let backups = fs::read_dir(folder.path())?.filter(|entry| {
            entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|e| e == "bak"))
        });
        assert_eq!(backups.count(), 1, "{name}");
    }
    Ok(())
}

#[test]
fn a_row_that_was_invalid_in_the_last_run_still_is() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(OLDER[4].1)?;
    let ledger = Ledger::open(&path, &Opening::new(at(5)))?;
    let scope =
        ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?.ok_or("no scope")?;
    assert_eq!(ledger.standing(&scope, None, 9)?, [(Key::new("3"), RowStatus::Invalid)]);
    Ok(())
}

/// The statements of a step, each whole.
fn statements(step: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    for line in step.lines() {
        let code = line.split("--").next().unwrap_or_default().trim_end();
        if let Some(last) = statements.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
        if code.ends_with(';') {
            statements.push(String::new());
        }
    }
    statements
        .retain(|statement| statement.lines().any(|line| !line.trim().is_empty() && !line.starts_with("--")));
    statements
}

/// A folder in memory where there is such a thing: nobody waits for a disk.
fn in_memory() -> std::io::Result<tempfile::TempDir> {
    tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new())
}

/// What a process leaves that is killed after so many statements of the upgrade: nothing of them was committed, and part of
/// them stands in the log already.
fn killed_after(path: &Path, version: usize, count: usize, left: &Path) -> Tested {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; PRAGMA cache_spill = 1")?;
    let transaction = connection.transaction()?;
    let missing = STEPS[version..].iter().flat_map(|step| statements(step));
    for statement in missing.take(count) {
        transaction.execute_batch(&statement)?;
    }
    for name in ["ledger.db", "ledger.db-wal"] {
        if path.with_file_name(name).exists() {
            fs::copy(path.with_file_name(name), left.join(name))?;
        }
    }
    Ok(())
}

#[test]
fn a_process_that_is_killed_while_it_upgrades_leaves_the_way_open() -> Tested {
    for (name, schema) in OLDER {
        let version: usize = name.trim_start_matches('v').split('-').next().unwrap_or("0").parse()?;
        let all: usize = STEPS[version..].iter().map(|step| statements(step).len()).sum();
        // The longest way is gone statement by statement, the others in strides.
        let stride = if name == "v1" { 1 } else { 6 };
        for count in (0..=all).step_by(stride).chain([all]) {
            let (folder, left) = (in_memory()?, in_memory()?);
            let path = folder.path().join("ledger.db");
            Connection::open(&path)?.execute_batch(schema)?;
            killed_after(&path, version, count, left.path())?;
            fs::write(left.path().join(format!("ledger.db.v{version}.bak.unfinished")), "half")?;
            let ledger = Ledger::open(&left.path().join("ledger.db"), &Opening::new(at(5)))?;
            remembers_the_account(&ledger)?;
            assert!(ledger.acquire(&holder("a"), at(5), TTL).is_ok(), "{name} after {count}");
        }
    }
    Ok(())
}

#[test]
fn two_processes_upgrade_at_once_and_both_go_on() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(OLDER[1].1)?;
    let open = || Ledger::open(&path, &Opening::new(at(5))).map(drop);
    let opened: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
        opening.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for result in opened {
        result.map_err(|_| "it panicked")??;
    }
    Ok(())
}

#[test]
fn two_processes_make_one_ledger() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(".coho/ledger.db");
    let open = || Ledger::open(&path, &Opening::new(at(5))).map(drop);
    let opened: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        opening.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for result in opened {
        result.map_err(|_| "it panicked")??;
    }
    let names: Vec<_> = fs::read_dir(folder.path().join(".coho"))?
        .map(|entry| entry.map(|e| e.file_name()))
        .collect::<Result<_, _>>()?;
    let strays: Vec<_> = names.iter().filter(|name| name.to_string_lossy().contains(".new-")).collect();
    assert!(strays.is_empty(), "{strays:?}");
    Ok(())
}

#[test]
fn a_new_ledger_is_whole_when_it_appears() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    drop(Ledger::open(&path, &Opening::new(at(0)))?);
    // The file alone, without any log, as the next process finds it after a kill.
    let alone = tempfile::tempdir()?;
    fs::copy(&path, alone.path().join("ledger.db"))?;
    let version: i64 = Connection::open(alone.path().join("ledger.db"))?.pragma_query_value(
        None,
        "user_version",
        |row| row.get(0),
    )?;
    assert_eq!(version, VERSION);
    Ok(())
}

#[test]
fn what_an_earlier_version_left_of_a_ledger_is_none_to_readers_and_is_mended_by_writers() -> Tested {
    let leave = |path: &Path, half: bool| -> Tested {
        if half {
            // The log is there, and the first step was not committed.
            Connection::open(path)?.execute_batch("PRAGMA journal_mode = WAL; PRAGMA user_version = 0")?;
        } else {
            fs::write(path, "")?;
        }
        Ok(())
    };
    for half in [false, true] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("ledger.db");
        leave(&path, half)?;
        for access in [Access::ReadOnly, Access::ReadWrite] {
            let looked = Ledger::open(&path, &Opening { access, create: Create::No, now: at(0) });
            assert!(matches!(looked, Err(OpenError::Missing { .. })), "{looked:?}");
        }
        let ledger = Ledger::open(&path, &Opening::new(at(0)))?;
        assert!(ledger.acquire(&holder("a"), at(0), TTL).is_ok());
    }
    Ok(())
}

#[test]
fn a_copy_of_an_older_ledger_cannot_be_written_to() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(OLDER[3].1)?;
    let ledger = Ledger::open(&path, &Opening { access: Access::ReadOnly, ..Opening::new(at(0)) })?;
    let taken = ledger.acquire(&holder("a"), at(0), TTL);
    let read_only =
        matches!(taken, Err(coho_ledger::lease::LeaseError::Ledger(LedgerError::ReadOnly { .. })));
    assert!(read_only, "{taken:?}");
    Ok(())
}
