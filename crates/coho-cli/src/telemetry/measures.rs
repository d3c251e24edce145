//! The engine's measures for OpenTelemetry: instruments with the names of `/metrics`, filled with what the ledger says when they are told.

use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coho_engine::metrics::{MetricFamily, MetricLabels, MetricSamples};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};

/// Measures are told when the worker says so, and not at intervals of their own.
const NEVER: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What instruments read.
type Told = Arc<Mutex<Vec<MetricFamily>>>;

/// The instruments.
pub(super) struct Measures {
    /// Never dropped: its end would tell all measures once more.
    provider: ManuallyDrop<SdkMeterProvider>,
    told: Told,
    /// The names of those that there are.
    known: Vec<&'static str>,
}

impl Measures {
    /// Instruments that are told over this exporter.
    pub(super) fn new(exporter: MetricExporter, resource: Resource) -> Self {
        let reader = PeriodicReader::builder(exporter).with_interval(NEVER).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build();
        let provider = ManuallyDrop::new(provider);
        Self { provider, told: Arc::default(), known: Vec::new() }
    }

    /// Tells the measures as they are now.
    pub(super) fn tell(&mut self, families: Vec<MetricFamily>) -> OTelSdkResult {
        let meter = self.provider.meter("coho");
        for family in &families {
            if !self.known.contains(&family.name) {
                self.known.push(family.name);
                add(&meter, family, &self.told);
            }
        }
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = families;
        self.provider.force_flush()
    }
}

/// An instrument that reads what is told at that moment.
fn add(meter: &Meter, family: &MetricFamily, told: &Told) {
    let (wanted, told) = (family.name, Arc::clone(told));
    let name = format!("coho_{wanted}");
    let find = move || {
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().find(|family| family.name == wanted).map(|family| family.samples.clone())
    };
    match family.samples {
        MetricSamples::Counter(_) => {
            let builder = meter.u64_observable_counter(name).with_description(family.help);
            let read = move |to: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
                if let Some(MetricSamples::Counter(samples)) = find() {
                    observe(&samples, to);
                }
            };
            builder.with_callback(read).build();
        }
        MetricSamples::Gauge(_) => {
            let builder = meter.i64_observable_gauge(name).with_description(family.help);
            let read = move |to: &dyn opentelemetry::metrics::AsyncInstrument<i64>| {
                if let Some(MetricSamples::Gauge(samples)) = find() {
                    observe(&samples, to);
                }
            };
            builder.with_callback(read).build();
        }
        MetricSamples::Seconds(_) => {
            let builder = meter.f64_observable_gauge(name).with_description(family.help);
            let read = move |to: &dyn opentelemetry::metrics::AsyncInstrument<f64>| {
                if let Some(MetricSamples::Seconds(samples)) = find() {
                    observe(&samples, to);
                }
            };
            builder.with_callback(read).build();
        }
    }
}

fn observe<T: Copy>(samples: &[(MetricLabels, T)], to: &dyn opentelemetry::metrics::AsyncInstrument<T>) {
    for (labels, value) in samples {
        to.observe(*value, &attributes(labels));
    }
}

fn attributes(labels: &MetricLabels) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| KeyValue::new(*name, value.clone())).collect()
}
