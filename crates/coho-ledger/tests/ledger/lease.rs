//! The lease: one holder at a time, and nobody who lost it.

use std::fs;
use std::time::Duration;

use coho_core::key::Key;
use coho_ledger::lease::LeaseError;
use coho_ledger::{Ledger, LedgerError, Opening};

use super::stage::{Stage, TTL, Tested, at, delivered, holder};

#[test]
fn a_second_holder_is_refused_and_told_who_holds_it() -> Tested {
    let stage = Stage::new()?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    let error = other.acquire(&holder("a"), at(1_000), TTL).err().ok_or("both hold it")?;
    assert!(matches!(&error, LeaseError::Held { holder, .. } if holder.pid == 7));
    assert_eq!(error.to_string(), "another run (process 7 on a) holds the ledger since 2026-09-21T14:13:20Z");
    Ok(())
}

#[test]
fn a_released_lease_is_free() -> Tested {
    let stage = Stage::new()?;
    let other = Ledger::open(&stage.path(), &Opening::new(at(1)))?;
    assert_eq!(other.holder_of_lease()?, Some(holder("a")));
    stage.ledger.release(stage.lease, at(1))?;
    assert_eq!(other.holder_of_lease()?, None);
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
    let memory = [(Key::new("1"), Some(delivered("1")?))];
    let refused = stage.ledger.write(&stage.lease, &stage.scope, &memory, at(62));
    assert!(matches!(refused, Err(LedgerError::LeaseLost { .. })));
    assert!(matches!(stage.ledger.renew(&stage.lease, at(62), TTL), Err(LedgerError::LeaseLost { .. })));
    assert_eq!(stage.memory("1")?, None);
    other.write(&lease, &stage.scope, &memory, at(62))?;
    Ok(())
}
