//! The width: how many calls may be under way at once, where nobody says a number. Pure: it is told of each answer.
//!
//! Three rules, looked at in rounds of about as many answers as calls may be under way:
//!
//! - It widens only while it is what holds calls back: the rate would let another one go, and as many are under way as may be.
//! - It is never wider than the rate needs: by Little's law as many calls are under way as leave in the time of one answer;
//!   half as many more, and a few, are for what varies.
//! - It narrows where answers take half as long again as they did, and looks at what came of it. If they became faster, the
//!   calls had only waited for each other, and from then on it widens slowly. If not, it was not for us, and what answers take
//!   now is what they take.
//!
//! So a server that is far away is given as many calls as it takes to fill the rate, and one that is overloaded fewer.

use coho_core::at_once::AtOnce;

/// The least that it becomes: two calls must be able to leave together.
const LEAST: f64 = 2.0;

/// How much longer answers may take before it narrows.
const TOLERATED: f64 = 1.5;

/// Up to how much longer it doubles, until the server was once found to be busy.
const CALM: f64 = 1.25;

/// How much it widens else.
const SLOWLY: f64 = 1.125;

/// Answers that take less, in seconds, tell nothing of the server's load: so long they may take on this machine.
const UNNOTICED: f64 = 0.005;

/// The room above what the rate needs, as a share of it and in calls.
const ROOM: f64 = 1.5;
const ROOM_CALLS: f64 = 4.0;

/// A round has at least so many answers.
const ANSWERS: u32 = 8;

/// How many calls may be under way at once.
#[derive(Clone, Debug)]
pub(super) struct Width {
    bound: AtOnce,
    calls: f64,
    /// What answers take while the server is not busy with us, in seconds.
    calm: f64,
    /// What answers took, and how many calls could be under way, before it narrowed.
    narrowed: Option<(f64, f64)>,
    /// Whether calls were seen to wait for each other.
    was_busy: bool,
    round: Round,
}

/// What was seen since the width was last looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    /// The last call that had left before.
    after: u64,
    answers: u32,
    /// How long they took in all.
    seconds: f64,
    /// What they cost in all.
    units: f64,
    /// At how many of them calls were held back.
    held: u32,
}

/// A call that was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The number of the call; each has one more than the one before.
    pub(super) number: u64,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
    pub(super) price: u32,
    /// Whether another call could have left, had fewer been under way.
    pub(super) held: bool,
    /// The number of the last call that left.
    pub(super) newest: u64,
    /// Units a second that are allowed in the long run.
    pub(super) rate: f64,
}

impl Width {
    pub(super) fn new(bound: AtOnce) -> Self {
        Self {
            bound,
            calls: f64::from(bound.first().max(1)),
            calm: f64::INFINITY,
            narrowed: None,
            was_busy: false,
            round: Round::default(),
        }
    }

    /// How many calls may be under way at once.
    pub(super) fn calls(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from one to a thousand")]
        let calls = (self.calls + 1e-6) as usize;
        calls
    }

    /// Whether so many calls are as good as all that may be under way.
    pub(super) fn is_filled_by(&self, calls: usize) -> bool {
        calls * 4 >= self.calls() * 3
    }

    /// A call was answered.
    pub(super) fn answered(&mut self, answer: Answer) {
        let is_of_this_round = answer.number > self.round.after;
        if self.bound != AtOnce::Auto || !is_of_this_round {
            return;
        }
        self.round.answers += 1;
        self.round.seconds += answer.seconds;
        self.round.units += f64::from(answer.price);
        self.round.held += u32::from(answer.held);
        if self.round.answers >= ANSWERS && self.round.answers as usize >= self.calls() {
            let round = std::mem::take(&mut self.round);
            self.look(round, answer.rate);
            self.round.after = answer.newest;
        }
    }

    /// Narrows, by a call at least: else nothing could come of it. Where that cannot be, what answers take is the measure.
    fn narrow(&mut self, took: f64, factor: f64) {
        let before = self.calls.floor();
        let narrower = (self.calls * factor).floor().min(before - 1.0).max(LEAST);
        if narrower < before {
            self.narrowed = Some((took, before));
            self.calls = narrower;
        } else {
            self.calm = took;
        }
    }

