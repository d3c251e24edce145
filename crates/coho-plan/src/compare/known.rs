//! Rows that are as they were, told while they are read: they are neither sorted nor kept.
//!
//! For each memory of which nothing needs to be done while its row stays, the digest of its key and row is kept in a table.
//! A row that is found there is counted there; the comparison, which passes over all memories in their order, asks how often
//! each was met. Pages of memories of which all were met once are passed without being read again.
//!
//! The table takes some 23 bytes a memory, for as many memories as its budget allows; the rows of the others are sorted.

mod digests;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_ledger::row_state::{Look, PageSeen, RowStates};

use self::digests::{BothEnds, Digests, NOTHING};
use crate::failure::PlanError;
use crate::stop::Stop;

/// About the most memory that the table may take.
pub(crate) const BUDGET: usize = 256 << 20;

/// How many slots there are for ten digests.
const SLOTS_FOR_TEN: usize = 14;

/// What a digest takes: itself, its place, its slots, and how often it was met.
const SIZE: usize = 16 + 4 + 4 * SLOTS_FOR_TEN / 10 + 1;

/// No digest is in this slot.
const FREE: u32 = u32::MAX;

/// The bits of a slot that are a digest's place. The others are some of the digest: who looks for another one sees that here.
const PLACE: u32 = 0x00ff_ffff;

/// The most digests for which there are places, with a page of the ledger to spare.
const PLACES: usize = PLACE as usize - (1 << 16);

/// The memories of which nothing needs to be done while their rows stay, and how often each of their rows was met.
#[derive(Debug, Default)]
pub struct KnownRows {
    /// For each memory in its order; of one that is not known, no digest of anything.
    digests: BothEnds,
    /// Whether the row was met: never, once, or more often.
    met: Vec<u8>,
    /// How often it was met, where that is more often than once.
    repeats: BTreeMap<u32, u64>,
    slots: Vec<u32>,
    pages: Vec<Page>,
    seam: Seam,
    /// Whether each row that is as it was is met here: none of those that were not met is the same.
    tells_all: bool,
    /// Whether of each key all rows are met here, or all are among those that were not.
    come_whole: bool,
    scratch: Vec<u8>,
}

/// A page of the ledger of which it is known whether the rows of its memories were met.
#[derive(Debug)]
pub(super) enum KnownPage<'a> {
    /// Each was met once, and none of its keys is that of a row that was not met.
    Met(&'a PageSeen),
    /// Some were not, or more than once; no other one is the same.
    Told(&'a PageSeen),
}

/// All pages have the length of the first one, but the one before this place, which is the end of so many pages, and the last one.
#[derive(Clone, Copy, Debug, Default)]
struct Seam {
    place: usize,
    page: usize,
}

/// A page of the ledger.
#[derive(Debug)]
struct Page {
    seen: PageSeen,
    /// How many of its rows were not met exactly once.
    open: usize,
}

/// What is seen of memories from one end on.
struct Side<'a> {
    mapping: Digest,
    /// How many were seen from both ends.
    all: &'a AtomicUsize,
    /// For each memory in the order in which they were seen; of one that is not known, no digest of anything.
    digests: Digests,
    pages: Vec<Page>,
    scratch: Vec<u8>,
}

impl<'a> Side<'a> {
    fn of(all: &'a AtomicUsize, mapping: Digest) -> Self {
        let (digests, pages, scratch) = Default::default();
        Self { mapping, all, digests, pages, scratch }
    }

