//! Scopes: their first runs, and what moves when a sync gets another id.

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use coho_core::verdict::RowStatus;
use coho_ledger::history::RowFilter;
use coho_ledger::scope::{Renamed, ScopeError, SyncScope};

use super::history::{begin, status};
use super::stage::{Stage, Tested, at, delivered};

fn rename(stage: &Stage, from: &str, to: &str) -> Result<Renamed, Box<dyn std::error::Error>> {
    Ok(stage.ledger.rename_scope(&stage.lease, "production", &SyncId::new(from), &SyncId::new(to))?)
}

fn scope(stage: &Stage, sync: &str) -> Result<SyncScope, ScopeError> {
    stage.ledger.scope(&stage.lease, "production", &SyncId::new(sync), Object::Account)
}

fn keys(stage: &Stage, scope: &SyncScope) -> Result<Vec<Key>, Box<dyn std::error::Error>> {
    Ok(stage.ledger.row_states(scope)?.map(|row| row.map(|row| row.key())).collect::<Result<_, _>>()?)
}

#[test]
fn a_first_run_is_marked_once() -> Tested {
    let stage = Stage::new()?;
    assert_eq!(stage.ledger.first_run(&stage.scope)?, None);
    stage.ledger.mark_first_run(&stage.lease, &stage.scope, at(1))?;
    stage.ledger.mark_first_run(&stage.lease, &stage.scope, at(2))?;
    assert_eq!(stage.ledger.first_run(&stage.scope)?, Some(at(1)));
    assert_eq!(stage.ledger.first_run(&scope(&stage, "others")?)?, None);
    Ok(())
}

#[test]
fn a_sync_that_was_forgotten_runs_as_for_the_first_time() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.ledger.mark_first_run(&stage.lease, &stage.scope, at(1))?;
    stage.ledger.forget(&stage.lease, &stage.scope, Some(&Key::new("1")))?;
    assert!(stage.ledger.first_run(&stage.scope)?.is_some());
    stage.ledger.forget(&stage.lease, &stage.scope, None)?;
    assert_eq!(stage.ledger.first_run(&stage.scope)?, None);
    Ok(())
}

#[test]
fn a_renamed_sync_keeps_its_memory_its_history_and_its_first_run() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    stage.ledger.mark_first_run(&stage.lease, &stage.scope, at(1))?;
    let run = begin(&stage, "r1", 1)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[status("1", None, RowStatus::Invalid)])?;
    let twin = stage.ledger.scope(&stage.lease, "staging", &SyncId::new("accounts"), Object::Account)?;

    assert_eq!(rename(&stage, "accounts", "customers")?, Renamed::Moved);
    let renamed = scope(&stage, "customers")?;
    assert_eq!(keys(&stage, &renamed)?, [Key::new("1")]);
    assert_eq!(stage.ledger.first_run(&renamed)?, Some(at(1)));
    assert_eq!(stage.ledger.rows(&renamed, &RowFilter::default(), 9)?.len(), 1);
    let syncs = stage.ledger.run(run.id())?.ok_or("no run")?.syncs;
    assert_eq!(syncs[0].sync, SyncId::new("customers"));
    assert_eq!(keys(&stage, &scope(&stage, "accounts")?)?, []);
    let found = stage.ledger.find_scope("staging", &SyncId::new("accounts"), Object::Account)?;
    assert_eq!(found, Some(twin));

    assert_eq!(rename(&stage, "accounts", "customers")?, Renamed::NothingThere);
    assert_eq!(keys(&stage, &renamed)?, [Key::new("1")]);
    Ok(())
}

#[test]
fn an_empty_scope_makes_way_for_a_renamed_sync() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let empty = scope(&stage, "customers")?;
    stage.ledger.mark_first_run(&stage.lease, &empty, at(1))?;
    assert_eq!(rename(&stage, "accounts", "customers")?, Renamed::Moved);
    assert_eq!(keys(&stage, &scope(&stage, "customers")?)?, [Key::new("1")]);
    assert_eq!(keys(&stage, &scope(&stage, "accounts")?)?, []);
    Ok(())
}

#[test]
fn two_syncs_that_both_remember_are_not_mixed() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let other = scope(&stage, "customers")?;
    let kept = [(Key::new("2"), Some(delivered("2")?))];
    stage.ledger.write(&stage.lease, &other, &kept, at(1))?;
    assert_eq!(rename(&stage, "accounts", "customers")?, Renamed::BothThere);
    assert_eq!(keys(&stage, &stage.scope)?, [Key::new("1")]);
    assert_eq!(keys(&stage, &other)?, [Key::new("2")]);
    Ok(())
}

#[test]
fn a_sync_without_memory_still_takes_its_first_run_along() -> Tested {
    let stage = Stage::new()?;
    assert_eq!(rename(&stage, "accounts", "customers")?, Renamed::NothingThere);
    assert_eq!(rename(&stage, "unheard-of", "customers")?, Renamed::NothingThere);
    stage.ledger.mark_first_run(&stage.lease, &stage.scope, at(1))?;
    assert_eq!(rename(&stage, "accounts", "accounts")?, Renamed::NothingThere);
    assert_eq!(rename(&stage, "accounts", "customers")?, Renamed::Moved);
    assert!(stage.ledger.first_run(&scope(&stage, "customers")?)?.is_some());
    assert_eq!(stage.ledger.first_run(&scope(&stage, "accounts")?)?, None);
    Ok(())
}
