//! Approved plans as files: `coho plan -o` writes one, `coho run --plan` reads it.

use coho_core::failure::Failure as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use coho_engine::approved::{ApprovedPlan, WriteError};
use coho_engine::context::Engine;
use coho_engine::plan::Planned;

use crate::exit::Known;
use crate::print;
use crate::signal::stop_after_calls;

/// Writes an approved plan that only its owner can read. A file that is there is replaced.
pub(crate) fn write(engine: &Engine<'_>, plans: &[&Planned], path: &Path) -> anyhow::Result<()> {
    let (stop, _listening) = stop_after_calls();
    let unwritable = |error: io::Error| Known {
        message: format!("cannot write the plan file `{}`", path.display()),
        help: Some("name a file in an existing folder that you can write to".to_owned()),
        code: 3,
        source: Some(error.into()),
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = BufWriter::new(options.open(path).map_err(unwritable)?);
    match engine.write_approved_plan(&mut file, plans, &stop) {
        Err(WriteError::Io(error)) => return Err(unwritable(error).into()),
        other => other?,
    }
    file.flush().map_err(unwritable)?;
    let operations = plans.iter().map(|planned| planned.plan.counts.planned()).sum();
    let operations = print::counted(operations, "operation");
    print::talk(&format!(
        "wrote {operations} to {0}; `coho run --plan {0}` sends exactly these",
        path.display()
    ));
    Ok(())
}

/// Reads an approved plan of this project.
pub(crate) fn read(engine: &Engine<'_>, path: &Path) -> anyhow::Result<ApprovedPlan> {
    let (stop, _listening) = stop_after_calls();
    let unusable = |message: String, source: anyhow::Error| Known {
        message,
        help: Some("write a new one with `coho plan -o FILE`".to_owned()),
        code: 3,
        source: Some(source),
    };
    let file = File::open(path)
        .map_err(|error| unusable(format!("cannot read the plan file `{}`", path.display()), error.into()))?;
    let approved = engine.read_approved_plan(BufReader::new(file), &stop).map_err(|error| {
        let message = format!("cannot use `{}` as an approved plan [{}]", path.display(), error.code());
        unusable(message, error.into())
    })?;
    Ok(approved)
}
