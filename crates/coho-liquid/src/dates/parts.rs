//! What dates are written with: digits, names, zones.

/// So many digits, at most nine.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// The digits behind a second's point, as nanoseconds.
pub(super) fn nanos(fraction: &str) -> Option<u32> {
    let digits = fraction.get(..fraction.len().min(9))?;
    if digits.is_empty() { Some(0) } else { number(format!("{digits:0<9}").as_bytes()) }
}

/// The hours east of Greenwich of the zones that JavaScript knows by name.
pub(super) fn zone_hours(name: &str) -> Option<i64> {
    let name = name.to_ascii_uppercase();
    Some(match name.as_str() {
        "Z" | "UT" | "UTC" | "GMT" => 0,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        _ => return None,
    })
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Sunday first; filled up to the length of the months.
pub(crate) const WEEKDAYS: [&str; 12] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "", "", "", "", ""];
