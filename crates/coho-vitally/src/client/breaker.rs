//! The breaker: when so many operations in a row end without an answer that can be used, the run should stop.
//!
//! Pure; whoever delivers operations tells it how each went.

use coho_core::code::Code;
use coho_core::verdict::Verdict;

/// How the server did in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// No call was made.
    Untried,
    /// The last call was answered.
    Answering,
    /// The last call was answered with 5xx or what cannot be read, or not at all.
    Failing,
    /// No connection could be made.
    Unreachable,
}

/// Counts operations that ended badly, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    most: u32,
    failing: u32,
    unreachable: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new(5)
    }
}

impl Breaker {
    /// Opens at so many in a row.
    pub fn new(most: u32) -> Self {
        Self { most, failing: 0, unreachable: 0 }
    }

    /// Notes how an operation went; gives the halt once it is time to stop.
    pub fn note(&mut self, health: Health) -> Option<Verdict> {
        match health {
            Health::Untried => {}
            Health::Answering => *self = Self::new(self.most),
            Health::Failing => self.failing += 1,
            Health::Unreachable => self.unreachable += 1,
        }
        if self.failing + self.unreachable < self.most {
            return None;
        }
        let (code, what) = if self.unreachable == 0 {
            (Code::SERVER_FAILING, "Vitally failed or answered with what cannot be read")
        } else {
            (Code::UNREACHABLE, "Vitally could not be reached")
        };
        Some(Verdict::Halt { code, message: format!("{what}, {} operations in a row", self.most) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert_eq!(breaker.note(Health::Failing), None);
            assert_eq!(breaker.note(Health::Untried), None);
        }
        assert!(matches!(
            breaker.note(Health::Failing),
            Some(Verdict::Halt { code: Code::SERVER_FAILING, .. })
        ));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_again() {
        let mut breaker = Breaker::new(2);
        for _ in 0..5 {
            assert_eq!(breaker.note(Health::Unreachable), None);
            assert_eq!(breaker.note(Health::Answering), None);
        }
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_said_to_be_so() {
        let mut breaker = Breaker::new(2);
        assert_eq!(breaker.note(Health::Failing), None);
        assert!(matches!(
            breaker.note(Health::Unreachable),
            Some(Verdict::Halt { code: Code::UNREACHABLE, .. })
        ));
    }
}
