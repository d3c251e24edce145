//! Prices: how many units of the rate a call costs, learned from what is left after it.
//!
//! Vitally says that writes may cost more than one unit and not how many. Others who use the workspace make a call look
//! dearer than it is, never cheaper, so the least of the last few observations is taken.

use std::collections::VecDeque;

use crate::request::Cost;

/// How many observations count.
const KEPT: usize = 8;

/// How many observations are needed before they are believed.
const NEEDED: usize = 2;

/// The prices of reads and writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prices {
    read: VecDeque<u32>,
    write: VecDeque<u32>,
}

impl Prices {
    /// The price of a call, in units; one until something else was observed.
    pub(crate) fn of(&self, cost: Cost) -> u32 {
        let observed = match cost {
            Cost::Read => &self.read,
            Cost::Write => &self.write,
        };
        if observed.len() < NEEDED { 1 } else { observed.iter().copied().min().unwrap_or(1) }
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
    fn the_least_of_several_observations_is_the_price() {
        let mut prices = Prices::default();
        assert_eq!(prices.of(Cost::Write), 1);
        prices.observe(Cost::Write, 50);
        assert_eq!(prices.of(Cost::Write), 1);
        prices.observe(Cost::Write, 10);
        prices.observe(Cost::Write, 12);
        assert_eq!((prices.of(Cost::Write), prices.of(Cost::Read)), (10, 1));
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
