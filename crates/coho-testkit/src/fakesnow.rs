//! A server of a test's own that imitates Snowflake: fakesnow, from PyPI, over DuckDB. [`crate::programs`] finds it,
//! [`crate::emulator`] starts it. What it lacks of Snowflake's functions, `fakesnow/start.py` adds.

use crate::emulator::{Emulator, End};
use crate::programs::engine_python;
use crate::server::{Error, Keeper};

const FAKESNOW: Emulator = Emulator {
    name: "fakesnow, which comes with `cargo xtask test --engines`,",
    ready: "Uvicorn running on",
    arguments: &["-c", include_str!("fakesnow/start.py"), "PORT"],
    end: End::AtOnce,
};

/// A running server, with databases in memory.
#[derive(Debug)]
pub struct Fakesnow {
    keeper: Keeper,
}

impl Fakesnow {
    /// Starts a server; about three seconds. `None` where fakesnow is not installed; it then says on standard error which test is
    /// skipped.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        Ok(FAKESNOW.start_or_skip(engine_python("snowflake"), test)?.map(|keeper| Self { keeper }))
    }

    /// What Snowflake's driver is told to connect to it.
    pub fn options(&self) -> Vec<(&'static str, String)> {
        let fixed = [
            ("username", "fake"),
            ("password", "snow"),
            ("adbc.snowflake.sql.account", "fakesnow"),
            ("adbc.snowflake.sql.uri.host", "127.0.0.1"),
            ("adbc.snowflake.sql.uri.protocol", "http"),
            ("adbc.snowflake.sql.db", "SHOP"),
            ("adbc.snowflake.sql.schema", "PUBLIC"),
        ];
        let port = ("adbc.snowflake.sql.uri.port", self.keeper.port().to_string());
        fixed.map(|(name, value)| (name, value.to_owned())).into_iter().chain([port]).collect()
    }
}
