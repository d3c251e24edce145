//! MySQL and MariaDB: a model's query in one read-only transaction, streamed.
//!
//! [`address`] reads the URL, [`session`] connects, [`types`] says which types are safe, [`decode`] turns a value into a cell,
//! [`refusal`] is what the server says when it refuses. The one snapshot that the transaction sees makes the rows one state.

mod address;
mod session;
mod types;
mod decode;
mod refusal;
mod position;

use std::pin::pin;

use coho_core::model::{Model, Relation};
use coho_core::row::{Cell, RowBuf};
use futures_util::StreamExt;
use mysql_async::{Row, Statement, Value};
use tokio::sync::{mpsc, oneshot};

pub use refusal::{MysqlError, MysqlRefusal, MysqlStep};

use crate::connection::MysqlConnection;
use crate::outline::{Found, Layout, Needed, Outline};
use crate::read::{SourceError, unnamed};
use crate::reading::{Batch, Part, ReadScope, Reading, channel, hand_on};
use crate::table::select_all_by;
use crate::text::tag;
use crate::unsafe_type::{Remedy, UnsafeColumn, UnsafeValue};
use session::Session;
use types::Kind;

/// Whether the server answers.
pub(crate) async fn test(settings: &MysqlConnection) -> Result<(), SourceError> {
    Session::open(settings).await?.end().await;
    Ok(())
}

/// What the rows of a model will be, without running its query.
pub(crate) async fn outline(settings: &MysqlConnection, model: &Model) -> Result<Outline, SourceError> {
    let query = Query::open(settings, model).await?;
    query.session.end().await;
    Ok(query.layout.outline)
}

/// Begins to read a model.
pub(crate) async fn read(
    settings: &MysqlConnection,
    model: &Model,
    scope: ReadScope,
) -> Result<Reading, SourceError> {
    let query = Query::open(settings, model).await?;
    let (parts, receiver) = channel();
    tokio::spawn(query.run(parts, scope));
    Reading::opened(receiver).await
}

fn sql(relation: &Relation) -> Result<String, SourceError> {
    match relation {
        Relation::Sql(sql) => Ok(sql.text.clone()),
        Relation::Table(name) => Ok(select_all_by(name, types::quote)?),
        Relation::Dbt(dbt) => unnamed(dbt.select_all()),
        Relation::File { .. } => Err(SourceError::Relation { relation: "file", connection: "MySQL" }),
    }
}

/// The query with a comment that names its model: lists of what a server does show it.
///
/// `mysql_async` looks for named parameters, does not see where a comment with two stars ends, and so leaves the query alone. Else
/// it might find some in texts. [`Session::prepare`] looks whether it did.
fn tagged(sql: &str, model: &str) -> String {
    format!("/* {} **/ {sql}", tag(model))
}

fn layout(statement: &Statement, relation: &Relation) -> Result<Layout, SourceError> {
    let columns = statement.columns();
    let found = columns.iter().map(|column| Found {
        name: column.name_str().into_owned(),
        kind: Kind::of(column).map(Kind::column).map_err(|cast| UnsafeColumn {
            column: column.name_str().into_owned(),
            kind: types::name(column).to_owned(),
            cast: cast.sql(&column.name_str()),
        }),
    });
    Ok(Layout::of(found.collect(), Remedy::of(relation), None)?)
}

/// A query that is ready to run.
struct Query {
    session: Session,
    statement: Statement,
    layout: Layout,
    remedy: Remedy,
    sql: String,
}

/// How far a query was sent.
enum Sent {
    All,
    Enough,
}

impl Query {
    /// The server's protocol takes one statement only, and its columns are known before it runs.
    async fn open(settings: &MysqlConnection, model: &Model) -> Result<Self, SourceError> {
        let relation = &model.relation;
        let sql = sql(relation)?;
        let mut session = Session::open(settings).await?;
        let prepared = session.prepare(&tagged(&sql, &model.name), &sql).await;
        let statement = prepared.map_err(|error| match relation {
            Relation::Table(_) | Relation::Dbt(_) => error.without_position(),
            Relation::Sql(_) | Relation::File { .. } => error,
        })?;
        if statement.num_params() > 0 {
            return Err(MysqlError::Parameter.into());
        }
        if statement.columns().is_empty() {
            return Err(MysqlError::NoColumns.into());
        }
        let layout = layout(&statement, relation)?;
        Ok(Self { session, statement, layout, remedy: Remedy::of(relation), sql })
    }

