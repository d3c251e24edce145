//! What filters may see of a rendering: its meter, its clock and how the template reads.

use chrono::{DateTime, Utc};

use super::budget::Meter;
use super::settings::TemplateSettings;

/// The scene of one rendering.
#[derive(Clone, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) meter: Meter,
    pub(crate) settings: &'a TemplateSettings,
    pub(crate) now: Option<DateTime<Utc>>,
}
