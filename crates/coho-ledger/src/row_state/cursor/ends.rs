//! A survey from both ends at once: memories from the first one on are looked at here, those from the last one on by a thread of its
//! own, until they meet.
//!
//! Two connections see one snapshot where nothing was committed between the moments at which their transactions began: SQLite
//! says so (<https://www.sqlite.org/pragma.html#pragma_data_version>). Else one of them looks at everything.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rusqlite::{Connection, params};

use super::{PAGE, RowStates, count, text};
use crate::failure::{Fault, LedgerError};
use crate::open::reader;
use crate::row_state::glance::{Glances, Look, Sight, StatePlace};
use crate::row_state::keys::KeyFile;

/// So many pages are looked at before a thread is worth its start.
const ALONE: usize = 2;

const DOING: &str = "reading row states";

/// The connection from the last memory on, before its transaction begins.
#[derive(Debug)]
pub(super) struct Beside {
    connection: Connection,
    /// What SQLite said of the ledger before the other connection's transaction began.
    version: i64,
}

impl Beside {
    /// One for a snapshot that is taken afterwards.
    pub(super) fn before(path: &Path) -> rusqlite::Result<Self> {
        let connection = reader(path)?;
        let version = version(&connection)?;
        Ok(Self { connection, version })
    }

    /// The memories from the last one on. `None` where something was committed since.
    fn begin(self, scope: i64) -> rusqlite::Result<Option<Descent>> {
        let Self { connection, version: before } = self;
        connection.execute_batch("BEGIN")?;
        // Asking takes the snapshot.
        let is_same = version(&connection)? == before;
        let keys = KeyFile::default();
        Ok(is_same.then_some(Descent { connection, scope, before: None, keys }))
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

/// How far both have come.
#[derive(Debug, Default)]
struct Frontier {
    /// The last memory of the last page from the first one on.
    low: Option<StatePlace>,
    /// The first memory of the last page from the last one on.
    high: Option<StatePlace>,
    /// Nobody wants more.
    is_over: bool,
}

fn lock(frontier: &Mutex<Frontier>) -> MutexGuard<'_, Frontier> {
    frontier.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memories from the last one on.
struct Descent {
    connection: Connection,
    scope: i64,
    /// The first memory of the page behind.
    before: Option<StatePlace>,
    keys: KeyFile,
}

impl Descent {
    fn page(&mut self) -> Result<Glances, Fault> {
        let to = if self.before.is_some() { "(key, departure) < (?2, ?3)" } else { "?2 IS ?3" };
        let sql = format!(
            "SELECT {} FROM memory WHERE scope = ?1 AND {to} ORDER BY key DESC, departure DESC LIMIT ?4",
            Sight::All.columns()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (key, departure) =
            self.before.as_ref().map(|(key, departure)| (key.as_str(), *departure)).unzip();
        let page =
            Glances::read(statement.query(params![self.scope, key, departure, count(PAGE)])?, Sight::All)?;
        if let Some(first) = page.len().checked_sub(1).and_then(|first| page.at(first)) {
            self.before = Some((text(first.key)?.to_owned(), first.departure));
        }
        Ok(page)
    }

    /// Looks at pages until they meet those from the first memory on. Gives the first memory of each; none where that was broken off.
    fn look(
        mut self,
        frontier: &Mutex<Frontier>,
        mut look: impl FnMut(Look<'_>) -> ControlFlow<()>,
    ) -> Result<Vec<StatePlace>, Fault> {
        let mut pages = Vec::new();
        loop {
            let page = self.page()?;
            let Some(first) = self.before.clone().filter(|_| page.len() > 0) else { return Ok(pages) };
            if page.looks(self.keys.keep(&page), &mut look).is_break() {
                return Ok(Vec::new());
            }
            pages.push(first.clone());
            let mut frontier = lock(frontier);
            if frontier.is_over || frontier.low.as_ref().is_some_and(|low| *low >= first) {
                return Ok(pages);
            }
            frontier.high = Some(first);
        }
    }
}

impl RowStates {
    /// As [`RowStates::survey`], by two who look at once: `first` sees memories from the first one on, `last` those from the last one
    /// on, until they meet. Gives how many of the pages that `last` saw, from its first one on, stand behind those that `first`
    /// saw: all others were seen by `first` too. Where `last` breaks off, everything is for `first`.
    pub fn survey_from_both_ends(
        &mut self,
        mut first: impl FnMut(Look<'_>) -> ControlFlow<()>,
        last: impl FnMut(Look<'_>) -> ControlFlow<()> + Send,
    ) -> Result<usize, LedgerError> {
        let mut alone = 0;
        let mut others = 0;
        while alone < ALONE && self.look_on(&mut first, None)?.is_continue() {
            alone += 1;
        }
        if alone == ALONE {
            others = match self.descent()? {
                Some(descent) => self.meet(descent, &mut first, last)?,
                None => self.rest(&mut first, None).map(|()| 0)?,
            };
        }
        self.rewind();
        Ok(others)
    }

    /// The memories from the last one on, where they can be seen as these are.
    fn descent(&mut self) -> Result<Option<Descent>, LedgerError> {
        let Some(source) = &mut self.source else { return Ok(None) };
        let Some(beside) = source.beside.take() else { return Ok(None) };
        beside.begin(source.scope).map_err(|error| Fault::from(error).on(&self.path, DOING))
    }

    fn meet(
        &mut self,
        descent: Descent,
        first: &mut impl FnMut(Look<'_>) -> ControlFlow<()>,
        last: impl FnMut(Look<'_>) -> ControlFlow<()> + Send,
    ) -> Result<usize, LedgerError> {
        let frontier = Mutex::new(Frontier::default());
        let (ascended, descended) = thread::scope(|scope| {
            let descending = scope.spawn(|| descent.look(&frontier, last));
            let ascended = self.ascend(&frontier, first);
            lock(&frontier).is_over |= !matches!(ascended, Ok(ControlFlow::Continue(())));
            (ascended, descending.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let ended = ascended?;
        let mut others = descended.map_err(|fault| fault.on(&self.path, DOING))?;
        if ended.is_break() {
            return Ok(0);
        }
        let low = self.last_place();
        while others.last().is_some_and(|page| low.as_ref().is_some_and(|low| page <= low)) {
            others.pop();
        }
        self.rest(first, others.last())?;
        Ok(others.len())
    }

    /// Looks at pages until they meet those from the last memory on.
    fn ascend(
        &mut self,
        frontier: &Mutex<Frontier>,
        look: &mut impl FnMut(Look<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LedgerError> {
        while !self.is_over()? {
            if self.look_on(look, None)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            let low = self.last_place();
            let mut frontier = lock(frontier);
            let is_met = frontier.high.as_ref().is_some_and(|high| low.as_ref() >= Some(high));
            frontier.low = low;
            if is_met {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Looks at all further pages, up to this memory.
    fn rest(
        &mut self,
        look: &mut impl FnMut(Look<'_>) -> ControlFlow<()>,
        end: Option<&StatePlace>,
    ) -> Result<(), LedgerError> {
        while self.look_on(look, end)?.is_continue() {}
        Ok(())
    }

    /// Looks at the next page, up to this memory. Breaks where nothing more is to be seen.
    fn look_on(
        &mut self,
        look: &mut impl FnMut(Look<'_>) -> ControlFlow<()>,
        end: Option<&StatePlace>,
    ) -> Result<ControlFlow<()>, LedgerError> {
        if self.is_over()? {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(end) = end {
            self.page.only_before(end);
        }
        let looked = self.page.looks(self.keys.keep(&self.page), look);
        let is_last = self.page.len() < PAGE;
        self.next = self.page.len();
        Ok(if is_last { ControlFlow::Break(()) } else { looked })
    }

    /// The last memory that was looked at.
    fn last_place(&self) -> Option<StatePlace> {
        self.source.as_ref().and_then(|source| source.after.clone())
    }
}
