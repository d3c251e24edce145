//! What was searched: kept on the server, so that an address can name it without showing it. A searched text is a key or a
//! value of a row, and addresses are logged, sent and remembered by browsers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many texts are kept; the oldest ones go first.
const KEPT: usize = 1_000;

/// The longest text, in bytes.
const LONGEST: usize = 1_000;

/// Texts that were searched, by number.
#[derive(Default)]
pub(crate) struct Searches {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    texts: VecDeque<(u64, String)>,
    last: u64,
}

impl Searches {
    /// The number of a text. The same text has the same number, as long as it is kept.
    pub(crate) fn keep(&self, text: &str) -> u64 {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, _)) = kept.texts.iter().find(|(_, known)| *known == text) {
            return *number;
        }
        kept.last += 1;
        let number = kept.last;
        kept.texts.push_back((number, text));
        if kept.texts.len() > KEPT {
            kept.texts.pop_front();
        }
        number
    }

    /// The text with this number.
    pub(crate) fn text(&self, number: &str) -> Option<String> {
        let number: u64 = number.parse().ok()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.texts.iter().find(|(known, _)| *known == number).map(|(_, text)| text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number_until_many_others_came() {
        let searches = Searches::default();
        let first = searches.keep(" acme ");
        assert_eq!(searches.keep("acme"), first);
        assert_eq!(searches.text(&first.to_string()).as_deref(), Some("acme"));
        for number in 0..KEPT {
            searches.keep(&number.to_string());
        }
        assert_eq!(searches.text(&first.to_string()), None);
        assert_eq!(searches.text("x"), None);
    }
}
