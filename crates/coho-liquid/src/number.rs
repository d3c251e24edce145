//! Numbers: exact where they have a decimal form, as decimal arithmetic is what people mean by `0.1 + 0.2`.
//!
//! Whole numbers are `i64` as long as they fit; anything else calculates on 128 bits of digits and a scale. Only floats
//! whose digits do not fit are calculated in binary.

use std::borrow::Cow;
use std::cmp::Ordering;

use coho_core::decimal::Decimal;

use super::fault::Fault;
use super::value::{NOT_FINITE, Val};

/// The digits that a quotient without end keeps.
const QUOTIENT_DIGITS: u32 = 28;
/// No more digits than this behind the point.
const MOST_SCALE: u32 = 38;

/// A decimal: `digits / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exact {
    digits: i128,
    scale: u32,
}

/// A number to calculate with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Exact(Exact),
    Float(f64),
}

/// A calculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Plus,
    Minus,
    Times,
    DividedBy,
    Modulo,
}

impl Exact {
    /// Reads plain digits, without exponent. `None` where they do not fit.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mut digits, mut scale, mut fraction) = (0_i128, 0, false);
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        for byte in unsigned.bytes() {
            match byte {
                b'0'..=b'9' => {
                    digits = digits.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                    scale += u32::from(fraction);
                }
                b'.' if !fraction => fraction = true,
                _ => return None,
            }
        }
        let digits = if unsigned.len() < text.len() { -digits } else { digits };
        (scale <= MOST_SCALE).then_some(Self { digits, scale })
    }

    fn whole(number: i64) -> Self {
        Self { digits: i128::from(number), scale: 0 }
    }

    /// Both with the larger scale.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let widen = |number: Self| number.digits.checked_mul(10_i128.checked_pow(scale - number.scale)?);
        Some((widen(self)?, widen(other)?, scale))
    }

    fn calculate(self, operation: Operation, other: Self) -> Option<Self> {
        let (left, right, scale) = match operation {
            Operation::Times => {
                let digits = self.digits.checked_mul(other.digits)?;
                return Some(Self { digits, scale: self.scale + other.scale }.shortened());
            }
            Operation::DividedBy => return self.quotient(other),
            Operation::Plus | Operation::Minus | Operation::Modulo => self.aligned(other)?,
        };
        let digits = match operation {
            Operation::Plus => left.checked_add(right)?,
            Operation::Minus => left.checked_sub(right)?,
            Operation::Modulo | Operation::Times | Operation::DividedBy => floored_remainder(left, right)?,
        };
        Some(Self { digits, scale }.shortened())
    }

    /// The quotient if it ends within [`QUOTIENT_DIGITS`].
    fn quotient(self, other: Self) -> Option<Self> {
        let (mut left, right, _) = self.aligned(other)?;
        for scale in 0..=QUOTIENT_DIGITS {
            if left.checked_rem(right)? == 0 {
                return Some(Self { digits: left.checked_div(right)?, scale });
            }
            left = left.checked_mul(10)?;
        }
        None
    }

    /// Without zeros at the end of the fraction.
    pub(crate) fn shortened(mut self) -> Self {
        while self.scale > 0 && self.digits % 10 == 0 {
            self.digits /= 10;
            self.scale -= 1;
        }
        self
    }

    /// The nearest number with this many digits behind the point (before it, if negative); halves go away from zero.
    fn rounded(self, places: i32, way: Rounding) -> Option<Self> {
        let cut = i64::from(self.scale) - i64::from(places);
        if cut <= 0 {
            return Some(self.shortened());
        }
        let unit = u32::try_from(cut).ok().and_then(|cut| 10_i128.checked_pow(cut));
        // A unit beyond 128 bits is larger than any number here.
        let Some(unit) = unit else { return Some(Self { digits: 0, scale: 0 }) };
        let whole = match way {
            Rounding::Floor => self.digits.div_euclid(unit),
            Rounding::Ceiling => self.digits.checked_neg()?.div_euclid(unit).checked_neg()?,
            Rounding::Nearest => nearest(self.digits, unit)?,
        };
        if let Ok(scale) = u32::try_from(places) {
            return Some(Self { digits: whole, scale }.shortened());
        }
        let digits = whole.checked_mul(10_i128.checked_pow(places.unsigned_abs())?)?;
        Some(Self { digits, scale: 0 })
    }

    fn to_float(self) -> f64 {
        self.write().parse().unwrap_or(f64::NAN)
    }

    fn write(self) -> String {
        let digits = self.digits.unsigned_abs().to_string();
        let scale = self.scale as usize;
        let sign = if self.digits < 0 { "-" } else { "" };
        if scale == 0 {
            return format!("{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }
}

/// The remainder with the sign of the divisor, as in LiquidJS and Ruby.
fn floored_remainder(left: i128, right: i128) -> Option<i128> {
    let remainder = left.checked_rem(right)?;
    if remainder != 0 && (remainder < 0) != (right < 0) {
        remainder.checked_add(right)
    } else {
        Some(remainder)
    }
}

/// How many units are nearest to a number; halves go away from zero.
fn nearest(digits: i128, unit: i128) -> Option<i128> {
    let count = digits.checked_abs()?.checked_add(unit / 2)? / unit;
    Some(if digits < 0 { -count } else { count })
}

/// Which way to round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Floor,
    Ceiling,
    Nearest,
}

impl Number {
    /// The number that a value is taken for: texts that are numbers count as such, true is 1, and a list of one item is that item, as
    /// in JavaScript, which reads a list as its text. Everything else is 0.
    pub(crate) fn of(value: &Val<'_>) -> Result<Self, Fault> {
        Ok(match value {
            Val::Int(number) => Self::Exact(Exact::whole(*number)),
            Val::Float(number) => Self::from_float(*number),
            Val::Digits(digits) => Self::Exact(Exact::parse(digits).ok_or_else(too_long)?),
            Val::Text(text) => Self::from_text(text)?.unwrap_or(Self::ZERO),
            Val::Bool(flag) => Self::Exact(Exact::whole(i64::from(*flag))),
            Val::List(items) => match &**items {
                [Val::Bool(_)] => Self::ZERO,
                [item] => Self::of(item)?,
                _ => Self::ZERO,
            },
            Val::Range(from, to) if from == to => Self::Exact(Exact::whole(*from)),
            Val::Range(..) | Val::Nil | Val::Moment(_) | Val::Map(_) | Val::Blank | Val::Empty => Self::ZERO,
        })
    }

    pub(crate) const ZERO: Self = Self::Exact(Exact { digits: 0, scale: 0 });

    /// The number that a text spells, if it does: as JavaScript reads it, with `1e3` and `0x1A`. A number that has too many
    /// digits or is too large is a fault, not another number.
    pub(crate) fn from_text(text: &str) -> Result<Option<Self>, Fault> {
        let text = text.trim();
        if let Some(exact) = Exact::parse(text)
            && text.bytes().any(|byte| byte.is_ascii_digit())
        {
            return Ok(Some(Self::Exact(exact)));
        }
        match Decimal::parse(text) {
            Some(decimal) => {
                Exact::parse(decimal.as_str()).map(|exact| Some(Self::Exact(exact))).ok_or_else(too_long)
            }
            None => Self::from_unusual(text),
        }
    }

    /// `0x1A` and its kin, and what has a number's form but no place among decimals.
    fn from_unusual(text: &str) -> Result<Option<Self>, Fault> {
        if let Some((radix, digits)) = prefixed(text) {
            let whole = i128::from_str_radix(digits, radix).map_err(|_| too_long())?;
            return Ok(Some(Self::Exact(Exact { digits: whole, scale: 0 })));
        }
        if !is_exponential(text) {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Some(Self::ZERO)),
            Ok(number) if number.is_finite() => Ok(Some(Self::from_float(number))),
            _ => Err(Fault::failed("the number is too large to calculate with")),
        }
    }

    fn from_float(number: f64) -> Self {
        Exact::parse(&number.to_string()).map_or(Self::Float(number), Self::Exact)
    }

    fn to_float(self) -> f64 {
        match self {
            Self::Exact(exact) => exact.to_float(),
            Self::Float(number) => number,
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        match self {
            Self::Exact(exact) => exact.digits == 0,
            Self::Float(number) => number == 0.0,
        }
    }

    pub(crate) fn calculate(self, operation: Operation, other: Self) -> Result<Self, Fault> {
        if matches!(operation, Operation::DividedBy | Operation::Modulo) && other.is_zero() {
            return Err(Fault::failed("cannot divide by zero"));
        }
        if let (Self::Exact(left), Self::Exact(right)) = (self, other)
            && let Some(exact) = left.calculate(operation, right)
        {
            return Ok(Self::Exact(exact));
        }
        let (left, right) = (self.to_float(), other.to_float());
        let result = match operation {
            // Only a quotient may be rounded: it has no end.
            Operation::DividedBy => left / right,
            _ if matches!((self, other), (Self::Exact(_), Self::Exact(_))) => return Err(too_long()),
            Operation::Plus => left + right,
            Operation::Minus => left - right,
            Operation::Times => left * right,
            Operation::Modulo => (left % right + right) % right,
        };
        if result.is_finite() { Ok(Self::from_float(result)) } else { Err(Fault::failed(NOT_FINITE)) }
    }

    pub(crate) fn rounded(self, places: i32, way: Rounding) -> Result<Self, Fault> {
        match self {
            Self::Exact(exact) => exact.rounded(places, way).map(Self::Exact).ok_or_else(too_long),
            // Floats whose digits do not fit are either whole already or smaller than any place that can be named.
            Self::Float(number) if number.abs() > 1.0 => Ok(Self::Float(number)),
            Self::Float(number) => {
                let tiny = Exact { digits: if number < 0.0 { -1 } else { 1 }, scale: MOST_SCALE };
                Ok(tiny.rounded(places, way).map_or(Self::ZERO, Self::Exact))
            }
        }
    }

    pub(crate) fn absolute(self) -> Self {
        match self {
            Self::Exact(Exact { digits, scale }) => {
                Self::Exact(Exact { digits: digits.saturating_abs(), scale })
            }
            Self::Float(number) => Self::Float(number.abs()),
        }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        if let (Self::Exact(left), Self::Exact(right)) = (self, other) {
            if let Some((left, right, _)) = left.aligned(right) {
                return left.cmp(&right);
            }
            // Too far apart for one scale: the exact texts decide.
            if let (Some(left), Some(right)) = (Decimal::parse(&left.write()), Decimal::parse(&right.write()))
            {
                return left.cmp(&right);
            }
        }
        self.to_float().total_cmp(&other.to_float())
    }

    /// The whole number, if it is one of 64 bits.
    pub(crate) fn whole(self) -> Option<i64> {
        match self {
            Self::Exact(exact) => {
                let exact = exact.shortened();
                if exact.scale == 0 { i64::try_from(exact.digits).ok() } else { None }
            }
            Self::Float(_) => None,
        }
    }

    /// The whole number, or the nearest one of 64 bits. `None` if it has a fraction.
    pub(crate) fn clamped(self) -> Option<i64> {
        let Self::Exact(exact) = self else { return None };
        let exact = exact.shortened();
        let nearest = exact.digits.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        if exact.scale == 0 { i64::try_from(nearest).ok() } else { None }
    }

    /// The whole part, if it fits 64 bits.
    pub(crate) fn truncated(self) -> Option<i64> {
        let Self::Exact(exact) = self else { return None };
        i64::try_from(exact.digits / 10_i128.checked_pow(exact.scale)?).ok()
    }

    pub(crate) fn into_val(self) -> Val<'static> {
        match (self.whole(), self) {
            (Some(whole), _) => Val::Int(whole),
            (None, Self::Exact(exact)) => Val::Digits(Cow::Owned(exact.write())),
            (None, Self::Float(number)) => Val::Float(number),
        }
    }
}

