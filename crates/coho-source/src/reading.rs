//! A reading: batches of rows from a reader that runs beside its consumer, through a bounded channel.
//!
//! [`crate::read`] starts one; [`Sink`] is a blocking reader's end of the channel, [`Batch`] collects rows for both kinds.

use std::fmt;
use std::ops::ControlFlow;

use coho_core::row::{Columns, RowBuf};
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::buckets::comparing::Question;
use crate::buckets::{Changed, CompareQuery, GoneKey, MarkedRow, Moved, SourceSums, Wanted};
use crate::outline::{Needed, Outline};
use crate::read::SourceError;

/// The most rows of a batch.
const BATCH_ROWS: usize = 1_000;
/// A batch ends with the row that reaches this many bytes.
const BATCH_BYTES: usize = 256 * 1024;
/// How many batches may wait for the consumer: with them a reading holds about 1 MiB.
const WAITING: usize = 4;

/// How much of a model is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadScope {
    /// All rows.
    All,
    /// At most so many rows, whichever the source gives first: what is missing says nothing about the source.
    First(u64),
}

/// Rows on their way from a source.
///
/// Dropping it stops the reader and cancels the query.
pub struct Reading {
    outline: Outline,
    /// Where the reader waits for what is needed, until the first rows are asked for.
    needed: Option<oneshot::Sender<Begin>>,
    /// Where it waits for which rows are wanted, once it was asked to compare.
    wanted: Option<oneshot::Sender<Wanted>>,
    parts: mpsc::Receiver<Part>,
    moved: Moved,
    counted: Option<u64>,
    ended: bool,
}

/// What a reader is told before it reads.
pub(crate) struct Begin {
    /// Which columns somebody reads.
    pub(crate) needed: Needed,
    /// What it is asked first. A reader that does not compare drops it.
    pub(crate) question: Option<Question>,
}

/// What a reader says. The channel's end alone means nothing: a reader that panics ends it as well.
pub(crate) enum Part {
    /// First of all: what the rows will be, and where the reader waits for what is needed of them.
    Opened(Outline, oneshot::Sender<Begin>),
    /// Some rows.
    Rows(Vec<RowBuf>),
    /// Some rows, each with what its source says of it.
    Marked(Vec<MarkedRow>),
    /// Some keys that are in a cache, and have no rows.
    Gone(Vec<GoneKey>),
    /// How many rows have a key, whether they came or not.
    Counted(u64),
    /// What was moved since this was said last.
    Moved(Moved),
    /// The source was read to the end of the scope.
    End,
    /// Nothing more comes.
    Failed(SourceError),
}

impl Reading {
    /// Waits until the reader has opened its source.
    pub(crate) async fn opened(mut parts: mpsc::Receiver<Part>) -> Result<Self, SourceError> {
        match parts.recv().await {
            Some(Part::Opened(outline, needed)) => {
                let needed = Some(needed);
                Ok(Self {
                    outline,
                    needed,
                    wanted: None,
                    parts,
                    moved: Moved::default(),
                    counted: None,
                    ended: false,
                })
            }
            Some(Part::Failed(error)) => Err(error),
            Some(
                Part::Rows(_)
                | Part::Marked(_)
                | Part::Gone(_)
                | Part::Counted(_)
                | Part::Moved(_)
                | Part::End,
            )
            | None => Err(SourceError::Stopped),
        }
    }

    /// The columns, in the order of each row's cells.
    pub fn columns(&self) -> &Columns {
        self.outline.columns()
    }

    /// What the rows will be.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// Says, before the first rows are asked for, which columns somebody reads. What is wrong in the others fails nothing: they
    /// are null where they cannot be read. Without this all columns are needed.
    pub fn need(&mut self, columns: &[usize]) -> Result<(), SourceError> {
        self.outline.allow(columns)?;
        self.begin(Needed::of(self.columns().len(), columns), None);
        Ok(())
    }

