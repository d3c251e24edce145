//! What whoever waits for runs is told of one: above both [`crate::alerts`] and [`crate::run`].

use crate::alerts::Ping;
use crate::failure::EngineError;
use crate::run::Report;

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