/// The digits of `0x1A`, `0o17` or `0b11`, with their radix.
fn prefixed(text: &str) -> Option<(u32, &str)> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, text.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, text.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, text.get(2..)?),
        _ => return None,
    };
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    valid.then_some((radix, digits))
}

/// Whether a text is digits with an exponent, or `Infinity`, which JavaScript reads as numbers.
fn is_exponential(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "Infinity" {
        return true;
    }
    let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa = (digits(whole) || digits(fraction))
        && (whole.is_empty() || digits(whole))
        && (fraction.is_empty() || digits(fraction));
    mantissa && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

fn too_long() -> Fault {
    Fault::failed("the number has more than 38 digits, too many to calculate with")
}

/// The order of two values that are numbers; `None` if one of them is not.
pub(crate) fn order(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    if let (Val::Int(left), Val::Int(right)) = (left, right) {
        return Some(left.cmp(right));
    }
    Some(decimal(left)?.cmp(&decimal(right)?))
}

/// The exact decimal of a number.
fn decimal(value: &Val<'_>) -> Option<Decimal> {
    match value {
        Val::Int(number) => Some(Decimal::from(*number)),
        Val::Float(number) => Decimal::parse(&number.to_string()),
        Val::Digits(digits) => Decimal::parse(digits),
        Val::Nil
        | Val::Bool(_)
        | Val::Text(_)
        | Val::Moment(_)
        | Val::Range(..)
        | Val::List(_)
        | Val::Map(_)
        | Val::Blank
        | Val::Empty => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::from_text(text).unwrap().unwrap()
    }

    fn show(number: Number) -> String {
        match number.into_val() {
            Val::Int(number) => number.to_string(),
            Val::Digits(digits) => digits.into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn decimals_are_not_rounded() {
        let calculate =
            |left, operation, right| show(number(left).calculate(operation, number(right)).unwrap());
        assert_eq!(calculate("0.1", Operation::Plus, "0.2"), "0.3");
        assert_eq!(calculate("9223372036854775807", Operation::Plus, "1"), "9223372036854775808");
        assert_eq!(calculate("10.1", Operation::Minus, "2.2"), "7.9");
        assert_eq!(calculate("12", Operation::Times, "2.50"), "30");
        assert_eq!(calculate("6.6", Operation::DividedBy, "3"), "2.2");
        assert_eq!(calculate("5", Operation::DividedBy, "3"), "1.6666666666666667");
        assert_eq!(calculate("-10", Operation::Modulo, "3"), "2");
        assert_eq!(calculate("10", Operation::Modulo, "-3"), "-2");
        assert_eq!(calculate("-7.5", Operation::Modulo, "2"), "0.5");
        assert_eq!(calculate("-9", Operation::Modulo, "3"), "0");
    }

    #[test]
    fn halves_go_away_from_zero() {
        let round = |text, places| show(number(text).rounded(places, Rounding::Nearest).unwrap());
        assert_eq!(round("1.005", 2), "1.01");
        assert_eq!(round("-2.5", 0), "-3");
        assert_eq!(round("-0.5", 0), "-1");
        assert_eq!(round("-0.4", 0), "0");
        assert_eq!(round("-15", -1), "-20");
        assert_eq!(round("5.666", -2), "0");
        assert_eq!(round("1250", -2), "1300");
        assert_eq!(round("7", i32::MIN), "0");
        assert_eq!(show(number("-5.4").rounded(0, Rounding::Floor).unwrap()), "-6");
        assert_eq!(show(number("5.1").rounded(0, Rounding::Ceiling).unwrap()), "6");
    }

    #[test]
    fn texts_are_read_as_javascript_reads_them() {
        let read = |text| Number::from_text(text).unwrap().map(show);
        assert_eq!(read(" 1e3 ").as_deref(), Some("1000"));
        assert_eq!(read("0x1A").as_deref(), Some("26"));
        assert_eq!(read("0b101").as_deref(), Some("5"));
        assert_eq!(read("1e-999999999").as_deref(), Some("0"));
        for text in ["0x", "0xg", "-0x1", "1e", "e5", "1e5x", "abc", "1,5", "Infinite"] {
            assert_eq!(read(text), None, "{text}");
        }
        for text in ["1e999999999", "-1E+400", "Infinity"] {
            assert!(Number::from_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn beyond_the_limits_is_a_fault() {
        let big = number("99999999999999999999999999999999999999");
        assert!(big.calculate(Operation::Times, big).is_err());
        assert!(number("1").calculate(Operation::DividedBy, number("0.0")).is_err());
        let least = number("-9223372036854775808");
        assert_eq!(show(least.calculate(Operation::DividedBy, number("-1")).unwrap()), "9223372036854775808");
    }
}
