//! Exact decimals: numbers that keep every digit from the source to the request.
//!
//! Neighbours: [`crate::value`] holds them, [`crate::json`] writes them as JSON numbers.

use std::cmp::Ordering;
use std::fmt;

/// More digits than this is no number that anybody meant; PostgreSQL's own limit is 131,072 before the point.
const MOST_DIGITS: usize = 1_000;

/// A finite decimal number of any length, kept as its digits.
///
/// `1.50` is shown and sent as `1.50`, and is equal to `1.5`.
#[derive(Clone)]
pub struct Decimal(String);

impl Decimal {
    /// Reads `[+-]digits[.digits][e[+-]digits]`. `None` for anything else, for NaN and infinities, and beyond 1,000 digits.
    pub fn parse(text: &str) -> Option<Self> {
        if Self::is_canonical(text) {
            return Some(Self(text.to_owned()));
        }
        let (mantissa, exponent) = split_exponent(text)?;
        let (negative, digits) = match mantissa.as_bytes().first()? {
            b'-' => (true, mantissa.get(1..)?),
            b'+' => (false, mantissa.get(1..)?),
            _ => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !numeric(whole) || !numeric(fraction) {
            return None;
        }
        if digits.ends_with('.') && whole.is_empty() {
            return None;
        }
        let (whole, fraction) = shift(whole, fraction, exponent)?;
        let text = assemble(negative, &whole, &fraction);
        // A zero that is put in front of the point counts too: what was written must read back.
        (text.bytes().filter(u8::is_ascii_digit).count() <= MOST_DIGITS).then_some(Self(text))
    }

    /// Whether a text is a number that [`Decimal::parse`] would keep as it is.
    pub fn is_canonical(text: &str) -> bool {
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let numeric = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
            None => (digits, None),
            Some(at) => (digits.get(..at).unwrap_or_default(), digits.get(at + 1..)),
        };
        let has_zero_in_front = whole.len() > 1 && whole.starts_with(b"0");
        let is_zero = || digits.iter().all(|byte| matches!(byte, b'0' | b'.'));
        numeric(whole)
            && fraction.is_none_or(numeric)
            && !has_zero_in_front
            && whole.len() + fraction.map_or(0, <[u8]>::len) <= MOST_DIGITS
            && !(digits.len() < text.len() && is_zero())
    }

    /// The digits as they are sent: no exponent, no superfluous zeros in front, all zeros at the end kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shortest text of the same number: `1.50` gives `1.5`, `2.00` gives `2`.
    pub fn normalized(&self) -> &str {
        if !self.0.contains('.') {
            return &self.0;
        }
        let trimmed = self.0.trim_end_matches('0').trim_end_matches('.');
        if trimmed == "-0" { "0" } else { trimmed }
    }

    /// Whether there is nothing but zeros behind the point.
    pub fn is_integer(&self) -> bool {
        !self.normalized().contains('.')
    }
}

fn split_exponent(text: &str) -> Option<(&str, i32)> {
    match text.find(['e', 'E']) {
        None => Some((text, 0)),
        Some(at) => {
            let exponent: i32 = text.get(at + 1..)?.parse().ok()?;
            (exponent.unsigned_abs() as usize <= MOST_DIGITS).then_some((text.get(..at)?, exponent))
        }
    }
}

fn shift(whole: &str, fraction: &str, exponent: i32) -> Option<(String, String)> {
    let steps = exponent.unsigned_abs() as usize;
    if whole.len() + fraction.len() + steps > MOST_DIGITS {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    Some(match usize::try_from(point) {
        Ok(point) if point >= digits.len() => {
            (format!("{digits}{}", "0".repeat(point - digits.len())), String::new())
        }
        Ok(point) => (digits.get(..point)?.to_owned(), digits.get(point..)?.to_owned()),
        Err(_) => {
            let zeros = usize::try_from(-point).ok()?;
            (String::new(), format!("{}{digits}", "0".repeat(zeros)))
        }
    })
}

fn assemble(negative: bool, whole: &str, fraction: &str) -> String {
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && fraction.bytes().all(|digit| digit == b'0');
    let sign = if negative && !zero { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for Decimal {}

impl std::hash::Hash for Decimal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.normalized().hash(state);
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (self.normalized(), other.normalized());
        match (mine.strip_prefix('-'), theirs.strip_prefix('-')) {
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (None, None) => magnitude(mine, theirs),
            (Some(mine), Some(theirs)) => magnitude(theirs, mine),
        }
    }
}

fn magnitude(left: &str, right: &str) -> Ordering {
    let (left_whole, left_fraction) = left.split_once('.').unwrap_or((left, ""));
    let (right_whole, right_fraction) = right.split_once('.').unwrap_or((right, ""));
    left_whole
        .len()
        .cmp(&right_whole.len())
        .then_with(|| left_whole.cmp(right_whole))
        .then_with(|| left_fraction.cmp(right_fraction))
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: &str) -> Option<String> {
        Decimal::parse(number).map(|decimal| decimal.to_string())
    }

    #[test]
    fn digits_are_kept() {
        assert_eq!(text("12345678901234567890.10"), Some("12345678901234567890.10".to_owned()));
        assert_eq!(text("+007.50"), Some("7.50".to_owned()));
        assert_eq!(text("-0.0"), Some("0.0".to_owned()));
        assert_eq!(text(".5"), Some("0.5".to_owned()));
    }

    #[test]
    fn what_is_canonical_as_it_is_sent_is_told_from_what_is_not() {
        for number in ["0", "0.0", "7", "-7", "10.50", "-0.1", "12345678901234567890.10"] {
            assert!(Decimal::is_canonical(number), "{number}");
            assert_eq!(text(number), Some(number.to_owned()));
        }
        let long = "7".repeat(MOST_DIGITS + 1);
        for other in [
            "", "-", ".", "-.", "+1", "007", "00", "-0", "-0.00", "1.", ".5", "1e3", "1,5", "1.2.3", "--1",
            &long,
        ] {
            assert!(!Decimal::is_canonical(other), "{other:?}");
        }
    }

    #[test]
    fn exponents_are_written_out() {
        assert_eq!(text("1.5e3"), Some("1500".to_owned()));
        assert_eq!(text("15e-3"), Some("0.015".to_owned()));
        assert_eq!(text("1.234e1"), Some("12.34".to_owned()));
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for wrong in ["", "-", ".", "NaN", "Infinity", "1,5", "0x10", "1e", "1e9999", "1.2.3", " 1"] {
            assert_eq!(text(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_read_reads_back() {
        let longest = format!(".{}", "7".repeat(MOST_DIGITS - 1));
        for number in [longest.as_str(), ".5e-998", "5e-999", "1e999", "-.0"] {
            let read = Decimal::parse(number).unwrap();
            assert_eq!(Decimal::parse(read.as_str()), Some(read), "{number}");
        }
        for number in [format!("{longest}7"), ".5e-999".to_owned()] {
            assert_eq!(text(&number), None, "{number}");
        }
    }

    #[test]
    fn numbers_compare_by_value() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(number("1.50"), number("1.5"));
        assert!(number("-10") < number("-9.5"));
        assert!(number("10") > number("9.99"));
        assert!(number("0.1") > number("-3"));
        assert!(number("0.25") < number("0.3"));
    }
}
