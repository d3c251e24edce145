//! Vitally's wire: the bodies that are sent, the records that are answered, and the texts of refusals.
//!
//! This is the only folder that reads or writes JSON.

pub(crate) mod body;
pub(crate) mod record;
pub(crate) mod refusal;
pub(crate) mod reading;
