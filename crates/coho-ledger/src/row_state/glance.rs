//! What a comparison looks at of each memory: its key, and whether its row is as it was. The rest is read where that is not
//! enough, which is seldom.

use std::ops::ControlFlow;

use coho_core::digest::{Digest, ENCODING};
use coho_core::row_state::Seen;
use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};

use super::StateCounts;
use super::kept::KeysPlace;

/// What is seen of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Sight {
    /// All that a glance has.
    #[default]
    All,
    /// Only its place.
    Keys,
}

impl Sight {
    /// The columns that this takes.
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::All => "key, departure, standing, pending, encoding, seen_row, seen_mapping",
            Self::Keys => "key, departure",
        }
    }
}

/// Some memories at a glance.
#[derive(Debug, Default)]
pub(super) struct Glances {
    pub(super) sight: Sight,
    keys: Vec<u8>,
    rows: Vec<Entry>,
}

/// What is seen when all memories are looked at.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// A memory of which nothing needs to be done while its row is seen like this.
    Settled {
        /// The key's bytes.
        key: &'a [u8],
        /// The row and the mapping as they were seen last.
        seen: Seen,
    },
    /// Another memory.
    Other,
    /// The end of a page, and what was on it.
    Page(&'a PageSeen),
}

/// Where a memory stands among those of its scope: its key, and which record that its row left.
pub type StatePlace = (String, u32);

/// A page of memories that was looked at.
#[derive(Clone, Debug)]
pub struct PageSeen {
    /// How many they were.
    pub number: usize,
    /// The last of them.
    pub last: StatePlace,
    /// How many there were of each kind.
    pub counts: StateCounts,
    /// Where their keys are, beside the ledger.
    pub keys: Option<KeysPlace>,
}

/// One memory at a glance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glance<'a> {
    /// The key's bytes, by which memories are ordered.
    pub(super) key: &'a [u8],
    /// Which record that its row left; 0 for the row's own. By that memories of one key are ordered.
    pub(super) departure: u32,
    /// What Vitally is known to hold.
    pub(super) standing: Standing,
    /// What is under way.
    pub(super) pending: Pending,
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    end: usize,
    departure: u32,
    standing: Standing,
    pending: Pending,
    seen: Option<Seen>,
}

/// What Vitally is known to hold of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Never,
    Assumed,
    Delivered,
    Released,
    Removed,
}

/// What is under way with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    None,
    Open,
    Waiting,
}

impl Glances {
    /// All that these rows give, read to their end.
    pub(super) fn read(mut rows: Rows<'_>, sight: Sight) -> rusqlite::Result<Self> {
        let mut glances = Self { sight, ..Self::default() };
        while let Some(row) = rows.next()? {
            let start = glances.keys.len();
            glances.keys.extend_from_slice(bytes(row.get_ref(0)?));
            let (end, departure) = (glances.keys.len(), departure(row.get_ref(1)?));
            let (standing, pending, seen) = match sight {
                Sight::All => state(row)?,
                Sight::Keys => (Standing::Never, Pending::None, None),
            };
            glances.rows.push(Entry { start, end, departure, standing, pending, seen });
        }
        Ok(glances)
    }

    /// None, of which only the keys are seen.
    pub(super) fn of_keys() -> Self {
        Self { sight: Sight::Keys, ..Self::default() }
    }

    /// Adds one of which only the key is seen.
    pub(super) fn push_key(&mut self, key: &[u8], departure: u32) {
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        let (standing, pending, end) = (Standing::Never, Pending::None, self.keys.len());
        self.rows.push(Entry { start, end, departure, standing, pending, seen: None });
    }

    /// Looks at all of them, whose keys are kept there.
    pub(super) fn looks(
        &self,
        keys: Option<KeysPlace>,
        look: &mut impl FnMut(Look<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut counts = StateCounts::default();
        for glance in (0..self.len()).filter_map(|place| self.at(place)) {
            counts.count(glance.standing, glance.pending);
            look(glance.settled().map_or(Look::Other, |seen| Look::Settled { key: glance.key, seen }))?;
        }
        match self.ends().map(|(first, last)| first.max(last)) {
            Some(last) => look(Look::Page(&PageSeen { number: self.len(), last, counts, keys })),
            None => ControlFlow::Continue(()),
        }
    }

    /// The keys of the first and the last of them, with their departures.
    pub(super) fn ends(&self) -> Option<(StatePlace, StatePlace)> {
        let of = |at| self.at(at).map(|glance| (text_of(glance.key), glance.departure));
        of(0).zip(of(self.len().checked_sub(1)?))
    }

    /// Leaves out those that do not stand before this place, of some in their order.
    pub(super) fn only_before(&mut self, place: &StatePlace) {
        let (key, departure) = (place.0.as_bytes(), place.1);
        let after = self.rows.partition_point(|entry| {
            let own = self.keys.get(entry.start..entry.end).unwrap_or_default();
            (own, entry.departure) < (key, departure)
        });
        self.rows.truncate(after);
    }

    /// How many memories there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The memory at this place.
    pub(super) fn at(&self, place: usize) -> Option<Glance<'_>> {
        let entry = self.rows.get(place)?;
        Some(Glance {
            key: self.keys.get(entry.start..entry.end).unwrap_or_default(),
            departure: entry.departure,
            standing: entry.standing,
            pending: entry.pending,
            seen: entry.seen,
        })
    }
}

impl Glance<'_> {
    /// Where it stands among the others.
    pub(super) fn place(&self) -> (&[u8], u32) {
        (self.key, self.departure)
    }

    /// How the row was seen last, if nothing is to be done while it is seen like this.
    pub(super) fn settled(self) -> Option<Seen> {
        self.seen.filter(|seen| self.departure == 0 && self.is_same(seen))
    }

    /// Whether nothing is to be done about a row that is seen like this: it was delivered or assumed, nothing is
    /// pending, and neither the row nor the mapping changed.
    pub(super) fn is_same(self, seen: &Seen) -> bool {
        matches!(self.standing, Standing::Delivered | Standing::Assumed)
            && self.pending == Pending::None
            && self.seen.as_ref() == Some(seen)
    }
}

impl Standing {
    /// The standing of this name in the ledger.
    fn of(name: &[u8]) -> Self {
        match name {
            b"assumed" => Self::Assumed,
            b"delivered" => Self::Delivered,
            b"released" => Self::Released,
            b"removed" => Self::Removed,
            _ => Self::Never,
        }
    }
}

impl Pending {
    /// What has this name in the ledger. What has no name that Coho writes is read whole, and told there.
    fn of(name: &[u8]) -> Self {
        match name {
            b"none" => Self::None,
            b"waiting" => Self::Waiting,
            _ => Self::Open,
        }
    }
}

/// What a glance has besides the memory's place.
fn state(row: &Row<'_>) -> rusqlite::Result<(Standing, Pending, Option<Seen>)> {
    // What another encoding digested is of no use.
    let seen = if row.get_ref(4)? == ValueRef::Integer(ENCODING.into()) {
        digest(row.get_ref(5)?).zip(digest(row.get_ref(6)?))
    } else {
        None
    };
    let (standing, pending) = (Standing::of(bytes(row.get_ref(2)?)), Pending::of(bytes(row.get_ref(3)?)));
    Ok((standing, pending, seen.map(|(row, mapping)| Seen { row, mapping })))
}

fn text_of(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

fn digest(value: ValueRef<'_>) -> Option<Digest> {
    bytes(value).try_into().ok().map(Digest::from_bytes)
}

fn departure(value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::Integer(number) => u32::try_from(number).unwrap_or_default(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => 0,
    }
}
