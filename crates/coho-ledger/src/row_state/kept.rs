//! Where the keys of a page are that a survey saw. What is there is written and read in `keys`.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// Where the keys of a page are.
#[derive(Clone, Debug)]
pub struct KeysPlace {
    pub(super) file: Arc<File>,
    pub(super) start: u64,
    pub(super) length: usize,
    /// How many they are.
    pub(super) number: usize,
}

impl KeysPlace {
    /// What is there. `None` where it cannot be read.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.length];
        self.file.read_exact_at(&mut bytes, self.start).ok()?;
        Some(bytes)
    }
}
