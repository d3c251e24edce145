//! PostgreSQL's `numeric` in its binary form, as digits.
//!
//! The form is that of `numeric_send` (src/backend/utils/adt/numeric.c): count of groups, weight of the first group, sign,
//! display scale, then groups of four decimal digits.

use std::fmt::Write as _;

use super::decode::Wrong;
use super::types::Cast;

/// More digits than [`coho_core::decimal::Decimal`] takes.
const MOST_DIGITS: usize = 1_000;

/// Writes the digits, with as many behind the point as the server shows.
pub(super) fn digits(bytes: &[u8], out: &mut String) -> Result<(), Wrong> {
    let mut words = bytes.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    let mut word = || words.next().ok_or_else(Wrong::form);
    let count = usize::from(word()?);
    let weight = i32::from(word()?.cast_signed());
    let sign = word()?;
    let scale = usize::from(word()?);
    if bytes.len() != 8 + 2 * count {
        return Err(Wrong::form());
    }
    match sign {
        0x0000 | 0x4000 => {}
        0xC000 => return Err(Wrong::new("NaN", Cast::NotNan)),
        0xD000 | 0xF000 => return Err(Wrong::new("an infinity", Cast::FiniteNumber)),
        _ => return Err(Wrong::form()),
    }
    let whole = usize::try_from(weight + 1).unwrap_or(0) * 4;
    if whole + scale > MOST_DIGITS {
        return Err(Wrong::new("a number of more than 1,000 digits", Cast::Text));
    }
    let groups: Vec<u16> = words.collect();
    out.clear();
    write(&groups, weight, scale, sign == 0x4000, out);
    Ok(())
}

fn write(groups: &[u16], weight: i32, scale: usize, negative: bool, out: &mut String) {
    let group =
        |place: i32| usize::try_from(weight - place).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
    if negative && groups.iter().any(|group| *group != 0) {
        out.push('-');
    }
    // Writing to a string cannot fail.
    write!(out, "{}", group(weight.max(0))).unwrap_or_default();
    for place in (0..weight.max(0)).rev() {
        write!(out, "{:04}", group(place)).unwrap_or_default();
    }
    if scale == 0 {
        return;
    }
    out.push('.');
    let end = out.len() + scale;
    let mut place = -1;
    while out.len() < end {
        write!(out, "{:04}", group(place)).unwrap_or_default();
        place -= 1;
    }
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Result<String, Wrong> {
        let head = [u16::try_from(groups.len()).unwrap_or(0), weight.cast_unsigned(), sign, scale];
        let bytes: Vec<u8> = head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect();
        let mut out = String::new();
        digits(&bytes, &mut out).map(|()| out)
    }

    #[test]
    fn every_digit_is_kept() {
        assert_eq!(text(0, 0, 2, &[1, 5000]).unwrap(), "1.50");
        assert_eq!(text(2, 0x4000, 0, &[12, 3456, 7890]).unwrap(), "-1234567890");
        assert_eq!(text(-2, 0, 6, &[1200]).unwrap(), "0.000012");
        assert_eq!(text(0, 0, 3, &[]).unwrap(), "0.000");
        assert_eq!(text(2, 0, 0, &[7]).unwrap(), "700000000");
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        assert_eq!(text(0, 0xC000, 0, &[]).unwrap_err().what, "NaN");
        assert_eq!(text(0, 0xD000, 0, &[]).unwrap_err().what, "an infinity");
        assert_eq!(text(300, 0, 0, &[1]).unwrap_err().what, "a number of more than 1,000 digits");
    }
}
