//! The text that a filter of texts is given.

use std::borrow::Cow;

use super::super::super::fault::Fault;
use super::super::super::scene::Scene;
use super::super::super::text::into_text;
use super::super::super::value::Val;

/// The text of the input, charged as if it were made anew.
pub(super) fn input<'a>(value: Val<'a>, scene: &Scene<'a>) -> Result<Cow<'a, str>, Fault> {
    let text = into_text(value, &scene.meter)?;
    scene.meter.bytes(text.len())?;
    Ok(text)
}
