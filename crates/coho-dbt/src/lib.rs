//! What dbt writes down of its models: which table each is, and how dbt's last command ended.
//!
//! **What it is:** [`Manifest`] reads `manifest.json` and finds a model by the name that `ref` takes; [`RunResults`] reads
//! `run_results.json`, and [`standing`] says whether a sync may read a model after what became of it and of its tests.
//! [`exposures`](exposures()) writes what dbt needs to know of syncs to show them in its lineage.
//!
//! **What it is not:** it opens no files, reads no clock and knows no syncs, sources or ledgers.
//!
//! Both files are read as dbt Core 1.3 and later and Fusion write them: a few keys are taken, all others are passed over, and
//! what is missing counts as not known (<https://docs.getdbt.com/reference/artifacts/manifest-json>, read 2026-11-28).
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
