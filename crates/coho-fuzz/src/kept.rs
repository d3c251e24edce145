//! What Coho itself wrote: approved plans, and ledgers.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use coho_core::failure::Failure as _;
use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Origin, Pending, RowState};
use coho_core::sync::SyncId;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_ledger::history::RowFilter;
use coho_ledger::lease::Holder;
use coho_ledger::{Ledger, Opening};
use coho_plan::approved::ApprovedPlan;
use coho_plan::stop::Stop;

use crate::files::folder;

/// How long a lease lasts.
const TTL: Duration = Duration::from_secs(60);

/// Reads an approved plan of the place `p`: it is refused, or has no more operations than lines.
pub(crate) fn approved(input: &[u8]) {
    let Some(folder) = folder() else { return };
    match ApprovedPlan::read(input, "p", folder.path(), &Stop::new()) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(approved) => {
            let lines = input.split(|byte| *byte == b'\n').count() as u64;
            assert!(approved.count(&SyncId::new("a")) < lines);
        }
    }
}

/// Opens, reads and writes a ledger that was changed: it is refused with a code, or read as far as it goes.
///
/// The input is a text. Each line is a change: `PLACE BYTES` writes bytes there, each of two hexadecimal digits, and `PLACE` alone ends the
/// file there.
pub(crate) fn ledger(input: &[u8]) {
    let (Some(folder), Some(whole)) = (folder(), whole()) else { return };
    let mut bytes = whole.clone();
    for line in String::from_utf8_lossy(input).lines() {
        let (place, written) = line.split_once(' ').unwrap_or((line, ""));
        let Ok(place) = place.parse::<u64>() else { continue };
        let place = usize::try_from(place).unwrap_or(usize::MAX) % bytes.len().max(1);
        let written = hexadecimal(written);
        if written.is_empty() {
            bytes.truncate(place);
        }
        for (byte, written) in bytes.iter_mut().skip(place).zip(written) {
            *byte = written;
        }
    }
    let path = folder.path().join("ledger.db");
    for beside in ["ledger.db-wal", "ledger.db-shm"] {
        drop(fs::remove_file(folder.path().join(beside)));
    }
    if fs::write(&path, bytes).is_ok() {
        drop(use_it(&path));
    }
}

/// The bytes of hexadecimal digits; what is none is passed over.
fn hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|letter| letter.to_digit(16)).collect();
    let byte = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte * 16 + digit);
    digits.chunks(2).filter_map(|pair| u8::try_from(byte(pair)).ok()).collect()
}

fn at(seconds: u64) -> Time {
    Time::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn holder() -> Holder {
    Holder { id: "a".to_owned(), pid: std::process::id(), host: "here".to_owned() }
}

fn delivered(id: &str) -> Result<RowState, Box<dyn Error>> {
    let delivery = DeliveryState::Delivered {
        sent: Sent::from([(FieldPath::new("name"), Value::text(format!("Account {id}")))]),
        n: 1,
        id: Some(VitallyId::new(format!("v-{id}"))),
        origin: Origin::Created,
    };
    Ok(RowState { target: ExternalId::parse(id)?, delivery, pending: Pending::None, seen: None, version: 1 })
}

/// The bytes of a ledger with some rows, and nothing in its log.
fn whole() -> Option<&'static Vec<u8>> {
    static WHOLE: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    WHOLE.get_or_init(|| made().ok()).as_ref()
}

fn made() -> Result<Vec<u8>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, &Opening::new(at(0)))?;
    let lease = ledger.acquire(&holder(), at(0), TTL)?;
    let scope = ledger.scope(&lease, "production", &SyncId::new("accounts"), Object::Account)?;
    for number in 0..40 {
        let key = format!("key-{number}");
        ledger.write(&lease, &scope, &[(Key::new(&key), Some(delivered(&key)?))], at(1))?;
    }
    ledger.release(lease, at(2))?;
    drop(ledger);
    Ok(fs::read(path)?)
}

/// Opens, reads and writes. Every refusal has a code.
fn use_it(path: &Path) -> Result<(), Box<dyn Error>> {
    let opened = Ledger::open(path, &Opening::new(at(3)));
    if let Err(error) = &opened {
        assert!(!error.code().as_str().is_empty());
    }
    let ledger = opened?;
    ledger.runs(10)?;
    let Some(scope) = ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)? else {
        return Ok(());
    };
    ledger.row_states(&scope)?.try_for_each(|state| state.map(drop))?;
    ledger.rows(&scope, &RowFilter::default(), 100)?;
    let lease = ledger.acquire(&holder(), at(4), TTL)?;
    ledger.write(&lease, &scope, &[(Key::new("key-7"), Some(delivered("key-7")?))], at(5))?;
    Ok(ledger.release(lease, at(6))?)
}
