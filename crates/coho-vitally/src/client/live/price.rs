//! What calls cost, as the calls of a check show it: they are made one after the other, so that what is left of the rate
//! after each of them tells.
//!
//! What is left is told in whole units, and some flows in while a call is under way: one call alone is off by up to a unit.
//! So the median of all counts. The client itself looks only at calls between which nothing could flow in: its calls are not made
//! one after the other.

use coho_core::time::Time;

use crate::client::LimiterState;
use crate::request::Cost;

/// How many calls are needed before a price is believed.
const NEEDED: usize = 5;

/// Units flow in evenly, and the whole limit in a minute.
const WINDOW: f64 = 60.0;

/// What calls seem to have cost.
#[derive(Debug, Default)]
pub(super) struct Prices {
    before: Option<(f64, Time)>,
    read: Vec<f64>,
    write: Vec<f64>,
}

impl Prices {
    /// Notes what was left after a call.
    pub(super) fn note(&mut self, cost: Cost, state: Option<LimiterState>, now: Time) {
        let told = state.and_then(|state| Some((f64::from(state.limit?), f64::from(state.remaining?))));
        let Some((limit, left)) = told else { return };
        if let Some((before, at)) = self.before.replace((left, now)) {
            let passed = now.signed_duration_since(at).to_std().unwrap_or_default().as_secs_f64();
            let flowed = (before + passed * limit / WINDOW).min(limit);
            let seen = match cost {
                Cost::Read => &mut self.read,
                Cost::Write => &mut self.write,
            };
            seen.push(flowed - left);
        }
    }

    /// Units that a call costs; `None` where too little is known.
    pub(super) fn of(&self, cost: Cost) -> Option<u32> {
        let mut seen = match cost {
            Cost::Read => self.read.clone(),
            Cost::Write => self.write.clone(),
        };
        seen.sort_by(f64::total_cmp);
        let median = seen.get(seen.len() / 2).filter(|_| seen.len() >= NEEDED)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range first"
        )]
        let units = median.round().clamp(1.0, 1_000.0) as u32;
        Some(units)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::Price;

    #[test]
    fn the_median_sees_through_whole_units_and_what_flows_in() {
        let mut prices = Prices::default();
        let (mut left, mut now) = (1_000.0_f64, Time::UNIX_EPOCH);
        for _ in 0..20 {
            let state = LimiterState {
                units_per_minute: 900.0,
                limit: Some(1_000),
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is small")]
                remaining: Some(left as u32),
                price: Price::default(),
                paused_for: None,
                under_way: 0,
                at_once: 4,
            };
            prices.note(Cost::Write, Some(state), now);
            now += Duration::from_millis(130);
            left += 0.130 * 1_000.0 / 60.0 - 5.0;
        }
        assert_eq!(prices.of(Cost::Write), Some(5));
        assert_eq!(prices.of(Cost::Read), None);
    }
}
