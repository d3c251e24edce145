//! Approved plans of a project: what a person agreed to, as a file.

use std::io::{BufRead, Write};

use coho_plan::approved;
pub use coho_plan::approved::{Approved as Permit, ApprovedError as PermitError, WriteError};
use coho_plan::planned::Planned;

use crate::context::Engine;

impl Engine<'_> {
    /// Writes a permit of these plans.
    pub fn write_permit(&self, to: &mut impl Write, plans: &[&Planned]) -> Result<(), WriteError> {
        approved::write(to, &self.place(), self.setup.clock.now(), plans)
    }

    /// Reads a permit of this project and target.
    pub fn read_permit(&self, from: impl BufRead) -> Result<Permit, PermitError> {
        Permit::read(from, &self.place(), &self.setup.temporary)
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
