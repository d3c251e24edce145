//! Inserting what evaluation gives into the plan's table, on a thread of its own: while a row is written, the next one is evaluated.
//!
//! Lines are written in the order in which they were given, and few wait: evaluation never runs far ahead.

use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use crate::failure::PlanError;
use crate::table::line::Line;
use crate::table::{Table, TableError};

/// Lines that are handed over at once.
const AT_ONCE: usize = 128;
/// How many times so many may wait.
const WAITING: usize = 4;

/// Takes what is to be inserted.
pub(super) struct TableWriter<'scope> {
    lines: Vec<Line>,
    sender: Option<SyncSender<Vec<Line>>>,
    thread: Option<ScopedJoinHandle<'scope, Result<(), TableError>>>,
}

impl<'scope> TableWriter<'scope> {
    /// Begins to write. Where it is dropped, what it was given last is not written.
    pub(super) fn new<'env>(scope: &'scope Scope<'scope, 'env>, table: &'env Table) -> Self {
        let (sender, lines) = sync_channel::<Vec<Line>>(WAITING);
        let thread = scope.spawn(move || lines.iter().try_for_each(|lines| table.insert(lines)));
        Self { lines: Vec::with_capacity(AT_ONCE), sender: Some(sender), thread: Some(thread) }
    }

    /// Adds a line.
    pub(super) fn push(&mut self, line: Line) -> Result<(), PlanError> {
        self.lines.push(line);
        if self.lines.len() < AT_ONCE { Ok(()) } else { self.hand_over() }
    }

    fn hand_over(&mut self) -> Result<(), PlanError> {
        let lines = std::mem::replace(&mut self.lines, Vec::with_capacity(AT_ONCE));
        match &self.sender {
            Some(sender) if sender.send(lines).is_ok() => Ok(()),
            // Who takes nothing any more has failed.
            Some(_) | None => self.end(),
        }
    }

    /// Waits until all is written.
    pub(super) fn finish(mut self) -> Result<(), PlanError> {
        self.hand_over()?;
        self.end()
    }

    /// Ends the thread. If it panicked, so does this one.
    fn end(&mut self) -> Result<(), PlanError> {
        self.sender = None;
        match self.thread.take().map(ScopedJoinHandle::join) {
            Some(Ok(written)) => Ok(written?),
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use coho_core::key::Key;

    use super::*;
    use crate::stop::Stop;

    /// Gives so many keys to a writer of this table.
    fn give(table: &Table, keys: usize) -> Result<(), PlanError> {
        thread::scope(|scope| {
            let mut writer = TableWriter::new(scope, table);
            (0..keys).try_for_each(|key| writer.push(Line::Gone(Key::new(key.to_string()))))?;
            writer.finish()
        })
    }

    #[test]
    fn lines_are_written_in_their_order_to_the_last_one() {
        for keys in [0, 1, AT_ONCE, 20 * AT_ONCE + 1] {
            let table = Table::new(&std::env::temp_dir(), &Stop::new()).unwrap();
            give(&table, keys).unwrap();
            let in_order = "SELECT count(*) FROM gone WHERE key = id - 1";
            assert_eq!(table.number(in_order, []).unwrap(), keys as u64);
        }
    }

    #[test]
    fn what_the_table_refuses_is_told_whenever_it_is_found() {
        for keys in [1, 100 * AT_ONCE] {
            let table = Table::new(&std::env::temp_dir(), &Stop::new()).unwrap();
            table.batch("DROP TABLE gone").unwrap();
            assert!(matches!(give(&table, keys), Err(PlanError::Table(TableError::Sql { .. }))));
        }
    }

    #[test]
    fn who_gives_up_is_not_waited_for() {
        let table = Table::new(&std::env::temp_dir(), &Stop::new()).unwrap();
        thread::scope(|scope| drop(TableWriter::new(scope, &table)));
        assert_eq!(table.number("SELECT count(*) FROM gone", []).unwrap(), 0);
    }
}
