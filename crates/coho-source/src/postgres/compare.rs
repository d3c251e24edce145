//! Comparing in the server: what its buckets hold, and the rows of those that are wanted, in the transaction of the reading.
//!
//! The statements come from [`crate::buckets::dialect`]. Where the server does not take the model's query within another one,
//! the transaction goes back to where it was, and the query is run as it is.

use std::pin::pin;

use coho_core::digest::Digest;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio_postgres::types::Type;
use tokio_postgres::{Row, RowStream, Statement};

use super::refusal::PostgresError;
use super::types::{self, Kind};
use super::{Query, count};
use crate::buckets::comparing::{Comparing, Question, basis, compared, half};
use crate::buckets::dialect::{CacheTexts, Compared, Form, POSTGRES, of_cache};
use crate::buckets::{Chosen, CompareQuery, GoneKey, MarkedRow, Moved, SourceSum, SourceSums, Wanted};
use crate::cache_table::CacheTable;
use crate::outline::Needed;
use crate::read::SourceError;
use crate::reading::{Batch, Part, ReadScope, hand_on};

/// The SQL standard's code of a statement that was canceled, by a limit or by somebody.
const TIME_IS_UP: &str = "57014";

/// The fields of a row before those of the model: the digest of its key and both halves of its fingerprint.
const MARKS: usize = 3;

/// Those of a row that was compared with a cache: what was seen of its key besides, and the key, where there is no row.
const CACHE_MARKS: usize = MARKS + 2;

impl Query {
    /// Answers what is asked, and waits to be told which rows are wanted. `None` where the model cannot be compared: then all
    /// rows come as always.
    pub(super) async fn compare(&mut self, question: Question) -> Result<Option<Comparing>, SourceError> {
        let mut moved = Moved::default();
        let answer = self.tell(&question.ask, &mut moved).await?;
        question.answer(answer, moved).await
    }

