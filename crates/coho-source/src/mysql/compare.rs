//! Comparing in the server: what its buckets hold, and the rows of those that are wanted, in the transaction of the reading.
//!
//! The statements come from [`crate::buckets::dialect`]. They are prepared, as the model's query is, so nothing runs before it is
//! known that the server takes the query within another one, and that its columns are there what they are alone.

use futures_util::StreamExt;
use mysql_async::consts::ColumnFlags;
use mysql_async::{Column, Params, Row, Statement, Value};
use tokio::sync::mpsc;

use super::encode::{Encoder, count, size};
use super::refusal::{MysqlError, MysqlRefusal, STATEMENT_TIMEOUTS};
use super::types::{self, Kind};
use super::{Query, tagged};
use crate::buckets::comparing::{Comparing, Question, basis, compared, half};
use crate::buckets::dialect::{Compared, Form, MYSQL};
use crate::buckets::{Chosen, CompareQuery, MarkedRow, Moved, SourceSum, SourceSums};
use crate::outline::Needed;
use crate::read::SourceError;
use crate::reading::{Batch, Part, ReadScope, hand_on};

/// The fields of a row before those of the model.
const MARKS: usize = 2;

/// A number of decimals that stands for as many as there are.
const ANY_DECIMALS: u8 = 31;

