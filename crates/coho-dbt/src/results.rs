//! `run_results.json`: how dbt's last command ended for each node that it looked at.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::{DateTime, NaiveDateTime};
use coho_core::time::Time;
use serde::Deserialize;

use crate::json::{self, ArtifactError, or_default};

/// What is used of `run_results.json`.
#[derive(Clone, Debug)]
pub struct RunResults {
    /// When the command ended; `None` where it does not say.
    pub(crate) at: Option<Time>,
    /// The command: `build`.
    pub(crate) command: Option<String>,
    /// The status of each node, by its unique id.
    pub(crate) statuses: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WireResults {
    #[serde(default, deserialize_with = "or_default")]
    metadata: WireMetadata,
    #[serde(default, deserialize_with = "or_default")]
    args: WireArguments,
    results: Option<Vec<WireResult>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireMetadata {
    generated_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireArguments {
    which: Option<String>,
}

#[derive(Deserialize)]
struct WireResult {
    unique_id: String,
    status: String,
}

impl RunResults {
    /// Reads results.
    pub fn read(source: impl Read) -> Result<Self, ArtifactError> {
        let wire: WireResults = json::read(source)?;
        let missing = ArtifactError::OtherFile { key: "results", file: "run_results.json" };
        let results = wire.results.ok_or(missing)?.into_iter();
        Ok(Self {
            at: wire.metadata.generated_at.as_deref().and_then(time),
            command: wire.args.which,
            statuses: results.map(|result| (result.unique_id, result.status)).collect(),
        })
    }
}

/// `2026-11-28T07:22:17.692477Z`; without a zone it is UTC, which is what dbt writes.
fn time(text: &str) -> Option<Time> {
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    zoned.or_else(|| text.parse::<NaiveDateTime>().ok().map(|time| time.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_a_zone() {
        let shown = |text: &str| time(text).map(|time| time.to_rfc3339());
        assert_eq!(shown("2026-11-28T07:22:17.5Z").as_deref(), Some("2026-11-28T07:22:17.500+00:00"));
        assert_eq!(shown("2026-11-28T08:22:17+01:00").as_deref(), Some("2026-11-28T07:22:17+00:00"));
        assert_eq!(shown("2026-11-28T07:22:17.5").as_deref(), Some("2026-11-28T07:22:17.500+00:00"));
        assert_eq!(shown("yesterday"), None);
    }

    #[test]
    fn another_file_is_refused() {
        let refused = |text: &str| RunResults::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(refused("{}"), "it has no `results`, so it is not dbt's run_results.json");
        assert!(refused("{\"results\": [").starts_with("not a JSON file that dbt writes: "));
    }
}
