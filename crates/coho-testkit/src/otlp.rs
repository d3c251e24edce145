//! What arrives over OTLP, decoded by the types that OpenTelemetry's own protobuf files make.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric, NumberDataPoint, number_data_point,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

/// Names and values, as text.
pub type OtlpAttributes = BTreeMap<String, String>;

/// A span that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpSpan {
    /// The trace's id.
    pub trace: Vec<u8>,
    /// Its own.
    pub id: Vec<u8>,
    /// Its parent's; empty where it has none.
    pub parent: Vec<u8>,
    /// Its name.
    pub name: String,
    /// When it began and ended, in nanoseconds.
    pub time: (u64, u64),
    /// Its attributes.
    pub attributes: OtlpAttributes,
    /// Whether it says that it failed.
    pub failed: bool,
}

/// A sample that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpSample {
    /// The measure's name.
    pub name: String,
    /// Whether it only grows, and is told as what it is since the beginning.
    pub is_counter: bool,
    /// The attributes.
    pub attributes: OtlpAttributes,
    /// The value.
    pub value: f64,
}

/// The resource and the spans of a request to `/v1/traces`.
pub fn otlp_spans(body: &[u8]) -> Result<(OtlpAttributes, Vec<OtlpSpan>), prost::DecodeError> {
    let (mut resource, mut spans) = (OtlpAttributes::new(), Vec::new());
    for part in ExportTraceServiceRequest::decode(body)?.resource_spans {
        resource.extend(attributes(part.resource.unwrap_or_default().attributes));
        spans.extend(part.scope_spans.into_iter().flat_map(|scope| scope.spans).map(span));
    }
    Ok((resource, spans))
}

/// The resource and the samples of a request to `/v1/metrics`.
pub fn otlp_samples(body: &[u8]) -> Result<(OtlpAttributes, Vec<OtlpSample>), prost::DecodeError> {
    let (mut resource, mut all) = (OtlpAttributes::new(), Vec::new());
    for part in ExportMetricsServiceRequest::decode(body)?.resource_metrics {
        resource.extend(attributes(part.resource.unwrap_or_default().attributes));
        all.extend(part.scope_metrics.into_iter().flat_map(|scope| scope.metrics).flat_map(samples));
    }
    Ok((resource, all))
}

fn span(span: Span) -> OtlpSpan {
    let failed = span.status.is_some_and(|status| status.code == StatusCode::Error as i32);
    OtlpSpan {
        trace: span.trace_id,
        id: span.span_id,
        parent: span.parent_span_id,
        name: span.name,
        time: (span.start_time_unix_nano, span.end_time_unix_nano),
        attributes: attributes(span.attributes),
        failed,
    }
}

fn samples(metric: Metric) -> Vec<OtlpSample> {
    let name = metric.name;
    let (is_counter, points) = match metric.data {
        Some(Data::Sum(sum)) => {
            let whole = sum.aggregation_temporality == AggregationTemporality::Cumulative as i32;
            (whole && sum.is_monotonic, sum.data_points)
        }
        Some(Data::Gauge(gauge)) => (false, gauge.data_points),
        Some(Data::Histogram(_) | Data::ExponentialHistogram(_) | Data::Summary(_)) | None => {
            return Vec::new();
        }
    };
    points.into_iter().map(|point| sample(&name, is_counter, point)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "tests count little")]
fn sample(name: &str, is_counter: bool, point: NumberDataPoint) -> OtlpSample {
    let value = match point.value {
        Some(number_data_point::Value::AsDouble(value)) => value,
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        None => f64::NAN,
    };
    OtlpSample { name: name.to_owned(), is_counter, attributes: attributes(point.attributes), value }
}

fn attributes(pairs: Vec<KeyValue>) -> OtlpAttributes {
    pairs.into_iter().map(|pair| (pair.key, pair.value.map(text).unwrap_or_default())).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::DoubleValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(value)) => value.to_string(),
        other @ (Some(_) | None) => format!("{other:?}"),
    }
}
