//! What whoever waits for runs is told of one: above both [`crate::alerts`] and [`crate::run`].

use coho_core::event::Listener;
use coho_core::sync::Sync;
use coho_plan::job::Filter;
use coho_plan::stop::Stop;

use crate::alerts::Ping;
use crate::context::Engine;
use crate::failure::EngineError;
use crate::run::{Options, Report};

impl Engine<'_> {
    /// Runs, and tells whoever waits for runs that one began and how it ended. Who waits for the runs of a schedule is not
    /// deceived by one that a person makes of a few rows.
    pub async fn run_awaited(
        &self,
        syncs: &[&Sync],
        options: &Options,
        listener: &dyn Listener,
        stop: &Stop,
    ) -> Result<Report, EngineError> {
        let is_awaited = options.filter == Filter::default();
        if is_awaited {
            self.ping(Ping::Start, "").await;
        }
        let report = self.run(syncs, options, listener, stop).await;
        if is_awaited {
            let (ping, summary) = pinged(&report);
            self.ping(ping, &summary).await;
        }
        report
    }
}

/// What a ping says of a run: failed is what ends with another code than 0.
pub fn pinged(report: &Result<Report, EngineError>) -> (Ping, String) {
    match report {
        Ok(report) => {
            let is_well = coho_report::exit::code(&report.syncs) == coho_report::exit::DONE;
            let summary = coho_report::text::run(&report.syncs, &coho_report::style::Style::default());
            (if is_well { Ping::Success } else { Ping::Fail }, summary)
        }
        Err(error) => (Ping::Fail, error.to_string()),
    }
}
