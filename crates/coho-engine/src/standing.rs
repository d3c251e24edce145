//! What stood and is over: rows that were invalid, refused or held before, and of which this plan has nothing more to say.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use coho_core::key::Key;
use coho_core::memory::Time;
use coho_core::verdict::Fate;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::run::Run;
use coho_ledger::scope::Scope;
use coho_ledger::settle::RowFate;
use coho_ledger::spool::Spool;

use crate::context::EngineError;
use crate::plan::PlanError;

/// Fates that are looked at at once.
const AT_ONCE: usize = 500;

/// The keys that a plan has noted, eight bytes each. Two keys that fall together only delay that one is told to be well.
#[derive(Default)]
pub(crate) struct Told(HashSet<u64>);

impl Told {
    pub(crate) fn add(&mut self, key: &Key) {
        self.0.insert(short(key));
    }

    fn has(&self, key: &Key) -> bool {
        self.0.contains(&short(key))
    }
}

fn short(key: &Key) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(key.as_str())
}

/// Ends what stood of rows that a plan of all rows neither notes nor sends.
pub(crate) fn lift(
    ledger: &Ledger,
    lease: &Lease,
    run: &Run,
    scope: &Scope,
    (spool, told): (&Spool, &Told),
    now: Time,
) -> Result<(), EngineError> {
    let mut after = None;
    loop {
        let page = ledger.standing(scope, after.as_ref(), AT_ONCE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        let mut fates = Vec::new();
        for (key, _) in page {
            if !told.has(&key) && spool.numbers_of(&key).map_err(PlanError::from)?.is_empty() {
                fates.push(over(ledger, scope, spool, key, now)?);
            }
        }
        ledger.record(lease, run, scope, &fates)?;
    }
}

/// The row is as it was delivered, or it left.
fn over(ledger: &Ledger, scope: &Scope, spool: &Spool, key: Key, at: Time) -> Result<RowFate, EngineError> {
    let (fate, reason) = if ledger.memory(scope, &key)?.is_none() {
        (Fate::Forgotten, "left the model")
    } else if spool.is_absent(&key).map_err(PlanError::from)? {
        (Fate::Kept, "left the model")
    } else {
        (Fate::Unchanged, "as it was delivered")
    };
    let reason = reason.to_owned();
    Ok(RowFate {
        key: Some(key),
        op_type: None,
        fate,
        reason,
        code: None,
        message: None,
        changes: Vec::new(),
        at,
    })
}
