//! `/metrics`: the engine's measures as the text that Prometheus reads.

use coho_engine::context::Engine;
use coho_engine::metrics::{MetricFamily, MetricLabels, MetricSamples};
use coho_ledger::Ledger;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::refusal::Refusal;

/// Seconds may have parts.
type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// The text that Prometheus reads.
pub(crate) fn text(engine: &Engine<'_>, ledger: &Ledger) -> Result<String, Refusal> {
    Ok(write(engine.metrics(ledger)?))
}

fn write(families: Vec<MetricFamily>) -> String {
    let mut registry = Registry::with_prefix("coho");
    for MetricFamily { name, help, samples } in families {
        match samples {
            MetricSamples::Counter(samples) => {
                let family = Family::<MetricLabels, Counter>::default();
                for (labels, value) in samples {
                    family.get_or_create(&labels).inc_by(value);
                }
                registry.register(name, help, family);
            }
            MetricSamples::Gauge(samples) => {
                let family = Family::<MetricLabels, Gauge>::default();
                for (labels, value) in samples {
                    family.get_or_create(&labels).set(value);
                }
                registry.register(name, help, family);
            }
            MetricSamples::Seconds(samples) => {
                let family = Family::<MetricLabels, Seconds>::default();
                for (labels, value) in samples {
                    family.get_or_create(&labels).set(value);
                }
                registry.register(name, help, family);
            }
        }
    }
    let mut text = String::new();
    // A text takes whatever is written to it.
    encode(&mut text, &registry).unwrap_or_default();
    text
}

/// The same in Prometheus's older form, for programs that do not ask for OpenMetrics: there a counter has one name, which ends in
/// `_total`, and no mark ends the text.
pub(crate) fn plain(openmetrics: &str) -> String {
    let mut counters = Vec::new();
    for line in openmetrics.lines() {
        counters.extend(line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")));
    }
    let mut text = String::new();
    for line in openmetrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        let (mark, what, name, rest) = (words.next(), words.next(), words.next(), words.next());
        match (mark, what, name, rest) {
            (Some("#"), Some(what @ ("HELP" | "TYPE")), Some(name), Some(rest))
                if counters.contains(&name) =>
            {
                text.extend(["# ", what, " ", name, "_total ", rest, "\n"]);
            }
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_names_a_counter_as_its_samples_do() {
        let sync = ("sync", "accounts".to_owned());
        let rows = vec![(vec![sync.clone(), ("status", "delivered".to_owned())], 3)];
        let text = plain(&write(vec![
            MetricFamily {
                name: "rows",
                help: "Rows by status, over all runs",
                samples: MetricSamples::Counter(rows),
            },
            MetricFamily {
                name: "requests_open",
                help: "Runs that were requested and have not ended",
                samples: MetricSamples::Gauge(vec![(vec![sync], 1)]),
            },
        ]));
        assert_eq!(
            text,
            "# HELP coho_rows_total Rows by status, over all runs.\n# TYPE coho_rows_total counter\n\
             coho_rows_total{sync=\"accounts\",status=\"delivered\"} 3\n\
             # HELP coho_requests_open Runs that were requested and have not ended.\n# TYPE coho_requests_open gauge\n\
             coho_requests_open{sync=\"accounts\"} 1\n"
        );
    }
}