    /// Sends everything, and its end. A query that nobody waits for any more is ended on the server.
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
        let last = match sent {
            None => return self.session.abandon().await,
            Some(Ok(Sent::All)) => {
                self.session.end().await;
                Part::End
            }
            Some(Ok(Sent::Enough)) => {
                self.session.abandon().await;
                Part::End
            }
            Some(Err(error)) => {
                self.session.leave(&error).await;
                Part::Failed(error)
            }
        };
        // Where nobody listens any more, nobody needs the end.
        parts.send(last).await.unwrap_or_default();
    }

    async fn send(&mut self, parts: &mpsc::Sender<Part>, scope: ReadScope) -> Result<Sent, SourceError> {
        let mut batch = Batch::new(scope);
        let (told, needed) = oneshot::channel();
        hand_on(parts, Part::Opened(self.layout.outline.clone(), told)).await?;
        if batch.is_full() {
            // The query was not run, so nothing is left of it.
            return Ok(Sent::All);
        }
        let needed = needed.await.map_err(|_| SourceError::Stopped)?.needed;
        let encoder = Encoder::new(&self.statement, &self.layout, needed, self.remedy);
        let asking = self.session.asking();
        let explain = |error| asking.explain(error, &self.sql);
        let mut result = self.session.query(&self.statement).await.map_err(explain)?;
        let Some(mut rows) = result.stream::<Row>().await.map_err(explain)? else { return Ok(Sent::All) };
        let mut number = 0;
        while let Some(row) = rows.next().await {
            number += 1;
            let row = encoder.encode(row.map_err(explain)?, number)?;
            if let Some(full) = batch.push(row) {
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
}

/// Makes rows of the server's.
struct Encoder<'a> {
    layout: &'a Layout,
    /// How each column's cells are read, and the field that it is; no kind where they cannot be, and nobody needs them.
    kinds: Vec<(usize, Option<Kind>)>,
    needed: Needed,
    remedy: Remedy,
}

impl<'a> Encoder<'a> {
    fn new(statement: &Statement, layout: &'a Layout, needed: Needed, remedy: Remedy) -> Self {
        let kind = |field: usize| statement.columns().get(field).and_then(|column| Kind::of(column).ok());
        let kinds = layout.fields.iter().map(|field| (*field, kind(*field))).collect();
        Self { layout, kinds, needed, remedy }
    }

    fn encode(&self, row: Row, number: u64) -> Result<RowBuf, SourceError> {
        let values: Vec<Value> = row.unwrap();
        let mut buffer = RowBuf::from_bytes(Vec::with_capacity(16 * self.kinds.len()));
        let mut scratch = String::new();
        for (at, (field, kind)) in self.kinds.iter().enumerate() {
            let value = values.get(*field).unwrap_or(&Value::NULL);
            let (Some(kind), false) = (kind, self.needed.leaves_out(at)) else {
                buffer.push(Cell::Null);
                continue;
            };
            match decode::cell(*kind, value, &mut scratch) {
                Ok(cell) => buffer.push(cell),
                Err(_) if !self.needed.has(at) => buffer.push(Cell::Null),
                Err(wrong) => return Err(self.refuse(at, number, wrong)),
            }
        }
        Ok(buffer)
    }

    fn refuse(&self, at: usize, row: u64, wrong: decode::Wrong) -> SourceError {
        let column = self.layout.outline.columns().names().nth(at).unwrap_or_default().to_owned();
        let (what, cast) = (wrong.what.to_owned(), wrong.cast.sql(&column));
        Box::new(UnsafeValue { column, row, what, cast, remedy: self.remedy }).into()
    }
}
