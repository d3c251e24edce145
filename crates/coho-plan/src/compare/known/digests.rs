//! Digests of memories that are seen from both ends: a list that grows in parts of one size, since growing at once would hold two copies.

use coho_core::digest::Digest;

/// So many digests are in a part: 256 KiB.
const PART: usize = 1 << 14;

/// The digest of nothing: no row is known by it.
pub(super) const NOTHING: Digest = Digest::from_bytes([0; 16]);

/// Digests in the order in which they were seen.
#[derive(Debug, Default)]
pub(super) struct Digests {
    parts: Vec<Vec<Digest>>,
    number: usize,
}

impl Digests {
    /// Adds one.
    pub(super) fn push(&mut self, digest: Digest) {
        if self.number.is_multiple_of(PART) {
            self.parts.push(Vec::with_capacity(PART));
        }
        if let Some(part) = self.parts.last_mut() {
            part.push(digest);
            self.number += 1;
        }
    }

    /// The one at this place.
    pub(super) fn get(&self, place: usize) -> Option<Digest> {
        self.parts.get(place / PART)?.get(place % PART).copied()
    }

    /// How many there are.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Keeps the first ones, so many.
    pub(super) fn truncate(&mut self, number: usize) {
        if number >= self.number {
            return;
        }
        self.parts.truncate(number.div_ceil(PART));
        if let (Some(last), rest @ 1..) = (self.parts.last_mut(), number % PART) {
            last.truncate(rest);
        }
        self.number = number;
    }
}

/// The digests of memories in their order: some that were seen from the first one on, and behind them some that were seen from the
/// last one on.
#[derive(Debug, Default)]
pub(super) struct BothEnds {
    pub(super) first: Digests,
    pub(super) last: Digests,
}

impl BothEnds {
    /// How many there are.
    pub(super) fn number(&self) -> usize {
        self.first.number() + self.last.number()
    }

    /// The one at this place.
    pub(super) fn get(&self, place: usize) -> Option<Digest> {
        match place.checked_sub(self.first.number()) {
            None => self.first.get(place),
            Some(behind) => self.last.get(self.last.number().checked_sub(behind + 1)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(numbers: std::ops::Range<usize>) -> Digests {
        let mut digests = Digests::default();
        numbers.for_each(|number| digests.push(digest(number)));
        digests
    }

    fn digest(number: usize) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    #[test]
    fn what_was_seen_from_both_ends_is_in_order() {
        for (low, high) in [(0, 0), (0, 3), (3, 0), (PART, PART), (PART + 1, 2 * PART - 1)] {
            let mut last = Digests::default();
            (low..low + high).rev().for_each(|number| last.push(digest(number)));
            let both = BothEnds { first: digests(0..low), last };
            assert_eq!(both.number(), low + high);
            assert!((0..low + high).all(|place| both.get(place) == Some(digest(place))));
            assert_eq!(both.get(low + high), None);
        }
    }

    #[test]
    fn the_first_ones_are_kept() {
        for number in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 5, 3 * PART] {
            let mut digests = digests(0..2 * PART + 5);
            digests.truncate(number);
            let kept = number.min(2 * PART + 5);
            assert_eq!(digests.number(), kept);
            assert_eq!(digests.get(kept), None);
            assert_eq!(
                kept.checked_sub(1).map(|last| digests.get(last)),
                kept.checked_sub(1).map(|last| Some(digest(last)))
            );
            digests.push(digest(7));
            assert_eq!(digests.get(kept), Some(digest(7)));
        }
    }
}
