//! Costs of calls: how many calls a minute a destination allows, and what they cost of that. Plans tell from it how long a run
//! takes at least.

use coho_core::plan::{Calls, LeastTime};
use coho_core::sync::Api;

/// The most messages of one call of the Analytics API.
pub const MESSAGES_A_CALL: u64 = 100;

/// How fast a destination takes calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallCosts {
    /// Calls a minute of the REST API.
    pub rest: u32,
    /// Calls a minute of the Analytics API.
    pub analytics: u32,
    /// What a write costs of the REST API's rate, in thousandths of a call.
    pub write_price: u32,
    /// How many exchanges of the REST API are under way at once until some came back.
    pub concurrency: u32,
}

impl CallCosts {
    /// The least time of a plan. `portable` is how many messages the Analytics API would take in place of the writes.
    pub(crate) fn least_time(self, api: Api, calls: Calls, portable: Option<u64>) -> LeastTime {
        match api {
            Api::Rest => LeastTime {
                rate: self.rest,
                write_price: self.write_price,
                millis: millis(calls.least, self.rest, self.write_price),
                by_analytics: portable
                    .map(|messages| millis(messages.div_ceil(MESSAGES_A_CALL), self.analytics, 1_000)),
            },
            Api::Analytics => LeastTime {
                rate: self.analytics,
                millis: millis(calls.least, self.analytics, 1_000),
                ..LeastTime::default()
            },
        }
    }
}

/// The time that calls take at a rate, in milliseconds.
fn millis(calls: u64, rate: u32, price: u32) -> u64 {
    let units = calls.saturating_mul(u64::from(price));
    units.saturating_mul(60).checked_div(u64::from(rate)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: CallCosts = CallCosts { rest: 900, analytics: 300, write_price: 1_000, concurrency: 5 };

    #[test]
    fn dearer_writes_take_longer() {
        let calls = Calls { least: 900, most: 1_000 };
        assert_eq!(COSTS.least_time(Api::Rest, calls, None).millis, 60_000);
        let dear = CallCosts { write_price: 5_000, ..COSTS };
        assert_eq!(dear.least_time(Api::Rest, calls, None).millis, 300_000);
    }

    #[test]
    fn a_hundred_messages_are_one_call() {
        let time = COSTS.least_time(Api::Rest, Calls { least: 20_000, most: 20_000 }, Some(20_000));
        assert_eq!(time.by_analytics, Some(40_000));
    }
}