    /// Looks at a memory, or the end of a page, where `enough` is asked whether to break off: of how many memories were seen from
    /// this end, and from both.
    fn look(&mut self, look: Look<'_>, enough: impl FnOnce(usize, usize) -> bool) -> ControlFlow<()> {
        match look {
            Look::Settled { key, seen } if seen.mapping == self.mapping => {
                self.digests.push(seen.row.keyed(key, &mut self.scratch));
            }
            Look::Settled { .. } | Look::Other => self.digests.push(NOTHING),
            Look::Page(seen) => {
                self.pages.push(Page { seen: seen.clone(), open: seen.number });
                let all = self.all.fetch_add(seen.number, Relaxed) + seen.number;
                if enough(self.digests.number(), all) {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl KnownRows {
    /// Looks at all memories; those are known that were seen with this mapping.
    pub fn of(row_states: &mut RowStates, mapping: Digest, stop: &Stop) -> Result<Self, PlanError> {
        Self::within(BUDGET, row_states, mapping, stop)
    }

    /// The same in another budget of memory.
    pub fn within(
        budget: usize,
        row_states: &mut RowStates,
        mapping: Digest,
        stop: &Stop,
    ) -> Result<Self, PlanError> {
        let most = (budget / SIZE).min(PLACES);
        let all = AtomicUsize::new(0);
        let side = || Side::of(&all, mapping);
        let (mut first, mut last) = (side(), side());
        let others = row_states.survey_from_both_ends(
            |look| first.look(look, |first, _| stop.is_asked() || first >= most),
            |look| {
                let ended = last.look(look, |_, all| stop.is_asked() || all >= most);
                if ended.is_break() {
                    // There is room for one of the two only.
                    last = side();
                }
                ended
            },
        )?;
        if stop.is_asked() {
            return Err(PlanError::Interrupted);
        }
        Ok(Self::joined(first, last, others))
    }

    /// What both sides saw, of which the second saw so many pages that the first did not see.
    fn joined(first: Side<'_>, mut last: Side<'_>, others: usize) -> Self {
        let Side { digests: first, mut pages, .. } = first;
        let seam = Seam { place: first.number(), page: pages.len() };
        last.pages.truncate(others);
        last.digests.truncate(last.pages.iter().map(|page| page.seen.number).sum());
        pages.extend(last.pages.into_iter().rev());
        let digests = BothEnds { first, last: last.digests };
        let met = vec![0; digests.number()];
        let mut known = Self { digests, met, pages, seam, tells_all: true, ..Self::default() };
        known.index();
        known
    }

    /// The memories of these pages, of which it is known already whether the row of each was met, once.
    pub(crate) fn met_once(met: Vec<bool>, pages: Vec<PageSeen>) -> Self {
        let mut rest = met.as_slice();
        let pages = pages.into_iter().map(|seen| {
            let (of_page, behind) = rest.split_at(seen.number.min(rest.len()));
            rest = behind;
            Page { open: of_page.iter().filter(|met| !**met).count(), seen }
        });
        let pages: Vec<_> = pages.collect();
        let seam = Seam { place: met.len(), page: pages.len() };
        Self { met: met.into_iter().map(u8::from).collect(), pages, seam, ..Self::default() }
    }

    /// The same, where a key of which rows come was not met: all its rows are among those.
    #[must_use]
    pub(crate) fn that_come_whole(self) -> Self {
        Self { come_whole: true, ..self }
    }

    /// Gives each memory that is known a slot.
    fn index(&mut self) {
        let known = |place| self.digests.get(place).filter(|digest| *digest != NOTHING);
        let places = 0..self.digests.number();
        let number = places.clone().filter_map(known).count();
        let mut slots = vec![FREE; number * SLOTS_FOR_TEN / 10 + 1];
        for (place, digest) in places.filter_map(|place| Some((u32::try_from(place).ok()?, known(place)?))) {
            let mut slot = first_slot(digest, slots.len());
            while slots.get(slot).is_some_and(|taken| *taken != FREE) {
                slot = (slot + 1) % slots.len();
            }
            if let Some(free) = slots.get_mut(slot) {
                *free = mark(digest) | place;
            }
        }
        self.slots = slots;
    }

    /// Whether a row is as it was seen last. It is then counted here, and needs no look.
    pub fn meets(&mut self, key: &Key, row: Digest) -> bool {
        let digest = row.keyed(key.row().as_bytes(), &mut self.scratch);
        self.meets_digest(digest)
    }

    /// The same of many rows at once. What they are looked for in is larger than what a processor has at hand: here it waits for
    /// several of them at a time.
    pub(crate) fn meets_all<'k>(&mut self, rows: impl Iterator<Item = (&'k Key, Digest)>) -> Vec<bool> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let digests: Vec<_> = rows.map(|(key, row)| row.keyed(key.row().as_bytes(), &mut scratch)).collect();
        self.scratch = scratch;
        self.bring(&digests);
        digests.into_iter().map(|digest| self.meets_digest(digest)).collect()
    }

    /// Reads what is looked at for these digests, where no look waits for the one before.
    fn bring(&self, digests: &[Digest]) {
        let slots = digests.iter().map(|digest| self.slots.get(first_slot(*digest, self.slots.len())));
        black_box(slots.flatten().fold(0_u32, |all, slot| all ^ slot));
        let places: Vec<_> = digests.iter().filter_map(|digest| self.marked(*digest).next()).collect();
        let found = places.iter().filter_map(|place| self.digests.get(*place as usize));
        black_box(found.fold(0_u8, |all, digest| all ^ digest.to_bytes()[0]));
    }

    fn meets_digest(&mut self, digest: Digest) -> bool {
        let found = self.marked(digest).find(|place| self.digests.get(*place as usize) == Some(digest));
        if let Some(place) = found {
            self.meet(place);
        }
        found.is_some()
    }

    /// The places of the digests that may be this one.
    fn marked(&self, digest: Digest) -> impl Iterator<Item = u32> {
        let first = first_slot(digest, self.slots.len());
        let (behind, before) = (self.slots.iter().skip(first), self.slots.iter().take(first));
        let taken = behind.chain(before).take_while(|slot| **slot != FREE);
        taken.filter(move |slot| **slot & !PLACE == mark(digest)).map(|slot| slot & PLACE)
    }

    fn meet(&mut self, place: u32) {
        let at = place as usize;
        let (page, _) = self.page_of(at);
        let (Some(met), Some(page)) = (self.met.get_mut(at), self.pages.get_mut(page)) else { return };
        match met {
            0 => (*met, page.open) = (1, page.open.saturating_sub(1)),
            1 => {
                (*met, page.open) = (2, page.open + 1);
                self.repeats.insert(place, 2);
            }
            _ => *self.repeats.entry(place).or_default() += 1,
        }
    }

    /// The same when all rows were looked for: only how often each was met is kept, which is a twentieth of it.
    #[must_use]
    pub fn done(self) -> Self {
        Self { digests: BothEnds::default(), slots: Vec::new(), ..self }
    }

    /// The page of the memory at this place, and its place there.
    fn page_of(&self, place: usize) -> (usize, usize) {
        let length = self.pages.first().map_or(1, |first| first.seen.number.max(1));
        match place.checked_sub(self.seam.place) {
            Some(behind) => (self.seam.page + behind / length, behind % length),
            None => (place / length, place % length),
        }
    }

    /// How often the row of the memory at this place was met.
    pub(super) fn times(&self, place: usize) -> u64 {
        match self.met.get(place) {
            None | Some(0) => 0,
            Some(1) => 1,
            Some(_) => {
                u32::try_from(place).ok().and_then(|place| self.repeats.get(&place)).copied().unwrap_or(1)
            }
        }
    }

    /// The same of a memory of whose key rows are among those that were not met.
    pub(super) fn times_besides(&self, place: usize) -> u64 {
        if self.come_whole { 0 } else { self.times(place) }
    }

    /// The page that begins with the memory at this place, where `row` is the key of the next row that was not met.
    pub(super) fn page(&self, place: usize, row: Option<&[u8]>) -> Option<KnownPage<'_>> {
        // None begins at the end of the last page, which may be shorter.
        let (page, at) = self.page_of(place);
        let page = self.pages.get(page).filter(|_| at == 0)?;
        let is_clear = row.is_none_or(|row| row > page.seen.last.0.as_bytes());
        if page.open == 0 && is_clear {
            return Some(KnownPage::Met(&page.seen));
        }
        self.tells_all.then_some(KnownPage::Told(&page.seen))
    }
}

/// What a slot has of a digest besides its place.
fn mark(digest: Digest) -> u32 {
    let bytes = digest.to_bytes();
    u32::from(bytes[15]) << PLACE.count_ones()
}

/// Where a digest is looked for first.
fn first_slot(digest: Digest, slots: usize) -> usize {
    let bytes = digest.to_bytes();
    let high = bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    usize::try_from((u128::from(high) * slots as u128) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use coho_core::row_state::Seen;
    use coho_ledger::row_state::StateCounts;

    use super::*;

    fn row(key: &str) -> Digest {
        Digest::of(key.as_bytes())
    }

    /// What is seen of memories with these keys, page by page.
    fn side<'a>(all: &'a AtomicUsize, pages: &[&[&str]]) -> Side<'a> {
        let mapping = Digest::of(b"mapping");
        let mut side = Side::of(all, mapping);
        for keys in pages {
            for key in *keys {
                let seen = Seen { row: row(key), mapping };
                assert!(side.look(Look::Settled { key: key.as_bytes(), seen }, |_, _| false).is_continue());
            }
            let last = (keys.iter().max().map(|key| (*key).to_owned()).unwrap_or_default(), 0);
            let page = PageSeen { number: keys.len(), last, counts: StateCounts::default(), keys: None };
            assert!(side.look(Look::Page(&page), |_, _| false).is_continue());
        }
        side
    }

