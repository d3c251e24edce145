//! Approved plans of a project: what a person agreed to, as a file.

use std::io::{BufRead, Write};

use coho_plan::approved;
pub use coho_plan::approved::{ApprovedPlan, ApprovedPlanError, WriteError};
use coho_plan::planned::Planned;
use coho_plan::stop::Stop;

use crate::context::Engine;

impl Engine<'_> {
    /// Writes an approved plan of these plans, until somebody asks to end.
    pub fn write_approved_plan(
        &self,
        to: &mut impl Write,
        plans: &[&Planned],
        stop: &Stop,
    ) -> Result<(), WriteError> {
        approved::write(to, &self.place(), self.setup.clock.now(), plans, stop)
    }

    /// Reads an approved plan of this project and target, until somebody asks to end.
    pub fn read_approved_plan(
        &self,
        from: impl BufRead,
        stop: &Stop,
    ) -> Result<ApprovedPlan, ApprovedPlanError> {
        ApprovedPlan::read(from, &self.place(), &self.setup.temporary, stop)
    }

    /// Where an approved plan holds: a project, and the target that was chosen.
    fn place(&self) -> String {
        let project = self.setup.project;
        match &project.target {
            Some(target) => format!("{}, target {target}", project.name),
            None => project.name.clone(),
        }
    }
}
