//! Rows that are compared in PostgreSQL, MariaDB, DuckDB and Spark, bucket by bucket, against the real ones, and in emulators of Snowflake and
//! BigQuery:
//! whatever happens to rows, ledgers and projects, the plan is the one that a reading of all rows gives.
//!
//! `engines` and `drivers` have what each database is asked, `servers` starts them; `rewritten` is how tests change a table of Spark; `cached` has what else may happen to a cache. `histories` has the property test, `traps` one test
//! for each way in which a comparison of sums could be wrong.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

#[path = "engine/oracle/faults.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the faults")]
mod faults;

#[path = "in_source/engines.rs"]
mod engines;
#[path = "in_source/drivers.rs"]
mod drivers;
#[path = "in_source/rewritten.rs"]
mod rewritten;
#[path = "in_source/servers.rs"]
mod servers;
#[path = "in_source/scene.rs"]
mod scene;
#[path = "in_source/cached.rs"]
mod cached;
#[path = "in_source/histories.rs"]
mod histories;
#[path = "in_source/traps.rs"]
mod traps;
