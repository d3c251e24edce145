//! Damaged ledgers: whatever happens to the bytes of the file, opening and reading it ends, with what it holds or an error.

#[path = "ledger/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use coho_core::failure::Failure as _;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use coho_ledger::history::RowFilter;
use coho_ledger::{Ledger, Opening};
use coho_testkit::mutated;
use proptest::prelude::*;
use stage::{Stage, TTL, at, delivered, holder};

/// The bytes of a ledger with some rows, and nothing in its log.
#[expect(clippy::unwrap_used, reason = "the ledger is made by this test")]
fn whole() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let stage = Stage::new().unwrap();
        for number in 0..40 {
            let key = format!("key-{number}");
            stage.write(&key, Some(delivered(&key).unwrap())).unwrap();
        }
        let path = stage.path();
        let Stage { folder, ledger, lease, .. } = stage;
        ledger.release(lease, at(2)).unwrap();
        drop(ledger);
        let bytes = fs::read(path).unwrap();
        drop(folder);
        bytes
    })
}

/// Opens, reads and writes. Every error has a code, and nothing is damaged further by being told.
fn use_it(path: &Path) -> Result<(), String> {
    let told = |error: &dyn std::error::Error| error.to_string();
    let ledger = Ledger::open(path, &Opening::new(at(3))).map_err(|error| {
        assert!(!error.code().as_str().is_empty());
        told(&error)
    })?;
    let scope = ledger
        .find_scope("production", &SyncId::new("accounts"), Object::Account)
        .map_err(|error| told(&error))?;
    if let Some(scope) = scope {
        let states = ledger.row_states(&scope).map_err(|error| told(&error))?;
        for state in states {
            state.map_err(|error| told(&error))?;
        }
        ledger.rows(&scope, &RowFilter::default(), 100).map_err(|error| told(&error))?;
        ledger.row_state(&scope, &Key::new("key-7")).map_err(|error| told(&error))?;
        let lease = ledger.acquire(&holder("a"), at(4), TTL).map_err(|error| told(&error))?;
        let state = delivered("key-7").map_err(|error| error.to_string())?;
        ledger
            .write(&lease, &scope, &[(Key::new("key-7"), Some(state))], at(5))
            .map_err(|error| told(&error))?;
        ledger.release(lease, at(6)).map_err(|error| told(&error))?;
    }
    ledger.runs(10).map_err(|error| told(&error))?;
    Ok(())
}

#[test]
fn the_ledger_is_whole_until_it_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::write(&path, whole()).unwrap();
    assert_eq!(use_it(&path), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn a_damaged_ledger_ends_with_what_it_holds_or_an_error(seed in any::<u64>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        fs::write(&path, mutated(whole(), seed)).unwrap();
        // Either is right; what is wrong is a panic, or no end.
        drop(use_it(&path));
    }
}
