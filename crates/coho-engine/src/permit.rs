//! Approved plans of a project: what a person agreed to, as a file.

use std::io::{BufRead, Write};

use coho_plan::approved;
pub use coho_plan::approved::{Approved as Permit, ApprovedError as PermitError, WriteError};
use coho_plan::planned::Planned;
use coho_plan::stop::Stop;

use crate::context::Engine;

impl Engine<'_> {
    /// Writes a permit of these plans, until somebody asks to end.
    pub fn write_permit(
        &self,
        to: &mut impl Write,
        plans: &[&Planned],
        stop: &Stop,
    ) -> Result<(), WriteError> {
        approved::write(to, &self.place(), self.setup.clock.now(), plans, stop)
    }

    /// Reads a permit of this project and target, until somebody asks to end.
    pub fn read_permit(&self, from: impl BufRead, stop: &Stop) -> Result<Permit, PermitError> {
        Permit::read(from, &self.place(), &self.setup.temporary, stop)
    }

    /// Where a permit holds: a project, and the target that was chosen.
    fn place(&self) -> String {
        let project = self.setup.project;
        match &project.target {
            Some(target) => format!("{}, target {target}", project.name),
            None => project.name.clone(),
        }
    }
}