    /// What a round says.
    fn look(&mut self, round: Round, rate: f64) {
        let answers = f64::from(round.answers);
        let took = (round.seconds / answers).max(UNNOTICED);
        if let Some((before, calls)) = self.narrowed.take() {
            let hoped = before * self.calls / calls;
            self.was_busy = took <= f64::midpoint(before, hoped);
            if !self.was_busy {
                self.calm = took;
            }
        }
        self.calm = self.calm.min(took);
        let slower = took / self.calm;
        if slower > TOLERATED {
            self.narrow(took, (TOLERATED / slower).clamp(0.5, 0.75));
        } else if f64::from(round.held) * 2.0 >= answers {
            let doubles = slower < CALM && !self.was_busy;
            self.calls = if doubles { self.calls * 2.0 } else { (self.calls * SLOWLY).max(self.calls + 1.0) };
        }
        let needed = rate * answers / round.units.max(1.0) * took * ROOM + ROOM_CALLS;
        self.calls = self.calls.min(needed).clamp(LEAST, f64::from(self.bound.most()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with so many workers, each of which takes so long for a call: a call that finds all of them busy waits.
    #[derive(Clone, Copy)]
    struct Server {
        workers: usize,
        seconds: f64,
    }

    impl Server {
        fn took(self, under_way: usize) -> f64 {
            #[expect(clippy::cast_precision_loss, reason = "a few calls")]
            let share = under_way as f64 / self.workers as f64;
            self.seconds * share.max(1.0)
        }
    }

    /// As many answers as make some rounds, of a sender that always has something to send.
    fn rounds(width: &mut Width, server: Server, rate: f64, number: u32) {
        let mut newest = width.round.after;
        for _ in 0..number {
            for _ in 0..width.calls().max(ANSWERS as usize) {
                newest += 1;
                let seconds = server.took(width.calls());
                width.answered(Answer { number: newest, seconds, price: 1, held: true, newest, rate });
            }
        }
    }

    const FAR: Server = Server { workers: 10_000, seconds: 0.3 };

    #[test]
    fn it_doubles_while_calls_are_held_back_and_ends_where_the_rate_is_filled() {
        let mut width = Width::new(AtOnce::Auto);
        assert_eq!(width.calls(), 4);
        rounds(&mut width, FAR, 1_000.0, 1);
        assert_eq!(width.calls(), 8);
        rounds(&mut width, FAR, 1_000.0, 20);
        // 300 are needed.
        assert_eq!(width.calls(), 454);
        rounds(&mut width, FAR, 1_000_000.0, 20);
        assert_eq!(width.calls(), 1_024);
    }

    #[test]
    fn it_narrows_with_the_rate_and_the_latency() {
        let mut width = Width::new(AtOnce::Auto);
        rounds(&mut width, FAR, 1_000.0, 20);
        rounds(&mut width, Server { seconds: 0.02, ..FAR }, 1_000.0, 1);
        assert_eq!(width.calls(), 34);
        rounds(&mut width, Server { seconds: 0.02, ..FAR }, 15.0, 1);
        assert_eq!(width.calls(), 4);
    }

    #[test]
    fn a_busy_server_gets_half_as_many_calls_again_as_it_can_work_on() {
        let mut width = Width::new(AtOnce::Auto);
        rounds(&mut width, Server { workers: 40, seconds: 0.02 }, 100_000.0, 200);
        assert!((30..=70).contains(&width.calls()), "{}", width.calls());
        rounds(&mut width, Server { workers: 10, seconds: 0.02 }, 100_000.0, 50);
        assert!((7..=18).contains(&width.calls()), "{}", width.calls());
        rounds(&mut width, Server { workers: 400, seconds: 0.02 }, 100_000.0, 50);
        assert!((300..=700).contains(&width.calls()), "{}", width.calls());
    }

    #[test]
    fn answers_that_take_longer_whoever_asks_are_no_reason_to_be_slow() {
        let mut width = Width::new(AtOnce::Auto);
        let near = Server { workers: 10_000, seconds: 0.02 };
        rounds(&mut width, near, 1_000.0, 20);
        assert_eq!(width.calls(), 34);
        rounds(&mut width, FAR, 1_000.0, 20);
        assert_eq!(width.calls(), 454);
    }

    #[test]
    fn who_cannot_narrow_takes_the_latency_for_what_it_is() {
        let mut width = Width::new(AtOnce::Auto);
        let one = Server { workers: 1, seconds: 0.02 };
        rounds(&mut width, one, 1_000.0, 500);
        assert!(width.calls() <= 6, "{}", width.calls());
        rounds(&mut width, Server { workers: 1, seconds: 0.3 }, 1_000.0, 500);
        assert!(width.calls() <= 6, "{}", width.calls());
        rounds(&mut width, FAR, 1_000.0, 100);
        assert_eq!(width.calls(), 454);
    }

    #[test]
    fn it_stays_as_it_is_while_nothing_is_held_back() {
        let mut width = Width::new(AtOnce::Auto);
        for number in 1..100 {
            width.answered(Answer {
                number,
                seconds: 0.3,
                price: 1,
                held: false,
                newest: number,
                rate: 1_000.0,
            });
        }
        assert_eq!(width.calls(), 4);
    }

    #[test]
    fn a_number_is_a_number() {
        let mut width = Width::new(AtOnce::Most(50));
        rounds(&mut width, FAR, 100_000.0, 20);
        assert_eq!(width.calls(), 50);
    }
}
