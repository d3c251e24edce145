//! The keys that a survey saw, kept in a temporary file without a name: whoever needs those of a page again reads them there, where
//! they stand together, instead of in the ledger, where each stands in a whole row state.
//!
//! The file is a help and nothing more: where it cannot be written or read, the ledger is read as without it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::glance::{Glance, Glances};
use super::kept::KeysPlace;

/// What stands before a key: its departure, and its length. A key has at most 1,024 bytes; see `coho_core::key`.
const HEAD: usize = 6;

/// Takes the keys of pages.
#[derive(Debug, Default)]
pub(super) struct KeyFile {
    state: State,
    end: u64,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    /// Nothing was kept yet.
    #[default]
    New,
    Open(Arc<File>),
    /// It could not be written.
    Failed,
}

impl KeyFile {
    /// Keeps the keys of a page in their order, whichever way it was read.
    pub(super) fn keep(&mut self, page: &Glances) -> Option<KeysPlace> {
        let file = self.file()?;
        self.bytes.clear();
        let (first, last) = (page.at(0)?, page.at(page.len().checked_sub(1)?)?);
        if first.place() <= last.place() {
            (0..page.len()).filter_map(|at| page.at(at)).for_each(|glance| append(&mut self.bytes, glance));
        } else {
            (0..page.len())
                .rev()
                .filter_map(|at| page.at(at))
                .for_each(|glance| append(&mut self.bytes, glance));
        }
        if file.write_all_at(&self.bytes, self.end).is_err() {
            self.state = State::Failed;
            return None;
        }
        let place = KeysPlace { file, start: self.end, length: self.bytes.len(), number: page.len() };
        self.end += self.bytes.len() as u64;
        Some(place)
    }

    fn file(&mut self) -> Option<Arc<File>> {
        if let State::New = self.state {
            self.state = tempfile::tempfile().map_or(State::Failed, |file| State::Open(Arc::new(file)));
        }
        match &self.state {
            State::Open(file) => Some(Arc::clone(file)),
            State::New | State::Failed => None,
        }
    }
}

fn append(bytes: &mut Vec<u8>, glance: Glance<'_>) {
    // What is longer than a key can be is not read back.
    let length = u16::try_from(glance.key.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&glance.departure.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(glance.key);
}

/// The page whose keys are there, of which only they are seen. `None` where they cannot be read.
pub(super) fn read(place: &KeysPlace) -> Option<Glances> {
    let bytes = place.bytes()?;
    let mut page = Glances::of_keys();
    let mut rest = bytes.as_slice();
    while let Some((head, behind)) = rest.split_first_chunk::<HEAD>() {
        let departure = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::from(u16::from_le_bytes([head[4], head[5]]));
        page.push_key(behind.get(..length)?, departure);
        rest = behind.get(length..)?;
    }
    (rest.is_empty() && page.len() == place.number).then_some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of these keys and departures.
    fn page(places: &[(&str, u32)]) -> Glances {
        let mut page = Glances::of_keys();
        for (key, departure) in places {
            page.push_key(key.as_bytes(), *departure);
        }
        page
    }

    fn places(page: &Glances) -> Vec<(&str, u32)> {
        let all = (0..page.len()).filter_map(|at| page.at(at));
        all.map(|glance| (std::str::from_utf8(glance.key).unwrap(), glance.departure)).collect()
    }

    #[test]
    fn pages_are_read_in_order_whichever_way_they_were_seen() {
        let long = "é".repeat(500);
        let pages = [
            vec![("", 0), ("a", 0), ("a", 1), ("a", 70_000), (long.as_str(), 0)],
            vec![("b", 3)],
            vec![("c", 0), ("d", 2)],
        ];
        let mut file = KeyFile::default();
        let kept = pages.iter().map(|places| {
            let reversed: Vec<_> = places.iter().rev().copied().collect();
            (file.keep(&page(&reversed)).unwrap(), file.keep(&page(places)).unwrap())
        });
        let kept: Vec<_> = kept.collect();
        for (expected, (descending, ascending)) in pages.iter().zip(kept) {
            assert_eq!(places(&read(&descending).unwrap()), *expected);
            assert_eq!(places(&read(&ascending).unwrap()), *expected);
        }
    }

    #[test]
    fn what_cannot_be_kept_or_is_not_there_any_more_is_told() {
        let mut file = KeyFile { state: State::Failed, ..KeyFile::default() };
        assert!(file.keep(&page(&[("a", 0)])).is_none());
        let mut file = KeyFile::default();
        let place = file.keep(&page(&[("a", 0), ("b", 0)])).unwrap();
        assert!(read(&KeysPlace { length: place.length - 1, ..place.clone() }).is_none());
        assert!(read(&KeysPlace { number: 3, ..place.clone() }).is_none());
        place.file.set_len(3).unwrap();
        assert!(read(&place).is_none());
    }
}
