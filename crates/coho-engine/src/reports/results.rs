//! `run_results.json` beside the ledger: how the last run ended. It is there whole or not at all, since it is written under
//! another name first.

use coho_core::failure::Failure as _;
use std::fs;
use std::io;
use std::path::PathBuf;

use coho_core::code::Code;
use coho_core::decide::RunKind;
use coho_core::time::Time;
use coho_report::json::{RunEnd, RunRefusal, results};

use crate::context::Engine;
use crate::failure::EngineError;
use crate::run::Report;

/// The file's name.
pub const RESULTS: &str = "run_results.json";

impl Engine<'_> {
    /// Where it is written how the last run ended.
    pub fn results_path(&self) -> PathBuf {
        self.beside_ledger().join(RESULTS)
    }

    /// Writes how a run ended, unless none was to begin. A file that cannot be written is a warning.
    pub(crate) fn write_results(&self, began: Time, run_kind: RunKind, report: &Result<Report, EngineError>) {
        // The file is about the run that is under way, or about the one before.
        let is_nothing = match report {
            Ok(report) => report.run.is_empty(),
            Err(error) => error.code() == Code::LEASE_HELD,
        };
        if is_nothing {
            return;
        }
        let end = RunEnd {
            run: report.as_ref().ok().map(|report| report.run.as_str()),
            project: &self.setup.project.name,
            target: self.setup.project.target.as_deref(),
            run_kind,
            started: began,
            ended: self.setup.clock.now(),
            coho: env!("CARGO_PKG_VERSION"),
            end: report.as_ref().map(|report| report.syncs.as_slice()).map_err(refusal),
        };
        let text = format!("{:#}\n", results(&end));
        if let Err(error) = self.replace_results(&self.setup.project.masker.mask(&text)) {
            let path = self.results_path();
            tracing::warn!("cannot write `{}`: {error}; the run itself is not affected", path.display());
        }
    }

    fn replace_results(&self, text: &str) -> io::Result<()> {
        let path = self.results_path();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_file_name(format!("{RESULTS}.{}", self.setup.holder.id));
        let replaced = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
        if replaced.is_err() {
            // What is left of it helps nobody, and may not be there.
            drop(fs::remove_file(&new));
        }
        replaced
    }
}

fn refusal(error: &EngineError) -> RunRefusal {
    RunRefusal { code: error.code(), message: error.to_string(), help: error.help() }
}
