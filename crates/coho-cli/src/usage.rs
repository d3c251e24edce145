//! A command line that cannot be understood: said as clap says it, with words of other tools explained, and as a document
//! where `--json` is among the arguments.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use serde_json::json;

use crate::print;

/// Tells it, and gives the exit code. Help and the version are told in this way too.
pub(crate) fn report(error: &clap::Error) -> u8 {
    let is_wanted = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let hint = hint(error);
    if !is_wanted && std::env::args().any(|argument| argument == "--json") {
        drop(print::json(&document(error, hint.as_deref())));
        return coho_report::exit::USAGE;
    }
    if error.print().is_err() {
        return coho_report::exit::UNEXPECTED;
    }
    if let Some(hint) = hint {
        print::talk(&format!("  help: {hint}"));
    }
    if is_wanted { coho_report::exit::DONE } else { coho_report::exit::USAGE }
}

/// As the documents of [`crate::failure`].
fn document(error: &clap::Error, hint: Option<&str>) -> serde_json::Value {
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let mut problem = json!({ "version": coho_report::json::VERSION, "message": message });
    problem["help"] = hint.unwrap_or("`coho --help` lists all commands").into();
    json!({
        "version": coho_report::json::VERSION, "kind": "problems", "exit_code": coho_report::exit::USAGE,
        "problems": [problem], "warnings": [],
    })
}

fn hint(error: &clap::Error) -> Option<String> {
    let kind = if error.kind() == ErrorKind::UnknownArgument {
        ContextKind::InvalidArg
    } else {
        ContextKind::InvalidSubcommand
    };
    let Some(ContextValue::String(word)) = error.get(kind) else { return None };
    let word = word.split('=').next().unwrap_or(word);
    MEANT.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| (*help).to_owned())
}

/// Flags and verbs of other tools, and what does the same here.
const MEANT: [(&[&str], &str); 13] = [
    (
        &["--dry-run", "--dryrun", "-n", "dry-run", "diff"],
        "`coho plan` shows what a run would send, and sends nothing",
    ),
    (
        &["--full-refresh", "--full-resync", "--full", "--force", "--resync", "resync", "backfill"],
        "`coho run --resend` sends every record again, even if nothing changed",
    ),
    (&["--reset", "--reset-cdc", "reset"], "`coho forget SYNC` makes every row new to the next run"),
    (
        &["--status", "--fate", "--failed", "--rejected"],
        "`coho rows SYNC --status rejected` lists rows by status",
    ),
    (&["--sync", "-s", "--select", "--model", "-m"], "name syncs without a flag: `coho run SYNC`"),
    (&["--environment", "--env", "--profile"], "`--target NAME` chooses one of the project's targets"),
    (&["--config", "--project-dir", "-c"], "`--project DIR` names the project's folder"),
    (&["--primary-key", "--id", "--row"], "`--key KEY` names one row by its primary key"),
    (&["--output-format", "--format", "--output", "-o"], "`--json` prints one JSON document"),
    (&["sync", "trigger", "start", "apply", "push", "deploy"], "`coho run` sends what changed"),
    (
        &["validate", "lint", "test-connection", "doctor", "debug"],
        "`coho check` says what is wrong with the project",
    ),
    (&["status", "history", "list", "ls"], "`coho runs` lists runs, `coho rows SYNC` lists rows"),
    (
        &["logs", "log", "errors"],
        "`coho rows SYNC --status rejected` lists rejected rows; with --key it shows everything about one row",
    ),
];
