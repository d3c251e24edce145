//! Vitally's wire: the bodies that are sent, the records that are answered, and the texts of refusals.
//!
//! Exchanges, look-ups and lists read and write JSON through this folder. The messages of the Analytics API are written in
//! `analytics`, and the live check has bodies of its own in `client/live`: it sends what no exchange would.

pub(crate) mod body;
pub(crate) mod record;
pub(crate) mod refusal;
pub(crate) mod reading;
mod glance;
