//! What programs ask the server: [`routes`] answers, [`shape`] has the forms of Hightouch's API, [`body`] reads what clients
//! send, [`metrics`] is what Prometheus reads, [`openapi`] describes all of it.

pub(crate) mod body;
pub(crate) mod refusal;
pub(crate) mod shape;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod routes;