    /// What the buckets hold, or why the model cannot be compared.
    async fn tell(
        &mut self,
        ask: &CompareQuery,
        moved: &mut Moved,
    ) -> Result<Result<SourceSums, String>, SourceError> {
        if let Some(why) = ask.key.iter().find_map(|at| self.no_key(*at)) {
            return Ok(Err(why));
        }
        self.session.execute("SAVEPOINT coho").await?;
        match self.sums(ask, moved).await {
            Ok((sums, nameless)) => {
                let published = self.published(ask.cache.as_ref()).await?;
                Ok(Ok(SourceSums { by: POSTGRES.name, basis: self.basis(ask), sums, nameless, published }))
            }
            Err(PostgresError::Refused(refusal)) => {
                self.session.execute("ROLLBACK TO SAVEPOINT coho").await?;
                // Sums take far longer than the rows that they are of: a full read may be in time.
                Ok(Err(match refusal.state.as_str() {
                    TIME_IS_UP => "PostgreSQL's time limit ended the comparison: raise `statement_timeout`, or set `compare: full`".to_owned(),
                    _ => format!("PostgreSQL cannot run the query as a subquery: {}", refusal.message),
                }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Under which name a cache was published last, or why it cannot be read.
    async fn published(
        &mut self,
        table: Option<&CacheTable>,
    ) -> Result<Result<Option<Digest>, String>, PostgresError> {
        let Some((table, texts)) = table.zip(POSTGRES.cache) else { return Ok(Ok(None)) };
        self.session.execute("SAVEPOINT cache").await?;
        let found = match self.session.is_true(&of_cache(texts.exists, table)).await {
            Ok(true) => self.session.text(&of_cache(texts.published, table)).await,
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Ok(name) => Ok(Ok(name.as_deref().and_then(digest))),
            Err(PostgresError::Refused(refusal)) => {
                self.session.execute("ROLLBACK TO SAVEPOINT cache").await?;
                Ok(Err(refusal.message))
            }
            Err(error) => Err(error),
        }
    }

    /// Why a column's text in SQL may not be the text that it has in a key.
    fn no_key(&self, at: usize) -> Option<String> {
        let field = self.layout.fields.get(at)?;
        let kind = self.statement.columns().get(*field)?.type_();
        let name = self.layout.outline.columns().names().nth(at).unwrap_or_default();
        (!has_key_text(kind))
            .then(|| format!("the primary key column `{name}` has the type `{}`", types::name(kind)))
    }

    /// The sums of all buckets that have rows, and how many rows have none. Where only rows are wanted, whether the statement
    /// that gives them can be run.
    async fn sums(
        &mut self,
        ask: &CompareQuery,
        moved: &mut Moved,
    ) -> Result<(Vec<(u32, SourceSum)>, u64), PostgresError> {
        let (mut sums, mut nameless) = (Vec::new(), 0);
        let Some(bits) = ask.bits else {
            self.session.prepare(&POSTGRES.rows(&self.compared(ask), None)).await?;
            // Whether digests are allowed shows only where one is computed.
            self.session.execute(POSTGRES.probe).await?;
            return Ok((sums, nameless));
        };
        let statement = self.session.prepare(&POSTGRES.sums(&self.compared(ask), bits)).await?;
        let stream = self.session.query(&statement).await;
        let mut stream = match stream {
            Ok(stream) => pin!(stream.into_stream()),
            Err(error) => return Err(self.session.explain(error, "").await),
        };
        while let Some(row) = stream.next().await {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Err(self.session.explain(error, "").await),
            };
            moved.bytes += row.raw_size_bytes() as u64;
            match sum(&row).map_err(PostgresError::Lost)? {
                (Some(bucket), sum) => sums.push((bucket, sum)),
                (None, sum) => nameless = sum.rows,
            }
        }
        Ok((sums, nameless))
    }

    /// What stands for the statements, and for the columns by their names and types.
    fn basis(&self, ask: &CompareQuery) -> Digest {
        let columns = self.statement.columns();
        let kind =
            |field: usize| columns.get(field).map(|field| types::name(field.type_())).unwrap_or_default();
        basis(&POSTGRES, &self.layout, ask, kind)
    }

    /// The model's query with the fields that are asked for.
    fn compared(&self, ask: &CompareQuery) -> Compared<'_> {
        let forms = vec![Form::Other; self.statement.columns().len()];
        compared(&self.sql, &forms, &self.layout, ask)
    }

    /// Sends the rows that are wanted, each with its marks.
    pub(super) async fn send_marked(
        &mut self,
        parts: &mpsc::Sender<Part>,
        comparing: Comparing,
        needed: &Needed,
    ) -> Result<(), SourceError> {
        if let (Wanted::Changed(chosen), Some(texts)) = (&comparing.wanted, POSTGRES.cache) {
            return self.send_changed(parts, &comparing, (chosen, texts), needed).await;
        }
        let mut moved = comparing.moved;
        if comparing.is_of_none() {
            return hand_on(parts, Part::Moved(moved)).await;
        }
        let kinds = self.kinds_behind(&comparing, MARKS);
        let mut stream = pin!(self.marked(&comparing).await?.into_stream());
        let mut batch = Batch::new(ReadScope::All);
        while let Some(row) = stream.next().await {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Err(self.session.explain(error, "").await.into()),
            };
            count(&mut moved, &row);
            let encoded = self.encode(&row, moved.rows, &kinds, needed)?;
            if let Some(full) = batch.push(marks(&row, encoded).map_err(PostgresError::Lost)?) {
                hand_on(parts, Part::Marked(full)).await?;
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Marked(rest)).await?;
        }
        hand_on(parts, Part::Moved(moved)).await
    }

    /// Sends what is not in the cache as it is, and then how many rows there are. All of it is of one moment.
    async fn send_changed(
        &mut self,
        parts: &mpsc::Sender<Part>,
        comparing: &Comparing,
        (chosen, texts): (&Chosen, &CacheTexts),
        needed: &Needed,
    ) -> Result<(), SourceError> {
        let of = self.compared(&comparing.ask);
        let (changed, count_all) = (POSTGRES.changed(texts, &of, chosen.bits()), POSTGRES.count(texts, &of));
        let kinds = self.kinds_behind(comparing, CACHE_MARKS);
        let mut moved = comparing.moved;
        let statement = self.session.prepare(&changed).await?;
        let stream = match self.session.query_with(&statement, chosen.bytes()).await {
            Ok(stream) => stream,
            Err(error) => return Err(self.session.explain(error, "").await.into()),
        };
        let (mut stream, mut rows, mut gone) =
            (pin!(stream.into_stream()), Batch::new(ReadScope::All), Batch::new(ReadScope::All));
        while let Some(row) = stream.next().await {
            let row = match row {
                Ok(row) => row,
                Err(error) => return Err(self.session.explain(error, "").await.into()),
            };
            moved.bytes += row.raw_size_bytes() as u64;
            if let Some(key) = gone_key(&row).map_err(PostgresError::Lost)? {
                if let Some(full) = gone.push(key) {
                    hand_on(parts, Part::Gone(full)).await?;
                }
                continue;
            }
            moved.rows += 1;
            let encoded = self.encode(&row, moved.rows, &kinds, needed)?;
            let cached = seen(&row).map_err(PostgresError::Lost)?;
            let marked = MarkedRow { cached, ..marks(&row, encoded).map_err(PostgresError::Lost)? };
            if let Some(full) = rows.push(marked) {
                hand_on(parts, Part::Marked(full)).await?;
            }
        }
        if let Some(rest) = rows.rest() {
            hand_on(parts, Part::Marked(rest)).await?;
        }
        if let Some(rest) = gone.rest() {
            hand_on(parts, Part::Gone(rest)).await?;
        }
        let number = self.session.number(&count_all).await?;
        hand_on(parts, Part::Counted(number)).await?;
        hand_on(parts, Part::Moved(moved)).await
    }

    /// Runs the statement that gives the rows that are wanted.
    async fn marked(&mut self, comparing: &Comparing) -> Result<RowStream, PostgresError> {
        let chosen = comparing.chosen();
        let sql = POSTGRES.rows(&self.compared(&comparing.ask), chosen.map(Chosen::bits));
        let statement: Statement = self.session.prepare(&sql).await?;
        let stream = match chosen {
            Some(chosen) => self.session.query_with(&statement, chosen.bytes()).await,
            None => self.session.query(&statement).await,
        };
        match stream {
            Ok(stream) => Ok(stream),
            Err(error) => Err(self.session.explain(error, "").await),
        }
    }

    /// As [`Query::kinds`], for a statement that has only the columns that are read, behind the marks.
    fn kinds_behind(&self, comparing: &Comparing, marks: usize) -> Vec<(usize, Option<Kind>)> {
        let kinds = self.kinds().into_iter().enumerate();
        kinds.map(|(at, (_, kind))| (comparing.place(at, marks), kind)).collect()
    }
}

/// Whether a value's text in SQL is its text in a key. That of `char(n)` loses blanks there, and Coho writes the other types in
/// its own way.
fn has_key_text(kind: &Type) -> bool {
    if let tokio_postgres::types::Kind::Domain(inner) = kind.kind() {
        return has_key_text(inner);
    }
    let has_text =
        matches!(Kind::of(kind), Ok(Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Text | Kind::Uuid));
    has_text && *kind != Type::BPCHAR
}

/// A row of sums: a bucket's, or that of the rows that have none.
fn sum(row: &Row) -> Result<(Option<u32>, SourceSum), tokio_postgres::Error> {
    let bucket: Option<i32> = row.try_get(0)?;
    let rows: i64 = row.try_get(1)?;
    let halves = [row.try_get::<_, &str>(2)?, row.try_get::<_, &str>(3)?].map(half);
    let bucket = bucket.and_then(|bucket| u32::try_from(bucket).ok());
    Ok((bucket, SourceSum { rows: rows.unsigned_abs(), halves }))
}

/// A row with what the server says of it.
fn marks(row: &Row, encoded: coho_core::row::RowBuf) -> Result<MarkedRow, tokio_postgres::Error> {
    let key: Option<i64> = row.try_get(0)?;
    let halves = [row.try_get::<_, i64>(1)?, row.try_get::<_, i64>(2)?];
    Ok(MarkedRow {
        row: encoded,
        key: key.and_then(|key| u32::try_from(key).ok()),
        halves: halves.map(i64::cast_unsigned),
        cached: None,
    })
}

/// What a row that was compared with a cache says of its key there.
fn seen(row: &Row) -> Result<Option<Digest>, tokio_postgres::Error> {
    Ok(row.try_get::<_, Option<&str>>(MARKS)?.and_then(digest))
}

/// The key in the cache of which there is no row.
fn gone_key(row: &Row) -> Result<Option<GoneKey>, tokio_postgres::Error> {
    let key: Option<String> = row.try_get(MARKS + 1)?;
    Ok(key.zip(seen(row)?).map(|(key, cached)| GoneKey { key, cached }))
}

/// A digest that the server keeps as a UUID.
fn digest(uuid: &str) -> Option<Digest> {
    Digest::from_hex(&uuid.replace('-', ""))
}
