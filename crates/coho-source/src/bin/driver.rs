//! Holds an ADBC driver for programs that read sources with this crate and are not `coho`: they name it as the host of a connection.

use std::process::ExitCode;

fn main() -> ExitCode {
    match coho_source::drive() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
