//! The thread that tells the collector. It reads ledgers, and writes nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use coho_engine::context::Engine;
use coho_ledger::Ledger;
use coho_ledger::look::requests::WantedCalls;
use coho_ledger::run::RunId;
use futures_executor::block_on;
use opentelemetry::KeyValue;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::http::Collector;
use super::measures::Measures;
use super::settings::Settings;
use super::spans::Trace;
use crate::args::Global;
use crate::project::Loaded;
use crate::{engine, print, project};

/// Spans of one request.
const AT_ONCE: usize = 500;

/// Calls of one run that are told.
const MOST_CALLS: u64 = 10_000;

/// Whom things are told.
struct Worker {
    settings: Settings,
    collector: Collector,
    spans: Option<SpanExporter>,
    measures: Option<Measures>,
    /// Whether the last attempt failed: one warning is enough.
    fails: bool,
}

/// Tells of each run that is over, and the measures at intervals, until nobody says anything any more.
pub(super) fn work(settings: &Settings, global: &Global, runs: &Receiver<String>, taken: &Arc<AtomicU64>) {
    let mut worker = match Worker::new(settings, taken) {
        Ok(worker) => worker,
        Err(why) => return print::talk(&format!("warning: cannot send telemetry: {why}")),
    };
    loop {
        let run = match runs.recv_timeout(settings.interval) {
            Ok(run) => Some(run),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let told = match project::reopen(global) {
            Ok(loaded) => worker.tell(&loaded, run.as_deref()),
            Err(_) => Err("the project's files cannot be read as they are now".to_owned()),
        };
        worker.told(told);
    }
}

impl Worker {
    fn new(settings: &Settings, taken: &Arc<AtomicU64>) -> Result<Self, String> {
        let collector =
            Collector::new(settings.timeout, taken).map_err(|error| error.without_url().to_string())?;
        let resource = resource(settings);
        let spans = settings.traces.then(|| spans(settings, &collector, &resource)).transpose();
        let metrics = settings.metrics.then(|| metrics(settings, &collector)).transpose();
        let measures = metrics.map_err(wrong)?.map(|exporter| Measures::new(exporter, resource));
        Ok(Self {
            settings: settings.clone(),
            collector,
            spans: spans.map_err(wrong)?,
            measures,
            fails: false,
        })
    }

    fn tell(&mut self, loaded: &Loaded, run: Option<&str>) -> Result<(), String> {
        let engine = engine::of(loaded);
        let Some(ledger) = engine.ledger_to_read().map_err(|error| error.to_string())? else { return Ok(()) };
        if let Some(run) = run {
            self.trace(&loaded.project.name, &ledger, &RunId::new(run))?;
        }
        self.measure(&engine, &ledger)
    }

    fn trace(&self, project: &str, ledger: &Ledger, id: &RunId) -> Result<(), String> {
        let Some(exporter) = &self.spans else { return Ok(()) };
        let unread = |error: coho_ledger::LedgerError| error.to_string();
        let Some(run) = ledger.run(id).map_err(unread)? else { return Ok(()) };
        let stages = ledger.stages(id).map_err(unread)?;
        let trace = Trace::new(&run, &stages, self.settings.parent.as_ref());
        let calls: u64 = run.syncs.iter().map(|sync| sync.calls).sum();
        self.export(exporter, trace.frame(project, calls.saturating_sub(MOST_CALLS)))?;
        let (mut wanted, mut left) = (WantedCalls::default(), calls.min(MOST_CALLS));
        while left > 0 {
            let most = AT_ONCE.min(usize::try_from(left).unwrap_or(AT_ONCE));
            let page = ledger.requests_of_run(id, &wanted, most).map_err(unread)?;
            let Some(last) = page.last() else { break };
            wanted.after = Some(last.number);
            left = left.saturating_sub(page.len() as u64);
            self.export(exporter, page.iter().map(|call| trace.call(call)).collect())?;
        }
        Ok(())
    }

    fn export(&self, exporter: &SpanExporter, spans: Vec<SpanData>) -> Result<(), String> {
        block_on(exporter.export(spans))
            .map_err(|error| self.collector.fault().unwrap_or_else(|| error.to_string()))
    }

    fn measure(&mut self, engine: &Engine<'_>, ledger: &Ledger) -> Result<(), String> {
        let Some(measures) = &mut self.measures else { return Ok(()) };
        let families = engine.metrics(ledger).map_err(|error| error.to_string())?;
        measures.tell(families).map_err(|error| self.collector.fault().unwrap_or_else(|| error.to_string()))
    }

    /// Says what went wrong, once until something goes well again.
    fn told(&mut self, told: Result<(), String>) {
        match told {
            Ok(()) => self.fails = false,
            Err(why) => {
                if !self.fails {
                    print::talk(&format!("warning: cannot send telemetry: {why}"));
                }
                self.fails = true;
            }
        }
    }
}

fn spans(
    settings: &Settings,
    collector: &Collector,
    resource: &Resource,
) -> Result<SpanExporter, ExporterBuildError> {
    let builder = SpanExporter::builder().with_http().with_http_client(collector.clone());
    let mut exporter =
        builder.with_timeout(settings.timeout).with_retry_policy(RetryPolicy::disabled()).build()?;
    exporter.set_resource(resource);
    Ok(exporter)
}

fn metrics(settings: &Settings, collector: &Collector) -> Result<MetricExporter, ExporterBuildError> {
    let builder = MetricExporter::builder().with_http().with_http_client(collector.clone());
    // Each process says what the whole ledger has: sums of what was, and no differences.
    let builder = builder.with_temporality(Temporality::Cumulative);
    builder.with_timeout(settings.timeout).with_retry_policy(RetryPolicy::disabled()).build()
}

/// What is wrong with a variable, by its name: its value may have a token in it.
fn wrong(error: ExporterBuildError) -> String {
    match error {
        ExporterBuildError::InvalidConfiguration(text) => {
            let name = text.split(':').next().unwrap_or_default();
            match name.rsplit(' ').next().filter(|name| name.starts_with("OTEL_")) {
                Some(name) => format!("the value of `{name}` is not valid"),
                None => {
                    "one of the `OTEL_EXPORTER_OTLP_…` variables has a value that is not valid".to_owned()
                }
            }
        }
        other @ ExporterBuildError::InternalFailure(_) => other.to_string(),
    }
}

/// Who tells: the variables say it, or it is `coho`.
fn resource(settings: &Settings) -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = Resource::builder().with_attribute(version);
    if settings.has_name { builder } else { builder.with_service_name("coho") }.build()
}
