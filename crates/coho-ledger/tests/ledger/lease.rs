//! The lease: one holder at a time, and nobody who lost it.

use coho_core::failure::Failure as _;
use std::fs;
use std::time::Duration;

use coho_core::key::Key;
use coho_core::started::Started;
use coho_ledger::lease::LeaseError;
use coho_ledger::{Ledger, LedgerError, Opening};

use coho_core::decide::RunKind;
use coho_ledger::run::RunId;

use super::stage::{Stage, TTL, Tested, at, delivered, holder};

#[test]
fn a_second_holder_is_refused_and_told_who_holds_it() -> Tested {
    let stage = Stage::new()?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    let error = other.acquire(&holder("a"), at(1_000), TTL).err().ok_or("both hold it")?;
    assert!(matches!(&error, LeaseError::Held { holder, .. } if holder.pid == 7));
    assert_eq!(
        error.to_string(),
        "another run (process 7 on a) has held the ledger since 2026-09-21T14:13:20Z"
    );
    Ok(())
}

#[test]
fn a_released_lease_is_free() -> Tested {
    let stage = Stage::new()?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    assert!(other.acquire(&holder("b"), at(1), TTL).is_err());
    stage.ledger.release(stage.lease, at(1))?;
    assert_eq!(other.acquire(&holder("b"), at(1), TTL)?.epoch(), 2);
    Ok(())
}

#[test]
fn the_lease_of_a_dead_process_of_this_machine_is_free_at_once() -> Tested {
    let stage = Stage::new()?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    // What the system does when a process dies: its lock goes, its row stays.
    drop(stage.lease);
    assert_eq!(other.acquire(&holder("a"), at(1), TTL)?.epoch(), 2);
    Ok(())
}

#[test]
fn the_lease_of_another_machine_is_respected_until_it_expires() -> Tested {
    let stage = Stage::new()?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    drop(stage.lease);
    assert!(matches!(other.acquire(&holder("b"), at(59), TTL), Err(LeaseError::Held { .. })));
    assert_eq!(other.acquire(&holder("b"), at(60), TTL)?.epoch(), 2);
    Ok(())
}

#[test]
fn a_renewed_lease_lasts_longer() -> Tested {
    let stage = Stage::new()?;
    stage.ledger.renew(&stage.lease, at(50), Duration::from_secs(100))?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    drop(stage.lease);
    assert!(matches!(other.acquire(&holder("b"), at(149), TTL), Err(LeaseError::Held { .. })));
    other.acquire(&holder("b"), at(150), TTL)?;
    Ok(())
}

#[test]
fn a_holder_that_was_taken_for_dead_cannot_write() -> Tested {
    let stage = Stage::new()?;
    // Where locks do not reach, only the epoch tells: as if another machine had never seen this lock.
    fs::remove_file(stage.folder.path().join("ledger.db.lock"))?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    let lease = other.acquire(&holder("b"), at(61), TTL)?;
    assert!(lease.is_locked());
    let row_state = [(Key::new("1"), Some(delivered("1")?))];
    let refused = stage.ledger.write(&stage.lease, &stage.scope, &row_state, at(62));
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })));
    assert!(matches!(stage.ledger.renew(&stage.lease, at(62), TTL), Err(LedgerError::LeaseLost { .. })));
    assert_eq!(stage.row_state("1")?, None);
    other.write(&lease, &stage.scope, &row_state, at(62))?;
    Ok(())
}

#[test]
fn a_lease_that_was_given_back_does_not_write() -> Tested {
    let stage = Stage::new()?;
    let earlier = stage.ledger.acquire(&holder("a"), at(0), TTL);
    assert!(earlier.is_err(), "it is held");
    let Stage { folder, ledger, lease, scope } = stage;
    let path = folder.path().join("ledger.db");
    let epoch = lease.epoch();
    ledger.release(lease, at(1))?;
    // Nobody has taken it since: the epoch still stands, and only the row says that it was given back.
    let later = ledger.acquire(&holder("a"), at(2), TTL)?;
    rusqlite::Connection::open(&path)?.execute("UPDATE lease SET released = 1", [])?;
    assert_eq!(later.epoch(), epoch + 1);
    let refused = ledger.write(&later, &scope, &[(Key::new("1"), Some(delivered("1")?))], at(3));
    let error = refused.err().ok_or("it was written")?;
    assert!(matches!(error, LedgerError::LeaseLost { .. }));
    assert_eq!(error.help().as_deref(), Some("run again: Coho finds out what is missing"));
    Ok(())
}

#[test]
fn who_only_reads_is_told_which_process_runs() -> Tested {
    let stage = Stage::new()?;
    let reader = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    let told = reader.under_way("a", at(1_000))?.ok_or("nobody holds it")?;
    assert_eq!((told.holder, told.since, told.run), (holder("a"), at(0), None));
    stage.ledger.begin_run(&stage.lease, &RunId::new("r1"), RunKind::Sync, &Started::default(), at(1))?;
    assert_eq!(reader.under_way("b", at(1_000))?.and_then(|told| told.run), Some(RunId::new("r1")));
    // Looking does not get in the way of who wants to run next.
    stage.ledger.release(stage.lease, at(2))?;
    assert_eq!(reader.under_way("a", at(3))?, None);
    assert!(stage.ledger.acquire(&holder("a"), at(3), TTL)?.is_locked());
    Ok(())
}

#[test]
fn a_killed_process_is_not_under_way() -> Tested {
    let stage = Stage::new()?;
    let reader = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    drop(stage.lease);
    assert_eq!(reader.under_way("a", at(1))?, None);
    // Of another machine only the lease's end tells.
    assert!(reader.under_way("b", at(59))?.is_some());
    assert_eq!(reader.under_way("b", at(60))?, None);
    Ok(())
}

#[test]
fn a_lost_write_ahead_log_is_noticed() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let elsewhere = tempfile::tempdir()?;
    let copy = |name: &str| fs::copy(stage.folder.path().join(name), elsewhere.path().join(name));
    rusqlite::Connection::open(stage.path())?
        .query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get::<_, i64>(0))?;
    copy("ledger.db")?;
    stage.write("2", Some(delivered("2")?))?;
    stage.write("3", Some(delivered("3")?))?;
    // As a kill leaves it, but for the log.
    copy("ledger.db.lock")?;
    let path = elsewhere.path().join("ledger.db");
    let lease = Ledger::open(&path, &Opening::new(at(1)))?.acquire(&holder("a"), at(1), TTL)?;
    assert_eq!(lease.lost_writes(), 2);
    drop(lease);
    let again = Ledger::open(&path, &Opening::new(at(1)))?.acquire(&holder("a"), at(1), TTL)?;
    assert_eq!(again.lost_writes(), 0, "it is told once");
    Ok(())
}

#[test]
fn a_ledger_that_was_begun_anew_has_lost_nothing() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let (folder, path) = (stage.folder, stage.ledger.path().to_owned());
    drop((stage.ledger, stage.lease));
    fs::remove_file(&path)?;
    let lease = Ledger::open(&path, &Opening::new(at(1)))?.acquire(&holder("a"), at(1), TTL)?;
    assert_eq!(lease.lost_writes(), 0);
    drop(folder);
    Ok(())
}
