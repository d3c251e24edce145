//! ADBC: databases through drivers of Apache Arrow's interface, each in a process of its own (docs/decisions/0064).
//!
//! [`host`] is that process as Coho sees it, [`frame`] what is said between the two, [`failure`] what goes wrong. What runs in the
//! process is in [`drive`], behind the feature `adbc`; [`engine`] and [`statement`] are what it knows of SQL. [`compare`] asks what the
//! engine's rows sum up to.

pub(crate) mod engine;
pub(crate) mod statement;
mod frame;
mod failure;
mod host;
mod compare;
#[cfg(feature = "adbc")]
mod drive;

use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use coho_core::model::{Model, Relation};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

#[cfg(feature = "adbc")]
pub use drive::drive;
pub use failure::{AdbcError, AdbcRefusal, AdbcStep};

use crate::buckets::Moved;
use crate::connection::AdbcConnection;
use crate::database::{self, NoForm};
use crate::outline::{Layout, Needed, Outline};
use crate::read::{SourceError, unnamed};
use crate::reading::{Batch, Part, ReadScope, Reading, channel, hand_on};
use crate::table;
use crate::text::tag;
use crate::unsafe_type::Remedy;
use frame::{Answer, Asked, Care, Columns, Field, Order, Query, RefusedValue, Request, Wanted};
use host::Host;

/// The most parts of a table's name: catalog, schema, table.
const PARTS: usize = 3;

/// Whether the driver connects.
pub(crate) async fn test(settings: &AdbcConnection) -> Result<(), SourceError> {
    let request = Request { tag: "coho".to_owned(), ..Request::default() };
    let mut host = Host::start(settings, None, request).await?;
    let connected = in_time(settings, connected(&mut host)).await;
    host.end().await;
    Ok(connected?)
}

/// What the rows of a model will be, without running its query where the driver can tell.
pub(crate) async fn outline(settings: &AdbcConnection, model: &Model) -> Result<Outline, SourceError> {
    let asked = Asked::Columns(query(&model.relation)?);
    let mut host = start(settings, model, asked).await?;
    let columns = in_time(settings, columns(&mut host)).await;
    host.end().await;
    Ok(layout(&model.relation, columns?.fields)?.outline)
}

/// Begins to read a model.
pub(crate) async fn read(
    settings: &AdbcConnection,
    model: &Model,
    scope: ReadScope,
) -> Result<Reading, SourceError> {
    let query = query(&model.relation)?;
    let asked = match scope {
        ReadScope::All if settings.compares => Asked::Compared(query.clone()),
        ReadScope::All => Asked::Rows(query.clone(), u64::MAX),
        ReadScope::First(0) => Asked::Columns(query.clone()),
        ReadScope::First(most) => Asked::Rows(query.clone(), most),
    };
    let begun = Instant::now();
    let mut host = start(settings, model, asked).await?;
    let columns = match in_time(settings, columns(&mut host)).await {
        Ok(columns) => columns,
        Err(error) => {
            host.end().await;
            return Err(error.into());
        }
    };
    let layout = layout(&model.relation, columns.fields.clone())?;
    let (parts, receiver) = channel();
    let remedy = Remedy::of(&model.relation);
    let (settings, model) = (settings.clone(), model.clone());
    let transfer = Transfer { host, settings, model, query, begun, columns, layout, remedy };
    tokio::spawn(transfer.run(parts, scope));
    Reading::opened(receiver).await
}

fn query(relation: &Relation) -> Result<Query, SourceError> {
    match relation {
        Relation::Sql(sql) => Ok(Query::Sql(sql.text.clone())),
        Relation::Table(name) => Ok(Query::Table(table::split(name, PARTS)?)),
        Relation::Dbt(dbt) => Ok(Query::Sql(unnamed(dbt.select_all())?)),
        Relation::File { .. } => Err(SourceError::Relation { relation: "file", connection: "ADBC" }),
    }
}

async fn start(settings: &AdbcConnection, model: &Model, asked: Asked) -> Result<Host, AdbcError> {
    let sql = match &model.relation {
        Relation::Sql(sql) => Some(sql.text.clone()),
        Relation::Table(_) | Relation::Dbt(_) | Relation::File { .. } => None,
    };
    Host::start(settings, sql, Request { tag: tag(&model.name), asked, ..Request::default() }).await
}

async fn connected(host: &mut Host) -> Result<(), AdbcError> {
    match host.next().await? {
        (Answer::End, _) => Ok(()),
        (
            Answer::Columns(_)
            | Answer::Rows(_)
            | Answer::Refused(_)
            | Answer::Done
            | Answer::Declined(_)
            | Answer::Failed(_),
            _,
        ) => Err(host.unexpected()),
    }
}

async fn columns(host: &mut Host) -> Result<Columns, AdbcError> {
    match host.next().await? {
        (Answer::Columns(columns), _) => Ok(columns),
        (
            Answer::Rows(_)
            | Answer::Refused(_)
            | Answer::Done
            | Answer::Declined(_)
            | Answer::Failed(_)
            | Answer::End,
            _,
        ) => Err(host.unexpected()),
    }
}

