//! `/metrics`: what Prometheus reads. Everything is asked of the ledger, so runs of the command count too.

use coho_core::alert::{AlertKey, Level};
use coho_core::time::Time;
use coho_engine::context::Engine;
use coho_ledger::Ledger;
use coho_ledger::totals::Totals;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::refusal::Refusal;

/// Names and values.
type Labels = Vec<(String, String)>;
/// Seconds may have parts.
type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// All families, which are filled anew for each request.
#[derive(Default)]
struct Families {
    rows: Family<Labels, Counter>,
    runs: Family<Labels, Counter>,
    calls: Family<Labels, Counter>,
    firing: Family<Labels, Gauge>,
    open: Family<Labels, Gauge>,
    duration: Family<Labels, Seconds>,
    success: Family<Labels, Seconds>,
    expected: Family<Labels, Seconds>,
}

/// The text that Prometheus reads.
pub(crate) fn text(engine: &Engine<'_>, ledger: &Ledger) -> Result<String, Refusal> {
    let families = Families::default();
    let totals = ledger.totals()?;
    for total in &totals {
        families.add(total);
    }
    for sync in &engine.project().syncs {
        let scope = engine.scope_name(sync);
        let labels = labels(sync.id.as_str());
        let open =
            ledger.open_requests(&scope.workspace)?.iter().filter(|request| request.sync == sync.id).count();
        families.open.get_or_create(&labels).set(i64::try_from(open).unwrap_or(i64::MAX));
        if let Some(expected) = engine.expected(ledger, sync)? {
            families.expected.get_or_create(&labels).set(seconds(expected));
        }
    }
    for (key, alert) in &ledger.alerts()?.alerts {
        if let Some(level) = alert.level {
            families.firing.get_or_create(&of_alert(key, level)).set(1);
        }
    }
    Ok(families.write())
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

fn labels(sync: &str) -> Labels {
    vec![("sync".to_owned(), sync.to_owned())]
}

fn with(sync: &str, name: &str, value: &str) -> Labels {
    let mut labels = labels(sync);
    labels.push((name.to_owned(), value.to_owned()));
    labels
}

/// Whose alert it is: a sync's has its id as label besides.
fn of_alert(key: &AlertKey, level: Level) -> Labels {
    let mut labels = key.subject.sync().map(|sync| labels(sync.as_str())).unwrap_or_default();
    let subject = key.subject.to_string();
    let more = [("subject", subject.as_str()), ("trigger", key.trigger.as_str()), ("level", level.as_str())];
    labels.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    labels
}

/// Whole microseconds stay exact for the next two centuries.
#[expect(clippy::cast_precision_loss, reason = "microseconds of today have 51 bits")]
fn seconds(time: Time) -> f64 {
    time.timestamp_micros() as f64 / 1e6
}

impl Families {
    fn add(&self, total: &Totals) {
        let sync = total.scope.sync.as_str();
        for (status, rows) in &total.rows {
            self.rows.get_or_create(&with(sync, "status", status)).inc_by(*rows);
        }
        for (status, runs) in &total.runs {
            self.runs.get_or_create(&with(sync, "status", status)).inc_by(*runs);
        }
        for (call, number) in &total.calls {
            let (api, status) = call.split_once(' ').unwrap_or((call, "none"));
            let mut labels = with(sync, "api", api);
            labels.push(("status".to_owned(), status.to_owned()));
            self.calls.get_or_create(&labels).inc_by(*number);
        }
        if let Some((began, ended)) = total.last {
            let took = (ended - began).to_std().unwrap_or_default().as_secs_f64();
            self.duration.get_or_create(&labels(sync)).set(took);
        }
        if let Some((_, ended)) = total.last_good {
            self.success.get_or_create(&labels(sync)).set(seconds(ended));
        }
    }

    fn write(self) -> String {
        let mut registry = Registry::with_prefix("coho");
        registry.register("rows", "Rows by status, over all runs", self.rows);
        registry.register("runs", "Runs of a sync by how they ended", self.runs);
        registry.register(
            "calls",
            "Calls to Vitally by API and status of the answer, of runs that ended",
            self.calls,
        );
        registry.register("alerts_firing", "1 for each alert that is open", self.firing);
        registry.register("requests_open", "Runs that were asked for and have not ended", self.open);
        registry.register("run_duration_seconds", "How long the last run took", self.duration);
        registry.register(
            "sync_last_success_timestamp_seconds",
            "When the last run ended in which everything was done",
            self.success,
        );
        registry.register(
            "sync_expected_by_timestamp_seconds",
            "When the schedule was first due since the last good run began, or will be",
            self.expected,
        );
        let mut text = String::new();
        // A text takes whatever is written to it.
        encode(&mut text, &registry).unwrap_or_default();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_names_a_counter_as_its_samples_do() {
        let families = Families::default();
        families.rows.get_or_create(&with("accounts", "status", "delivered")).inc_by(3);
        families.open.get_or_create(&labels("accounts")).set(1);
        let text = plain(&families.write());
        assert_eq!(
            text,
            "# HELP coho_rows_total Rows by status, over all runs.\n# TYPE coho_rows_total counter\n\
             coho_rows_total{sync=\"accounts\",status=\"delivered\"} 3\n\
             # HELP coho_requests_open Runs that were asked for and have not ended.\n# TYPE coho_requests_open gauge\n\
             coho_requests_open{sync=\"accounts\"} 1\n"
        );
    }
}
