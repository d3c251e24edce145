//! The memories of a scope in the order of their keys, streamed from a connection of their own.
//!
//! The cursor sees the ledger as it was at its first page, whatever is written meanwhile. It looks at a page of glances at a
//! time, and reads whole only those memories that are taken: as many at once as were taken one after the other before.

mod ends;

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use coho_core::key::Key;
use coho_core::row_state::{RowState, Seen};
use coho_core::time::Time;
use rusqlite::{Connection, params};

use self::ends::Beside;
use super::StateCounts;
use super::glance::{Glance, Glances, Look, PageSeen, Sight, StatePlace};
use super::keys::{self, KeyFile};
use super::page::{Page, Raw, columns_of};
use crate::failure::{Fault, LedgerError};
use crate::open::reader;
use crate::scope::SyncScope;

/// Memories that are read at once.
const PAGE: usize = 2_048;

/// The memories of a scope, in the order of their keys' bytes.
#[derive(Debug)]
pub struct RowStates {
    source: Option<Source>,
    path: Arc<Path>,
    /// Whether there is no further page.
    is_over: bool,
    /// How many memories stand before the page.
    before: usize,
    page: Glances,
    next: usize,
    whole: Whole,
    counts: StateCounts,
    /// The keys of the pages that a survey from both ends saw from the first memory on.
    keys: KeyFile,
}

/// How a survey looks at memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surveyed {
    /// From the first one on.
    InOrder,
    /// From both ends at once.
    FromBothEnds,
}

/// Memories that were read whole: some of the page, one after the other.
#[derive(Debug, Default)]
struct Whole {
    rows: Arc<Page>,
    /// The place of the first of them on the page.
    first: usize,
    /// How many were asked for.
    run: usize,
    /// A memory before this place that is taken next makes the run longer.
    soon: usize,
}

impl Whole {
    fn has(&self, place: usize) -> bool {
        (self.first..self.first + self.rows.len()).contains(&place)
    }

    /// How many are read from this place on.
    fn run_from(&self, place: usize) -> usize {
        if place < self.soon { (2 * self.run).clamp(1, PAGE) } else { 1 }
    }

    /// The same before the next page, where those of this one are of no use. So many memories were on it.
    fn turn(&mut self, page: usize) {
        let soon = if self.soon >= page { self.run } else { 0 };
        *self = Self { run: self.run, soon, ..Self::default() };
    }
}

#[derive(Debug)]
struct Source {
    connection: Connection,
    scope: i64,
    /// The last memory of the page before.
    after: Option<StatePlace>,
    /// Who looks at memories from the last one on.
    beside: Option<Beside>,
    /// What reads some memories whole: it is asked often.
    whole: String,
}

impl RowStates {
    /// No memories at all: for a sync that never ran.
    pub fn none() -> Self {
        Self {
            source: None,
            path: Path::new("").into(),
            is_over: true,
            before: 0,
            page: Glances::default(),
            next: 0,
            whole: Whole::default(),
            counts: StateCounts::default(),
            keys: KeyFile::default(),
        }
    }

    pub(super) fn open(path: &Path, scope: &SyncScope, surveyed: Surveyed) -> Result<Self, LedgerError> {
        let source = Source::open(path, scope, surveyed)
            .map_err(|error| Fault::from(error).on(path, "opening a cursor"))?;
        let mut row_states = Self { source: Some(source), path: path.into(), is_over: false, ..Self::none() };
        // The first page is read now, so that the snapshot is of this moment.
        row_states.turn()?;
        Ok(row_states)
    }

    /// How many memories of each kind were passed so far.
    pub fn counts(&self) -> StateCounts {
        self.counts
    }

    /// Where a row of this key stands to the next memory, which stays the next one: before it, after it, or it is its own.
    /// `None` where there is no further memory.
    pub fn compare(&mut self, row: &[u8]) -> Result<Option<Ordering>, LedgerError> {
        Ok(self.peek()?.map(|glance| (row, 0).cmp(&(glance.key, glance.departure))))
    }