fn layout(relation: &Relation, fields: Vec<Field>) -> Result<Layout, SourceError> {
    let fields = fields.into_iter().map(|Field { name, kind, .. }| {
        (name, kind.map_err(|refusal| NoForm { kind: refusal.kind, cast: refusal.cast }))
    });
    Ok(database::layout(relation, fields)?)
}

/// Gives up at the source's time limit.
async fn in_time<T>(
    settings: &AdbcConnection,
    work: impl Future<Output = Result<T, AdbcError>>,
) -> Result<T, AdbcError> {
    let Some(limit) = settings.statement_timeout else { return work.await };
    let driver = settings.driver.clone();
    tokio::time::timeout(limit, work).await.unwrap_or(Err(AdbcError::Limit { driver, limit }))
}

/// Rows on their way from a driver's process to a reading.
struct Transfer {
    host: Host,
    settings: AdbcConnection,
    model: Model,
    query: Query,
    /// When the query that is under way began.
    begun: Instant,
    columns: Columns,
    layout: Layout,
    remedy: Remedy,
}

impl Transfer {
    /// Sends everything, and its end. The process ends with a query that nobody waits for any more.
    async fn run(mut self, parts: mpsc::Sender<Part>, scope: ReadScope) {
        let listener = parts.clone();
        let sent = {
            let mut sending = pin!(self.send(&parts, scope));
            tokio::select! {
                biased;
                () = listener.closed() => None,
                sent = &mut sending => Some(sent),
            }
        };
        self.host.end().await;
        let last = match sent {
            None => return,
            Some(Ok(())) => Part::End,
            Some(Err(error)) => Part::Failed(error),
        };
        // Where nobody listens any more, nobody needs the end.
        parts.send(last).await.unwrap_or_default();
    }

    async fn send(&mut self, parts: &mpsc::Sender<Part>, scope: ReadScope) -> Result<(), SourceError> {
        let batch = Batch::new(scope);
        let (told, begin) = oneshot::channel();
        hand_on(parts, Part::Opened(self.layout.outline.clone(), told)).await?;
        if batch.is_full() {
            return Ok(());
        }
        // A query that nobody compares runs already.
        let limit = if self.settings.compares { None } else { self.limit() };
        let begin =
            self.settings.timed(limit, async { begin.await.map_err(|_| SourceError::Stopped) }).await?;
        let comparing = match begin.question {
            Some(question) => self.compare(question).await?,
            None => None,
        };
        if self.settings.compares {
            self.begun = Instant::now();
        }
        let (settings, limit) = (self.settings.clone(), self.limit());
        let sending = async {
            match comparing {
                Some(comparing) => self.send_marked(parts, comparing, &begin.needed).await,
                None => self.send_plain(parts, batch, &begin.needed).await,
            }
        };
        settings.timed(limit, sending).await
    }

    /// When the query began, and how long it may take.
    fn limit(&self) -> Option<(Instant, Duration)> {
        self.settings.statement_timeout.map(|limit| (self.begun, limit))
    }

    /// Sends the rows of the model's query.
    async fn send_plain(
        &mut self,
        parts: &mpsc::Sender<Part>,
        mut batch: Batch,
        needed: &Needed,
    ) -> Result<(), SourceError> {
        self.host.order(&Order::Wanted(wanted(&self.layout, needed))).await?;
        let mut moved = Moved::default();
        loop {
            let (answer, bytes) = self.host.next().await?;
            moved.bytes += size(bytes);
            match answer {
                Answer::Rows(rows) => {
                    moved.rows += size(rows.len());
                    for row in rows {
                        if let Some(full) = batch.push(row) {
                            hand_on(parts, Part::Rows(full)).await?;
                        }
                    }
                }
                Answer::Refused(value) => return Err(self.refuse(value)),
                Answer::End => break,
                Answer::Columns(_) | Answer::Done | Answer::Declined(_) | Answer::Failed(_) => {
                    return Err(self.host.unexpected().into());
                }
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Rows(rest)).await?;
        }
        hand_on(parts, Part::Moved(moved)).await
    }

    fn refuse(&self, value: RefusedValue) -> SourceError {
        let RefusedValue { column, row, what, cast } = value;
        database::refuse_value(&self.layout, column, row, what, |_| cast, self.remedy)
    }
}

/// The columns of the rows, as the driver's process is told of them.
fn wanted(layout: &Layout, needed: &Needed) -> Vec<Wanted> {
    let care = |at| match (needed.has(at), needed.leaves_out(at)) {
        (true, _) => Care::Needed,
        (false, true) => Care::None,
        (false, false) => Care::Spare,
    };
    layout.fields.iter().enumerate().map(|(at, field)| Wanted { field: *field, care: care(at) }).collect()
}

impl AdbcConnection {
    /// Gives up at a limit.
    async fn timed<T>(
        &self,
        limit: Option<(Instant, Duration)>,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let work = pin!(work);
        tokio::select! {
            biased;
            done = work => done,
            limit = over(limit) => Err(AdbcError::Limit { driver: self.driver.clone(), limit }.into()),
        }
    }
}

fn size(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Waits until a limit is over, and gives it.
async fn over(limit: Option<(Instant, Duration)>) -> Duration {
    match limit {
        Some((begun, limit)) => {
            tokio::time::sleep_until(begun + limit).await;
            limit
        }
        None => pending().await,
    }
}
