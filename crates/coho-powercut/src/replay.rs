//! What a disk holds after a power cut: what was synced, and of the rest what the loss leaves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Loss;
use crate::journal::{Done, Operation};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A file as a disk and the system's memory hold it.
#[derive(Clone, Debug, Default)]
struct File {
    /// What is on the disk; absent where not even its name is.
    durable: Option<Vec<u8>>,
    /// What was done since, in order.
    pending: Vec<Done>,
}

/// The files after these operations and a power cut.
pub(crate) fn replay(operations: &[Operation], loss: Loss) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files: BTreeMap<PathBuf, File> = BTreeMap::new();
    for Operation { file, done } in operations {
        let known = files.entry(file.clone()).or_default();
        match done {
            Done::Found(bytes) => *known = File { durable: Some(bytes.clone()), pending: Vec::new() },
            Done::Synced if known.is_new() => {
                known.sync();
                // SQLite syncs the folder with a file that it made, and so the names of all files in it.
                files.values_mut().for_each(File::sync_name);
            }
            Done::Synced => known.sync(),
            Done::Made | Done::Written(..) | Done::Cut(_) | Done::Deleted => known.pending.push(done.clone()),
        }
    }
    let mut chance = Chance(if let Loss::Some(seed) = loss { seed } else { 0 });
    files.into_iter().filter_map(|(path, file)| Some((path, file.after(loss, &mut chance)?))).collect()
}

impl File {
    /// A file that was deleted has no descriptor to be synced, so all that waits was done to the one that is there now.
    fn sync(&mut self) {
        for done in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &done, |_| true);
        }
    }

    /// Whether its name is not on the disk as it is now.
    fn is_new(&self) -> bool {
        self.pending.iter().any(|done| matches!(done, Done::Made | Done::Deleted))
    }

    /// That it was made or deleted is on the disk; what was written to it since need not be.
    fn sync_name(&mut self) {
        let Some(last) = self.pending.iter().rposition(|done| matches!(done, Done::Made | Done::Deleted))
        else {
            return;
        };
        for done in self.pending.drain(..=last) {
            apply(&mut self.durable, &done, |_| true);
        }
    }

    fn after(self, loss: Loss, chance: &mut Chance) -> Option<Vec<u8>> {
        let Self { mut durable, pending } = self;
        match loss {
            Loss::All => {}
            Loss::Nothing => pending.iter().for_each(|done| apply(&mut durable, done, |_| true)),
            Loss::Some(_) => {
                // Names come and go in order. Sectors come in any.
                let mut named = true;
                for done in &pending {
                    match done {
                        Done::Made | Done::Deleted => named &= chance.is_heads(),
                        Done::Found(_) | Done::Written(..) | Done::Cut(_) | Done::Synced => {}
                    }
                    if named {
                        let whole = chance.is_heads();
                        apply(&mut durable, done, |_| whole || chance.is_heads());
                    }
                }
            }
        }
        durable
    }
}

/// Applies what was done, of what was written those sectors that are kept.
fn apply(content: &mut Option<Vec<u8>>, done: &Done, mut is_kept: impl FnMut(usize) -> bool) {
    match done {
        Done::Found(bytes) => *content = Some(bytes.clone()),
        Done::Made => *content = Some(Vec::new()),
        Done::Deleted => *content = None,
        Done::Synced => {}
        Done::Cut(length) => {
            if is_kept(0) {
                content.get_or_insert_default().resize(*length, 0);
            }
        }
        Done::Written(start, bytes) => {
            let content = content.get_or_insert_default();
            let mut at = *start;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
                if is_kept(at / SECTOR) {
                    write(content, at, sector);
                }
                (at, rest) = (at + sector.len(), after);
            }
        }
    }
}

/// What is beyond the end is filled with zeros.
fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(at..end) {
        place.copy_from_slice(bytes);
    }
}

/// Choices from a seed: SplitMix64.
struct Chance(u64);

impl Chance {
    fn is_heads(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn done(done: Done) -> Operation {
        Operation { file: "a".into(), done }
    }

    fn left(operations: &[Operation], loss: Loss) -> Option<Vec<u8>> {
        replay(operations, loss).remove(Path::new("a"))
    }

    #[test]
    fn what_was_synced_is_there_and_what_was_not_may_be() {
        let operations = [
            done(Done::Made),
            done(Done::Written(0, b"kept".to_vec())),
            done(Done::Synced),
            done(Done::Written(4, b" lost".to_vec())),
        ];
        assert_eq!(left(&operations, Loss::All), Some(b"kept".to_vec()));
        assert_eq!(left(&operations, Loss::Nothing), Some(b"kept lost".to_vec()));
        let either: Vec<_> = (0..20).map(|seed| left(&operations, Loss::Some(seed)).unwrap()).collect();
        assert!(either.contains(&b"kept".to_vec()) && either.contains(&b"kept lost".to_vec()), "{either:?}");
    }

    #[test]
    fn a_name_that_was_never_synced_may_be_gone() {
        let operations = [done(Done::Made), done(Done::Written(0, b"x".to_vec()))];
        assert_eq!(left(&operations, Loss::All), None);
        let deleted = [done(Done::Found(b"x".to_vec())), done(Done::Deleted)];
        assert_eq!(left(&deleted, Loss::All), Some(b"x".to_vec()));
        assert_eq!(left(&deleted, Loss::Nothing), None);
    }

    #[test]
    fn who_makes_and_syncs_a_file_syncs_the_names_beside_it() {
        let of = |file: &str, done: Done| Operation { file: file.into(), done };
        let operations = [
            of("journal", Done::Found(b"old".to_vec())),
            of("journal", Done::Deleted),
            of("log", Done::Made),
            of("log", Done::Written(0, b"x".to_vec())),
            of("log", Done::Synced),
        ];
        let left: Vec<_> = replay(&operations, Loss::All).into_iter().collect();
        assert_eq!(left, [(PathBuf::from("log"), b"x".to_vec())]);
        assert_eq!(
            replay(&operations[..4], Loss::All).into_keys().collect::<Vec<_>>(),
            [PathBuf::from("journal")]
        );
    }

    #[test]
    fn a_write_is_torn_between_sectors_only() {
        let operations = [done(Done::Found(vec![0; 2048])), done(Done::Written(256, vec![1; 1024]))];
        let torn: Vec<Vec<u8>> = (0..40).map(|seed| left(&operations, Loss::Some(seed)).unwrap()).collect();
        for bytes in &torn {
            for sector in bytes.chunks(SECTOR) {
                let written: Vec<bool> = sector.iter().map(|byte| *byte == 1).collect();
                assert!(written.windows(2).filter(|pair| pair[0] != pair[1]).count() <= 1, "{sector:?}");
            }
        }
        assert!(torn.iter().any(|bytes| {
            (1..1024).contains(&bytes.iter().map(|byte| usize::from(*byte == 1)).sum::<usize>())
        }));
    }
}
