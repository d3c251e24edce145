//! Comparing in the engine: what its buckets hold, and the rows of those that are wanted, in the connection of the reading.
//!
//! The statements come from [`crate::buckets::dialect`]; the driver's process runs them one after another. Which engine it is, the
//! driver says itself: its file may have any name.

use coho_core::row::{Cell, ColumnType, Row as _, RowBuf};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::engine::Engine;
use super::failure::{AdbcError, AdbcRefusal, AdbcStep};
use super::frame::{Answer, Asked, Care, Field, Order, RefusedValue, Statement, Wanted};
use super::{Transfer, columns, size, start};
use crate::buckets::comparing::{Comparing, Question, basis, compared, half};
use crate::buckets::dialect::{Compared, Dialect, Form};
use crate::buckets::engines::of_vendor;
use crate::buckets::{Chosen, CompareQuery, MarkedRow, Moved, SourceSum, SourceSums, bucket};
use crate::database;
use crate::outline::Needed;
use crate::read::SourceError;
use crate::reading::{Batch, Part, ReadScope, hand_on};
use crate::text::bounded;

/// The SQL standard's code of a statement that was canceled, by a limit or by somebody.
const TIME_IS_UP: &str = "57014";

/// The fields of a row before those of the model.
const MARKS: usize = 3;

/// The most bytes of a list of buckets: Snowflake wants statements of a megabyte at most. Where it would be longer, all rows come from
/// the engine, and those that nobody wants are dropped here.
const LONGEST_LIST: usize = 900_000;

/// What the engine said of buckets and of rows that have none, or why it cannot.
type Told = Result<(Vec<(u32, SourceSum)>, u64), String>;

impl Transfer {
    /// Answers what is asked, and waits to be told which rows are wanted. `None` where the model cannot be compared: then all
    /// rows come as always.
    pub(super) async fn compare(&mut self, question: Question) -> Result<Option<Comparing>, SourceError> {
        let mut moved = Moved::default();
        self.begun = Instant::now();
        let (settings, limit) = (self.settings.clone(), self.limit());
        let answer = match settings.timed(limit, self.tell(&question.ask, &mut moved)).await {
            // Sums take far longer than the rows that they are of: a full read may be in time.
            Err(SourceError::Adbc(AdbcError::Limit { .. })) => {
                self.start_again().await?;
                Err(time_is_up(of_vendor(&self.columns.vendor).map_or("the engine", |dialect| dialect.name)))
            }
            answer => answer?,
        };
        question.answer(answer, moved).await
    }

    /// Reads in another process: nobody knows how far the statement in this one is.
    async fn start_again(&mut self) -> Result<(), SourceError> {
        let asked = Asked::Rows(self.query.clone(), u64::MAX);
        let host = start(&self.settings, &self.model, asked).await?;
        std::mem::replace(&mut self.host, host).end().await;
        let now = super::in_time(&self.settings, columns(&mut self.host)).await?;
        if now.fields == self.columns.fields { Ok(()) } else { Err(self.host.unexpected().into()) }
    }

