//! What a run says in lines: each stage and each call where `-v` asks for it; else, where there is no terminal, that it is
//! alive once it has taken [`QUIET`]. Whoever runs it from cron has no mail of a short run.
//!
//! It has no clock: how long the run has taken comes in with each event.

use std::time::Duration;

use coho_core::event::Event;
use coho_core::verdict::{Call, Outcome};
use coho_report::words::{counted, number, time};

/// For so long nothing is said before the first line, and between two lines of one stage.
const QUIET: Duration = Duration::from_secs(10);

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// Nothing: a bar shows it.
    Bar,
    /// That the run is alive.
    SignsOfLife,
    /// Stages and calls.
    Calls,
    /// What was sent and answered, and what became of each row.
    Bodies,
}

/// What a sync is at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Beginning,
    Reading { sync: String, rows: u64 },
    Sending { sync: String },
    Ended { sync: String },
}

/// The lines of one run.
pub(super) struct Lines {
    detail: Detail,
    stage: Stage,
    planned: u64,
    settled: u64,
    /// When the last line was said; the run's beginning before the first.
    said: Duration,
}

impl Lines {
    pub(super) fn new(detail: Detail) -> Self {
        Self { detail, stage: Stage::Beginning, planned: 0, settled: 0, said: Duration::ZERO }
    }

    /// What to say of an event, so long after the run's beginning.
    pub(super) fn on(&mut self, event: &Event, taken: Duration) -> Vec<String> {
        let mut lines = self.told(event);
        let is_new = self.follow(event);
        // After the first sign of life, each stage is told as it comes.
        let is_due = is_new && self.said > Duration::ZERO || taken >= self.said + QUIET;
        if self.detail == Detail::SignsOfLife && is_due {
            lines.push(self.sign(taken));
        }
        lines
    }

    /// What to say where nothing happened.
    pub(super) fn look(&mut self, taken: Duration) -> Option<String> {
        let is_due = self.detail == Detail::SignsOfLife && taken >= self.said + QUIET;
        is_due.then(|| self.sign(taken))
    }

    fn sign(&mut self, taken: Duration) -> String {
        self.said = taken;
        let millis = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
        format!("running for {}: {}", time(millis), self.state())
    }

    fn state(&self) -> String {
        let records = || format!("{} of {} records", number(self.settled), number(self.planned));
        match &self.stage {
            Stage::Beginning => "starting".to_owned(),
            Stage::Reading { sync, rows } => format!("{sync}: {} read", counted(*rows, "row")),
            Stage::Sending { sync } => format!("{sync}: {}", records()),
            Stage::Ended { sync } => format!("{sync}: done; {}", records()),
        }
    }

    /// Takes an event in; whether another stage began.
    fn follow(&mut self, event: &Event) -> bool {
        let stage = match event {
            Event::Reading { sync, rows } => Stage::Reading { sync: sync.to_string(), rows: *rows },
            Event::Planned(plan) => {
                self.planned += plan.counts.planned();
                Stage::Sending { sync: plan.sync.to_string() }
            }
            Event::Settled { sync, .. } => {
                self.settled += 1;
                Stage::Sending { sync: sync.to_string() }
            }
            Event::Ended(summary) => Stage::Ended { sync: summary.sync.to_string() },
            Event::RunStarted { .. } | Event::Called { .. } => return false,
        };
        let is_new = match (&self.stage, &stage) {
            (Stage::Reading { sync: before, .. }, Stage::Reading { sync, .. }) => before != sync,
            (before, now) => before != now,
        };
        self.stage = stage;
        is_new
    }