    /// The same, where nobody looks at the other columns at all: they are null, and are not read where that spares work.
    pub fn need_only(&mut self, columns: &[usize]) -> Result<(), SourceError> {
        self.outline.allow(columns)?;
        self.begin(Needed::of(self.columns().len(), columns).only(), None);
        Ok(())
    }

    fn begin(&mut self, columns: Needed, question: Option<Question>) {
        if let Some(begin) = self.needed.take() {
            // A reader that has ended says why in its last part.
            begin.send(Begin { needed: columns, question }).unwrap_or_default();
        }
    }

    /// As [`Reading::need_only`], where the source says first what its buckets hold. Then [`Reading::want`] says which rows
    /// are to come, and [`Reading::next_marked`] gives them. `Err` within says why the source cannot compare this model: then
    /// all rows come, by [`Reading::next`].
    pub async fn compare(
        &mut self,
        columns: &[usize],
        ask: CompareQuery,
    ) -> Result<Result<SourceSums, String>, SourceError> {
        self.outline.allow(columns)?;
        let (told, answer) = oneshot::channel();
        let (wanted, waits) = oneshot::channel();
        let question = Question { ask, told, wanted: waits };
        self.begin(Needed::of(self.columns().len(), columns).only(), Some(question));
        match answer.await {
            Ok(told) => {
                self.wanted = told.is_ok().then_some(wanted);
                Ok(told)
            }
            // A reader that does not answer has failed, or goes on to read.
            Err(_) => match self.parts.recv().await {
                Some(Part::Failed(error)) => Err(error),
                Some(_) | None => Err(SourceError::Stopped),
            },
        }
    }

    /// Says which rows are to come, after [`Reading::compare`].
    pub fn want(&mut self, rows: Wanted) {
        if let Some(wanted) = self.wanted.take() {
            // A reader that has ended says why in its last part.
            wanted.send(rows).unwrap_or_default();
        }
    }

    /// As [`Reading::next`], for rows that were asked for with [`Reading::want`].
    pub async fn next_marked(&mut self) -> Result<Option<Vec<MarkedRow>>, SourceError> {
        match self.part().await? {
            Part::Marked(rows) => Ok(Some(rows)),
            Part::End => Ok(None),
            Part::Failed(error) => Err(error),
            Part::Opened(..) | Part::Rows(_) | Part::Gone(_) | Part::Counted(_) | Part::Moved(_) => {
                Err(SourceError::Stopped)
            }
        }
    }

    /// The same where a cache was asked about: keys come as well that have no rows.
    pub async fn next_changed(&mut self) -> Result<Option<Changed>, SourceError> {
        match self.part().await? {
            Part::Marked(rows) => Ok(Some(Changed::Rows(rows))),
            Part::Gone(keys) => Ok(Some(Changed::Gone(keys))),
            Part::End => Ok(None),
            Part::Failed(error) => Err(error),
            Part::Opened(..) | Part::Rows(_) | Part::Counted(_) | Part::Moved(_) => Err(SourceError::Stopped),
        }
    }

    /// How many rows have a key, whether they came or not, where a cache told which ones come.
    pub fn counted(&self) -> Option<u64> {
        self.counted
    }

    /// How much of the source was moved so far, where the source counts that.
    pub fn moved(&self) -> Moved {
        self.moved
    }

    /// The next part that is not only a count.
    async fn part(&mut self) -> Result<Part, SourceError> {
        while !self.ended {
            match self.parts.recv().await.ok_or(SourceError::Stopped)? {
                Part::Moved(more) => {
                    self.moved.rows += more.rows;
                    self.moved.bytes += more.bytes;
                }
                Part::Counted(rows) => self.counted = Some(rows),
                Part::End => self.ended = true,
                part @ (Part::Opened(..)
                | Part::Rows(_)
                | Part::Marked(_)
                | Part::Gone(_)
                | Part::Failed(_)) => {
                    return Ok(part);
                }
            }
        }
        Ok(Part::End)
    }

