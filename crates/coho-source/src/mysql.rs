//! MySQL and MariaDB: a model's query in one read-only transaction, streamed.
//!
//! [`address`] reads the URL, [`session`] connects, [`types`] says which types are safe, [`encode`] makes rows, and [`decode`] the
//! cells, [`compare`] asks what the server's rows sum up to, [`refusal`] is what the server says when it refuses. The one snapshot
//! that the transaction sees makes the rows one state.

mod address;
mod session;
mod types;
mod compare;
mod encode;
mod decode;
mod refusal;
mod position;

use std::pin::pin;

use coho_core::model::{Model, Relation};
use futures_util::StreamExt;
use mysql_async::{Params, Row, Statement};
use tokio::sync::{mpsc, oneshot};

pub use refusal::{MysqlError, MysqlRefusal, MysqlStep};

use crate::buckets::Moved;
use crate::connection::MysqlConnection;
use crate::database;
use crate::outline::{Layout, Needed, Outline};
use crate::read::SourceError;
use crate::reading::{Batch, Part, ReadScope, Reading, channel, hand_on};
use crate::table::select_all_by;
use crate::text::tag;
use crate::unsafe_type::Remedy;
use encode::{Encoder, count};
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
    database::sql(relation, "MySQL", |name| select_all_by(name, types::quote))
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
    let fields = columns.iter().map(|column| {
        let name = column.name_str().into_owned();
        let no_form = |cast: types::Cast| database::NoForm {
            kind: types::name(column).to_owned(),
            cast: cast.sql(&name),
        };
        let kind = Kind::of(column).map(Kind::column).map_err(no_form);
        (name, kind)
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
    /// The model's name.
    model: String,
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
        let statement = prepared
            .map_err(|error| if database::is_written(relation) { error } else { error.without_position() })?;
        if statement.num_params() > 0 {
            return Err(MysqlError::Parameter.into());
        }
        if statement.columns().is_empty() {
            return Err(MysqlError::NoColumns.into());
        }
        let layout = layout(&statement, relation)?;
        let model = model.name.clone();
        Ok(Self { session, statement, layout, remedy: Remedy::of(relation), sql, model })
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
        let batch = Batch::new(scope);
        let (told, needed) = oneshot::channel();
        hand_on(parts, Part::Opened(self.layout.outline.clone(), told)).await?;
        if batch.is_full() {
            // The query was not run, so nothing is left of it.
            return Ok(Sent::All);
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
        let encoder = Encoder::new(&self.statement, &self.layout, needed, self.remedy);
        let asking = self.session.asking();
        let explain = |error| asking.explain(error, &self.sql);
        let mut result = self.session.query(&self.statement, Params::Empty).await.map_err(explain)?;
        let mut moved = Moved::default();
        if let Some(mut rows) = result.stream::<Row>().await.map_err(explain)? {
            while let Some(row) = rows.next().await {
                let values = row.map_err(explain)?.unwrap();
                count(&mut moved, &values);
                if let Some(full) = batch.push(encoder.encode(&values, moved.rows)?) {
                    hand_on(parts, Part::Rows(full)).await?;
                }
                if batch.is_full() {
                    break;
                }
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Rows(rest)).await?;
        }
        hand_on(parts, Part::Moved(moved)).await?;
        Ok(if batch.is_full() { Sent::Enough } else { Sent::All })
    }
}
