//! Damage to files, from a seed: what a reader must bear without a panic, a hang or more memory than the file is worth.

/// Bytes that mean something to one form of file or another.
const WORDS: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\r\n",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[[[[[[[[",
    b"]",
    b"{{",
    b"{%",
    b"&a *a",
    b": ",
    b"- ",
    b"1e999",
    b"-0",
    b"99999999999999999999",
    b"9999-12-31T23:59:60Z",
    b"null",
];

/// The bytes with one to four pieces of damage: bits that flip, words that are put in or over, pieces that are lost, doubled or moved,
/// and an early end.
pub fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut chance = Chance(seed);
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(3) {
        damage(&mut bytes, &mut chance);
    }
    bytes
}

fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len());
    let until = (at + 1 + chance.below(32)).min(bytes.len());
    let word = WORDS.get(chance.below(WORDS.len() - 1)).copied().unwrap_or_default();
    match chance.below(7) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << chance.below(7);
            }
        }
        2 => drop(bytes.splice(at..at, word.iter().copied())),
        3 => {
            let end = (at + word.len()).min(bytes.len());
            drop(bytes.splice(at..end, word.iter().copied()));
        }
        4 => drop(bytes.drain(at..until)),
        5 => {
            let piece = bytes.get(at..until).unwrap_or_default().repeat(1 + chance.below(40));
            let place = chance.below(bytes.len());
            drop(bytes.splice(place..place, piece));
        }
        6 => bytes.truncate(at),
        _ => {
            if let Some(piece) = bytes.get_mut(at..until) {
                piece.reverse();
            }
        }
    }
}

/// Choices from a seed: SplitMix64.
struct Chance(u64);

impl Chance {
    /// A number from 0 to this one.
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = mixed ^ (mixed >> 31);
        usize::try_from(bits % (most as u64 + 1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn one_seed_does_the_same_damage_and_another_does_other() {
        let bytes = b"id,name\n1,Alder\n2,Birch\n";
        assert_eq!(mutated(bytes, 7), mutated(bytes, 7));
        let all: BTreeSet<_> = (0..200).map(|seed| mutated(bytes, seed)).collect();
        assert!(all.len() > 150, "{}", all.len());
        assert!(all.iter().any(|damaged| damaged.len() < bytes.len()));
        assert!((0..200).all(|seed| mutated(b"", seed).len() <= 4 * 33 * 41), "four pieces, each repeated");
    }
}
