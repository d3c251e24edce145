//! The server: [`house`] is what its parts share, [`desk`] starts runs, [`door`] answers requests, [`reload`] looks for changed
//! files. [`shape`] has the forms of Hightouch's API, [`body`] reads what clients send, [`metrics`] is what Prometheus reads.

pub(crate) mod house;
mod reload;
pub(crate) mod desk;
pub(crate) mod digest;
mod body;
mod refusal;
mod shape;
mod metrics;
pub(crate) mod door;
