//! Decimals of Parquet and Arrow, big-endian numbers with a sign and a scale, as digits.
//!
//! [`crate::files`] and [`crate::adbc`] use it.

use std::fmt::Write as _;

/// Nine decimal digits at a time.
const STEP: u64 = 1_000_000_000;

/// Writes an unscaled number with its point in place, all digits behind it kept.
pub(crate) fn write(bytes: &[u8], scale: usize, out: &mut String) {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    out.clear();
    if negative {
        out.push('-');
    }
    let start = out.len();
    // Writing into a text does not fail.
    match short(bytes, negative) {
        Some(number) => match i64::try_from(number) {
            Ok(number) => write!(out, "{}", number.unsigned_abs()),
            Err(_) => write!(out, "{}", number.unsigned_abs()),
        },
        None => write!(out, "{}", magnitude(bytes, negative)),
    }
    .unwrap_or_default();
    let missing = (scale + 1).saturating_sub(out.len() - start);
    if missing > 0 {
        out.insert_str(start, &"0".repeat(missing));
    }
    if scale > 0 {
        out.insert(out.len() - scale, '.');
    }
}

/// A number of at most sixteen bytes.
fn short(bytes: &[u8], negative: bool) -> Option<i128> {
    let mut all = if negative { [0xFF; 16] } else { [0; 16] };
    let start = all.len().checked_sub(bytes.len())?;
    all.get_mut(start..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(all))
}

fn magnitude(bytes: &[u8], negative: bool) -> String {
    let mut limbs = limbs(bytes, negative);
    let mut groups = Vec::new();
    while limbs.iter().any(|limb| *limb != 0) {
        let mut rest = 0;
        for limb in &mut limbs {
            let dividend = (rest << 32) | u64::from(*limb);
            // The quotient fits: the rest is less than the divisor.
            *limb = u32::try_from(dividend / STEP).unwrap_or(u32::MAX);
            rest = dividend % STEP;
        }
        groups.push(rest);
    }
    let mut digits = groups.pop().unwrap_or(0).to_string();
    for group in groups.iter().rev() {
        write!(digits, "{group:09}").unwrap_or_default();
    }
    digits
}

/// The absolute value in limbs of 32 bits, highest first.
fn limbs(bytes: &[u8], negative: bool) -> Vec<u32> {
    let fill = if negative { 0xFF } else { 0 };
    let missing = (4 - bytes.len() % 4) % 4;
    let padded: Vec<u8> = std::iter::repeat_n(fill, missing).chain(bytes.iter().copied()).collect();
    let words =
        padded.chunks_exact(4).map(|four| four.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte)));
    let mut limbs: Vec<u32> = words.collect();
    if negative {
        let mut carry = true;
        for limb in limbs.iter_mut().rev() {
            (*limb, carry) = (!*limb).overflowing_add(u32::from(carry));
        }
    }
    limbs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8], scale: usize) -> String {
        let mut out = String::new();
        write(bytes, scale, &mut out);
        out
    }

    #[test]
    fn the_point_is_in_its_place() {
        assert_eq!(text(&[0x30, 0x39], 2), "123.45");
        assert_eq!(text(&[5], 3), "0.005");
        assert_eq!(text(&[0xFF], 2), "-0.01");
        assert_eq!(text(&[0], 2), "0.00");
        assert_eq!(text(&[], 0), "0");
        assert_eq!(text(&[0x80, 0, 0, 0], 0), "-2147483648");
    }

    proptest! {
        #[test]
        fn every_digit_is_kept(number in any::<i128>(), small in any::<i64>()) {
            prop_assert_eq!(text(&number.to_be_bytes(), 0), number.to_string());
            prop_assert_eq!(text(&small.to_be_bytes(), 0), small.to_string());
            let longer = if number < 0 { [0xFF] } else { [0] };
            prop_assert_eq!(text(&[&longer[..], &number.to_be_bytes()[..]].concat(), 0), number.to_string());
        }
    }
}
