//! When a message is applied: `apply_delay` after it came, later by `apply_skew` for each type that comes before its own
//! in [`LATENESS`], and with `reorder=on` twice as late in every other request. Nothing sleeps: whoever looks at the store
//! applies what is due by then.

use crate::clock::SimulatorTime;
use crate::message::MessageType;
use crate::switches::{Reorder, Switches};

/// Children before their parents: the order that hurts.
const LATENESS: [MessageType; 6] = [
    MessageType::Unlink,
    MessageType::Track,
    MessageType::CustomObjectInstance,
    MessageType::User,
    MessageType::Account,
    MessageType::Organization,
];

/// When a message of that type is applied that comes now, in the `request`-th request.
pub(super) fn due(switches: &Switches, kind: MessageType, request: u64, now: SimulatorTime) -> SimulatorTime {
    let delay = switches.apply_delay.millis();
    let steps = LATENESS.into_iter().take_while(|earlier| *earlier != kind);
    let skew = steps.fold(0, |skew: i64, _| skew.saturating_add(switches.apply_skew.millis()));
    let overtaken = match switches.reorder {
        Reorder::On if request % 2 == 1 => delay,
        Reorder::On | Reorder::Off => 0,
    };
    now.plus(delay).plus(skew).plus(overtaken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_delay_a_message_is_due_when_it_comes() {
        let now = SimulatorTime::from_millis(5);
        assert_eq!(due(&Switches::default(), MessageType::Organization, 1, now), now);
    }

    #[test]
    fn users_are_due_before_their_accounts_and_the_second_request_before_the_first() {
        let switches: Switches = "late-analytics".parse().unwrap();
        let due = |kind, request| due(&switches, kind, request, SimulatorTime::from_millis(0)).millis();
        assert_eq!(due(MessageType::User, 2), 90_000);
        assert_eq!(due(MessageType::Account, 2), 100_000);
        assert_eq!(due(MessageType::Account, 1), 160_000);
    }
}
