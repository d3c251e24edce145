//! A Spark of a test's own, with two executors: Spark Connect, from PyPI's package pyspark. [`crate::programs`] finds it,
//! [`crate::emulator`] starts and ends it. It is no emulator.

use crate::emulator::{Emulator, End};
use crate::programs::{engine_python, java};
use crate::server::{Error, Keeper};

const SPARK: Emulator = Emulator {
    name: "Spark, which comes with `cargo xtask test --engines` and needs Java,",
    ready: "Spark Connect server started",
    arguments: &["-c", include_str!("spark/start.py"), "PORT"],
    // Its executors are processes of their own, which it ends.
    end: End::Asked,
};

/// A running cluster, with tables in a folder of its own. Sessions are in Berlin.
#[derive(Debug)]
pub struct Spark {
    keeper: Keeper,
}

impl Spark {
    /// Starts a cluster; about fifteen seconds. `None` where pyspark or Java is not installed; it then says on standard error which test is
    /// skipped.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        let python = java().and_then(|_| engine_python("spark"));
        Ok(SPARK.start_or_skip(python, test)?.map(|keeper| Self { keeper }))
    }

    /// Where a driver finds it.
    pub fn uri(&self) -> String {
        format!("sc://127.0.0.1:{}", self.keeper.port())
    }
}