    /// Whether nothing is to be done about the next memory where its row is seen like this: it was delivered or assumed,
    /// nothing is pending, and neither the row nor the mapping changed. Decodes nothing.
    pub fn is_same(&mut self, seen: &Seen) -> Result<bool, LedgerError> {
        Ok(self.peek()?.is_some_and(|glance| glance.is_same(seen)))
    }

    /// Whether there is a further memory.
    pub fn is_over(&mut self) -> Result<bool, LedgerError> {
        Ok(self.peek()?.is_none())
    }

    /// The next memory, which stays the next one.
    fn peek(&mut self) -> Result<Option<Glance<'_>>, LedgerError> {
        if self.next >= self.page.len() {
            self.turn()?;
        }
        Ok(self.page.at(self.next))
    }

    /// Looks at all memories from the first one on, and then stands before the first one again. Nothing may have been passed.
    pub fn survey(&mut self, mut look: impl FnMut(Look<'_>) -> ControlFlow<()>) -> Result<(), LedgerError> {
        while !self.is_over()? {
            if self.page.looks(None, &mut look).is_break() {
                break;
            }
            self.next = self.page.len();
        }
        self.rewind();
        Ok(())
    }

    /// Stands before the first memory again.
    fn rewind(&mut self) {
        if let Some(source) = &mut self.source {
            (source.after, source.beside) = (None, None);
        }
        (self.page, self.before, self.next) = (Glances::default(), 0, 0);
        self.is_over = self.source.is_none();
    }

    /// How many memories were passed.
    pub fn place(&self) -> usize {
        self.before + self.next
    }

    /// Whether the next memory is the first of a page.
    pub fn begins_page(&self) -> bool {
        self.next >= self.page.len()
    }

    /// Passes a page, as a survey saw it, without reading it: the next memory must be its first.
    pub fn pass_page(&mut self, seen: &PageSeen) {
        if let Some(source) = &mut self.source {
            source.after = Some(seen.last.clone());
        }
        self.before += self.page.len() + seen.number;
        (self.page, self.next, self.whole) = (Glances::default(), 0, Whole::default());
        self.counts.add(seen.counts);
    }

    /// Reads of a page, as a survey saw it, only which memories are there: none of them counts as the same. The next memory must be
    /// its first.
    pub fn turn_to_keys(&mut self, seen: &PageSeen) -> Result<(), LedgerError> {
        match seen.keys.as_ref().and_then(keys::read) {
            Some(page) => {
                if let Some(source) = &mut self.source {
                    source.after = Some(seen.last.clone());
                }
                self.stand_on(page);
            }
            None => self.turn_to(seen.number, Sight::Keys)?,
        }
        self.counts.add(seen.counts);
        Ok(())
    }

    /// Goes on behind the next memory, without looking at it. There must be one.
    pub fn pass(&mut self) {
        if let Some(glance) = self.page.at(self.next).filter(|_| self.page.sight == Sight::All) {
            self.counts.count(glance.standing, glance.pending);
        }
        self.next += 1;
    }

    /// The next memory. There must be one.
    pub fn take_next(&mut self) -> Result<StateRow, LedgerError> {
        if !self.whole.has(self.next) {
            self.read_whole()?;
        }
        let (page, path) = (Arc::clone(&self.whole.rows), Arc::clone(&self.path));
        let row = StateRow { page, row: self.next - self.whole.first, path };
        self.pass();
        Ok(row)
    }

    /// Reads the next memory, and some behind it where several were taken one after the other before.
    fn read_whole(&mut self) -> Result<(), LedgerError> {
        let (Some(source), Some(glance)) = (&self.source, self.page.at(self.next)) else { return Ok(()) };
        let run = self.whole.run_from(self.next);
        let most = run.min(self.page.len() - self.next);
        let rows = source.whole(glance, most).map_err(|fault| fault.on(&self.path, "reading row states"))?;
        self.whole = Whole { rows: Arc::new(rows), first: self.next, run, soon: self.next + 2 * run };
        Ok(())
    }

    fn turn(&mut self) -> Result<(), LedgerError> {
        self.turn_to(PAGE, Sight::All)
    }

    fn turn_to(&mut self, most: usize, sight: Sight) -> Result<(), LedgerError> {
        // At the end nobody asks again, however often it is looked for.
        let Some(source) = self.source.as_mut().filter(|_| !self.is_over) else { return Ok(()) };
        let page = source.page(most, sight).map_err(|fault| fault.on(&self.path, "reading row states"))?;
        self.stand_on(page);
        Ok(())
    }

    /// Goes on to a page.
    fn stand_on(&mut self, page: Glances) {
        self.is_over = page.len() == 0;
        self.whole.turn(self.page.len());
        self.before += self.page.len();
        self.page = page;
        self.next = 0;
    }
}

