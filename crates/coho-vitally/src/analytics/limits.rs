//! Limits: how large a batch may be, and what answers taught of it.

use std::collections::BTreeMap;

use super::Kind;

/// How many messages of a type may be refused, one by one and all with one text, before the type is taken to be blocked.
const BLOCKED_AFTER: u32 = 10;

/// How large a batch may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most messages. Vitally takes 100 (<https://docs.vitally.io/en/articles/9874151-analytics-api-batch>, read
    /// 2026-11-24).
    pub messages: usize,
    /// The most bytes. Vitally documents no limit; clients in production send about 300 KiB.
    pub bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { messages: 100, bytes: 256 * 1_024 }
    }
}

/// What the answers of a run taught.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lessons {
    /// The most bytes of a batch, once one was too large.
    bytes: Option<usize>,
    kinds: BTreeMap<Kind, Standing>,
}

/// Whether Vitally takes messages of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// At least one was taken.
    Taken,
    /// So many were refused with this text, and none was taken.
    Refused { count: u32, text: String },
    /// Some were refused with different texts, and none was taken: it is the messages' fault.
    Mixed,
}

impl Lessons {
    /// The most bytes of a batch.
    pub(super) fn bytes(&self, limits: BatchLimits) -> usize {
        self.bytes.map_or(limits.bytes, |bytes| bytes.min(limits.bytes))
    }

    /// A batch of this many bytes was too large: the next ones are half as large.
    pub(super) fn too_large(&mut self, sent: usize, limits: BatchLimits) {
        self.bytes = Some(self.bytes(limits).min(sent) / 2);
    }

    /// Messages of this type were taken.
    pub(super) fn taken(&mut self, kind: Kind) {
        self.kinds.insert(kind, Standing::Taken);
    }

    /// A message was refused by itself. Where its type is taken to be blocked now, tells how many were.
    pub(super) fn refused(&mut self, kind: Kind, text: &str) -> Option<u32> {
        let first = Standing::Refused { count: 0, text: text.to_owned() };
        let standing = self.kinds.entry(kind).or_insert(first);
        match standing {
            Standing::Refused { count, text: known } if known == text => {
                *count += 1;
                (*count >= BLOCKED_AFTER).then_some(*count)
            }
            Standing::Refused { .. } => {
                *standing = Standing::Mixed;
                None
            }
            Standing::Taken | Standing::Mixed => None,
        }
    }

    /// Joins what another batch of the same run taught at the same time.
    #[must_use]
    pub fn joined(mut self, other: Self) -> Self {
        self.bytes = [self.bytes, other.bytes].into_iter().flatten().min();
        for (kind, theirs) in other.kinds {
            let ours = self.kinds.remove(&kind);
            let joined = match (ours, theirs) {
                (None, standing) => standing,
                (Some(Standing::Taken), _) | (Some(_), Standing::Taken) => Standing::Taken,
                (Some(Standing::Mixed), _) | (Some(_), Standing::Mixed) => Standing::Mixed,
                (
                    Some(Standing::Refused { count, text }),
                    Standing::Refused { count: more, text: their_text },
                ) => {
                    if text == their_text {
                        Standing::Refused { count: count.max(more), text }
                    } else {
                        Standing::Mixed
                    }
                }
            };
            self.kinds.insert(kind, joined);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_refusals_with_one_text_block_a_type() {
        let mut lessons = Lessons::default();
        for _ in 0..9 {
            assert_eq!(lessons.refused(Kind::Track, "no"), None);
            assert_eq!(lessons.refused(Kind::User, "no"), None);
        }
        assert_eq!(lessons.refused(Kind::Track, "no"), Some(10));
    }

    #[test]
    fn a_type_that_was_taken_once_is_not_blocked() {
        let mut lessons = Lessons::default();
        lessons.taken(Kind::User);
        let verdicts = (0..20).map(|_| lessons.refused(Kind::User, "no"));
        assert!(verdicts.into_iter().all(|blocked| blocked.is_none()));
    }

    #[test]
    fn different_texts_are_the_messages_fault() {
        let mut lessons = Lessons::default();
        lessons.refused(Kind::User, "a");
        lessons.refused(Kind::User, "b");
        assert!((0..20).all(|_| lessons.refused(Kind::User, "a").is_none()));
    }

    #[test]
    fn what_was_taken_anywhere_is_taken() {
        let (mut ours, mut theirs) = (Lessons::default(), Lessons::default());
        ours.refused(Kind::User, "no");
        ours.too_large(1_000, BatchLimits::default());
        theirs.taken(Kind::User);
        let joined = ours.joined(theirs);
        assert_eq!(joined.kinds.get(&Kind::User), Some(&Standing::Taken));
        assert_eq!(joined.bytes(BatchLimits::default()), 500);
    }
}
