//! Parquet's decimals, big-endian numbers with a sign and a scale, as digits.

use std::fmt::Write as _;

/// Nine decimal digits at a time.
const STEP: u64 = 1_000_000_000;

/// Writes an unscaled number with its point in place, all digits behind it kept.
pub(super) fn write(bytes: &[u8], scale: usize, out: &mut String) {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let digits = magnitude(bytes, negative);
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at_checked(padded.len() - scale).unwrap_or((&padded, ""));
    out.clear();
    let sign = if negative && digits != "0" { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    // Writing to a string cannot fail.
    write!(out, "{sign}{whole}{point}{fraction}").unwrap_or_default();
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
        fn every_digit_is_kept(number in any::<i128>()) {
            prop_assert_eq!(text(&number.to_be_bytes(), 0), number.to_string());
        }
    }
}