/// What the server said of buckets and of rows that have none, or why it cannot.
type Told = Result<(Vec<(u32, SourceSum)>, u64), String>;

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
        if let Some(why) = self.no_form(ask) {
            return Ok(Err(why));
        }
        match self.sums(ask, moved).await {
            Ok(told) => Ok(told.map(|(sums, nameless)| {
                let kind = |field: usize| self.column(field).as_ref().map(signature).unwrap_or_default();
                SourceSums {
                    by: MYSQL.name,
                    basis: basis(&MYSQL, &self.layout, ask, kind),
                    sums,
                    nameless,
                    published: Ok(None),
                }
            })),
            // A refused statement ends no transaction. Sums take far longer than the rows that they are of: a full read may be
            // in time.
            Err(MysqlError::Refused(refusal)) => Ok(Err(words(&refusal))),
            Err(error) => Err(error.into()),
        }
    }

    /// Why a column has no text in SQL that stands for its values, or another one in a key.
    fn no_form(&self, ask: &CompareQuery) -> Option<String> {
        let of = |at: &usize| {
            let column = self.column(*self.layout.fields.get(*at)?)?;
            Some((column, self.layout.outline.columns().names().nth(*at)?))
        };
        let no_key = |(column, name): (Column, &str)| {
            let kind = Kind::of(&column).ok()?;
            (!matches!(kind, Kind::Int | Kind::Text))
                .then(|| format!("the primary key column `{name}` has the type `{}`", kind.name()))
        };
        let no_cell = |(column, name): (Column, &str)| {
            let is_cut = Kind::of(&column) == Ok(Kind::Float) && column.decimals() < ANY_DECIMALS;
            is_cut.then(|| {
                format!("the column `{name}` is a float with {} decimals, which MySQL may round again in a subquery", column.decimals())
            })
        };
        let key = ask.key.iter().filter_map(of).find_map(no_key);
        key.or_else(|| ask.reads.iter().filter_map(of).find_map(no_cell))
    }

    /// The sums of all buckets that have rows, and how many rows have none; nothing where only rows are wanted.
    async fn sums(&mut self, ask: &CompareQuery, moved: &mut Moved) -> Result<Told, MysqlError> {
        if !self.session.is_true(MYSQL.probe).await? {
            return Ok(Err(
                "the server computes no MD5 digests, or its `sql_mode` changes what `CONCAT` gives"
                    .to_owned(),
            ));
        }
        let rows = self.prepare(&MYSQL.rows(&self.compared(ask), None)).await?;
        if let Some(why) = self.other_type(ask, &rows) {
            return Ok(Err(why));
        }
        let (mut sums, mut nameless) = (Vec::new(), 0);
        let Some(bits) = ask.bits else { return Ok(Ok((sums, nameless))) };
        let statement = self.prepare(&MYSQL.sums(&self.compared(ask), bits)).await?;
        let asking = self.session.asking();
        let explain = |error| asking.explain(error, "");
        let mut result = self.session.query(&statement, Params::Empty).await.map_err(explain)?;
        let Some(mut rows) = result.stream::<Row>().await.map_err(explain)? else { return Ok(Ok((sums, 0))) };
        while let Some(row) = rows.next().await {
            let values = row.map_err(explain)?.unwrap();
            moved.bytes += size(&values);
            match sum(&values) {
                (Some(bucket), sum) => sums.push((bucket, sum)),
                (None, sum) => nameless = sum.rows,
            }
        }
        Ok(Ok((sums, nameless)))
    }

    /// Why what comes out of the statement is not what comes out of the query: a server may keep the rows of a subquery in a
    /// table, whose columns have types of their own.
    fn other_type(&self, ask: &CompareQuery, statement: &Statement) -> Option<String> {
        let inner = statement.columns();
        let mut reads = ask.reads.iter().zip(inner.iter().skip(MARKS));
        let (at, _) = reads.find(|(at, inner)| {
            let alone = self.layout.fields.get(**at).and_then(|field| self.column(*field));
            alone.as_ref().map(written) != Some(written(inner))
        })?;
        let name = self.layout.outline.columns().names().nth(*at).unwrap_or_default();
        Some(format!("the column `{name}` has another type where the query is a subquery: cast it"))
    }

    async fn prepare(&mut self, sql: &str) -> Result<Statement, MysqlError> {
        self.session.prepare(&tagged(sql, &self.model), "").await
    }

    fn column(&self, field: usize) -> Option<Column> {
        self.statement.columns().get(field).cloned()
    }

    /// The model's query with the fields that are asked for.
    fn compared(&self, ask: &CompareQuery) -> Compared<'_> {
        let forms: Vec<_> = self.statement.columns().iter().map(form).collect();
        compared(&self.sql, &forms, &self.layout, ask)
    }

    /// Sends the rows that are wanted, each with its marks.
    pub(super) async fn send_marked(
        &mut self,
        parts: &mpsc::Sender<Part>,
        comparing: Comparing,
        needed: &Needed,
    ) -> Result<(), SourceError> {
        let mut moved = comparing.moved;
        if comparing.is_of_none() {
            return hand_on(parts, Part::Moved(moved)).await;
        }
        let chosen = comparing.chosen();
        let sql = MYSQL.rows(&self.compared(&comparing.ask), chosen.map(Chosen::bits));
        let statement = self.prepare(&sql).await?;
        let encoder = Encoder::new(&self.statement, &self.layout, needed, self.remedy);
        let encoder = encoder.at(|column| comparing.place(column, MARKS));
        let asking = self.session.asking();
        let explain = |error| asking.explain(error, "");
        let parameter = chosen.map_or(Params::Empty, |chosen| vec![letters(chosen)].into());
        let mut result = self.session.query(&statement, parameter).await.map_err(explain)?;
        let mut batch = Batch::new(ReadScope::All);
        if let Some(mut rows) = result.stream::<Row>().await.map_err(explain)? {
            while let Some(row) = rows.next().await {
                let values = row.map_err(explain)?.unwrap();
                count(&mut moved, &values);
                let row = encoder.encode(&values, moved.rows)?;
                if let Some(full) = batch.push(marks(&values, row)) {
                    hand_on(parts, Part::Marked(full)).await?;
                }
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Marked(rest)).await?;
        }
        hand_on(parts, Part::Moved(moved)).await
    }
}

