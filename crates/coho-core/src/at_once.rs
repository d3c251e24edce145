//! How many calls to a destination may be under way at once.

use std::fmt;

/// The most calls that are ever under way at once.
pub const MOST: u32 = 1_024;

/// With how many calls at once a run begins that finds out by itself how many it needs.
pub const FIRST: u32 = 4;

/// How many calls may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AtOnce {
    /// As many as the rate and the server's latency ask for: [`FIRST`] in the beginning, [`MOST`] at the most.
    #[default]
    Auto,
    /// Never more than this.
    Most(u32),
}

impl AtOnce {
    /// Reads `auto`, or a whole number from 1 to [`MOST`].
    ///
    /// ```
    /// use coho_core::at_once::AtOnce;
    ///
    /// assert_eq!(AtOnce::parse("auto"), Some(AtOnce::Auto));
    /// assert_eq!(AtOnce::parse("64"), Some(AtOnce::Most(64)));
    /// assert_eq!(AtOnce::parse("0"), None);
    /// assert_eq!(AtOnce::parse("1025"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        if text == "auto" {
            return Some(Self::Auto);
        }
        let is_plain = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_plain && (1..=MOST).contains(number));
        number.map(Self::Most)
    }

    /// How many it is before the first answers.
    pub fn first(self) -> u32 {
        match self {
            Self::Auto => FIRST,
            Self::Most(number) => number,
        }
    }

    /// How many it may become.
    pub fn most(self) -> u32 {
        match self {
            Self::Auto => MOST,
            Self::Most(number) => number,
        }
    }
}

impl fmt::Display for AtOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Most(number) => write!(f, "{number}"),
        }
    }
}
