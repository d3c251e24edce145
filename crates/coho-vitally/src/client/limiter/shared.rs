//! What is ours of a rate that other processes use too. Pure: it is told what they use.
//!
//! Of a rate that n processes use each may take an n-th; and what the others leave of theirs, whoever asks for it. Who was quiet
//! gets its part back within a second or two.

use std::time::Duration;

use tokio::time::Instant;

use super::server::WINDOW;

/// How often processes tell each other what they use.
const OFTEN: Duration = Duration::from_secs(1);

/// What this process used lately.
#[derive(Debug)]
pub(super) struct Used {
    units: f64,
    since: Instant,
    /// In units a minute, in the time before that.
    before: f64,
    told: bool,
}

impl Used {
    pub(super) fn new(now: Instant) -> Self {
        Self { units: 0.0, since: now, before: 0.0, told: false }
    }

    /// A call left.
    pub(super) fn note(&mut self, price: u32) {
        self.units += f64::from(price);
    }

    /// How many units a minute are used here, where it is time to tell. A short break is not told.
    pub(super) fn due(&mut self, now: Instant) -> Option<u32> {
        let passed = now.saturating_duration_since(self.since);
        if self.told && passed < OFTEN {
            return None;
        }
        let lately = self.units / passed.max(OFTEN).as_secs_f64() * WINDOW;
        let used = lately.max(self.before);
        *self = Self { units: 0.0, since: now, before: lately, told: true };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
        let used = used.round().clamp(0.0, f64::from(u32::MAX)) as u32;
        Some(used)
    }
}

/// What is ours of a rate, where each of the others uses so much.
pub(super) fn ours(rate: f64, others: &[u32]) -> f64 {
    let theirs: f64 = others.iter().map(|units| f64::from(*units)).sum();
    let sharers = u32::try_from(others.len()).unwrap_or(u32::MAX).saturating_add(1);
    (rate - theirs).max(rate / f64::from(sharers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(units: f64) -> u32 {
        super::super::tests::simulated::whole(units)
    }

    #[test]
    fn what_others_leave_is_ours_and_our_part_always() {
        assert_eq!(whole(ours(900.0, &[])), 900);
        assert_eq!(whole(ours(900.0, &[100])), 800);
        assert_eq!(whole(ours(900.0, &[900])), 450);
        assert_eq!(whole(ours(900.0, &[450, 450])), 300);
    }

    #[test]
    fn what_is_used_is_told_once_a_second() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut used = Used::new(start);
        assert_eq!(used.due(start), Some(0), "it is told before the first call");
        (0..10).for_each(|_| used.note(1));
        assert_eq!(used.due(at(999)), None);
        assert_eq!(used.due(at(1_000)), Some(600));
        assert_eq!(used.due(at(2_000)), Some(600), "a short break is not told");
        assert_eq!(used.due(at(3_000)), Some(0));
    }
}
