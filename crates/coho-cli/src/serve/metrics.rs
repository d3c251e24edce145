//! `/metrics`: what Prometheus reads. Everything is asked of the ledger, so runs of the command count too.

use coho_core::memory::Time;
use coho_engine::context::Engine;
use coho_ledger::Ledger;
use coho_ledger::totals::Totals;
use coho_project::Trigger;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::serve::refusal::Refusal;

/// Names and values.
type Labels = Vec<(String, String)>;
/// Seconds may have parts.
type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// All families, which are filled anew for each request.
#[derive(Default)]
struct Families {
    rows: Family<Labels, Counter>,
    runs: Family<Labels, Counter>,
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
        let good = totals.iter().find(|total| total.scope == scope).and_then(|total| total.last_good);
        if let Some(expected) = expected(engine, ledger, sync, good.map(|(began, _)| began))? {
            families.expected.get_or_create(&labels).set(seconds(expected));
        }
    }
    Ok(families.write())
}

/// When a sync should have run well again: the first time of its schedule after its last good run began.
fn expected(
    engine: &Engine<'_>,
    ledger: &Ledger,
    sync: &coho_core::sync::Sync,
    good: Option<Time>,
) -> Result<Option<Time>, Refusal> {
    let Some(spec) = engine.project().schedules.get(&sync.id) else { return Ok(None) };
    let Trigger::Timed(timed) = &spec.trigger else { return Ok(None) };
    let since = match good {
        Some(began) => Some(began),
        None => ledger.began_to_schedule(&engine.scope_name(sync))?,
    };
    Ok(since.and_then(|since| timed.next(since)))
}

fn labels(sync: &str) -> Labels {
    vec![("sync".to_owned(), sync.to_owned())]
}

fn with(sync: &str, name: &str, value: &str) -> Labels {
    let mut labels = labels(sync);
    labels.push((name.to_owned(), value.to_owned()));
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
        for (fate, rows) in &total.rows {
            self.rows.get_or_create(&with(sync, "fate", fate)).inc_by(*rows);
        }
        for (status, runs) in &total.runs {
            self.runs.get_or_create(&with(sync, "status", status)).inc_by(*runs);
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
        registry.register("rows", "Rows by what became of them, over all runs", self.rows);
        registry.register("runs", "Runs of a sync by how they ended", self.runs);
        registry.register("requests_open", "Runs that were asked for and have not ended", self.open);
        registry.register("run_duration_seconds", "How long the last run took", self.duration);
        registry.register(
            "sync_last_success_timestamp_seconds",
            "When the last run ended in which everything was done",
            self.success,
        );
        registry.register(
            "sync_expected_by_timestamp_seconds",
            "The first time of the schedule after the last good run began",
            self.expected,
        );
        let mut text = String::new();
        // A text takes whatever is written to it.
        encode(&mut text, &registry).unwrap_or_default();
        text
    }
}
