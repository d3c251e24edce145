//! How things look that several pages show: the frame, small parts, JSON, charts.

pub(crate) mod parts;
pub(crate) mod json;
pub(crate) mod chart;
pub(crate) mod frame;
