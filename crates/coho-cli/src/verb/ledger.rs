//! `coho ledger`: moves a ledger between a file and a bucket; and what cannot be done with one in a bucket.

use chrono::Utc;
use coho_core::storage::StorageAddress;
use coho_engine::context::{Engine, EngineError};
use coho_ledger::OpenError;
use coho_ledger::bucket::BucketPlace;
use coho_ledger::copy::{CopyPlace, copy_ledger};
use serde_json::json;

use crate::args::{Global, LedgerAction};
use crate::exit::{Exit, Known};
use crate::{engine, print};

/// Copies.
pub(crate) fn ledger(global: &Global, action: &LedgerAction) -> anyhow::Result<Exit> {
    let LedgerAction::Copy { from, to } = action;
    let copied = copy_ledger(&place(from)?, &place(to)?, &engine::holder(), Utc::now());
    copied.map_err(EngineError::from)?;
    if global.json {
        print::json(&json!({ "version": 1, "kind": "ledger-copy", "from": from, "to": to }))?;
    } else {
        print::out(&format!("copied the ledger `{from}` to `{to}`\n"))?;
        print::talk(&format!(
            "write `ledger: {to}` in coho.yaml before the next run, and do not use the other one again"
        ));
    }
    Ok(Exit::Done)
}

/// A file, or an address.
fn place(text: &str) -> anyhow::Result<CopyPlace> {
    if !StorageAddress::is_meant(text) {
        return Ok(CopyPlace::File(text.into()));
    }
    let address = StorageAddress::parse(text).map_err(|error| Known {
        message: format!("cannot use `{text}`: {error}"),
        help: Some(
            "write it as `s3://BUCKET/FOLDER/ledger.db`, or the same with `gs://` or `az://`".to_owned(),
        ),
        code: coho_report::exit::USAGE,
        source: None,
    })?;
    let place = BucketPlace::open(&address).map_err(|error| EngineError::from(OpenError::from(error)))?;
    Ok(CopyPlace::Bucket(place))
}

/// What asks the ledger all the time needs it on this machine.
pub(crate) fn needs_file(engine: &Engine<'_>, what: &str) -> anyhow::Result<()> {
    if !engine.ledger_is_in_bucket() {
        return Ok(());
    }
    let message = format!(
        "`{what}` needs the ledger in a file, and this project's is in a bucket: {}",
        engine.ledger_path().display()
    );
    let help = "start `coho run` by a timer or an orchestrator; or move the ledger: `coho ledger copy ADDRESS .coho/ledger.db`";
    Err(Known { message, help: Some(help.to_owned()), code: coho_report::exit::USAGE, source: None }.into())
}