    /// The next rows, at least one. `None` only after the source was read to the end of the scope: after an error, and for
    /// whoever stops asking, the reading is incomplete.
    pub async fn next(&mut self) -> Result<Option<Vec<RowBuf>>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        if self.needed.is_some() {
            let all: Vec<usize> = (0..self.columns().len()).collect();
            self.need(&all)?;
        }
        match self.part().await? {
            Part::Rows(rows) => Ok(Some(rows)),
            Part::End => Ok(None),
            Part::Failed(error) => Err(error),
            Part::Opened(..) | Part::Marked(_) | Part::Gone(_) | Part::Counted(_) | Part::Moved(_) => {
                Err(SourceError::Stopped)
            }
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("columns", self.columns())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The channel between a reader and its reading.
pub(crate) fn channel() -> (mpsc::Sender<Part>, mpsc::Receiver<Part>) {
    mpsc::channel(WAITING)
}

/// Gives a part to whoever reads.
pub(crate) async fn hand_on(parts: &mpsc::Sender<Part>, part: Part) -> Result<(), SourceError> {
    parts.send(part).await.map_err(|_| SourceError::Stopped)
}

/// Runs a blocking reader on a thread of its own.
pub(crate) async fn spawn<R>(scope: ReadScope, reader: R) -> Result<Reading, SourceError>
where
    R: FnOnce(&mut Sink) -> Result<(), SourceError> + Send + 'static,
{
    let (parts, receiver) = channel();
    tokio::task::spawn_blocking(move || {
        let mut sink = Sink { parts, batch: Batch::new(scope) };
        let last = match reader(&mut sink) {
            Ok(()) => sink.rest(),
            Err(error) => Part::Failed(error),
        };
        // Where nobody listens any more, nobody needs the end.
        sink.parts.blocking_send(last).unwrap_or_default();
    });
    Reading::opened(receiver).await
}

/// A blocking reader's end of the channel.
///
/// Each method breaks where no more rows are wanted: the reader then returns `Ok(())` without looking for the source's end.
pub(crate) struct Sink {
    parts: mpsc::Sender<Part>,
    batch: Batch,
}

impl Sink {
    /// Says what the rows will be, before the first of them, and waits to be told which columns somebody reads.
    pub(crate) fn open(&mut self, outline: Outline) -> ControlFlow<(), Needed> {
        let (told, needed) = oneshot::channel();
        self.send(Part::Opened(outline, told))?;
        if self.batch.is_full() {
            return ControlFlow::Break(());
        }
        // Whoever drops the reading asks for nothing.
        needed.blocking_recv().map_or(ControlFlow::Break(()), |begin| ControlFlow::Continue(begin.needed))
    }

    /// Gives the next row.
    pub(crate) fn row(&mut self, row: RowBuf) -> ControlFlow<()> {
        if let Some(rows) = self.batch.push(row) {
            self.send(Part::Rows(rows))?;
        }
        if self.batch.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Breaks where nobody listens any more; for readers that work long without giving a row.
    pub(crate) fn listening(&self) -> ControlFlow<()> {
        if self.parts.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Asks whether nobody listens any more, from within a source's own code.
    pub(crate) fn deaf(&self) -> impl Fn() -> bool + Send + 'static {
        let parts = self.parts.clone();
        move || parts.is_closed()
    }

    /// Waits, from within a source's own code, until nobody listens any more.
    pub(crate) fn gone(&self) -> impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static {
        let parts = self.parts.clone();
        move || {
            let parts = parts.clone();
            Box::pin(async move { parts.closed().await })
        }
    }

    fn rest(&mut self) -> Part {
        if let Some(rows) = self.batch.rest()
            && self.send(Part::Rows(rows)).is_break()
        {
            return Part::Failed(SourceError::Stopped);
        }
        Part::End
    }

    fn send(&self, part: Part) -> ControlFlow<()> {
        match self.parts.blocking_send(part) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// What rows weigh in a batch.
pub(crate) trait Weighed {
    /// In bytes.
    fn weight(&self) -> usize;
}

impl Weighed for RowBuf {
    fn weight(&self) -> usize {
        self.as_bytes().len()
    }
}

impl Weighed for MarkedRow {
    fn weight(&self) -> usize {
        self.row.as_bytes().len()
    }
}

impl Weighed for GoneKey {
    fn weight(&self) -> usize {
        self.key.len()
    }
}

/// Collects rows until there are enough to hand on.
pub(crate) struct Batch<R = RowBuf> {
    rows: Vec<R>,
    bytes: usize,
    wanted: u64,
}

impl<R: Weighed> Batch<R> {
    /// An empty batch of a reading with this scope.
    pub(crate) fn new(scope: ReadScope) -> Self {
        let wanted = match scope {
            ReadScope::All => u64::MAX,
            ReadScope::First(rows) => rows,
        };
        Self { rows: Vec::new(), bytes: 0, wanted }
    }

    /// Whether the scope wants no more rows.
    pub(crate) fn is_full(&self) -> bool {
        self.wanted == 0
    }

    /// Adds a row; gives the rows where there are enough of them.
    pub(crate) fn push(&mut self, row: R) -> Option<Vec<R>> {
        self.wanted = self.wanted.saturating_sub(1);
        self.bytes += row.weight();
        self.rows.push(row);
        if self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES { self.rest() } else { None }
    }

    /// The rows that wait, if there are any.
    pub(crate) fn rest(&mut self) -> Option<Vec<R>> {
        self.bytes = 0;
        if self.rows.is_empty() { None } else { Some(std::mem::take(&mut self.rows)) }
    }
}

#[cfg(test)]
mod tests {
    use coho_core::row::Cell;

    use super::*;
    use crate::outline::{Found, Layout};
    use crate::unsafe_type::Remedy;

    fn one_column() -> Outline {
        let found = vec![Found::plain("a", coho_core::row::ColumnType::Int)];
        Layout::of(found, Remedy::InFile, None).unwrap().outline
    }

    #[expect(clippy::unnecessary_wraps, reason = "a reader may fail")]
    fn endless(sink: &mut Sink) -> Result<(), SourceError> {
        if sink.open(one_column()).is_continue() {
            while sink.row(RowBuf::from_cells([Cell::Int(1)])).is_continue() {}
        }
        Ok(())
    }

    async fn count(mut reading: Reading) -> Result<usize, SourceError> {
        let mut rows = 0;
        while let Some(batch) = reading.next().await? {
            rows += batch.len();
        }
        Ok(rows)
    }

    #[tokio::test]
    async fn a_scope_ends_an_endless_source() {
        for wanted in [0, 1, 1_000, 2_500] {
            let reading = spawn(ReadScope::First(wanted), endless).await.unwrap();
            assert_eq!(count(reading).await.unwrap() as u64, wanted);
        }
    }

    #[tokio::test]
    async fn a_dropped_reading_stops_its_reader() {
        let (done, waits) = tokio::sync::oneshot::channel();
        let reader = move |sink: &mut Sink| {
            let result = endless(sink);
            done.send(()).unwrap();
            result
        };
        drop(spawn(ReadScope::All, reader).await.unwrap());
        waits.await.unwrap();
    }

    #[tokio::test]
    async fn a_reader_that_panics_has_not_reached_the_end() {
        let reader = |sink: &mut Sink| {
            assert!(sink.open(one_column()).is_continue());
            assert!(sink.row(RowBuf::default()).is_continue());
            panic!("a defect in a reader");
        };
        let reading = spawn(ReadScope::All, reader).await.unwrap();
        assert!(matches!(count(reading).await, Err(SourceError::Stopped)));
    }
}
