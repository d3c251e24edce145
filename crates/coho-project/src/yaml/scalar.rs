//! Scalars: the text as it is, and what a plain one means by the core schema of YAML 1.2.

/// A scalar.
#[derive(Clone)]
pub(crate) struct Scalar {
    /// The text, with references resolved.
    pub(crate) text: String,
    /// The text as the file has it: the only form that messages may show.
    pub(crate) written: String,
    /// How the text is to be read.
    pub(crate) style: Style,
}

/// How a scalar's text is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Plain: it may be a number, true, false or null.
    Plain,
    /// In quotes or in a block: it is text.
    Quoted,
    /// It came out of references: it is whatever its place expects.
    Resolved,
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    Null,
    Bool(bool),
    /// A decimal number, by its digits.
    Number(&'a str),
    /// What some read as a number and others as text: `0x1F`, `.inf`, `007`.
    Doubtful(&'a str),
    Text(&'a str),
}

impl Scalar {
    /// What the scalar means.
    pub(crate) fn meaning(&self) -> Meaning<'_> {
        match self.style {
            Style::Plain => plain(&self.text),
            Style::Quoted | Style::Resolved => Meaning::Text(&self.text),
        }
    }

    /// What the scalar means where it came out of references and its place expects more than a text.
    pub(crate) fn resolved_meaning(&self) -> Meaning<'_> {
        match self.style {
            Style::Plain | Style::Resolved => plain(&self.text),
            Style::Quoted => Meaning::Text(&self.text),
        }
    }

    /// What kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.meaning() {
            Meaning::Null => "nothing",
            Meaning::Bool(_) => "a boolean",
            Meaning::Number(_) | Meaning::Doubtful(_) => "a number",
            Meaning::Text(_) => "a text",
        }
    }
}

fn plain(text: &str) -> Meaning<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        _ if is_doubtful(text) => Meaning::Doubtful(text),
        _ if is_number(text) => Meaning::Number(text),
        _ => Meaning::Text(text),
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_doubtful(text: &str) -> bool {
    let digits = unsigned(text);
    let lower = digits.to_ascii_lowercase();
    let numeral = |prefix: &str, radix: u32| {
        lower
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix)))
    };
    let zeros_in_front =
        digits.strip_prefix('0').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    matches!(lower.as_str(), ".inf" | ".nan")
        || numeral("0x", 16)
        || numeral("0o", 8)
        || (zeros_in_front && is_number(text))
}

/// `[-+]? ( \.[0-9]+ | [0-9]+ (\.[0-9]*)? ) ( [eE] [-+]? [0-9]+ )?`
fn is_number(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let text = unsigned(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = unsigned(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_read_by_yaml_1_2() {
        assert_eq!(plain("no"), Meaning::Text("no"));
        assert_eq!(plain("true"), Meaning::Bool(true));
        assert_eq!(plain("~"), Meaning::Null);
        assert_eq!(plain("1.50"), Meaning::Number("1.50"));
        assert_eq!(plain("-2e3"), Meaning::Number("-2e3"));
        assert_eq!(plain("1_000"), Meaning::Text("1_000"));
        assert_eq!(plain("2026-01-01"), Meaning::Text("2026-01-01"));
        assert_eq!(plain("."), Meaning::Text("."));
        assert_eq!(plain("e5"), Meaning::Text("e5"));
    }

    #[test]
    fn what_readers_disagree_on_is_doubtful() {
        for text in ["0x1F", "0o17", "007", ".inf", "-.INF", ".nan"] {
            assert_eq!(plain(text), Meaning::Doubtful(text));
        }
        assert_eq!(plain("0.5"), Meaning::Number("0.5"));
        assert_eq!(plain("0"), Meaning::Number("0"));
    }
}
