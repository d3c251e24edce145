//! Documents for programs. Every document has `"version": 1`; members are only ever added under one version.
//!
//! Names of members are `snake_case`; codes, reasons and statuses are the words of the texts. Moments are ISO 8601 in
//! UTC with milliseconds. Values of fields are JSON values with all their digits; messages hold previews only. What is not
//! known is left out, never `null`.

mod alerts;
mod plan;
mod run;
mod results;
mod lifecycle;
mod lineage;
mod pipes;
mod problem;
mod event;
mod start;
mod listing;
mod detail;
mod failures;
mod cases;

pub use self::alerts::{alerts, tried};
pub use self::cases::cases;
pub use self::detail::run_detail;
pub use self::event::{call, event};
pub use self::failures::failures;
pub use self::lifecycle::{Happened, SyncFrame, lifecycle};
pub use self::lineage::{Dataset, LineageFrame, lineage};
pub use self::listing::{rows, runs};
pub use self::pipes::{
    PipesLevel, pipes_closed, pipes_log, pipes_materialization, pipes_opened, pipes_syncs_of,
};
pub use self::plan::plan;
pub use self::problem::problem;
pub use self::results::schema::results_schema;
pub use self::results::{RunEnd, RunRefusal, results};
pub use self::run::run;

use coho_core::json::Json;
use coho_core::time::Time;
use serde_json::Map;

/// The version of all documents.
pub const VERSION: u32 = 1;

/// A document as one line of NDJSON, with its line feed.
pub fn line(document: &Json) -> String {
    format!("{document}\n")
}

fn moment(time: Time) -> Json {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into()
}

/// An object without the members that are not known.
fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(known.collect::<Map<_, _>>())
}
