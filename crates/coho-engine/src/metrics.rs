//! What measures of a project's syncs are told to other programs. Everything is asked of the ledger, so runs of the command count
//! too. Names follow Prometheus; whoever serves or sends them gives them their form.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::alert::{AlertKey, Level};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;
use coho_ledger::Ledger;
use coho_ledger::run::RunStatus;
use coho_ledger::totals::Totals;

use crate::context::Engine;
use crate::failure::EngineError;

/// A measure with all its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricFamily {
    /// Its name after `coho_`. That of a counter does not end in `_total`.
    pub name: &'static str,
    /// What it says, without a full stop.
    pub help: &'static str,
    /// Its samples.
    pub samples: MetricSamples,
}

/// The samples of a measure, each with its labels.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricSamples {
    /// Numbers that only grow.
    Counter(Vec<(MetricLabels, u64)>),
    /// Whole numbers that rise and fall.
    Gauge(Vec<(MetricLabels, i64)>),
    /// Seconds, with parts.
    Seconds(Vec<(MetricLabels, f64)>),
}

/// Names and values.
pub type MetricLabels = Vec<(&'static str, String)>;

/// Numbers by their labels.
type Counts = BTreeMap<MetricLabels, u64>;

/// What the alert rules and the dashboard look at of rows.
const WATCHED_ROWS: [RowStatus; 5] =
    [RowStatus::Delivered, RowStatus::Accepted, RowStatus::Rejected, RowStatus::Invalid, RowStatus::Deferred];

/// The answers that say that a call failed, through no fault of its own.
const WATCHED_CALLS: [&str; 6] = ["429", "500", "502", "503", "504", "none"];

/// How a run can have ended.
const WATCHED_RUNS: [RunStatus; 5] =
    [RunStatus::Success, RunStatus::Warning, RunStatus::Failed, RunStatus::Halted, RunStatus::Interrupted];

impl Engine<'_> {
    /// All measures as they are now.
    pub fn metrics(&self, ledger: &Ledger) -> Result<Vec<MetricFamily>, EngineError> {
        let totals = ledger.totals()?;
        let mut families = self.counted(&totals);
        families.push(family("alerts_firing", "1 for each alert that is open", firing(ledger)?));
        families.push(family(
            "requests_open",
            "Runs that were requested and have not ended",
            self.requests(ledger)?,
        ));
        families.extend(of_last_runs(&totals));
        families.push(family(
            "sync_expected_by_timestamp_seconds",
            "When the schedule was or will be first due after the last successful run started",
            self.expected_of_all(ledger)?,
        ));
        Ok(families)
    }

    /// What is counted over all runs. What rules look at is told from 0 on: of a series that begins at 1, Prometheus sees no
    /// increase, so the first failure of a sync would go unnoticed.
    fn counted(&self, totals: &[Totals]) -> Vec<MetricFamily> {
        let (mut rows, mut runs, mut calls) = (Counts::new(), Counts::new(), Counts::new());
        for sync in &self.project().syncs {
            rows.extend(WATCHED_ROWS.map(|status| (with(&sync.id, "status", status.as_str()), 0)));
            runs.extend(WATCHED_RUNS.map(|status| (with(&sync.id, "status", status.as_str()), 0)));
        }
        for total in totals {
            let sync = &total.scope.sync;
            add(&mut rows, total.rows.iter().map(|(status, rows)| (with(sync, "status", status), *rows)));
            add(&mut runs, total.runs.iter().map(|(status, runs)| (with(sync, "status", status), *runs)));
            add(&mut calls, watched_calls(total).map(|call| (of_call(sync, &call), 0)));
            add(&mut calls, total.calls.iter().map(|(call, calls)| (of_call(sync, call), *calls)));
        }
        [
            ("rows", "Rows by status, over all runs", rows),
            ("runs", "Runs of a sync by how they ended", runs),
            ("calls", "Calls to Vitally in ended runs, by API and response status", calls),
        ]
        .map(|(name, help, counts)| family(name, help, MetricSamples::Counter(counts.into_iter().collect())))
        .into()
    }

    fn requests(&self, ledger: &Ledger) -> Result<MetricSamples, EngineError> {
        let of = |sync: &coho_core::sync::Sync| {
            let open = ledger.open_requests(&self.scope_name(sync).workspace)?;
            let open = open.iter().filter(|request| request.sync == sync.id).count();
            Ok((labels(&sync.id), i64::try_from(open).unwrap_or(i64::MAX)))
        };
        self.project().syncs.iter().map(of).collect::<Result<_, _>>().map(MetricSamples::Gauge)
    }

    fn expected_of_all(&self, ledger: &Ledger) -> Result<MetricSamples, EngineError> {
        let mut samples = Vec::new();
        for sync in &self.project().syncs {
            let expected = self.expected(ledger, sync)?;
            samples.extend(expected.map(|expected| (labels(&sync.id), seconds(expected))));
        }
        Ok(MetricSamples::Seconds(samples))
    }
}

