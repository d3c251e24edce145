//! Drivers of databases by Apache Arrow's interface, real ones: [`crate::programs`] finds them.

use std::path::{Path, PathBuf};

use adbc_core::options::{AdbcVersion, OptionDatabase, OptionValue};
use adbc_core::{Connection as _, Database as _, Driver as _, LOAD_FLAG_DEFAULT, Statement as _};
use adbc_driver_manager::ManagedDriver;

use crate::programs::{adbc_driver, engine_driver};
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

/// The library of a driver that `cargo xtask test --engines` fetches: `bigquery`, `snowflake` or `spark`; the same.
pub fn engine_driver_or_skip(name: &str, test: &str) -> Result<Option<PathBuf>, Error> {
    let found = engine_driver(name);
    if found.is_none() {
        say_skipped(
            &format!("the ADBC driver `{name}`, which comes with `cargo xtask test --engines`, is"),
            test,
        )?;
    }
    Ok(found)
}

/// A database by its driver, within the test's own process: for statements that Coho, which only reads, has none of.
pub struct AdbcDatabase {
    driver: ManagedDriver,
    options: Vec<(String, String)>,
}

impl AdbcDatabase {
    /// Loads a driver.
    pub fn load(driver: &Path, options: &[(&str, &str)]) -> Result<Self, Error> {
        let is_duckdb = driver.file_stem().is_some_and(|stem| stem == "libduckdb");
        let entry = is_duckdb.then_some(b"duckdb_adbc_init".as_slice());
        let driver = ManagedDriver::load_from_name(driver, entry, AdbcVersion::V110, LOAD_FLAG_DEFAULT, None)
            .map_err(|error| Error::Start(error.message))?;
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Ok(Self { driver, options: options.collect() })
    }

    /// Runs some statements in a connection of their own, which ends with the last of them.
    pub fn run<'a>(&mut self, statements: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        self.try_run(statements).map_err(|error| Error::Statement(error.message))
    }

    fn try_run<'a>(
        &mut self,
        statements: impl Iterator<Item = &'a str>,
    ) -> Result<(), adbc_core::error::Error> {
        let option = |(name, value): &(String, String)| {
            (OptionDatabase::from(name.as_str()), OptionValue::from(value.as_str()))
        };
        let database = self.driver.new_database_with_opts(self.options.iter().map(option))?;
        let mut connection = database.new_connection()?;
        for sql in statements {
            let mut statement = connection.new_statement()?;
            statement.set_sql_query(sql)?;
            statement.execute_update()?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for AdbcDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdbcDatabase").finish_non_exhaustive()
    }
}
