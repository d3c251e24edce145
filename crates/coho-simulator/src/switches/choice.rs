//! How one switch is read and written as text. [`crate::switches`] makes the list of them.

/// The value of a switch: has a text form, and can say which texts it takes.
pub(crate) trait Choice: Sized {
    fn read(text: &str) -> Option<Self>;
    fn text(&self) -> String;
    fn values() -> String;
}

/// A closed choice among named values.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$about])* $variant),+ }

        impl Choice for $name {
            fn read(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
            fn text(&self) -> String {
                match self { $(Self::$variant => $text),+ }.to_owned()
            }
            fn values() -> String {
                [$($text),+].join("|")
            }
        }
    )+};
}
pub(crate) use choices;

impl Choice for u32 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn text(&self) -> String {
        self.to_string()
    }
    fn values() -> String {
        "a whole number".to_owned()
    }
}

/// A length of time as a switch: `0`, `250ms`, `90s`, `15m`, `12h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(i64);

const UNITS: [(&str, i64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many days.
    pub const fn from_days(days: u32) -> Self {
        Self(days as i64 * 86_400_000)
    }

    /// So many seconds.
    pub const fn from_seconds(seconds: u32) -> Self {
        Self(seconds as i64 * 1_000)
    }

    /// Its length in milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }
}

impl Choice for Span {
    fn read(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self::ZERO);
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = text.strip_prefix(digits)?;
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        Some(Self(digits.parse::<u32>().map(i64::from).ok()?.checked_mul(millis)?))
    }
    fn text(&self) -> String {
        let whole = UNITS.into_iter().rev().find(|(_, millis)| self.0 != 0 && self.0 % millis == 0);
        whole.map_or_else(|| "0".to_owned(), |(unit, millis)| format!("{}{unit}", self.0 / millis))
    }
    fn values() -> String {
        "0 or a time such as 250ms, 90s, 7d".to_owned()
    }
}

/// Milliseconds as a switch: a plain whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub u32);

impl Choice for Millis {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
    fn text(&self) -> String {
        self.0.to_string()
    }
    fn values() -> String {
        "milliseconds as a whole number".to_owned()
    }
}
