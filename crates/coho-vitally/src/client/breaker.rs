//! The breaker: when so many operations in a row end without an answer that can be used, or are refused for one reason, the
//! run should stop.
//!
//! Pure; whoever delivers operations tells it how each went.

use coho_core::code::Code;
use coho_core::digest::Digest;
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

/// How many characters of two refusals have to be the same for one reason: what follows may name the record.
const REASON: usize = 24;

/// Counts operations that ended badly, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// At so many in a row it opens.
    most: u32,
    failing: u32,
    unreachable: u32,
    /// At so many records in a row that were refused for one reason it opens too.
    most_refused: u32,
    refused: u32,
    reason: Option<(Code, Digest)>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { most: 5, failing: 0, unreachable: 0, most_refused: 50, refused: 0, reason: None }
    }
}

impl Breaker {
    /// Notes a verdict; gives the halt once as many records in a row were refused with one code and the same beginning of
    /// the text. Whatever Vitally takes in between starts the count again; what never got an answer changes nothing.
    pub fn observe(&mut self, verdict: &Verdict) -> Option<Verdict> {
        match verdict {
            Verdict::Rejected { code, message } => self.refuse(*code, message),
            Verdict::Applied { .. }
            | Verdict::Accepted
            | Verdict::Gone
            | Verdict::Missing
            | Verdict::Exists => {
                (self.refused, self.reason) = (0, None);
                None
            }
            Verdict::Ambiguous
            | Verdict::Deferred { .. }
            | Verdict::Unsent { .. }
            | Verdict::Unsure { .. }
            | Verdict::Halt { .. } => None,
        }
    }

    fn refuse(&mut self, code: Code, message: &str) -> Option<Verdict> {
        let beginning: String = message.chars().take(REASON).collect();
        let reason = Some((code, Digest::of(beginning.as_bytes())));
        self.refused = if self.reason == reason { self.refused + 1 } else { 1 };
        self.reason = reason;
        if self.refused < self.most_refused {
            return None;
        }
        let message = format!("{} records in a row were refused: {message}", self.refused);
        Some(Verdict::Halt { code, message })
    }

    /// Notes how an operation went; gives the halt once it is time to stop.
    pub fn note(&mut self, health: Health) -> Option<Verdict> {
        match health {
            Health::Untried => {}
            Health::Answering => (self.failing, self.unreachable) = (0, 0),
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
        let mut breaker = Breaker { most: 2, ..Breaker::default() };
        for _ in 0..5 {
            assert_eq!(breaker.note(Health::Unreachable), None);
            assert_eq!(breaker.note(Health::Answering), None);
        }
    }

    #[test]
    fn a_server_that_cannot_be_reached_is_said_to_be_so() {
        let mut breaker = Breaker { most: 2, ..Breaker::default() };
        assert_eq!(breaker.note(Health::Failing), None);
        assert!(matches!(
            breaker.note(Health::Unreachable),
            Some(Verdict::Halt { code: Code::UNREACHABLE, .. })
        ));
    }

    fn rejected(message: &str) -> Verdict {
        Verdict::Rejected { code: Code::REFUSED, message: message.to_owned() }
    }

    #[test]
    fn refusals_for_one_reason_open_it() {
        let mut breaker = Breaker { most_refused: 3, ..Breaker::default() };
        assert_eq!(breaker.observe(&rejected("`mrr` must be a number, not \"a\"")), None);
        assert_eq!(breaker.observe(&Verdict::Unsure { why: "timed out".to_owned() }), None);
        assert_eq!(breaker.observe(&rejected("`mrr` must be a number, not \"b\"")), None);
        assert_eq!(breaker.note(Health::Answering), None);
        let halt = breaker.observe(&rejected("`mrr` must be a number, not \"c\""));
        let message = "3 records in a row were refused: `mrr` must be a number, not \"c\"".to_owned();
        assert_eq!(halt, Some(Verdict::Halt { code: Code::REFUSED, message }));
    }

    #[test]
    fn other_reasons_and_what_is_taken_start_the_count_of_refusals_again() {
        let mut breaker = Breaker { most_refused: 2, ..Breaker::default() };
        for _ in 0..5 {
            assert_eq!(breaker.observe(&rejected("one")), None);
            assert_eq!(breaker.observe(&rejected("another")), None);
            assert_eq!(breaker.observe(&Verdict::Accepted), None);
            assert_eq!(breaker.observe(&rejected("another")), None);
            assert_eq!(breaker.observe(&Verdict::Missing), None);
        }
    }
}