    /// The pages and how often the memories were met, where the rows of these keys are met.
    fn met(mut known: KnownRows, keys: &str) -> (Vec<String>, String) {
        for key in keys.split("") {
            known.meets(&Key::new(key), row(key));
        }
        let known = known.done();
        let pages = (0..10).filter_map(|place| match known.page(place, None)? {
            KnownPage::Met(page) => Some(format!("{place}: {} met", page.number)),
            KnownPage::Told(page) => Some(format!("{place}: {} told", page.number)),
        });
        (pages.collect(), (0..9).map(|place| known.times(place).to_string()).collect())
    }

    #[test]
    fn what_was_seen_from_both_ends_is_one_table() {
        let all = AtomicUsize::new(0);
        let first = side(&all, &[&["a", "b"], &["c", "d"], &["e"]]);
        let last = side(&all, &[&["i", "h"], &["g", "f"]]);
        let (pages, times) = met(KnownRows::joined(first, last, 2), "abdefhicczz");
        assert_eq!(pages, ["0: 2 met", "2: 2 told", "4: 1 met", "5: 2 told", "7: 2 met"]);
        assert_eq!(times, "112111011");
    }

    #[test]
    fn what_both_saw_is_there_once() {
        let all = AtomicUsize::new(0);
        let first = side(&all, &[&["a", "b"], &["c", "d"], &["e", "f"], &["g"]]);
        let last = side(&all, &[&["i", "h"], &["g", "f"]]);
        let (pages, times) = met(KnownRows::joined(first, last, 1), "abcdefghi");
        assert_eq!(pages, ["0: 2 met", "2: 2 met", "4: 2 met", "6: 1 met", "7: 2 met"]);
        assert_eq!(times, "111111111");
    }
}
