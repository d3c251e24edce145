//! Drivers of databases by Apache Arrow's interface, real ones: [`crate::programs`] finds them.

use std::path::PathBuf;

use crate::programs::adbc_driver;
use crate::server::{Error, say_skipped};

/// The library of a driver: `sqlite`, `postgresql` or `duckdb`. `None` where it is not installed or `COHO_TEST_ADBC=off`; then says on
/// standard error which test is skipped.
pub fn adbc_driver_or_skip(name: &str, test: &str) -> Result<Option<PathBuf>, Error> {
    let found = adbc_driver(name);
    if found.is_none() {
        say_skipped(&format!("the ADBC driver `{name}` is"), test)?;
    }
    Ok(found)
}
