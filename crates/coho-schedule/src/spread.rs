//! The spread: projects whose syncs are due at the same minute begin at different seconds of it, each always at the same one.

use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// How many seconds after its tick a run begins: less than a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    seconds: u8,
}

impl Spread {
    /// At the tick itself.
    pub const NONE: Self = Self { seconds: 0 };

    /// The spread of a project, by its name.
    pub fn of(name: &str) -> Self {
        let seconds = xxh3_64(name.as_bytes()) % 60;
        Self { seconds: u8::try_from(seconds).unwrap_or_default() }
    }

    /// As a time.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_same_spread_for_ever() {
        assert_eq!(Spread::of("acme").duration(), Duration::from_secs(1));
        assert_eq!(Spread::of("starter").duration(), Duration::from_secs(5));
    }

    #[test]
    fn many_names_fill_the_minute() {
        let mut seconds: Vec<_> = (0..2_000).map(|n| Spread::of(&format!("project-{n}")).seconds).collect();
        seconds.sort_unstable();
        seconds.dedup();
        assert_eq!(seconds, (0..60).collect::<Vec<u8>>());
    }
}
