//! The tally: what became of each operation's messages, and the one verdict that this makes.

use coho_core::code::Code;
use coho_core::verdict::Verdict;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was taken.
    Taken,
    /// It was refused by itself.
    Refused { code: Code, text: String },
    /// It may have arrived.
    Unsure { why: String },
    /// It never left.
    Unsent { why: String },
    /// Nothing more is sent.
    Halted { code: Code, message: String },
}

/// What became of all messages of each operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    /// The first mark of each sort counts.
    marks: Vec<Mark>,
    /// Whether something may have arrived: by an earlier intent, or in a batch that was refused as a whole.
    has_left: bool,
}

impl Tally {
    /// Adds an operation, of which something may have arrived by an earlier intent.
    pub(super) fn add(&mut self, has_left: bool) -> usize {
        self.0.push(Entry { marks: Vec::new(), has_left });
        self.0.len() - 1
    }

    pub(super) fn mark(&mut self, operation: usize, mark: Mark) {
        if let Some(entry) = self.0.get_mut(operation)
            && !entry.marks.contains(&mark)
        {
            entry.marks.push(mark);
        }
    }

    /// A batch with this operation was refused; nobody says whether Vitally took the rest of it.
    pub(super) fn left(&mut self, operation: usize) {
        if let Some(entry) = self.0.get_mut(operation) {
            entry.has_left = true;
        }
    }

    pub(super) fn verdicts(self) -> Vec<Verdict> {
        self.0.into_iter().map(Entry::verdict).collect()
    }
}

impl Entry {
    /// All messages taken is accepted. Of all else, what leaves the intent open comes first, then what speaks of the record.
    fn verdict(self) -> Verdict {
        let was_taken = self.marks.contains(&Mark::Taken);
        let mut verdict = Verdict::Accepted;
        for mark in self.marks {
            let next = match mark {
                Mark::Taken => Verdict::Accepted,
                Mark::Refused { code, text } => Verdict::Rejected { code, message: text },
                Mark::Unsure { why } => Verdict::Unsure { why },
                Mark::Unsent { why } if was_taken || self.has_left => Verdict::Unsure { why },
                Mark::Unsent { why } => Verdict::Unsent { why },
                Mark::Halted { message, .. } if was_taken => Verdict::Unsure { why: message },
                Mark::Halted { code, message } => Verdict::Halt { code, message },
            };
            if weight(&next) > weight(&verdict) {
                verdict = next;
            }
        }
        verdict
    }
}

fn weight(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Unsure { .. } => 4,
        Verdict::Rejected { .. } => 3,
        Verdict::Halt { .. } => 2,
        Verdict::Unsent { .. } => 1,
        Verdict::Accepted
        | Verdict::Applied { .. }
        | Verdict::Gone
        | Verdict::Missing
        | Verdict::Exists
        | Verdict::Ambiguous
        | Verdict::Deferred { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(has_left: bool, marks: &[Mark]) -> Verdict {
        Entry { marks: marks.to_vec(), has_left }.verdict()
    }

    fn unsent() -> Mark {
        Mark::Unsent { why: "connection refused".to_owned() }
    }

    fn refused() -> Mark {
        Mark::Refused { code: Code::REFUSED, text: "no".to_owned() }
    }

    #[test]
    fn all_taken_is_accepted() {
        assert_eq!(verdict(false, &[Mark::Taken]), Verdict::Accepted);
    }

    #[test]
    fn one_refused_message_rejects_the_operation() {
        assert!(matches!(verdict(false, &[Mark::Taken, refused()]), Verdict::Rejected { .. }));
    }

    #[test]
    fn what_may_have_arrived_is_never_called_unsent() {
        assert!(matches!(verdict(false, &[unsent()]), Verdict::Unsent { .. }));
        assert!(matches!(verdict(true, &[unsent()]), Verdict::Unsure { .. }));
        assert!(matches!(verdict(false, &[Mark::Taken, unsent()]), Verdict::Unsure { .. }));
    }

    #[test]
    fn a_lost_message_leaves_the_intent_open_whatever_else_there_is() {
        let lost = Mark::Unsure { why: "timed out".to_owned() };
        assert!(matches!(verdict(false, &[refused(), lost]), Verdict::Unsure { .. }));
    }
}
