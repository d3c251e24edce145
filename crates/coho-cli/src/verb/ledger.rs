//! `coho ledger`: moves a ledger between files, buckets and PostgreSQL; and what needs one in a file.

use chrono::Utc;
use coho_core::ledger_address::PostgresLedgerAddress;
use coho_core::storage::StorageAddress;
use coho_engine::context::{Engine, EngineError};
use coho_ledger::OpenError;
use coho_ledger::copy::{CopyPlace, copy_ledger};
use coho_ledger::remote::RemotePlace;
use serde_json::json;

use crate::args::{Global, LedgerAction};
use crate::exit::{Exit, Known};
use crate::{engine, print};

/// Copies.
pub(crate) fn ledger(global: &Global, action: &LedgerAction) -> anyhow::Result<Exit> {
    let LedgerAction::Copy { from, to } = action;
    let copied = copy_ledger(&place(from)?, &place(to)?, &engine::holder(), Utc::now());
    copied.map_err(EngineError::from)?;
    let (from, to) = (shown(from), shown(to));
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
    let opened = if PostgresLedgerAddress::is_meant(text) {
        let address = PostgresLedgerAddress::parse(text);
        let help = "write it as `postgres://USER@HOST/DATABASE?schema=coho`, with the password in PGPASSWORD";
        RemotePlace::in_postgres(&address.map_err(|error| unusable("the address", &error, help))?)
    } else if StorageAddress::is_meant(text) {
        let help = "write it as `s3://BUCKET/FOLDER/ledger.db`, or the same with `gs://` or `az://`";
        let address = StorageAddress::parse(text);
        RemotePlace::in_bucket(&address.map_err(|error| unusable(&format!("`{text}`"), &error, help))?)
    } else {
        return Ok(CopyPlace::File(text.into()));
    };
    Ok(CopyPlace::Remote(opened.map_err(|error| EngineError::from(OpenError::from(error)))?))
}

fn unusable(what: &str, error: &dyn std::error::Error, help: &str) -> Known {
    let message = format!("cannot use {what}: {error}");
    Known { message, help: Some(help.to_owned()), code: coho_report::exit::USAGE, source: None }
}

/// A place as it is shown: without a password.
fn shown(text: &str) -> String {
    PostgresLedgerAddress::parse(text).map_or_else(|_| text.to_owned(), |address| address.to_string())
}

/// What asks the ledger all the time needs it on this machine.
pub(crate) fn needs_file(engine: &Engine<'_>, what: &str) -> anyhow::Result<()> {
    if !engine.ledger_is_remote() {
        return Ok(());
    }
    let message = format!(
        "`{what}` needs the ledger in a file, and this project's is in {}: {}",
        engine.ledger_medium(),
        engine.ledger_path().display()
    );
    let help = "start `coho run` by a timer or an orchestrator; or move the ledger: `coho ledger copy ADDRESS .coho/ledger.db`";
    Err(Known { message, help: Some(help.to_owned()), code: coho_report::exit::USAGE, source: None }.into())
}
