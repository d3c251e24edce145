//! What OpenTelemetry's variables say. Endpoints, headers and attributes of the resource are read by its own crates.

use std::time::Duration;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How often measures are told while nothing else is.
const INTERVAL: Duration = Duration::from_secs(60);

/// What is told, and how.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Whether runs are told as traces.
    pub(super) traces: bool,
    /// Whether measures are told.
    pub(super) metrics: bool,
    /// How long a request may take.
    pub(super) timeout: Duration,
    /// How often measures are told.
    pub(super) interval: Duration,
    /// The span of whoever started this process, which runs are parts of.
    pub(super) parent: Option<SpanContext>,
    /// Whether the variables name the service.
    pub(super) has_name: bool,
}

impl Settings {
    /// Reads them. Nothing where no collector is named, or telemetry is switched off.
    pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let is = |name: &str, wanted: &str| {
            value(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
        };
        let told = |signal: &str| {
            let own = value(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
            let is_named = own.or_else(|| value("OTEL_EXPORTER_OTLP_ENDPOINT")).is_some();
            is_named && !is(&format!("OTEL_{signal}_EXPORTER"), "none")
        };
        let (traces, metrics) = (told("TRACES"), told("METRICS"));
        if is("OTEL_SDK_DISABLED", "true") || !(traces || metrics) {
            return Ok(None);
        }
        for name in ["", "_TRACES", "_METRICS"].map(|signal| format!("OTEL_EXPORTER_OTLP{signal}_PROTOCOL")) {
            if let Some(protocol) = value(&name).filter(|protocol| protocol.trim() != "http/protobuf") {
                return Err(format!("{name} is `{}`; expected `http/protobuf`", protocol.trim()));
            }
        }
        let parent = value("TRACEPARENT").and_then(|text| parent(text.trim()));
        Ok(Some(Self {
            // Whoever started this does not keep its own trace either.
            traces: traces && parent.as_ref().is_none_or(SpanContext::is_sampled),
            metrics,
            timeout: millis(value("OTEL_EXPORTER_OTLP_TIMEOUT")).unwrap_or(TIMEOUT),
            interval: millis(value("OTEL_METRIC_EXPORT_INTERVAL")).unwrap_or(INTERVAL),
            parent,
            has_name: value("OTEL_SERVICE_NAME").is_some()
                || value("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|text| names_the_service(&text)),
        }))
    }
}

fn names_the_service(attributes: &str) -> bool {
    attributes.split(',').any(|pair| pair.trim_start().starts_with("service.name="))
}

fn millis(text: Option<String>) -> Option<Duration> {
    text?.trim().parse().ok().filter(|millis| *millis > 0).map(Duration::from_millis)
}

/// A W3C trace context, such as `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
fn parent(text: &str) -> Option<SpanContext> {
    let parts: Vec<&str> = text.split('-').collect();
    let [_, trace, span, flags, ..] = parts.as_slice() else { return None };
    if (trace.len(), span.len(), flags.len()) != (32, 16, 2) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        Settings::read(&|name| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_told_where_no_collector_is_named_or_telemetry_is_off() {
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]).unwrap().is_none());
        assert!(read(&[named, ("OTEL_SDK_DISABLED", "TRUE")]).unwrap().is_none());
        let off = [named, ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none")];
        assert!(read(&off).unwrap().is_none());
        let both = read(&[named]).unwrap().unwrap();
        assert!(both.traces && both.metrics && !both.has_name && both.parent.is_none());
        let traces = read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")]);
        assert_eq!(traces.unwrap().map(|only| (only.traces, only.metrics)), Some((true, false)));
    }

    #[test]
    fn a_trace_that_nobody_keeps_is_not_told() {
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        for (flags, told) in [("01", true), ("00", false)] {
            let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
            let settings = read(&[named, ("TRACEPARENT", &parent)]).unwrap().unwrap();
            assert_eq!((settings.traces, settings.metrics), (told, true), "{flags}");
        }
    }

    #[test]
    fn only_the_name_of_the_service_itself_names_it() {
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        for (attributes, names) in
            [("a=b, service.name=crm", true), ("k8s.service.name=x", false), ("service.name=crm", true)]
        {
            let settings = read(&[named, ("OTEL_RESOURCE_ATTRIBUTES", attributes)]).unwrap().unwrap();
            assert_eq!(settings.has_name, names, "{attributes}");
        }
    }

    #[test]
    fn another_protocol_is_refused_by_name() {
        let refused = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ]);
        assert_eq!(refused.unwrap_err(), "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`; expected `http/protobuf`");
    }

    #[test]
    fn a_run_is_a_part_of_the_trace_that_started_it() {
        let context = parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        for wrong in
            ["", "00-4bf9-00f067aa0ba902b7-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"]
        {
            assert!(parent(wrong).is_none(), "{wrong}");
        }
    }
}
