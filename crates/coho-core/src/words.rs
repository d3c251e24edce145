//! How numbers and help are written for people.

/// A whole number with a comma between thousands.
///
/// ```
/// assert_eq!(coho_core::words::number(1_234_567), "1,234,567");
/// ```
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Help below the message that it belongs to; further lines of it stand below its first.
///
/// ```
/// let help = coho_core::words::help("restore the file;\nor run `coho adopt`");
/// assert_eq!(help, "  help: restore the file;\n        or run `coho adopt`");
/// ```
pub fn help(help: &str) -> String {
    format!("  help: {}", help.replace('\n', "\n        "))
}
