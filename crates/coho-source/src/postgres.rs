//! PostgreSQL: a model's query in one read-only transaction, streamed.
//!
//! [`session`] connects, [`types`] says which types are safe, [`decode`] turns a cell's bytes into a cell, [`refusal`] is
//! what the server says when it refuses. The one snapshot that a `REPEATABLE READ` transaction sees makes the rows one state.

mod session;
mod types;
mod decode;
mod numeric;
mod array;
mod refusal;

use std::pin::pin;

use coho_core::model::Relation;
use coho_core::row::{Column, Columns, RowBuf};
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio_postgres::types::FromSql;
use tokio_postgres::{Row, Statement};

pub use refusal::{PostgresError, Refusal};

use crate::connection::PostgresConnection;
use crate::read::SourceError;
use crate::reading::{Batch, Part, Reading, Scope, channel};
use crate::table::select_all;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeTypes, UnsafeValue};
use session::Session;
use types::Kind;

/// Whether the server answers.
pub(crate) async fn test(settings: &PostgresConnection) -> Result<(), SourceError> {
    Session::open(settings).await?.execute("SELECT 1").await?;
    Ok(())
}

/// The columns of a relation, without running its query.
pub(crate) async fn columns(
    settings: &PostgresConnection,
    relation: &Relation,
) -> Result<Columns, SourceError> {
    let mut session = Session::open(settings).await?;
    let statement = prepare(&mut session, relation).await?;
    let kinds = kinds(&statement, relation)?;
    named(&statement, &kinds)
}

/// Begins to read a relation.
pub(crate) async fn read(
    settings: &PostgresConnection,
    relation: &Relation,
    scope: Scope,
) -> Result<Reading, SourceError> {
    let mut session = Session::open(settings).await?;
    let statement = prepare(&mut session, relation).await?;
    let kinds = kinds(&statement, relation)?;
    let columns = named(&statement, &kinds)?;
    let (parts, receiver) = channel();
    let query =
        Query { session, statement, kinds, columns, remedy: Remedy::of(relation), sql: sql(relation)? };
    tokio::spawn(query.run(parts, scope));
    Reading::opened(receiver).await
}

fn sql(relation: &Relation) -> Result<String, SourceError> {
    match relation {
        Relation::Sql(sql) => Ok(sql.clone()),
        Relation::Table(name) => Ok(select_all(name)?),
        Relation::File { .. } => Err(SourceError::Relation { relation: "file", connection: "PostgreSQL" }),
    }
}

/// The server's own protocol takes one statement only, and says so; its columns are known before it runs.
async fn prepare(session: &mut Session, relation: &Relation) -> Result<Statement, SourceError> {
    let sql = sql(relation)?;
    let statement = session.prepare(&sql).await.map_err(|error| match relation {
        Relation::Table(_) => error.without_position(),
        Relation::Sql(_) | Relation::File { .. } => error,
    })?;
    if !statement.params().is_empty() {
        return Err(PostgresError::Parameter.into());
    }
    if statement.columns().is_empty() {
        return Err(PostgresError::NoColumns.into());
    }
    Ok(statement)
}

fn kinds(statement: &Statement, relation: &Relation) -> Result<Vec<Kind>, Box<UnsafeTypes>> {
    let mut kinds = Vec::new();
    let mut columns = Vec::new();
    for column in statement.columns() {
        match Kind::of(column.type_()) {
            Ok(kind) => kinds.push(kind),
            Err(cast) => columns.push(UnsafeColumn {
                column: column.name().to_owned(),
                kind: types::name(column.type_()),
                cast: cast.sql(column.name()),
            }),
        }
    }
    let remedy = Remedy::of(relation);
    if columns.is_empty() { Ok(kinds) } else { Err(Box::new(UnsafeTypes { columns, remedy })) }
}

fn named(statement: &Statement, kinds: &[Kind]) -> Result<Columns, SourceError> {
    let column = |(column, kind): (&tokio_postgres::Column, &Kind)| Column {
        name: column.name().to_owned(),
        kind: kind.column(),
    };
    Ok(Columns::new(statement.columns().iter().zip(kinds).map(column).collect())?)
}

/// A query that is ready to run.
struct Query {
    session: Session,
    statement: Statement,
    kinds: Vec<Kind>,
    columns: Columns,
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
    async fn run(mut self, parts: mpsc::Sender<Part>, scope: Scope) {
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

    async fn send(&mut self, parts: &mpsc::Sender<Part>, scope: Scope) -> Result<Sent, SourceError> {
        let mut batch = Batch::new(scope);
        hand_on(parts, Part::Opened(self.columns.clone())).await?;
        if batch.is_full() {
            return Ok(Sent::Enough);
        }
        let stream = self.session.query(&self.statement).await;
        let mut stream = pin!(match stream {
            Ok(stream) => stream.into_stream(),
            Err(error) => return Err(self.session.explain(error, &self.sql).await.into()),
        });
        let mut rows = 0;
        while let Some(row) = stream.next().await {
            rows += 1;
            let row = match row {
                Ok(row) => row,
                Err(error) => return Err(self.session.explain(error, &self.sql).await.into()),
            };
            if let Some(full) = batch.push(self.encode(&row, rows)?) {
                hand_on(parts, Part::Rows(full)).await?;
            }
            if batch.is_full() {
                break;
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Rows(rest)).await?;
        }
        Ok(if batch.is_full() { Sent::Enough } else { Sent::All })
    }

    fn encode(&self, row: &Row, number: u64) -> Result<RowBuf, SourceError> {
        let mut buffer = RowBuf::from_bytes(Vec::with_capacity(row.raw_size_bytes() + 64));
        let mut scratch = String::new();
        for (at, kind) in self.kinds.iter().enumerate() {
            let bytes = row.try_get::<_, Option<Raw<'_>>>(at).map_err(PostgresError::Lost)?;
            match decode::cell(kind, bytes.map(|raw| raw.0), &mut scratch) {
                Ok(cell) => buffer.push(cell),
                Err(wrong) => return Err(self.refuse(at, number, wrong)),
            }
        }
        Ok(buffer)
    }

    fn refuse(&self, at: usize, row: u64, wrong: decode::Wrong) -> SourceError {
        let column = self.columns.iter().nth(at).map(|column| column.name.clone()).unwrap_or_default();
        let cast = wrong.cast.sql(&column);
        Box::new(UnsafeValue { column, row, what: wrong.what, cast, remedy: self.remedy }).into()
    }
}

/// How far a query was sent.
enum Sent {
    All,
    Enough,
}

async fn hand_on(parts: &mpsc::Sender<Part>, part: Part) -> Result<(), SourceError> {
    parts.send(part).await.map_err(|_| SourceError::Stopped)
}
