//! Telemetry of a `coho` that was built without the feature `otel`: nobody is told anything.

use crate::args::Global;

/// Nothing is watched.
pub(crate) fn watch(_: &Global) {
    if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some() {
        tracing::info!(
            "`OTEL_EXPORTER_OTLP_ENDPOINT` is set, but this program was built without the feature `otel`"
        );
    }
}

/// The same for a server.
pub(crate) fn watch_server(global: &Global) {
    watch(global);
}

/// Nobody is told of a run.
pub(crate) fn run_ended(_: &Global, _: String) {}

/// Nothing is waited for.
pub(crate) fn end() {}
