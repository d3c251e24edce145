//! `coho purge`: takes one row's values out of all that is kept on this machine, after asking, and says what it cannot reach.

use std::path::Path;

use anyhow::Context as _;
use coho_core::key::Key;
use coho_core::sync::Sync;
use coho_engine::purge::PurgeReport;
use serde_json::{Value as Json, json};

use crate::args::Global;
use crate::exit::{Exit, Known};
use crate::print::counted;
use crate::{engine, print, project};

/// What no program on this machine can purge for the user.
const OUT_OF_REACH: &str = "\
not purged, because Coho cannot reach it:
  the record in Vitally
  backups and copies of the ledger, and snapshots of its disk
  what you kept of the output of Coho: logs, exports, messages that were sent
the row's key, the ids of its record and digests of its values stay, so that nothing is sent twice
";

/// Purges the values of a row.
pub(crate) fn purge(global: &Global, sync: &str, key: &str, yes: bool) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let syncs = engine.select(&[sync.to_owned()])?;
    let sync = *syncs.first().context("no sync has this name")?;
    let key = crate::key::typed(Some(key), &loaded.project, &syncs)?.context("no key was given")?;
    let what = format!("key `{}` of `{}`", key.row(), sync.id);
    let question = format!(
        "purge the values of {what}? This deletes its history, and the copies of the ledger from before upgrades."
    );
    if !yes && !print::confirmed(&question)? {
        print::talk("nothing was purged");
        return Ok(Exit::Done);
    }
    let report = engine.purge(sync, &key)?;
    if global.json {
        print::json(&document(sync, &key, &report))?;
    } else {
        let head = if report.purged.is_nothing() {
            format!("the ledger has no values of {what}; these were cleaned anyway:")
        } else {
            format!("purged the values of {what}:")
        };
        print::out(&format!("{head}\n{}{OUT_OF_REACH}", told(&report, &loaded.root)))?;
    }
    if let Some(left) = report.left.first() {
        let message = format!("cannot remove {}, which may still have values", left.display());
        let help = "remove it by hand, or check your permissions and purge again".to_owned();
        return Err(Known { message, help: Some(help), code: 6, source: None }.into());
    }
    if report.scrubbed.log_is_empty {
        return Ok(Exit::Done);
    }
    let message = "the ledger's write-ahead log still has values, because another process reads the ledger";
    let help = "stop `coho debug` and `coho serve`, and purge again".to_owned();
    Err(Known { message: message.to_owned(), help: Some(help), code: 6, source: None }.into())
}

/// What was purged, as a document.
fn document(sync: &Sync, key: &Key, report: &PurgeReport) -> Json {
    let purged = report.purged;
    let files = report.scrubbed.copies.iter().chain(&report.results).map(|path| path.display().to_string());
    json!({
        "version": 1,
        "kind": "purge",
        "sync": sync.id.as_str(),
        "key": key.row(),
        "purged": {
            "row_states": purged.row_states,
            "rows": purged.rows,
            "calls": purged.calls,
            "calls_of_others": purged.others_calls,
            "messages": purged.messages,
        },
        "removed_files": files.collect::<Vec<_>>(),
        "left_files": report.left.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "log_is_empty": report.scrubbed.log_is_empty,
    })
}

/// What was purged, a line each.
fn told(report: &PurgeReport, root: &Path) -> String {
    let purged = report.purged;
    let counts = [
        (purged.row_states, "row state", "of the ledger: what was sent"),
        (purged.rows, "row", "in the history of runs: changes and messages"),
        (purged.calls, "call", "made for the row: bodies, headers and queries"),
        (purged.others_calls, "call", "made for others that showed the record: bodies"),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let mut lines: Vec<String> =
        counts.map(|(count, noun, what)| format!("{} {what}", counted(count, noun))).collect();
    if purged.messages > 0 {
        let noun = if purged.messages == 1 {
            "alert, message or run error"
        } else {
            "alerts, messages or run errors"
        };
        lines.push(format!("{} {noun}: values removed", coho_report::words::number(purged.messages)));
    }
    let files = report.scrubbed.copies.iter().chain(&report.results);
    lines.extend(files.map(|path| format!("removed {}", path.strip_prefix(root).unwrap_or(path).display())));
    lines.push("free pages of the ledger".to_owned());
    if report.scrubbed.log_is_empty {
        lines.push("the ledger's write-ahead log".to_owned());
    }
    lines.iter().flat_map(|line| ["  ", line, "\n"]).collect()
}
