//! One file, one name: under a second name there would be another log and another lock.

use std::fs;

use coho_core::key::Key;
use coho_ledger::lease::LeaseError;
use coho_ledger::{Access, Ledger, OpenError, Opening};

use super::stage::{Stage, TTL, Tested, at, delivered, holder};

#[test]
fn a_ledger_with_a_hard_link_is_not_opened_under_either_name() -> Tested {
    let stage = Stage::new()?;
    let other = stage.folder.path().join("other.db");
    fs::hard_link(stage.path(), &other)?;
    for access in [Access::ReadWrite, Access::ReadOnly] {
        for path in [&other, &stage.path()] {
            let opened = Ledger::open(path, &Opening { access, ..Opening::new(at(1)) });
            assert!(matches!(opened, Err(OpenError::SeveralNames { .. })), "{}", path.display());
        }
    }
    // Who has it open goes on, alone.
    stage.write("1", Some(delivered("1")?))?;
    fs::remove_file(&other)?;
    assert!(Ledger::open(&stage.path(), &Opening::new(at(1))).is_ok());
    Ok(())
}

#[cfg(unix)]
#[test]
fn two_runs_through_a_symbolic_link_meet_at_one_lock() -> Tested {
    let stage = Stage::new()?;
    let elsewhere = tempfile::tempdir()?;
    let link = elsewhere.path().join("link.db");
    std::os::unix::fs::symlink(stage.path(), &link)?;
    let linked = Ledger::open(&link, &Opening::new(at(1)))?;
    // The row alone would let another process of this machine in: its holder counts as dead where the lock is free.
    let second = linked.acquire(&holder("a"), at(1_000), TTL);
    assert!(matches!(second, Err(LeaseError::Held { .. })));
    assert!(linked.under_way("a", at(1_000))?.is_some());
    stage.ledger.release(stage.lease, at(2))?;
    let lease = linked.acquire(&holder("a"), at(2), TTL)?;
    linked.write(&lease, &stage.scope, &[(Key::new("1"), Some(delivered("1")?))], at(2))?;
    assert!(stage.ledger.row_state(&stage.scope, &Key::new("1"))?.is_some());
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_ledger_is_made_where_a_symbolic_link_leads() -> Tested {
    let folder = tempfile::tempdir()?;
    let (link, file) = (folder.path().join("link.db"), folder.path().join("real.db"));
    std::os::unix::fs::symlink("real.db", &link)?;
    Ledger::open(&link, &Opening::new(at(0)))?;
    assert!(file.is_file() && link.is_symlink());
    Ok(())
}
