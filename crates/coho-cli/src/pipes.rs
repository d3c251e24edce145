//! Dagster Pipes: where Dagster starts the command, it is told of the run over the way that its variables name. What goes wrong
//! with that is a warning.

use coho_core::failure::Failure as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coho_core::json::Json;
use coho_core::lifecycle::Lifecycle;
use coho_core::plan::{SyncStatus, SyncSummary};
use coho_engine::context::EngineError;
use coho_engine::run::Report;
use coho_report::json::{
    PipesLevel, pipes_closed, pipes_log, pipes_materialization, pipes_opened, pipes_syncs_of,
};
use flate2::read::ZlibDecoder;

use crate::print;

/// The longest text that a variable may stand for.
const LONGEST: u64 = 4 << 20;

/// The way to Dagster, and which assets it waits for.
pub(crate) struct Pipes {
    to: Way,
    assets: Vec<String>,
}

enum Way {
    File(PathBuf),
    Stdout,
    Stderr,
}

impl Pipes {
    /// Opens the way that the environment names, if Dagster started this process.
    pub(crate) fn open(variable: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let context = variable("DAGSTER_PIPES_CONTEXT")?;
        let messages = variable("DAGSTER_PIPES_MESSAGES")?;
        match Self::read(&context, &messages) {
            Ok(pipes) => {
                pipes.tell(&pipes_opened());
                Some(pipes)
            }
            Err(why) => {
                print::talk(&format!("warning: cannot report this run to Dagster: {why}"));
                None
            }
        }
    }

    fn read(context: &str, messages: &str) -> Result<Self, String> {
        let context = decoded(context)
            .and_then(|context| match context.get("path").and_then(Json::as_str) {
                Some(path) => serde_json::from_str(&fs::read_to_string(path).ok()?).ok(),
                None => context.get("data").cloned(),
            })
            .ok_or("cannot read DAGSTER_PIPES_CONTEXT")?;
        let messages = decoded(messages).ok_or("cannot read DAGSTER_PIPES_MESSAGES")?;
        let text = |name: &str| messages.get(name).and_then(Json::as_str);
        let to = match (text("path"), text("stdio").or_else(|| text("buffered_stdio"))) {
            (Some(path), _) => Way::File(path.into()),
            (None, Some("stdout")) => Way::Stdout,
            (None, Some("stderr")) => Way::Stderr,
            (None, _) => return Err("DAGSTER_PIPES_MESSAGES names neither `path` nor `stdio`".to_owned()),
        };
        let assets = context.get("asset_keys").and_then(Json::as_array);
        let assets = assets.into_iter().flatten().filter_map(|asset| asset.as_str().map(str::to_owned));
        Ok(Self { to, assets: assets.collect() })
    }

    /// Tells what became of the run, and closes the way.
    pub(crate) fn end(self, report: &Result<Report, EngineError>) {
        match report {
            Ok(report) => self.ended(report),
            Err(error) => self.tell(&pipes_closed(Some((error.code().as_str(), &error.to_string())))),
        }
    }

    fn ended(&self, report: &Report) {
        for summary in &report.syncs {
            self.tell(&pipes_log(level(summary), &line(summary)));
        }
        for asset in &self.assets {
            if let Some(syncs) = pipes_syncs_of(asset, self.assets.len() == 1, &report.syncs) {
                self.tell(&pipes_materialization(asset, &report.run, &syncs));
            }
        }
        let failed = report.syncs.iter().find(|one| Lifecycle::of(&one.status) == Lifecycle::Failed);
        let why = failed.map(|summary| (reason(summary), line(summary)));
        self.tell(&pipes_closed(why.as_ref().map(|(code, text)| (*code, text.as_str()))));
    }

    fn tell(&self, message: &Json) {
        let line = print::masker().mask(&message.to_string()).into_owned() + "\n";
        let told = match &self.to {
            Way::File(path) => OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| file.write_all(line.as_bytes())),
            Way::Stdout => io::stdout().lock().write_all(line.as_bytes()),
            Way::Stderr => io::stderr().lock().write_all(line.as_bytes()),
        };
        if let Err(error) = told {
            print::talk(&format!("warning: cannot report to Dagster: {error}"));
        }
    }
}

/// JSON, compressed by zlib, in base64.
fn decoded(text: &str) -> Option<Json> {
    let compressed = STANDARD.decode(text.trim()).ok()?;
    let mut json = String::new();
    ZlibDecoder::new(compressed.as_slice()).take(LONGEST).read_to_string(&mut json).ok()?;
    serde_json::from_str(&json).ok()
}

fn level(summary: &SyncSummary) -> PipesLevel {
    match Lifecycle::of(&summary.status) {
        Lifecycle::Failed => PipesLevel::Error,
        Lifecycle::Started | Lifecycle::Completed if summary.status == SyncStatus::Completed => {
            PipesLevel::Info
        }
        Lifecycle::Started | Lifecycle::Completed => PipesLevel::Warning,
    }
}

fn reason(summary: &SyncSummary) -> &'static str {
    match &summary.status {
        SyncStatus::Failed(problems) => problems.first().map_or("failed", |problem| problem.code.as_str()),
        SyncStatus::Halted { code, .. } => code.as_str(),
        SyncStatus::Completed
        | SyncStatus::CompletedWithErrors
        | SyncStatus::Held
        | SyncStatus::TimeUp
        | SyncStatus::Interrupted => summary.status.name(),
    }
}

/// What the report says of a sync, on one line.
fn line(summary: &SyncSummary) -> String {
    let text = coho_report::text::run(std::slice::from_ref(summary), &coho_report::style::Style::default());
    let told = text.split_once("\n\n").map_or(text.as_str(), |(_, told)| told);
    told.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
