//! Prices: how many units of the rate a call costs, learned from what is left after it.
//!
//! Vitally says that writes may cost more than one unit and not how many. [`super::probe`] says which answers tell it. Others
//! who use the workspace can make a call look dearer than it is for once, and a unit that flows in a unit cheaper. So the middle
//! one of the last few observations counts.

use std::collections::VecDeque;
use std::time::Duration;

use crate::request::Cost;

/// How many observations count.
const KEPT: usize = 5;

/// How many observations are needed before they are believed.
const NEEDED: usize = 2;

/// What calls cost, in units of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// A read.
    pub read: u32,
    /// A write.
    pub write: u32,
}

impl Default for Price {
    /// One unit each: what a call costs until something else is known.
    fn default() -> Self {
        Self { read: 1, write: 1 }
    }
}

impl Price {
    /// The least time that so many reads and writes take at this many units a minute.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use coho_vitally::client::Price;
    ///
    /// let price = Price { read: 1, write: 10 };
    /// assert_eq!(price.least_time(900.0, 900, 90), Duration::from_secs(120));
    /// ```
    pub fn least_time(self, units_per_minute: f64, reads: u64, writes: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let units = |calls: u64, price: u32| calls as f64 * f64::from(price);
        let units = units(reads, self.read) + units(writes, self.write);
        let seconds = units / units_per_minute.max(f64::MIN_POSITIVE) * 60.0;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// The prices of reads and writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prices {
    /// What an earlier run learned.
    known: Price,
    read: VecDeque<u32>,
    write: VecDeque<u32>,
}

impl Prices {
    /// What an earlier run learned holds until something else is observed.
    pub(crate) fn new(known: Price) -> Self {
        let known = Price { read: known.read.max(1), write: known.write.max(1) };
        Self { known, ..Self::default() }
    }

    /// The price of a call, in units.
    pub(crate) fn of(&self, cost: Cost) -> u32 {
        let (observed, known) = match cost {
            Cost::Read => (&self.read, self.known.read),
            Cost::Write => (&self.write, self.known.write),
        };
        let mut sorted: Vec<u32> = observed.iter().copied().collect();
        sorted.sort_unstable();
        let middle = sorted.len().saturating_sub(1) / 2;
        if sorted.len() < NEEDED { known } else { sorted.get(middle).copied().unwrap_or(known) }
    }

    /// The prices of both.
    pub(crate) fn all(&self) -> Price {
        Price { read: self.of(Cost::Read), write: self.of(Cost::Write) }
    }

    /// Notes what a call seems to have cost.
    pub(crate) fn observe(&mut self, cost: Cost, units: u32) {
        let observed = match cost {
            Cost::Read => &mut self.read,
            Cost::Write => &mut self.write,
        };
        if observed.len() == KEPT {
            observed.pop_front();
        }
        observed.push_back(units.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_looks_cheaper_or_dearer_for_once_is_not() {
        let mut prices = Prices::default();
        for units in [5, 4, 5, 1_000, 5] {
            prices.observe(Cost::Write, units);
        }
        assert_eq!(prices.of(Cost::Write), 5);
    }

    #[test]
    fn one_observation_is_not_believed_and_of_two_the_lesser_is() {
        let mut prices = Prices::default();
        assert_eq!(prices.of(Cost::Write), 1);
        prices.observe(Cost::Write, 50);
        assert_eq!(prices.of(Cost::Write), 1);
        prices.observe(Cost::Write, 10);
        assert_eq!((prices.of(Cost::Write), prices.of(Cost::Read)), (10, 1));
    }

    #[test]
    fn what_an_earlier_run_learned_holds_until_something_else_is_observed() {
        let mut prices = Prices::new(Price { read: 0, write: 10 });
        assert_eq!(prices.all(), Price { read: 1, write: 10 });
        prices.observe(Cost::Write, 4);
        assert_eq!(prices.of(Cost::Write), 10);
        prices.observe(Cost::Write, 4);
        assert_eq!(prices.of(Cost::Write), 4);
    }

    #[test]
    fn a_price_that_rose_is_learned_again() {
        let mut prices = Prices::default();
        prices.observe(Cost::Write, 1);
        for _ in 0..KEPT {
            prices.observe(Cost::Write, 5);
        }
        assert_eq!(prices.of(Cost::Write), 5);
    }
}