    /// What `-v` and `-vv` say.
    fn told(&self, event: &Event) -> Vec<String> {
        if self.detail < Detail::Calls {
            return Vec::new();
        }
        match event {
            Event::RunStarted { run, .. } => vec![format!("run {run}")],
            Event::Reading { sync, rows } => {
                let goes_on =
                    matches!(&self.stage, Stage::Reading { sync: before, .. } if before == sync.as_str());
                let is_told = !goes_on || self.detail >= Detail::Bodies;
                let line = || format!("{sync}: reading, {} so far", counted(*rows, "row"));
                is_told.then(line).into_iter().collect()
            }
            Event::Planned(plan) => {
                let counts = &plan.counts;
                let (read, planned) = (counted(counts.read, "row"), number(counts.planned()));
                vec![format!("{}: planned, {read} read, {planned} to send", plan.sync)]
            }
            Event::Called { sync, key, call } => self.call(sync.as_str(), key.as_str(), call),
            Event::Settled { sync, key, outcome, code, .. } => {
                let why = code.map_or_else(String::new, |code| format!(" [{code}]"));
                let is_told = self.detail >= Detail::Bodies
                    || !matches!(outcome, Outcome::Delivered | Outcome::Accepted);
                let line = || format!("{sync}: {key} {}{why}", outcome.status().as_str());
                is_told.then(line).into_iter().collect()
            }
            Event::Ended(summary) => vec![format!("{}: {}", summary.sync, summary.status.name())],
        }
    }

    fn call(&self, sync: &str, key: &str, call: &Call) -> Vec<String> {
        let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let took = time(call.micros / 1_000);
        let mut lines = vec![format!("{sync}: {key} {} {} → {status}, {took}", call.method, call.path)];
        if self.detail >= Detail::Bodies {
            lines.extend(call.request.iter().map(|body| format!("  → {body}")));
            lines.push(format!("  ← {}", call.response));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use coho_core::key::Key;
    use coho_core::sync::SyncId;
    use coho_core::target::ExternalId;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn reading(sync: &str, rows: u64) -> Event {
        Event::Reading { sync: SyncId::new(sync), rows }
    }

    fn settled(sync: &str) -> Event {
        Event::Settled {
            sync: SyncId::new(sync),
            key: Key::new("1"),
            target: ExternalId::parse("1").unwrap(),
            outcome: Outcome::Delivered,
            code: None,
        }
    }

    #[test]
    fn a_short_run_says_nothing() {
        let mut lines = Lines::new(Detail::SignsOfLife);
        assert!(lines.on(&reading("accounts", 1), seconds(1)).is_empty());
        assert_eq!(lines.look(seconds(9)), None);
    }

    #[test]
    fn a_long_run_says_every_ten_seconds_what_it_is_at() {
        let mut lines = Lines::new(Detail::SignsOfLife);
        assert!(lines.on(&reading("accounts", 8_000), seconds(1)).is_empty());
        assert_eq!(lines.look(seconds(10)).as_deref(), Some("running for 10 s: accounts: 8,000 rows read"));
        assert_eq!(lines.look(seconds(11)), None);
        assert!(lines.on(&reading("accounts", 16_000), seconds(19)).is_empty());
        let line = "running for 20 s: accounts: 24,000 rows read";
        assert_eq!(lines.on(&reading("accounts", 24_000), seconds(20)), [line]);
    }

    #[test]
    fn once_it_was_long_every_stage_is_told() {
        let mut lines = Lines::new(Detail::SignsOfLife);
        assert!(lines.look(seconds(10)).is_some());
        assert_eq!(lines.on(&reading("users", 1), seconds(12)), ["running for 12 s: users: 1 row read"]);
        assert_eq!(lines.on(&settled("users"), seconds(13)), ["running for 13 s: users: 1 of 0 records"]);
        assert!(lines.on(&settled("users"), seconds(14)).is_empty());
    }

    #[test]
    fn a_terminal_has_its_bar_and_v_its_lines() {
        let mut bar = Lines::new(Detail::Bar);
        assert_eq!(bar.look(seconds(60)), None);
        let mut calls = Lines::new(Detail::Calls);
        assert_eq!(calls.on(&reading("users", 5), seconds(1)), ["users: reading, 5 rows so far"]);
        assert!(calls.on(&reading("users", 6), seconds(1)).is_empty());
        assert!(calls.on(&settled("users"), seconds(1)).is_empty());
        assert_eq!(Lines::new(Detail::Bodies).on(&settled("users"), seconds(1)), ["users: 1 delivered"]);
    }
}