    /// What the buckets hold, or why the model cannot be compared.
    async fn tell(
        &mut self,
        ask: &CompareQuery,
        moved: &mut Moved,
    ) -> Result<Result<SourceSums, String>, SourceError> {
        let Some(dialect) = of_vendor(&self.columns.vendor).filter(|_| self.columns.compares) else {
            return Ok(Err(no_dialect(&self.columns.vendor)));
        };
        let no_key = ask.key.iter().find_map(|at| self.no_key(*at));
        if let Some(why) = no_key.or_else(|| ask.reads.iter().find_map(|at| self.no_cell(dialect, *at))) {
            return Ok(Err(why));
        }
        match self.sums(dialect, ask, moved).await {
            Ok(told) => Ok(told.map(|(sums, nameless)| {
                let kind =
                    |field: usize| self.field(field).map(|it| it.signature.clone()).unwrap_or_default();
                SourceSums {
                    by: dialect.name,
                    basis: basis(dialect, &self.layout, ask, kind),
                    sums,
                    nameless,
                    published: Ok(None),
                }
            })),
            Err(AdbcError::Refused(refusal)) if matches!(refusal.step, AdbcStep::Query | AdbcStep::Rows) => {
                Ok(Err(words(dialect, &refusal)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn field(&self, field: usize) -> Option<&Field> {
        self.columns.fields.get(field)
    }

    /// Why a column's text in SQL may not be the text that it has in a key.
    fn no_key(&self, at: usize) -> Option<String> {
        let field = self.field(*self.layout.fields.get(at)?)?;
        let kind = field.kind.as_ref().ok()?;
        let has_text = field.is_whole || *kind == ColumnType::Text;
        (!has_text).then(|| format!("the primary key column `{}` has the type `{}`", field.name, kind.name()))
    }

    /// Why a column's text in SQL may be the same for two values.
    fn no_cell(&self, dialect: &Dialect, at: usize) -> Option<String> {
        let field = self.field(*self.layout.fields.get(at)?)?;
        let is_untold = dialect.untold.iter().any(|part| field.signature.contains(part));
        is_untold.then(|| format!("the column `{}` has a type that Coho cannot compare: cast it", field.name))
    }

    /// The sums of all buckets that have rows, and how many rows have none; nothing where only rows are wanted.
    async fn sums(
        &mut self,
        dialect: &'static Dialect,
        ask: &CompareQuery,
        moved: &mut Moved,
    ) -> Result<Told, AdbcError> {
        let mut is_true = false;
        self.rows_of(dialect.probe, 1, moved, |row| is_true = row.cell(0) == Cell::Bool(true)).await?;
        if !is_true {
            return Ok(Err(format!("this version of {} computes digests in another way", dialect.name)));
        }
        let sql = self.sql()?;
        let of = self.compared(&sql, ask);
        let statements = (dialect.rows(&of, None), ask.bits.map(|bits| dialect.sums(&of, bits)));
        if let Some(why) = self.other_type(dialect, ask, statements.0).await? {
            return Ok(Err(why));
        }
        let (mut sums, mut nameless) = (Vec::new(), 0);
        let Some(statement) = statements.1 else { return Ok(Ok((sums, nameless))) };
        let take = |row: &RowBuf| match sum(row) {
            (Some(bucket), sum) => sums.push((bucket, sum)),
            (None, sum) => nameless = sum.rows,
        };
        self.rows_of(&statement, 4, moved, take).await?;
        Ok(Ok((sums, nameless)))
    }

    /// Why what comes out of the statement is not what comes out of the query.
    async fn other_type(
        &mut self,
        dialect: &Dialect,
        ask: &CompareQuery,
        sql: String,
    ) -> Result<Option<String>, AdbcError> {
        self.host.order(&Order::Statement(Statement { sql, wanted: None })).await?;
        let inner = columns(&mut self.host).await?.fields;
        self.done().await?;
        let mut reads = ask.reads.iter().zip(inner.iter().skip(MARKS));
        let other = reads.find_map(|(at, inner)| {
            let alone = self.field(*self.layout.fields.get(*at)?)?;
            (alone.signature != inner.signature).then_some(&alone.name)
        });
        let name = dialect.name;
        Ok(other.map(|column| {
            format!(
                "the column `{column}` has another type where {name} runs the query as a subquery: cast it"
            )
        }))
    }

    async fn done(&mut self) -> Result<(), AdbcError> {
        match self.host.next().await? {
            (Answer::Done, _) => Ok(()),
            (
                Answer::Columns(_)
                | Answer::Rows(_)
                | Answer::Refused(_)
                | Answer::Declined(_)
                | Answer::Failed(_)
                | Answer::End,
                _,
            ) => Err(self.host.unexpected()),
        }
    }

    /// Runs a statement with so many columns, and looks at each of its rows.
    async fn rows_of(
        &mut self,
        sql: &str,
        fields: usize,
        moved: &mut Moved,
        mut look: impl FnMut(&RowBuf),
    ) -> Result<(), AdbcError> {
        let wanted = (0..fields).map(|field| Wanted { field, care: Care::Needed }).collect();
        let statement = Statement { sql: sql.to_owned(), wanted: Some(wanted) };
        self.host.order(&Order::Statement(statement)).await?;
        loop {
            let (answer, bytes) = self.host.next().await?;
            moved.bytes += size(bytes);
            match answer {
                Answer::Rows(rows) => rows.iter().for_each(&mut look),
                Answer::Done => return Ok(()),
                Answer::Columns(_)
                | Answer::Refused(_)
                | Answer::Declined(_)
                | Answer::Failed(_)
                | Answer::End => return Err(self.host.unexpected()),
            }
        }
    }

    /// The model's query, as its engine reads it.
    fn sql(&self) -> Result<String, AdbcError> {
        let sql = Engine::of(&self.columns.vendor).sql(&self.query);
        sql.map_err(|_| self.host.unexpected())
    }

    /// That query with the fields that are asked for.
    fn compared<'a>(&self, sql: &'a str, ask: &CompareQuery) -> Compared<'a> {
        let fields = &self.columns.fields;
        let engine = Engine::of(&self.columns.vendor);
        let forms: Vec<_> = fields.iter().map(form).collect();
        let names = fields.iter().map(|field| engine.quote(&field.name)).collect();
        Compared { names, ..compared(sql, &forms, &self.layout, ask) }
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
        self.host.order(&self.wanted_rows(&comparing, needed)?).await?;
        let mut batch = Batch::new(ReadScope::All);
        loop {
            let (answer, bytes) = self.host.next().await?;
            moved.bytes += size(bytes);
            match answer {
                Answer::Rows(rows) => {
                    moved.rows += size(rows.len());
                    for marked in rows.iter().map(marked).filter(|row| is_wanted(&comparing, row)) {
                        if let Some(full) = batch.push(marked) {
                            hand_on(parts, Part::Marked(full)).await?;
                        }
                    }
                }
                Answer::Refused(value) => return Err(self.refuse_marked(value)),
                Answer::Done => break,
                Answer::Columns(_) | Answer::Declined(_) | Answer::Failed(_) | Answer::End => {
                    return Err(self.host.unexpected().into());
                }
            }
        }
        if let Some(rest) = batch.rest() {
            hand_on(parts, Part::Marked(rest)).await?;
        }
        hand_on(parts, Part::Moved(moved)).await
    }

    /// The statement that gives the rows that are wanted: their marks, and all columns of the model, of which only those that are read
    /// have values.
    fn wanted_rows(&self, comparing: &Comparing, needed: &Needed) -> Result<Order, AdbcError> {
        let Some(dialect) = of_vendor(&self.columns.vendor) else { return Err(self.host.unexpected()) };
        let sql = self.sql()?;
        let of = self.compared(&sql, &comparing.ask);
        let chosen = comparing.chosen().and_then(|chosen| Some((chosen.bits(), list(chosen)?)));
        let sql = match chosen {
            Some((bits, buckets)) => dialect.rows_of(&of, bits, &buckets),
            None => dialect.rows(&of, None),
        };
        let marks = (0..MARKS).map(|field| Wanted { field, care: Care::Needed });
        let columns = (0..self.layout.fields.len()).map(|at| Wanted {
            field: comparing.place(at, MARKS),
            care: if needed.has(at) { Care::Needed } else { Care::None },
        });
        Ok(Order::Statement(Statement { sql, wanted: Some(marks.chain(columns).collect()) }))
    }

    /// As [`Transfer::refuse`], of a statement in which columns have other places and names.
    fn refuse_marked(&self, value: RefusedValue) -> SourceError {
        let engine = Engine::of(&self.columns.vendor);
        let at = value.column.saturating_sub(MARKS);
        let cast = |column: &str| engine.text(column);
        database::refuse_value(&self.layout, at, value.row, value.what, cast, self.remedy)
    }
}

/// Why nothing was compared, of what the engine said.
fn words(dialect: &Dialect, refusal: &AdbcRefusal) -> String {
    if refusal.state == TIME_IS_UP {
        return time_is_up(dialect.name);
    }
    format!("{} cannot run the query as a subquery: {}", dialect.name, refusal.message)
}

fn time_is_up(engine: &str) -> String {
    format!("{engine}'s time limit ended the comparison: raise `statement_timeout`, or set `compare: full`")
}

fn no_dialect(vendor: &str) -> String {
    if vendor.is_empty() {
        return "the ADBC driver does not say which engine it is of".to_owned();
    }
    let vendor = bounded(vendor);
    match of_vendor(&vendor) {
        Some(dialect) => {
            format!("{} cannot say the query's columns without running it", dialect.name)
        }
        None => format!("Coho cannot compare rows in `{vendor}` through its ADBC driver"),
    }
}

/// How the text of a column's values is had in SQL.
fn form(field: &Field) -> Form {
    if field.is_whole {
        return Form::Whole;
    }
    match field.kind {
        Ok(ColumnType::Int) => Form::Whole,
        Ok(ColumnType::Float) => Form::Float,
        Ok(ColumnType::Timestamp) => Form::Moment,
        Ok(ColumnType::LocalTimestamp) => Form::Local,
        Ok(ColumnType::Date) => Form::Date,
        Ok(ColumnType::Json) => Form::Json,
        Ok(ColumnType::Bool | ColumnType::Decimal | ColumnType::Text | ColumnType::Mixed) | Err(_) => {
            Form::Other
        }
    }
}

/// The buckets that are chosen, as numbers; `None` where there are too many to write down.
fn list(chosen: &Chosen) -> Option<String> {
    let mut list = "-1".to_owned();
    for bucket in (0..1_u32 << chosen.bits()).filter(|bucket| chosen.has(*bucket)) {
        list.push(',');
        list += &bucket.to_string();
        if list.len() > LONGEST_LIST {
            return None;
        }
    }
    Some(list)
}

fn is_wanted(comparing: &Comparing, row: &MarkedRow) -> bool {
    let Some((chosen, key)) = comparing.chosen().zip(row.key) else { return true };
    chosen.has(bucket(key, chosen.bits()))
}

/// A row of sums: a bucket's, or that of the rows that have none.
fn sum(row: &RowBuf) -> (Option<u32>, SourceSum) {
    let half_of = |at| if let Cell::Text(digits) = row.cell(at) { half(digits) } else { 0 };
    let rows = number(row.cell(1)).unwrap_or_default();
    let bucket = number(row.cell(0)).and_then(|bucket| u32::try_from(bucket).ok());
    (bucket, SourceSum { rows, halves: [half_of(2), half_of(3)] })
}

/// A row with what the engine says of it.
fn marked(row: &RowBuf) -> MarkedRow {
    let key = number(row.cell(0)).and_then(|key| u32::try_from(key).ok());
    let halves = [1, 2].map(|at| number(row.cell(at)).unwrap_or_default());
    MarkedRow { row: RowBuf::from_cells(row.cells().skip(MARKS)), key, halves, cached: None }
}

/// A whole number, in whichever type its engine has for it, or spelled out.
fn number(cell: Cell<'_>) -> Option<u64> {
    if let Cell::Int(number) = cell {
        return u64::try_from(number).ok();
    }
    if let Cell::Decimal(digits) | Cell::Text(digits) = cell { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_read_in_whichever_type_its_numbers_are() {
        let sums = [Cell::Text("18446744073709551617"), Cell::Text("5")];
        for cells in [[Cell::Int(7), Cell::Int(3)], [Cell::Decimal("7"), Cell::Decimal("3")]] {
            let row = RowBuf::from_cells(cells.into_iter().chain(sums));
            assert_eq!(sum(&row), (Some(7), SourceSum { rows: 3, halves: [1, 5] }));
        }
        let nameless = sum(&RowBuf::from_cells([Cell::Null, Cell::Int(2)].into_iter().chain(sums)));
        assert_eq!((nameless.0, nameless.1.rows), (None, 2));
    }

    #[test]
    fn marks_are_taken_off_a_row() {
        let cells = [Cell::Decimal("4294967295"), Cell::Decimal("18446744073709551615"), Cell::Int(2)];
        let marked = marked(&RowBuf::from_cells(cells.into_iter().chain([Cell::Null, Cell::Text("a")])));
        assert_eq!((marked.key, marked.halves), (Some(u32::MAX), [u64::MAX, 2]));
        assert_eq!(marked.row, RowBuf::from_cells([Cell::Null, Cell::Text("a")]));
    }

    #[test]
    fn more_buckets_than_a_statement_can_name_are_not_named() {
        let mut chosen = Chosen::none(20);
        assert_eq!(list(&chosen).as_deref(), Some("-1"));
        chosen.choose(1_048_575);
        chosen.choose(3);
        assert_eq!(list(&chosen).as_deref(), Some("-1,3,1048575"));
        for bucket in 0..200_000 {
            chosen.choose(bucket);
        }
        assert_eq!(list(&chosen), None);
    }
}