impl Source {
    fn open(path: &Path, scope: &SyncScope, surveyed: Surveyed) -> rusqlite::Result<Self> {
        let beside = match surveyed {
            Surveyed::FromBothEnds => Some(Beside::before(path)?),
            Surveyed::InOrder => None,
        };
        let connection = reader(path)?;
        connection.execute_batch("BEGIN")?;
        let whole = format!(
            "SELECT {} FROM memory WHERE scope = ?1 AND (key, departure) >= (?2, ?3) ORDER BY key, departure LIMIT ?4",
            columns_of("memory")
        );
        Ok(Self { connection, scope: scope.id, after: None, beside, whole })
    }

    fn page(&mut self, most: usize, sight: Sight) -> Result<Glances, Fault> {
        let from = if self.after.is_some() { "(key, departure) > (?2, ?3)" } else { "?2 IS ?3" };
        let sql = format!(
            "SELECT {} FROM memory WHERE scope = ?1 AND {from} ORDER BY key, departure LIMIT ?4",
            sight.columns()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (key, departure) = self.after.as_ref().map(|(key, departure)| (key.as_str(), *departure)).unzip();
        let page = Glances::read(statement.query(params![self.scope, key, departure, count(most)])?, sight)?;
        if let Some(last) = page.len().checked_sub(1).and_then(|last| page.at(last)) {
            self.after = Some((text(last.key)?.to_owned(), last.departure));
        }
        Ok(page)
    }

    /// So many memories from this one on.
    fn whole(&self, first: Glance<'_>, most: usize) -> Result<Page, Fault> {
        let mut statement = self.connection.prepare_cached(&self.whole)?;
        let key = text(first.key)?;
        Ok(Page::read(statement.query(params![self.scope, key, first.departure, count(most)])?)?)
    }
}

fn count(memories: usize) -> i64 {
    i64::try_from(memories).unwrap_or(i64::MAX)
}

fn text(key: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(key).map_err(|_| Fault::damaged("a key is not UTF-8"))
}

impl Iterator for RowStates {
    type Item = Result<StateRow, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.is_over() {
            Ok(false) => Some(self.take_next()),
            Ok(true) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// A memory that is decoded when it is asked for. It keeps the page alive that it came from: decode it, do not collect it.
#[derive(Clone, Debug)]
pub struct StateRow {
    page: Arc<Page>,
    row: usize,
    path: Arc<Path>,
}

impl StateRow {
    fn raw(&self) -> Raw<'_> {
        self.page.at(self.row)
    }

    /// The key.
    pub fn key(&self) -> Key {
        self.raw().whole_key()
    }

    /// Whether something of it waits for another attempt. Decodes nothing else.
    pub fn waits(&self) -> bool {
        self.raw().pending() == b"waiting"
    }

    /// When the memory changed last. Decodes nothing else.
    pub fn updated_at(&self) -> Time {
        self.raw().updated_at()
    }

    /// The whole memory.
    pub fn decode(&self) -> Result<RowState, LedgerError> {
        self.raw().decode().map_err(|fault| fault.on(&self.path, "reading row states"))
    }
}
