//! PostgreSQL: a model's query in one read-only transaction, streamed.
//!
//! [`session`] connects, [`types`] says which types are safe, [`decode`] turns a cell's bytes into a cell, [`refusal`] is
//! what the server says when it refuses. The one snapshot that a `REPEATABLE READ` transaction sees makes the rows one state.

mod session;
mod types;
mod compare;
mod publish;
mod decode;
mod numeric;
mod array;
mod refusal;

use std::pin::pin;

use coho_core::model::{Model, Relation};
use coho_core::row::{Cell, RowBuf};
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::FromSql;
use tokio_postgres::{Row, Statement};

pub(crate) use publish::{Publishing, may_write};
pub use refusal::{PostgresError, ServerError};

use crate::buckets::Moved;
use crate::connection::PostgresConnection;
use crate::database;
use crate::outline::{Layout, Needed, Outline};
use crate::read::SourceError;
use crate::reading::{Batch, Part, ReadScope, Reading, channel, hand_on};
use crate::table::select_all;
use crate::text::tag;
use crate::unsafe_type::Remedy;
use session::Session;
use types::Kind;

/// Whether the server answers.
pub(crate) async fn test(settings: &PostgresConnection) -> Result<(), SourceError> {
    Session::open(settings, "coho").await?.execute("SELECT 1").await?;
    Ok(())
}

/// What the rows of a model will be, without running its query. Whether it may be run is asked too: the server looks at that
/// when it plans the query, not when it parses it.
pub(crate) async fn outline(settings: &PostgresConnection, model: &Model) -> Result<Outline, SourceError> {
    let relation = &model.relation;
    let mut session = Session::open(settings, &tag(&model.name)).await?;
    let statement = prepare(&mut session, relation).await?;
    session.explain_plan(&sql(relation)?).await?;
    Ok(layout(&statement, relation)?.outline)
}

/// Begins to read a model.
pub(crate) async fn read(
    settings: &PostgresConnection,
    model: &Model,
    scope: ReadScope,
) -> Result<Reading, SourceError> {
    let relation = &model.relation;
    let mut session = Session::open(settings, &tag(&model.name)).await?;
    let statement = prepare(&mut session, relation).await?;
    let layout = layout(&statement, relation)?;
    let (parts, receiver) = channel();
    let query = Query { session, statement, layout, remedy: Remedy::of(relation), sql: sql(relation)? };
    tokio::spawn(query.run(parts, scope));
    Reading::opened(receiver).await
}

fn sql(relation: &Relation) -> Result<String, SourceError> {
    database::sql(relation, "PostgreSQL", select_all)
}

/// The server's own protocol takes one statement only, and says so; its columns are known before it runs.
async fn prepare(session: &mut Session, relation: &Relation) -> Result<Statement, SourceError> {
    let sql = sql(relation)?;
    let statement = session
        .prepare(&sql)
        .await
        .map_err(|error| if database::is_written(relation) { error } else { error.without_position() })?;
    if !statement.params().is_empty() {
        return Err(PostgresError::Parameter.into());
    }
    if statement.columns().is_empty() {
        return Err(PostgresError::NoColumns.into());
    }
    Ok(statement)
}

fn layout(statement: &Statement, relation: &Relation) -> Result<Layout, SourceError> {
    let fields = statement.columns().iter().map(|column| {
        let kind = Kind::of(column.type_()).map(|kind| kind.column());
        let no_form = |cast: types::Cast| database::NoForm {
            kind: types::name(column.type_()),
            cast: cast.sql(column.name()),
        };
        (column.name().to_owned(), kind.map_err(no_form))
    });
    Ok(database::layout(relation, fields)?)
}

/// A query that is ready to run.
struct Query {
    session: Session,
    statement: Statement,
    layout: Layout,
    remedy: Remedy,
    sql: String,
}

/// A cell's bytes, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        bytes: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(bytes))
    }

    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        true
    }
}