fn family(name: &'static str, help: &'static str, samples: MetricSamples) -> MetricFamily {
    MetricFamily { name, help, samples }
}

/// The failures of the APIs that a sync has called.
fn watched_calls(total: &Totals) -> impl Iterator<Item = String> {
    let apis: BTreeSet<&str> = total.calls.keys().filter_map(|call| Some(call.split_once(' ')?.0)).collect();
    apis.into_iter().flat_map(|api| WATCHED_CALLS.map(|status| format!("{api} {status}")))
}

/// Adds up: a sync may have run with several workspaces, and labels name the sync alone.
fn add(counts: &mut Counts, numbers: impl Iterator<Item = (MetricLabels, u64)>) {
    for (labels, number) in numbers {
        *counts.entry(labels).or_default() += number;
    }
}

fn of_last_runs(totals: &[Totals]) -> [MetricFamily; 2] {
    let (mut durations, mut successes) = (Vec::new(), Vec::new());
    for total in totals {
        let sync = &total.scope.sync;
        if let Some((began, ended)) = total.last {
            durations.push((labels(sync), (ended - began).to_std().unwrap_or_default().as_secs_f64()));
        }
        successes.extend(total.last_good.map(|(_, ended)| (labels(sync), seconds(ended))));
    }
    [
        family("run_duration_seconds", "How long the last run took", MetricSamples::Seconds(durations)),
        family(
            "sync_last_success_timestamp_seconds",
            "When the last successful run ended",
            MetricSamples::Seconds(successes),
        ),
    ]
}

fn firing(ledger: &Ledger) -> Result<MetricSamples, EngineError> {
    let alerts = ledger.alerts()?.alerts;
    let open = alerts.iter().filter_map(|(key, alert)| Some((of_alert(key, alert.level?), 1)));
    Ok(MetricSamples::Gauge(open.collect()))
}

fn labels(sync: &SyncId) -> MetricLabels {
    vec![("sync", sync.as_str().to_owned())]
}

fn with(sync: &SyncId, name: &'static str, value: &str) -> MetricLabels {
    let mut labels = labels(sync);
    labels.push((name, value.to_owned()));
    labels
}

/// The ledger counts calls by API and status, such as `rest 200`.
fn of_call(sync: &SyncId, call: &str) -> MetricLabels {
    let (api, status) = call.split_once(' ').unwrap_or((call, "none"));
    let mut labels = with(sync, "api", api);
    labels.push(("status", status.to_owned()));
    labels
}

/// Whose alert it is: a sync's has its id as label besides.
fn of_alert(key: &AlertKey, level: Level) -> MetricLabels {
    let mut labels = key.subject.sync().map(labels).unwrap_or_default();
    labels.push(("subject", key.subject.to_string()));
    labels.push(("trigger", key.trigger.as_str().to_owned()));
    labels.push(("level", level.as_str().to_owned()));
    labels
}

/// Whole microseconds stay exact for the next two centuries.
#[expect(clippy::cast_precision_loss, reason = "microseconds of today have 51 bits")]
fn seconds(time: Time) -> f64 {
    time.timestamp_micros() as f64 / 1e6
}
