//! The verbs, one file each: what was typed becomes a call of the engine, and its answer becomes text.

pub(crate) mod alerts;
pub(crate) mod check;
pub(crate) mod dbt;
pub(crate) mod debug;
pub(crate) mod demo;
pub(crate) mod failures;
pub(crate) mod forget;
pub(crate) mod init;
pub(crate) mod live;
pub(crate) mod mcp;
pub(crate) mod learn;
pub(crate) mod permit;
pub(crate) mod plan;
pub(crate) mod preview;
pub(crate) mod purge;
pub(crate) mod reference;
pub(crate) mod rows;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod serve;
pub(crate) mod simulator;
pub(crate) mod template;
pub(crate) mod test;
pub(crate) mod token;
pub(crate) mod traits;
