//! PostgreSQL's arrays in their binary form, as JSON lists.
//!
//! The form is that of `array_send` (src/backend/utils/adt/arrayfuncs.c): dimensions, a flag, the element's type; a length and
//! a lower bound for each dimension; then each element's length, -1 for null, and bytes.

use coho_core::value::Value;

use super::decode::{Wrong, cell};
use super::types::{Cast, Kind};

/// Writes a list of one dimension. With more, readers disagree on what the list is, so that is refused.
pub(super) fn write(element: &Kind, bytes: &[u8], out: &mut String) -> Result<(), Wrong> {
    let mut rest = bytes;
    let dimensions = word(&mut rest)?;
    word(&mut rest)?;
    word(&mut rest)?;
    let length = match dimensions {
        0 => 0,
        1 => {
            let length = word(&mut rest)?;
            word(&mut rest)?;
            length
        }
        _ => return Err(Wrong::new(format!("an array of {dimensions} dimensions"), Cast::Json)),
    };
    let mut items = Vec::new();
    let mut scratch = String::new();
    for _ in 0..length {
        items.push(cell(element, next(&mut rest)?, &mut scratch)?.to_value());
    }
    *out = coho_core::json::write(&Value::Array(items));
    Ok(())
}

fn word(rest: &mut &[u8]) -> Result<i32, Wrong> {
    let (word, after) = rest.split_first_chunk::<4>().ok_or_else(Wrong::form)?;
    *rest = after;
    Ok(i32::from_be_bytes(*word))
}

fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Wrong> {
    let length = word(rest)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| Wrong::form())?;
    let (bytes, after) = rest.split_at_checked(length).ok_or_else(Wrong::form)?;
    *rest = after;
    Ok(Some(bytes))
}
