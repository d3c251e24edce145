//! What was done for pages: kept on the server under a number, so that the page that says it can be loaded again without doing
//! it twice.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::target::PageAction;

/// So many are kept; the oldest ones go first.
const KEPT: usize = 100;

/// What was done, by number.
#[derive(Default)]
pub(crate) struct DoneActions {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    done: VecDeque<(i64, PageAction, String)>,
    last: i64,
}

impl DoneActions {
    /// Keeps what came of an action, in a sentence. Gives its number.
    pub(crate) fn keep(&self, action: PageAction, text: String) -> i64 {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last += 1;
        let number = kept.last;
        kept.done.push_back((number, action, text));
        if kept.done.len() > KEPT {
            kept.done.pop_front();
        }
        number
    }

    /// What came of the action with this number.
    pub(crate) fn of(&self, number: i64) -> Option<(PageAction, String)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.done.iter().find(|(known, ..)| *known == number);
        found.map(|(_, action, text)| (*action, text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_known_until_much_else_was() {
        let done = DoneActions::default();
        let first = done.keep(PageAction::Forget, "Forgot 1 key.".to_owned());
        assert_eq!(done.of(first), Some((PageAction::Forget, "Forgot 1 key.".to_owned())));
        for _ in 0..KEPT {
            done.keep(PageAction::Run, String::new());
        }
        assert_eq!(done.of(first), None);
    }
}