impl Query {
    /// Sends everything, and its end. A query that nobody waits for any more is cancelled on the server.
    async fn run(mut self, parts: mpsc::Sender<Part>, scope: ReadScope) {
        let canceller = self.session.canceller();
        let listener = parts.clone();
        let mut sending = pin!(self.send(&parts, scope));
        let sent = tokio::select! {
            biased;
            () = listener.closed() => return canceller.end(sending).await,
            sent = &mut sending => sent,
        };
        let last = match sent {
            Ok(Sent::All) => Part::End,
            Ok(Sent::Enough) => {
                canceller.cancel().await;
                Part::End
            }
            Err(error) => Part::Failed(error),
        };
        // Where nobody listens any more, nobody needs the end.
        parts.send(last).await.unwrap_or_default();
    }

    async fn send(&mut self, parts: &mpsc::Sender<Part>, scope: ReadScope) -> Result<Sent, SourceError> {
        let batch = Batch::new(scope);
        let (told, needed) = oneshot::channel();
        hand_on(parts, Part::Opened(self.layout.outline.clone(), told)).await?;
        if batch.is_full() {
            return Ok(Sent::Enough);
        }
        let begin = needed.await.map_err(|_| SourceError::Stopped)?;
        let needed = begin.needed;
        if let Some(question) = begin.question
            && let Some(comparing) = self.compare(question).await?
        {
            self.send_marked(parts, comparing, &needed).await?;
            return Ok(Sent::All);
        }
        self.send_plain(parts, batch, &needed).await
    }

    /// Sends the rows of the model's query.
    async fn send_plain(
        &mut self,
        parts: &mpsc::Sender<Part>,
        mut batch: Batch,
        needed: &Needed,
    ) -> Result<Sent, SourceError> {
        let kinds = self.kinds();
        let stream = self.session.query(&self.statement).await;
        let mut stream = pin!(match stream {
            Ok(stream) => stream.into_stream(),
            Err(error) => return Err(self.session.explain(error, &self.sql).await.into()),
        });
        let mut moved = Moved::default();
        while let Some(row) = stream.next().await {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Err(self.session.explain(error, &self.sql).await.into()),
            };
            count(&mut moved, &row);
            if let Some(full) = batch.push(self.encode(&row, moved.rows, &kinds, needed)?) {
                hand_on(parts, Part::Rows(full)).await?;
            }
            if batch.is_full() {
                break;
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Rows(rest)).await?;
        }
        hand_on(parts, Part::Moved(moved)).await?;
        Ok(if batch.is_full() { Sent::Enough } else { Sent::All })
    }

    /// How each column's cells are read; `None` where they cannot be, and nobody needs them.
    fn kinds(&self) -> Vec<(usize, Option<Kind>)> {
        let kind = |field: usize| {
            let column = self.statement.columns().get(field)?;
            Kind::of(column.type_()).ok()
        };
        let fields = self.layout.fields.iter();
        fields.map(|field| (*field, kind(*field))).collect()
    }

    fn encode(
        &self,
        row: &Row,
        number: u64,
        kinds: &[(usize, Option<Kind>)],
        needed: &Needed,
    ) -> Result<RowBuf, SourceError> {
        let mut buffer = RowBuf::from_bytes(Vec::with_capacity(row.raw_size_bytes() + 64));
        let mut scratch = String::new();
        for (at, (field, kind)) in kinds.iter().enumerate() {
            if needed.leaves_out(at) {
                buffer.push(Cell::Null);
                continue;
            }
            let bytes = row.try_get::<_, Option<Raw<'_>>>(*field).map_err(PostgresError::Lost)?;
            let bytes = bytes.map(|raw| raw.0);
            let cell = kind.as_ref().map_or(Ok(Cell::Null), |kind| decode::cell(kind, bytes, &mut scratch));
            match cell {
                Ok(cell) => buffer.push(cell),
                Err(_) if !needed.has(at) => buffer.push(Cell::Null),
                Err(wrong) => return Err(self.refuse(at, number, wrong)),
            }
        }
        Ok(buffer)
    }

    fn refuse(&self, at: usize, row: u64, wrong: decode::Wrong) -> SourceError {
        let cast = |column: &str| wrong.cast.sql(column);
        database::refuse_value(&self.layout, at, row, wrong.what, cast, self.remedy)
    }
}

/// How far a query was sent.
enum Sent {
    All,
    Enough,
}

/// Counts a row of the model that the server sent.
fn count(moved: &mut Moved, row: &Row) {
    moved.rows += 1;
    moved.bytes += row.raw_size_bytes() as u64;
}