/// Why nothing was compared, of what the server said.
fn words(refusal: &MysqlRefusal) -> String {
    if STATEMENT_TIMEOUTS.contains(&refusal.number) {
        return "MySQL's time limit ended the comparison: raise `statement_timeout`, or set `compare: full`"
            .to_owned();
    }
    format!("MySQL cannot run the query as a subquery: {}", refusal.message)
}

/// How the text of a column's values is had in SQL.
fn form(column: &Column) -> Form {
    match Kind::of(column) {
        Ok(Kind::Bool | Kind::Bit | Kind::Int) => Form::Whole,
        Ok(Kind::Float) => Form::Float,
        Ok(Kind::Decimal | Kind::Text | Kind::Timestamp | Kind::LocalTimestamp | Kind::Date | Kind::Json)
        | Err(_) => Form::Other,
    }
}

/// The kind of a column, and how many decimals its values have where that shows in them.
fn written(column: &Column) -> (Option<Kind>, Option<u8>) {
    let kind = Kind::of(column).ok();
    let is_of_digits = matches!(kind, Some(Kind::Decimal | Kind::Timestamp | Kind::LocalTimestamp));
    (kind, is_of_digits.then(|| column.decimals()))
}

/// All that decides how values of a column are written.
fn signature(column: &Column) -> String {
    let kind = Kind::of(column).map_or_else(|_| types::name(column), Kind::name);
    let is_unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    format!("{kind} {:?} {} {is_unsigned}", column.column_type(), column.decimals())
}

/// A row of sums: a bucket's, or that of the rows that have none.
fn sum(values: &[Value]) -> (Option<u32>, SourceSum) {
    let bucket = values.first().and_then(number).and_then(|bucket| u32::try_from(bucket).ok());
    let half = |at: usize| match values.get(at) {
        Some(Value::Bytes(digits)) => std::str::from_utf8(digits).map(half).unwrap_or_default(),
        Some(_) | None => 0,
    };
    (
        bucket,
        SourceSum { rows: values.get(1).and_then(number).unwrap_or_default(), halves: [half(2), half(3)] },
    )
}

/// A row with what the server says of it.
fn marks(values: &[Value], row: coho_core::row::RowBuf) -> MarkedRow {
    let key = values.first().and_then(number).and_then(|key| u32::try_from(key).ok());
    let fingerprint = match values.get(1) {
        Some(Value::Bytes(digits)) => std::str::from_utf8(digits).unwrap_or_default(),
        Some(_) | None => "",
    };
    let (left, right) = fingerprint.split_at_checked(16).unwrap_or_default();
    MarkedRow {
        row,
        key,
        halves: [left, right].map(|half| u64::from_str_radix(half, 16).unwrap_or_default()),
        cached: None,
    }
}

fn number(value: &Value) -> Option<u64> {
    if let Value::UInt(number) = value {
        return Some(*number);
    }
    let Value::Int(number) = value else { return None };
    u64::try_from(*number).ok()
}

/// The buckets that are chosen, four in each letter.
fn letters(chosen: &Chosen) -> Value {
    let letters = chosen.bytes().iter().flat_map(|byte| [b'@' | (byte & 15), b'@' | (byte >> 4)]);
    Value::Bytes(letters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_buckets_are_a_letter() {
        let mut chosen = Chosen::none(6);
        for bucket in [0, 3, 4, 63] {
            chosen.choose(bucket);
        }
        let letters = letters(&chosen);
        assert_eq!(letters, Value::Bytes(b"IA@@@@@@@@@@@@@H".to_vec()));
    }

    #[test]
    fn a_sum_is_read_as_the_server_writes_it() {
        let text = |text: &str| Value::Bytes(text.into());
        let values = [Value::UInt(7), Value::Int(3), text("18446744073709551617"), text("5")];
        assert_eq!(sum(&values), (Some(7), SourceSum { rows: 3, halves: [1, 5] }));
        let nameless = sum(&[Value::NULL, Value::Int(2), text("1"), text("1")]);
        assert_eq!((nameless.0, nameless.1.rows), (None, 2));
    }
}
