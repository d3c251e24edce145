//! dbt's artifacts: which table a model is, and how dbt's last command ended.
//!
//! **What it is:** [`Manifest`] reads `manifest.json` and finds a model by the name that `ref` takes. [`RunResults`] reads
//! `run_results.json`. [`standing`] decides whether a sync may read a model, given the results of the model and its tests.
//! [`exposures`](exposures()) writes exposures, so that dbt's lineage shows syncs.
//!
//! **What it is not:** it opens no files, reads no clock, and knows nothing of syncs, sources or ledgers.
//!
//! It reads both files as dbt Core 1.3 and later, and Fusion, write them. It uses a few keys and ignores all others; a missing key counts as
//! unknown (<https://docs.getdbt.com/reference/artifacts/manifest-json>, read 2026-11-28).
//!
//! ```
//! use coho_dbt::{AgeLimit, Manifest, RunResults, Standing, standing};
//! use coho_core::time::Time;
//!
//! let manifest = Manifest::read(&br#"{ "nodes": {
//!     "model.shop.customers": {
//!         "resource_type": "model", "package_name": "shop", "name": "customers",
//!         "relation_name": "\"shop\".\"analytics\".\"customers\""
//!     }
//! } }"#[..])?;
//! let customers = manifest.find("customers").map_err(|problem| problem.message)?;
//! assert_eq!(customers.relation, r#""shop"."analytics"."customers""#);
//!
//! let results = RunResults::read(&br#"{
//!     "args": { "which": "build" },
//!     "results": [{ "unique_id": "model.shop.customers", "status": "error" }]
//! }"#[..])?;
//! let limit = AgeLimit { max_age: None, now: Time::UNIX_EPOCH };
//! let Standing::Refused(problem) = standing(&manifest, &customers, Some(&results), &limit) else { panic!() };
//! assert_eq!(problem.message, "dbt's last command, `dbt build`, failed for the model `customers`: the model (error)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod json;
mod name;
mod manifest;
mod results;
mod standing;
mod exposures;

pub use exposures::{Exposure, ExposureOwner, exposures};
pub use json::ArtifactError;
pub use manifest::{FoundModel, Manifest};
pub use name::ModelName;
pub use results::RunResults;
pub use standing::{AgeLimit, Passed, Standing, standing};
